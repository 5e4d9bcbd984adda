//! When to stop trying altogether: an outage is reported in minutes, not after hours of back-off by one request after the
//! other; and a run in which most attempts fail ends, though each request gets through in the end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Retries that a run may make before it has earned any. Each accepted answer earns one, up to this many.
const RESERVE: u32 = 300;
/// One failure is no outage, however long it took.
const FAILURES: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The host has answered nothing for so long.
    Outage(Duration),
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
            Self::Spent => {
                "Most requests of this run fail, so none is tried again: look at the service's health, then run again"
                    .into()
            }
        }
    }
}

/// Watches all requests to one host.
pub struct Breaker {
    state: Mutex<State>,
    /// Rung when the host is given up, so that nobody sleeps on.
    given_up: Notify,
    /// How long a host may answer nothing.
    patience: Duration,
}

struct State {
    failing_since: Option<Instant>,
    failures: u32,
    credit: u32,
}

impl Breaker {
    /// An outage is given up after a third of the time that a single request may take.
    pub fn new(retry_timeout: Duration) -> Self {
        let state = State { failing_since: None, failures: 0, credit: RESERVE };
        Self { state: Mutex::new(state), given_up: Notify::new(), patience: retry_timeout / 3 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host is there, whatever it said.
    pub fn answered(&self) {
        let mut state = self.state();
        (state.failing_since, state.failures) = (None, 0);
    }

    pub fn accepted(&self) {
        self.answered();
        let mut state = self.state();
        state.credit = (state.credit + 1).min(RESERVE);
    }

    /// An attempt failed that had been `took` under way. Says whether there may be another.
    pub fn failed(&self, took: Duration) -> Result<(), Stop> {
        let mut state = self.state();
        let now = Instant::now();
        state.failures += 1;
        state.failing_since.get_or_insert_with(|| now.checked_sub(took).unwrap_or(now));
        if let Some(stop) = self.outage(&state) {
            drop(state);
            self.given_up.notify_waiters();
            return Err(stop);
        }
        state.credit = state.credit.checked_sub(1).ok_or(Stop::Spent)?;
        Ok(())
    }

    fn outage(&self, state: &State) -> Option<Stop> {
        let failing = state.failing_since?.elapsed();
        (state.failures >= FAILURES && failing >= self.patience).then_some(Stop::Outage(failing))
    }

    /// Waits, unless the host is given up meanwhile.
    pub async fn pause(&self, wait: Duration) -> Result<(), Stop> {
        tokio::select! {
            () = sleep(wait) => Ok(()),
            () = self.given_up.notified() => self.outage(&self.state()).map_or(Ok(()), Err),
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
        let breaker = Breaker::new(SECOND * 900);
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
    async fn a_host_that_answers_now_and_then_is_up() {
        let breaker = Breaker::new(SECOND * 900);
        for _ in 0..100 {
            sleep(SECOND * 200).await;
            breaker.failed(SECOND).unwrap();
            breaker.answered();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_in_which_most_attempts_fail_ends() {
        let breaker = Breaker::new(SECOND * 900);
        let mut rounds = 0;
        while breaker.failed(SECOND).and_then(|()| breaker.failed(SECOND)).is_ok() {
            breaker.accepted();
            rounds += 1;
        }
        assert!((250..=350).contains(&rounds), "{rounds}");
        let steady = Breaker::new(SECOND * 900);
        for _ in 0..10_000 {
            steady.failed(SECOND).unwrap();
            steady.accepted();
        }
    }
}
