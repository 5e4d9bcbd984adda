//! What is asked of Graph, and what came back.

use bytes::Bytes;
use jiff::Timestamp;

use super::link::Link;
use teams_base::graph::endpoint::Endpoint;

/// One GET. Built with [`Request::new`] or, for the next page, with [`Request::follow`].
#[derive(Debug, Clone)]
pub struct Request {
    pub endpoint: &'static Endpoint,
    pub target: Target,
    pub budget: Budget,
    /// How the scope is named in errors and in the report, such as `team 1234` or `channel 1234/19:..`.
    pub scope: String,
}

#[derive(Debug, Clone)]
pub enum Target {
    /// Segments below `/v1.0`, each percent-encoded when the URL is made, and query parameters.
    Path { segments: Vec<String>, query: Vec<(&'static str, String)> },
    /// A checked `nextLink` or `deltaLink`, used exactly as it came.
    Link(Link),
}

/// The resources whose own limits a request draws on, beside its endpoint's limit per app and tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    pub team: Option<String>,
    /// A channel or a chat: both share the limit of one request per second.
    pub conversation: Option<String>,
    pub user: Option<String>,
}

impl Request {
    pub fn new(endpoint: &'static Endpoint, segments: &[&str], scope: impl Into<String>) -> Self {
        Self {
            endpoint,
            target: Target::Path { segments: segments.iter().map(ToString::to_string).collect(), query: Vec::new() },
            budget: Budget::default(),
            scope: scope.into(),
        }
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Target::Path { query, .. } = &mut self.target {
            query.push((name, value.to_string()));
        }
        self
    }

    #[must_use]
    pub fn team(mut self, id: &str) -> Self {
        self.budget.team = Some(id.to_owned());
        self
    }

    #[must_use]
    pub fn conversation(mut self, id: &str) -> Self {
        self.budget.conversation = Some(id.to_owned());
        self
    }

    #[must_use]
    pub fn user(mut self, id: &str) -> Self {
        self.budget.user = Some(id.to_owned());
        self
    }

    /// The same endpoint, scope and budgets at the next page.
    #[must_use]
    pub fn follow(&self, link: Link) -> Self {
        Self { target: Target::Link(link), ..self.clone() }
    }
}

/// An answer that was accepted: status 200 and a body that its reader could read.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    pub body: T,
    /// The server's clock, from the `Date` header.
    pub date: Option<Timestamp>,
}

/// An inflated body.
pub type Body = Bytes;
