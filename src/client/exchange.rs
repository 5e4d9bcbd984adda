//! The one loop that repeats requests until they succeed. Everything that may go wrong on the way to an accepted answer is
//! dealt with here.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::{Attempt, Next, Setback};
use crate::auth::Token;
use crate::circuit_breaker::Stop;
use crate::classify::Kind;
use crate::http::retry::{Trial, random};
use crate::limits::Limiter;
use crate::malformed::Malformed;
use crate::metrics::{Report, Status};
use crate::request::{Answer, Idempotency, Request, Target};
use crate::service::Service;
use crate::trouble::Trouble;
use teams_base::error::Result;

/// What requests share. Clones share it too.
#[derive(Clone)]
pub struct Engine {
    pub graph: Arc<Service>,
    pub connector: Option<Arc<Service>>,
    pub limiter: Arc<Limiter>,
    pub report: Arc<Report>,
    pub retry_timeout: Duration,
}

/// One round trip, to be repeated until it succeeds.
pub struct Call<'a> {
    pub request: &'a Request,
    /// The reads that a batch carries: they are what it counts as.
    pub items: &'a [&'a Request],
    /// The answer is a redirect, and the reader reads its `Location`.
    pub redirects: bool,
}

/// An answer, and what it came by.
pub struct Accepted<T> {
    pub answer: Answer<T>,
    pub token: Arc<Token>,
    /// That of the connections.
    pub generation: u64,
}

/// An attempt that failed.
pub struct Failed<'a> {
    pub service: &'a Service,
    pub request: &'a Request,
    /// The reads whose budgets it drew on.
    pub counts_as: &'a [&'a Request],
    pub token: &'a Arc<Token>,
    pub took: Duration,
    pub generation: u64,
}

impl Engine {
    pub async fn exchange<T>(
        &self,
        call: &Call<'_>,
        read: impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Accepted<T>> {
        let mut in_doubt = false;
        let result = self.repeat(call, read, &mut in_doubt).await;
        match result {
            Ok(mut accepted) => {
                accepted.answer.repeated_in_doubt = in_doubt;
                Ok(accepted)
            }
            Err(error) if in_doubt => Err(error.in_doubt()),
            Err(error) => Err(error),
        }
    }

    /// Sets `in_doubt` once an attempt may have had an effect although it did not succeed.
    async fn repeat<T>(
        &self,
        call: &Call<'_>,
        mut read: impl FnMut(&[u8]) -> Result<T, Malformed>,
        in_doubt: &mut bool,
    ) -> Result<Accepted<T>> {
        let request = call.request;
        let template = request.endpoint.template;
        let service = self.service(request)?;
        let url = &service.url_of(request).map_err(|why| Trouble::refused(request, why))?;
        let attempt = Attempt {
            service,
            report: &self.report,
            request,
            url,
            redirects: call.redirects,
            retry_timeout: self.retry_timeout,
        };
        let alone = [request];
        let counts_as = if call.items.is_empty() { &alone } else { call.items };
        let mut trial = Trial::new(self.retry_timeout, random);
        let mut refused_for_rate = 0;
        loop {
            let admitted = service.breaker.unless_given_up(self.limiter.admit(counts_as)).await;
            let (permit, waited) =
                admitted.map_err(|stop| Trouble::given_up(stop).into_error(request, trial.retries))?;
            self.report.waited(waited.planned, waited.throttled);
            let token = service.tokens.get().await?;
            let (generation, client) = service.transport.client();
            self.report.requested(template);
            self.report.scopes.requested(&request.scope, waited.throttled);
            let started = Instant::now();
            let sent = attempt.send(&client, &token).await;
            drop(permit);
            let took = started.elapsed();

            let setback = match attempt.judge(sent, took, &mut read) {
                Ok(mut answer) => {
                    answer.throttled = refused_for_rate;
                    service.accepted();
                    service.breaker.accepted(template);
                    self.report.scopes.settled(&request.scope, Status::Ok, "");
                    return Ok(Accepted { answer, token, generation });
                }
                Err(setback) => setback,
            };
            *in_doubt |= setback.may_have_acted && request.idempotency != Idempotency::Safe;
            let throttled = setback.trouble.kind == Kind::Throttled;
            refused_for_rate += u32::from(throttled);
            let failed = Failed { service, request, counts_as, token: &token, took, generation };
            let (mut trouble, wait) = self.next(&failed, setback, &mut trial);
            let wait = match wait {
                Some(wait) => {
                    self.report.retried(template);
                    log::debug!("{template}: {trouble}; again in {:.1} s", wait.as_secs_f64());
                    trouble.stopped(self.wait(call, service, wait, throttled).await)
                }
                None => None,
            };
            if wait.is_none() {
                self.report.failed(template);
                trouble.holds_permission(request, &token.roles());
                let error = trouble.into_error(request, trial.retries);
                self.report.scopes.settled(&request.scope, Status::Failed, &error.to_string());
                return Err(error);
            }
        }
    }

    /// Whether there is another attempt, and how long to wait for it. What went wrong then says why there is none.
    pub fn next(&self, failed: &Failed<'_>, setback: Setback, trial: &mut Trial) -> (Box<Trouble>, Option<Duration>) {
        let Failed { service, request, took, .. } = *failed;
        let template = request.endpoint.template;
        let is_harmless = !setback.may_have_acted || request.idempotency != Idempotency::NotIdempotent;
        let mut trouble = setback.trouble;
        let throttled = trouble.kind == Kind::Throttled;
        if throttled {
            self.report.throttled(template);
        }
        let wait = match setback.next {
            Next::Stop => {
                service.breaker.answered();
                None
            }
            Next::Reauthenticate => {
                service.breaker.answered();
                service.refused(failed.token, trial, &mut trouble).then_some(Duration::ZERO)
            }
            Next::Wait { asked, limit, new_connection } => {
                if new_connection {
                    service.transport.renew(failed.generation);
                    if let (Some(asked), [request]) = (asked, failed.counts_as) {
                        self.limiter.slow_down(request, asked);
                    }
                }
                let is_enough = request.is_brief && trial.retries > 0 && trouble.is_failure_of_server();
                if let (Some(asked), false) = (asked, is_harmless) {
                    // It is not repeated here, and whatever its caller sends next waits as the server asks.
                    self.limiter.pause(request, asked.min(limit));
                }
                let wait = if is_harmless && !is_enough { trial.again_within(limit, took, asked) } else { None };
                let may_go_on =
                    if throttled { service.breaker.throttled(template, took) } else { service.breaker.failed(took) };
                trouble.stopped(may_go_on).and(wait)
            }
        };
        (trouble, wait)
    }

    fn service(&self, request: &Request) -> Result<&Service> {
        match &request.target {
            Target::Path { .. } | Target::Link(_) => Ok(&self.graph),
            Target::Connector { .. } => self
                .connector
                .as_deref()
                .ok_or_else(|| Trouble::refused(request, "no credential for the Bot Connector was given")),
        }
    }

    /// A throttled request pauses its budgets and so waits where all others do; a batch is not what they pause for.
    async fn wait(&self, call: &Call<'_>, service: &Service, wait: Duration, throttled: bool) -> Result<(), Stop> {
        if throttled && call.items.is_empty() {
            self.limiter.throttle(call.request, wait);
            return Ok(());
        }
        service.breaker.pause(wait).await?;
        if throttled {
            self.report.waited(Duration::ZERO, wait);
            self.report.scopes.throttled(&call.request.scope, wait);
        }
        Ok(())
    }
}
