//! The circuit breaker, which decides when to stop trying altogether: an outage is reported in minutes, not after hours of
//! back-off by one request after the other; and a run in which most attempts fail ends, though each request succeeds in
//! the end.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Retries that a run may make before it has earned any. Each accepted answer earns one, up to this many.
const RESERVE: u32 = 300;
/// The limit where nothing is tried again.
const WITHOUT_RETRIES: Duration = Duration::from_secs(180);
/// One failure is no outage, however long it took.
const FAILURES: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The host has answered nothing for so long.
    Outage(Duration),
    /// An endpoint has throttled every request for so long.
    Throttled(Duration),
    /// More attempts fail than succeed.
    Spent,
}

impl Stop {
    pub fn remedy(self) -> String {
        match self {
            Self::Outage(time) => format!(
                "The host has answered no request for {} s, so none is tried again: look at its service health, \
                 then run again",
                time.as_secs()
            ),
            Self::Throttled(time) => format!(
                "This endpoint has throttled every request for {} s, so none is tried again: let others that use this app \
                 registration finish, then run again",
                time.as_secs()
            ),
            Self::Spent => {
                "Most requests of this run fail, so none is tried again: look at the service's health, then run again"
                    .into()
            }
        }
    }
}

/// Watches all requests to one host.
pub struct CircuitBreaker {
    state: Mutex<State>,
    /// Notified when the host is given up, so that requests that wait stop at once.
    given_up: Notify,
    /// How long a host may answer nothing.
    outage_after: Duration,
    /// How long an endpoint may answer nothing but "too many requests". Each request has that much time of its own, but a
    /// run has thousands of requests.
    throttled_after: Duration,
}

struct State {
    failing_since: Option<Instant>,
    failures: u32,
    /// By endpoint: since when it has accepted nothing, and how often it has throttled since.
    throttled: HashMap<&'static str, (Instant, u32)>,
    credit: u32,
}

impl CircuitBreaker {
    /// An outage is given up after a third of the time that a single request may take.
    pub fn new(retry_timeout: Duration) -> Self {
        let state = State { failing_since: None, failures: 0, throttled: HashMap::new(), credit: RESERVE };
        // Without retries a failure ends its scope; three of them in a moment do not make an outage.
        let limit = if retry_timeout.is_zero() { WITHOUT_RETRIES } else { retry_timeout };
        Self { state: Mutex::new(state), given_up: Notify::new(), outage_after: limit / 3, throttled_after: limit }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The host is there, whatever it said.
    pub fn answered(&self) {
        let mut state = self.state();
        (state.failing_since, state.failures) = (None, 0);
    }

    /// The endpoint throttled a request. Says whether there may be another attempt.
    pub fn throttled(&self, endpoint: &'static str, took: Duration) -> Result<(), Stop> {
        self.answered();
        let mut state = self.state();
        let now = Instant::now();
        let (_, times) = state.throttled.entry(endpoint).or_insert_with(|| (now.checked_sub(took).unwrap_or(now), 0));
        *times += 1;
        let stop = self.stop(&state);
        drop(state);
        if stop.is_some() {
            self.given_up.notify_waiters();
        }
        stop.map_or(Ok(()), Err)
    }

    pub fn accepted(&self, endpoint: &'static str) {
        self.answered();
        let mut state = self.state();
        state.throttled.remove(endpoint);
        state.credit = (state.credit + 1).min(RESERVE);
    }

    /// An attempt failed that had been `took` under way. Says whether there may be another.
    pub fn failed(&self, took: Duration) -> Result<(), Stop> {
        let mut state = self.state();
        let now = Instant::now();
        state.failures += 1;
        state.failing_since.get_or_insert_with(|| now.checked_sub(took).unwrap_or(now));
        if let Some(stop) = self.stop(&state) {
            drop(state);
            self.given_up.notify_waiters();
            return Err(stop);
        }
        state.credit = state.credit.checked_sub(1).ok_or(Stop::Spent)?;
        Ok(())
    }

    fn stop(&self, state: &State) -> Option<Stop> {
        let failing = state.failing_since.map_or(Duration::ZERO, |since| since.elapsed());
        if state.failures >= FAILURES && failing >= self.outage_after {
            return Some(Stop::Outage(failing));
        }
        let refusing = state.throttled.values().filter(|(_, times)| *times >= FAILURES);
        let longest = refusing.map(|(since, _)| since.elapsed()).max().unwrap_or_default();
        (longest >= self.throttled_after).then_some(Stop::Throttled(longest))
    }

    pub async fn pause(&self, wait: Duration) -> Result<(), Stop> {
        self.unless_given_up(sleep(wait)).await
    }

    /// Waits for a future, unless the host is given up meanwhile.
    pub async fn unless_given_up<T>(&self, future: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::pin!(future);
        loop {
            tokio::select! {
                done = &mut future => return Ok(done),
                () = self.given_up.notified() => {
                    if let Some(stop) = self.stop(&self.state()) {
                        return Err(stop);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_given_up_by_all_at_once_and_an_answer_ends_it() {
        let breaker = CircuitBreaker::new(SECOND * 900);
        breaker.failed(SECOND).unwrap();
        let start = Instant::now();
        let sleepers = join_all((0..10).map(|_| breaker.pause(SECOND * 10_000)));
        let failing = async {
            loop {
                sleep(SECOND * 30).await;
                if breaker.failed(SECOND).is_err() {
                    break;
                }
            }
        };
        let (stopped, ()) = tokio::join!(sleepers, failing);
        assert!(stopped.iter().all(|stop| matches!(stop, Err(Stop::Outage(_)))), "{stopped:?}");
        assert!((290..=330).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        assert!(breaker.failed(SECOND).is_err(), "one attempt, no retries");
        breaker.answered();
        assert!(breaker.failed(SECOND).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_throttles_everything_is_given_up_by_all_at_once() {
        let breaker = CircuitBreaker::new(SECOND * 900);
        let start = Instant::now();
        let queued = join_all((0..10).map(|_| breaker.unless_given_up(sleep(SECOND * 100_000))));
        let throttled = async {
            while breaker.throttled("/teams", SECOND).is_ok() {
                sleep(SECOND * 100).await;
            }
        };
        let (stopped, ()) = tokio::join!(queued, throttled);
        assert!(stopped.iter().all(|stop| matches!(stop, Err(Stop::Throttled(_)))), "{stopped:?}");
        assert!((890..=1_000).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        assert!(breaker.throttled("/teams", SECOND).is_err(), "one attempt, no retries");
        breaker.accepted("/users");
        assert!(breaker.throttled("/teams", SECOND).is_err(), "another endpoint's answer says nothing");
        for _ in 0..100 {
            breaker.accepted("/teams");
            sleep(SECOND * 500).await;
            breaker.throttled("/teams", SECOND).unwrap();
            sleep(SECOND * 200).await;
            breaker.throttled("/teams", SECOND).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_answers_now_and_then_is_up() {
        let breaker = CircuitBreaker::new(SECOND * 900);
        for _ in 0..100 {
            sleep(SECOND * 200).await;
            breaker.failed(SECOND).unwrap();
            breaker.answered();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_in_which_most_attempts_fail_ends() {
        let breaker = CircuitBreaker::new(SECOND * 900);
        let mut rounds = 0;
        while breaker.failed(SECOND).and_then(|()| breaker.failed(SECOND)).is_ok() {
            breaker.accepted("/teams");
            rounds += 1;
        }
        assert!((250..=350).contains(&rounds), "{rounds}");
        let steady = CircuitBreaker::new(SECOND * 900);
        for _ in 0..10_000 {
            steady.failed(SECOND).unwrap();
            steady.accepted("/teams");
        }
    }
}
