//! The one function that sends. Everything that may go wrong on the way to an accepted answer is dealt with here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::Malformed;
use super::breaker::{Breaker, Stop};
use super::classify::{self, Action, Headers, Kind, classify};
use super::clock::Clock;
use super::inflate::inflate;
use super::limiter::Limiter;
use super::report::Report;
use super::request::{Answer, Request};
use super::retry::{Trial, random};
use super::scopes::Status;
use super::transport::{Broken, Transport, read_body};
use super::trouble::Trouble;
use teams_base::graph::endpoint::Endpoint;

use crate::auth::{Token, TokenCache};
use teams_base::error::Result;
use teams_base::secret::Secret;

/// A host that has never answered is more likely misspelt than down, so the error comes soon.
const NEVER_REACHED: Duration = Duration::from_secs(20);

pub(super) struct Engine {
    pub base: Url,
    pub tokens: TokenCache,
    pub transport: Transport,
    pub limiter: Limiter,
    pub breaker: Breaker,
    pub clock: Clock,
    pub report: Arc<Report>,
    pub retry_timeout: Duration,
    pub reached: AtomicBool,
}

/// One round trip, to be repeated until it succeeds.
pub(super) struct Call<'a> {
    pub endpoint: &'static Endpoint,
    pub scope: &'a str,
    pub url: Url,
    /// A body makes it a POST.
    pub payload: Option<Bytes>,
    /// The answer is a redirect, and the reader reads its `Location`.
    pub redirects: bool,
    /// The requests it counts as.
    pub counts_as: &'a [&'a Request],
}

/// An answer and the token that got it.
pub(super) struct Accepted<T> {
    pub answer: Answer<T>,
    pub token: Arc<Token>,
}

struct Reply {
    status: u16,
    headers: Headers,
    /// Where a redirect points; signed links are secrets.
    location: Option<Secret>,
    /// What a reader sees, or why it cannot be read.
    body: Result<Bytes, &'static str>,
}

/// Why an attempt did not succeed, and what would have to happen before the next.
struct Setback {
    trouble: Box<Trouble>,
    next: Next,
}

enum Next {
    Stop,
    Reauthenticate,
    Wait { asked: Option<Duration>, limit: Duration, new_connection: bool },
}

impl Engine {
    pub async fn exchange<T>(
        &self,
        call: &Call<'_>,
        mut read: impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Accepted<T>> {
        let template = call.endpoint.template;
        let mut trial = Trial::new(self.retry_timeout, random);
        loop {
            let admitted = self.breaker.unless_given_up(self.limiter.admit(call.counts_as)).await;
            let (permit, waited) = admitted
                .map_err(|stop| Trouble::given_up(stop).into_error(call.endpoint, call.scope, trial.retries))?;
            self.report.waited(waited.planned, waited.throttled);
            let token = self.tokens.get().await?;
            let (generation, client) = self.transport.client();
            self.report.requested(template);
            self.report.scopes.requested(call.scope, waited.throttled);
            let started = Instant::now();
            let sent = self.send(&client, call, &token).await;
            drop(permit);
            let took = started.elapsed();

            let setback = match self.judge(call, sent, took, &mut read) {
                Ok(answer) => {
                    self.breaker.accepted(template);
                    self.report.scopes.settled(call.scope, Status::Ok, "");
                    return Ok(Accepted { answer, token });
                }
                Err(setback) => setback,
            };
            let mut trouble = setback.trouble;
            let throttled = trouble.kind == Kind::Throttled;
            if throttled {
                self.report.throttled(template);
            }
            let wait = match setback.next {
                Next::Stop => {
                    self.breaker.answered();
                    None
                }
                Next::Reauthenticate => {
                    self.breaker.answered();
                    self.tokens.invalidate(&token);
                    trial.reauthenticate(token.obtained_at).then_some(Duration::ZERO)
                }
                Next::Wait { asked, limit, new_connection } => {
                    if new_connection {
                        self.transport.renew(generation);
                        if let (Some(asked), [request]) = (asked, call.counts_as) {
                            self.limiter.slow_down(request, asked);
                        }
                    }
                    let wait = trial.again_within(limit, took, asked);
                    let may_go_on =
                        if throttled { self.breaker.throttled(template, took) } else { self.breaker.failed(took) };
                    trouble.stopped(may_go_on).and(wait)
                }
            };
            let wait = match wait {
                Some(wait) => {
                    self.report.retried(template);
                    log::debug!("{template}: {trouble}; again in {:.1} s", wait.as_secs_f64());
                    trouble.stopped(self.wait(call, wait, throttled).await)
                }
                None => None,
            };
            if wait.is_none() {
                self.report.failed(template);
                let error = trouble.into_error(call.endpoint, call.scope, trial.retries);
                self.report.scopes.settled(call.scope, Status::Failed, &error.to_string());
                return Err(error);
            }
        }
    }

    /// A throttled read pauses its budgets and so waits where all others do.
    async fn wait(&self, call: &Call<'_>, wait: Duration, throttled: bool) -> Result<(), Stop> {
        match call.counts_as {
            [request] if throttled && call.payload.is_none() => self.limiter.throttle(request, wait),
            _ => {
                self.breaker.pause(wait).await?;
                if throttled {
                    self.report.waited(Duration::ZERO, wait);
                    self.report.scopes.throttled(call.scope, wait);
                }
            }
        }
        Ok(())
    }

    async fn send(&self, client: &reqwest::Client, call: &Call<'_>, token: &Token) -> Result<Reply, Broken> {
        let builder = match &call.payload {
            None => client.get(call.url.clone()),
            Some(body) => client.post(call.url.clone()).header(CONTENT_TYPE, "application/json").body(body.clone()),
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
        self.reached.store(true, Ordering::Relaxed);
        let status = response.status().as_u16();
        let headers = Headers::of(response.headers());
        let location = response.headers().get(LOCATION).and_then(|link| link.to_str().ok()).map(Secret::new);
        let raw = read_body(response).await?;
        let on_wire = raw.len();
        let body = inflate(raw);
        // An answer may quote the token, and not every token looks like one.
        let body = if status == 200 { body } else { body.map(|body| token.cut_out_of(&body)) };
        self.report.received(on_wire, body.as_ref().map_or(0, Bytes::len));
        Ok(Reply { status, headers, location, body })
    }

    fn judge<T>(
        &self,
        call: &Call<'_>,
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
            call.endpoint.template,
            reply.status,
            took.as_millis(),
            reply.headers.request_id.as_deref().unwrap_or("none")
        );
        let body = reply.body.as_deref().unwrap_or_default();
        let link = reply.location.as_ref().filter(|_| call.redirects && reply.status == 302);
        let action = if link.is_some() { Action::Accept } else { classify(reply.status, &reply.headers, body) };
        if reply.headers.request_id.is_some() {
            self.set_clock(&reply.headers);
        }
        if action == Action::Accept {
            let result = match (link, &reply.body) {
                (Some(link), _) => read(link.expose().as_bytes()),
                (None, _) if call.redirects => Err(Malformed("no link to a file".to_owned())),
                (None, Ok(body)) => read(body),
                (None, Err(why)) => Err(Malformed((*why).to_owned())),
            };
            return match result {
                Ok(value) => {
                    self.set_clock(&reply.headers);
                    Ok(Answer { body: value, date: reply.headers.date })
                }
                Err(malformed) => Err(Setback {
                    trouble: Box::new(Trouble::malformed(&malformed, &reply.headers, body)),
                    next: Next::Wait { asked: None, limit: self.retry_timeout, new_connection: false },
                }),
            };
        }
        let trouble = |kind| Box::new(Trouble::answered(kind, reply.status, &reply.headers, body));
        Err(match action {
            Action::Retry { after, throttled, new_connection } => Setback {
                trouble: trouble(classify::exhausted(throttled)),
                next: Next::Wait { asked: after, limit: self.retry_timeout, new_connection },
            },
            Action::Reauthenticate => Setback {
                trouble: trouble(if reply.status == 403 { Kind::PermissionDenied } else { Kind::Authentication }),
                next: Next::Reauthenticate,
            },
            Action::Accept => unreachable!("returned above"),
            Action::Fail(kind) => Setback { trouble: trouble(kind), next: Next::Stop },
        })
    }

    /// Rounds end at this time, so it is taken only from what is surely Graph: an answer with a `request-id`, or a page that
    /// was read. The clock of a proxy or of a sign-in page could lie ahead, and changes up to it would be skipped.
    fn set_clock(&self, headers: &Headers) {
        if let Some(date) = headers.date {
            self.clock.set(date);
        }
    }

    fn broken(&self, broken: &Broken) -> Setback {
        let host = &self.base[url::Position::BeforeHost..url::Position::AfterPort];
        let reached = self.reached.load(Ordering::Relaxed);
        let limit = if broken.connect && !reached { NEVER_REACHED } else { self.retry_timeout };
        let next = match broken.remedy {
            Some(_) => Next::Stop,
            // A connection that has gone dead, as behind a firewall that forgets it, would keep all that share it waiting.
            None => Next::Wait { asked: None, limit, new_connection: broken.stalled },
        };
        Setback { trouble: Box::new(Trouble::broken(broken, host, reached)), next }
    }
}
