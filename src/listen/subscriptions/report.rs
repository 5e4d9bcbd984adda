//! What a turn did, as it is told.

use serde::Serialize;

use super::plan::{NotPushed, Planned};
use super::state::Gap;
use teams_base::error::{Error, GraphFailure};
use teams_base::graph::endpoint::{self, Method};

/// A request about a subscription that failed.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    pub resource: Option<String>,
    pub tables: Vec<String>,
    /// `list`, `create`, `renew` or `remove`.
    pub action: &'static str,
    pub status: Option<u16>,
    pub code: String,
    pub message: String,
    pub remedy: String,
    pub retry_in_seconds: Option<f64>,
}

impl Failure {
    pub fn new(
        error: &Error,
        planned: Option<&Planned>,
        action: &'static str,
        remedy: String,
        wait: Option<f64>,
    ) -> Self {
        let (code, message) = match (error, error.graph()) {
            (Error::Authentication(failure), _) => (failure.code.clone(), error.to_string()),
            (_, Some(failure)) if !failure.message.is_empty() => (failure.code.clone(), failure.message.clone()),
            (_, failure) => (failure.map(|failure| failure.code.clone()).unwrap_or_default(), error.to_string()),
        };
        Self {
            resource: planned.map(|planned| planned.resource.clone()),
            tables: planned.map(|planned| planned.tables.clone()).unwrap_or_default(),
            action,
            status: error.status(),
            code,
            message,
            remedy,
            retry_in_seconds: wait,
        }
    }
}

#[derive(Debug, Default, Serialize)]
pub struct Turn {
    pub created: Vec<String>,
    pub renewed: Vec<String>,
    pub recreated: Vec<String>,
    pub adopted: Vec<String>,
    pub replaced: Vec<String>,
    pub removed: Vec<String>,
    pub gaps: Vec<Gap>,
    pub failures: Vec<Failure>,
    pub not_pushed: Vec<NotPushed>,
    pub next_in_seconds: f64,
}

/// Somebody else has the subscription.
pub fn conflict(resource: &str) -> Error {
    Error::Service(Box::new(GraphFailure {
        method: Method::Post,
        endpoint: endpoint::SUBSCRIBE.template,
        scope: format!("subscription to {resource}"),
        status: Some(409),
        message: "a subscription of the same exists, and leads to another address".to_owned(),
        ..GraphFailure::default()
    }))
}
