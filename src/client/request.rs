//! What is asked, and what came back.

use std::fmt;

use bytes::Bytes;
use url::Url;

use crate::http::headers::Headers;
use crate::link::Link;
use teams_base::error::ServiceName;
use teams_base::graph::endpoint::{Endpoint, Method};

/// One request. Built with [`Request::new`] or, for the next page, with [`Request::follow`].
#[derive(Debug, Clone)]
pub struct Request {
    pub endpoint: &'static Endpoint,
    pub target: Target,
    pub budget: Budget,
    /// How the scope is named in errors and in the report, such as `team 1234` or `channel 1234/19:..`.
    pub scope: String,
    pub body: Option<Body>,
    pub idempotency: Idempotency,
    /// There is another way to the same rows: a server that fails twice (500, 502, 504, no answer) is not asked further.
    pub is_brief: bool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// Segments below `/v1.0` of Graph, each percent-encoded when the URL is made, and query parameters.
    Path { segments: Vec<String>, query: Vec<(&'static str, String)> },
    /// A checked `nextLink` or `deltaLink`, used exactly as it came.
    Link(Link),
    /// Segments below `/v3` of a Bot Connector. Its address is the `serviceUrl` of the conversation's latest activity.
    Connector { service: Url, segments: Vec<String>, query: Vec<(&'static str, String)> },
}

/// What a repeat of a request does (<https://www.rfc-editor.org/rfc/rfc9110#section-9.2>). It decides when a request is
/// repeated by itself, and which statuses are its caller's to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// It only reads, whatever its method. Repeated whenever that may help.
    Safe,
    /// It has an effect, and a repeat adds none or is refused as one (409). Repeated as a read is.
    Idempotent,
    /// Each repeat has an effect of its own. Repeated only where the attempt before certainly had none: the server was not
    /// reached, did not take the request up, or refused it for its token or its rate.
    NotIdempotent,
}

/// A body. It may hold what people wrote, so it is not shown.
#[derive(Clone)]
pub struct Body {
    pub content_type: &'static str,
    pub bytes: Bytes,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes of {})", self.bytes.len(), self.content_type)
    }
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
    /// A request to Graph. A GET is safe, and any other method not idempotent unless [`Self::idempotency`] says otherwise.
    pub fn new(endpoint: &'static Endpoint, segments: &[&str], scope: impl Into<String>) -> Self {
        Self::to(endpoint, Target::Path { segments: owned(segments), query: Vec::new() }, scope)
    }

    /// A request to the Bot Connector at an address.
    pub fn connector(endpoint: &'static Endpoint, service: &Url, segments: &[&str], scope: impl Into<String>) -> Self {
        Self::to(
            endpoint,
            Target::Connector { service: service.clone(), segments: owned(segments), query: Vec::new() },
            scope,
        )
    }

    fn to(endpoint: &'static Endpoint, target: Target, scope: impl Into<String>) -> Self {
        let idempotency = if endpoint.method == Method::Get { Idempotency::Safe } else { Idempotency::NotIdempotent };
        Self {
            endpoint,
            target,
            budget: Budget::default(),
            scope: scope.into(),
            body: None,
            idempotency,
            is_brief: false,
        }
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Target::Path { query, .. } | Target::Connector { query, .. } = &mut self.target {
            query.push((name, value.to_string()));
        }
        self
    }

    #[must_use]
    pub fn json(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type: "application/json", bytes: body.into() });
        self
    }

    /// The bytes of a file.
    #[must_use]
    pub fn file(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type: "application/octet-stream", bytes: bytes.into() });
        self
    }

    #[must_use]
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    #[must_use]
    pub fn briefly(mut self) -> Self {
        self.is_brief = true;
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

    /// Who is asked.
    pub fn service(&self) -> ServiceName {
        match self.target {
            Target::Path { .. } | Target::Link(_) => ServiceName::Graph,
            Target::Connector { .. } => ServiceName::BotConnector,
        }
    }

    /// The same endpoint, scope and budgets at the next page.
    #[must_use]
    pub fn follow(&self, link: Link) -> Self {
        Self { target: Target::Link(link), ..self.clone() }
    }
}

fn owned(segments: &[&str]) -> Vec<String> {
    segments.iter().map(ToString::to_string).collect()
}

/// An answer that was accepted: of a read, status 200 and a body that its reader could read; of a request with an effect,
/// one of the statuses that its caller judges.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    pub status: u16,
    pub headers: Headers,
    pub body: T,
    /// An earlier attempt may have had the effect, so that a 409 here may be its trace.
    pub repeated_in_doubt: bool,
    /// How many attempts before it were refused for their rate (429).
    pub throttled: u32,
}
