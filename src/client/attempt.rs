//! One attempt at a request: it is sent, and its answer judged.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use url::Url;
use uuid::Uuid;

use crate::auth::Token;
use crate::classify::{self, Action, classify};
use crate::http::body;
use crate::http::broken::Broken;
use crate::http::headers::Headers;
use crate::malformed::Malformed;
use crate::metrics::Report;
use crate::request::{Answer, Request};
use crate::service::Service;
use crate::trouble::Trouble;
use teams_base::graph::endpoint::Method;

/// A host that has never answered is more likely misspelt than down, so the error comes soon.
const NEVER_REACHED: Duration = Duration::from_secs(20);

pub struct Attempt<'a> {
    pub service: &'a Service,
    pub report: &'a Report,
    pub request: &'a Request,
    pub url: &'a Url,
    /// The answer is a redirect, and the reader reads its `Location`.
    pub redirects: bool,
    pub retry_timeout: Duration,
}

pub struct Reply {
    status: u16,
    headers: Headers,
    /// What a reader sees, or why it cannot be read.
    body: Result<Bytes, &'static str>,
}

/// Why an attempt did not succeed, and what would have to happen before the next.
pub struct Setback {
    pub trouble: Box<Trouble>,
    pub next: Next,
    /// Whether the server may have acted on the request all the same.
    pub may_have_acted: bool,
}

pub enum Next {
    Stop,
    Reauthenticate,
    Wait { asked: Option<Duration>, limit: Duration, new_connection: bool },
}

impl Attempt<'_> {
    pub async fn send(&self, client: &reqwest::Client, token: &Arc<Token>) -> Result<Reply, Broken> {
        let method = match self.request.endpoint.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let builder = client.request(method, self.url.clone());
        let builder = match (&self.request.body, self.request.endpoint.method) {
            (Some(body), _) => builder.header(CONTENT_TYPE, body.content_type).body(body.bytes.clone()),
            (None, Method::Get) => builder,
            // Servers answer 411 to a POST that says nothing of its length.
            (None, _) => builder.header(CONTENT_LENGTH, 0),
        };
        let response = builder
            .header(AUTHORIZATION, token.header.clone())
            .header("client-request-id", Uuid::new_v4().to_string())
            // Without it new kinds of messages, channels and members hide behind `unknownFutureValue`
            // (https://learn.microsoft.com/graph/best-practices-concept#handling-future-members-in-evolvable-enumerations).
            .header("Prefer", "include-unknown-enum-members")
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await?;
        self.service.reached.store(true, Ordering::Relaxed);
        let status = response.status().as_u16();
        let headers = Headers::of(response.headers());
        let body = body::read(response).await?;
        let on_wire = body.on_wire;
        let body = if self.request.endpoint.is_file() && status == 200 { body.file() } else { body.text() };
        // An answer may quote the token, and not every token looks like one.
        let body = if status == 200 { body } else { body.map(|body| token.cut_out_of(&body)) };
        self.report.received(on_wire, body.as_ref().map_or(0, Bytes::len));
        Ok(Reply { status, headers, body })
    }

    pub fn judge<T>(
        &self,
        sent: Result<Reply, Broken>,
        took: Duration,
        read: &mut impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Answer<T>, Setback> {
        let reply = match sent {
            Ok(reply) => reply,
            Err(broken) => return Err(self.broken(&broken)),
        };
        log::debug!(
            "{} answered {} in {} ms, request-id {}",
            self.request.endpoint.template,
            reply.status,
            took.as_millis(),
            reply.headers.request_id.as_deref().unwrap_or("none")
        );
        let body = reply.body.as_deref().unwrap_or_default();
        let link = reply.headers.location.as_ref().filter(|_| self.redirects && reply.status == 302);
        let action = if link.is_some() {
            Action::Accept
        } else {
            classify(self.request.idempotency, reply.status, &reply.headers, body)
        };
        if reply.headers.request_id.is_some() {
            self.set_clock(&reply.headers);
        }
        if let Some(setback) = Setback::of(action, reply.status, &reply.headers, body, self.retry_timeout) {
            return Err(setback);
        }
        let result = match (link, &reply.body) {
            (Some(link), _) => read(link.expose().as_bytes()),
            (None, _) if self.redirects => Err(Malformed("no link to a file".to_owned())),
            (None, Ok(body)) => read(body),
            (None, Err(why)) => Err(Malformed((*why).to_owned())),
        };
        match result {
            Ok(value) => {
                self.set_clock(&reply.headers);
                let Reply { status, headers, .. } = reply;
                Ok(Answer { status, headers, body: value, repeated_in_doubt: false, throttled: 0 })
            }
            Err(malformed) => {
                let trouble = Trouble::malformed(&malformed, reply.status, &reply.headers, body);
                Err(Setback::malformed(trouble, reply.status, self.retry_timeout))
            }
        }
    }

    /// Rounds end at this time, so it is taken only from what is surely Graph: an answer with a `request-id`, or a page that
    /// was read. The clock of a proxy or of a sign-in page could lie ahead, and changes up to it would be skipped.
    fn set_clock(&self, headers: &Headers) {
        if let Some(date) = headers.date {
            self.service.clock.set(date);
        }
    }

    fn broken(&self, broken: &Broken) -> Setback {
        let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let reached = self.service.reached.load(Ordering::Relaxed);
        let limit = if broken.connect && !reached { NEVER_REACHED } else { self.retry_timeout };
        let next = match broken.remedy {
            Some(_) => Next::Stop,
            // A connection that has gone dead, as behind a firewall that forgets it, would keep all that share it waiting.
            None => Next::Wait { asked: None, limit, new_connection: broken.stalled },
        };
        let trouble = Trouble::broken(broken, host, reached, self.request.service());
        Setback { trouble: Box::new(trouble), next, may_have_acted: !broken.unsent }
    }
}

impl Setback {
    /// What an answer leads to that is not accepted; nothing for one that its reader is to judge.
    pub fn of(action: Action, status: u16, headers: &Headers, body: &[u8], limit: Duration) -> Option<Self> {
        let (kind, next) = match action {
            Action::Accept => return None,
            Action::Retry { after, throttled, new_connection } => {
                (classify::exhausted(throttled), Next::Wait { asked: after, limit, new_connection })
            }
            Action::Reauthenticate(kind) => (kind, Next::Reauthenticate),
            Action::Fail(kind) => (kind, Next::Stop),
        };
        let trouble = Box::new(Trouble::answered(kind, status, headers, body));
        Some(Self { trouble, next, may_have_acted: !classify::rules_out_effect(status) })
    }

    /// An accepted answer that its reader cannot use.
    pub fn malformed(trouble: Trouble, status: u16, limit: Duration) -> Self {
        let next = Next::Wait { asked: None, limit, new_connection: false };
        Self { trouble: Box::new(trouble), next, may_have_acted: !classify::rules_out_effect(status) }
    }
}
