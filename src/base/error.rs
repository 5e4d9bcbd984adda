//! One error type for the whole core. Each variant is something a user can act on, and becomes one
//! Python exception class. Nothing in it ever holds a secret, a token or the query of a link.

use std::fmt;

use crate::graph::endpoint::Method;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An option is missing, unknown or malformed. Raised before any request is sent.
    #[error("{0}")]
    Configuration(String),
    #[error("Token acquisition failed: {0}")]
    Authentication(Box<AuthFailure>),
    /// 403; or a 401 for this scope alone, with a token that serves others.
    #[error("{refusal}: {0}", refusal = refusal(.0))]
    PermissionDenied(Box<GraphFailure>),
    #[error("Resource not found (404). Please verify team_id/channel_id: {0}")]
    NotFound(Box<GraphFailure>),
    #[error("Throttled by {service}: {0}", service = .0.service)]
    Throttled(Box<GraphFailure>),
    #[error("{service} could not answer: {0}", service = .0.service)]
    Service(Box<GraphFailure>),
    /// The answer was not what its service documents: malformed JSON, a link to another host, ...
    #[error("Unexpected answer from {service}: {0}", service = .0.service)]
    Protocol(Box<GraphFailure>),
    #[error("Interrupted")]
    Interrupted,
    /// A panic: where in the source it was, and never what it said, because that may quote a message.
    #[error("A bug in lakeflow-teams, at {0}. Please report it; what was read before it can be kept")]
    Internal(String),
}

fn refusal(failure: &GraphFailure) -> &'static str {
    match failure.status {
        Some(401) => "Unauthorized (401), with a token that serves other requests",
        _ => "Forbidden (403). Please verify the app has required permissions",
    }
}

/// Who was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServiceName {
    #[default]
    Graph,
    BotConnector,
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Graph => "Microsoft Graph",
            Self::BotConnector => "Bot Connector service",
        })
    }
}

/// What Entra ID said when it refused a token.
#[derive(Debug, Clone, Default)]
pub struct AuthFailure {
    pub status: Option<u16>,
    /// The number behind `AADSTS`, which the troubleshooting page is keyed by.
    pub aadsts: Option<u32>,
    pub code: String,
    pub message: String,
    pub remedy: String,
    /// As in [`GraphFailure`]: the token was for a request of which an earlier attempt had left this open.
    pub effect_unknown: bool,
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(status) = self.status {
            parts.push(status.to_string());
        }
        match self.aadsts {
            Some(number) => parts.push(format!("AADSTS{number}")),
            None if !self.code.is_empty() => parts.push(self.code.clone()),
            None => {}
        }
        if !self.message.is_empty() {
            parts.push(self.message.clone());
        }
        write!(f, "{}", parts.join(" "))?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, " ({})", self.remedy) }
    }
}

/// What Graph, or the Bot Connector, said when a request failed for good.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any can go with any")]
pub struct GraphFailure {
    pub service: ServiceName,
    pub method: Method,
    /// The endpoint's path template, never the path itself with its query.
    pub endpoint: &'static str,
    /// The team, channel, user or chat that was read, as it is shown in the report.
    pub scope: String,
    pub status: Option<u16>,
    /// `error.code` of the body; Graph sometimes leaves it empty.
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
    pub retries: u32,
    /// What to do about it, for instance the permission to grant.
    pub remedy: String,
    /// The answer says what it is refused for, and `remedy` follows that: no general advice is better.
    pub tells_why: bool,
    /// The host has been given up: no other request of the run would do better.
    pub gave_up: bool,
    /// The connection stood, and no answer came in time; or a gateway said so (504).
    pub timed_out: bool,
    /// An attempt may have had its effect although its answer was lost. A ledger of effects needs to know.
    pub effect_unknown: bool,
}

impl fmt::Display for GraphFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.endpoint)?;
        if !self.scope.is_empty() {
            write!(f, " [{}]", self.scope)?;
        }
        if let Some(status) = self.status {
            write!(f, " answered {status}")?;
        }
        for text in [&self.code, &self.message] {
            if !text.is_empty() {
                write!(f, " {text}")?;
            }
        }
        if self.retries > 0 {
            write!(f, ", after {} retries", self.retries)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request-id {id}")?;
        }
        if self.effect_unknown {
            f.write_str(", and it may have taken effect")?;
        }
        if self.remedy.is_empty() { Ok(()) } else { write!(f, ". {}", self.remedy) }
    }
}

impl Error {
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::Configuration(message.into())
    }

    /// The details of a failed request, where there was one.
    pub fn graph(&self) -> Option<&GraphFailure> {
        match self {
            Self::PermissionDenied(failure)
            | Self::NotFound(failure)
            | Self::Throttled(failure)
            | Self::Service(failure)
            | Self::Protocol(failure) => Some(failure),
            Self::Configuration(_) | Self::Authentication(_) | Self::Interrupted | Self::Internal(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn graph_mut(&mut self) -> Option<&mut GraphFailure> {
        match self {
            Self::PermissionDenied(failure)
            | Self::NotFound(failure)
            | Self::Throttled(failure)
            | Self::Service(failure)
            | Self::Protocol(failure) => Some(failure),
            Self::Configuration(_) | Self::Authentication(_) | Self::Interrupted | Self::Internal(_) => None,
        }
    }

    /// Whether the request may have had its effect although it failed. Otherwise it certainly had none.
    pub fn effect_is_unknown(&self) -> bool {
        match self {
            Self::Authentication(failure) => failure.effect_unknown,
            Self::Interrupted | Self::Internal(_) => true,
            other => other.graph().is_some_and(|failure| failure.effect_unknown),
        }
    }

    /// The same error, of a request that may have had its effect.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        if let Some(failure) = self.graph_mut() {
            failure.effect_unknown = true;
        }
        match self {
            Self::Authentication(mut failure) => {
                failure.effect_unknown = true;
                Self::Authentication(failure)
            }
            // A secret that can no longer be read.
            Self::Configuration(message) => {
                Self::Authentication(Box::new(AuthFailure { message, effect_unknown: true, ..AuthFailure::default() }))
            }
            other => other,
        }
    }

    /// Whether no other scope of the run would do better.
    pub fn ends_run(&self) -> bool {
        match self {
            Self::Authentication(_) | Self::Interrupted | Self::Configuration(_) | Self::Internal(_) => true,
            other => other.graph().is_some_and(|failure| failure.gave_up),
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Authentication(failure) => failure.status,
            other => other.graph().and_then(|failure| failure.status),
        }
    }
}
