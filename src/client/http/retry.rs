//! When to try again, and when to stop.

use std::time::Duration;

use tokio::time::Instant;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(60);
/// A shorter `Retry-After` would be an immediate retry, which Graph counts against the caller.
const AT_ONCE: Duration = Duration::from_millis(100);

/// A number from 0 to 1; tests bring their own.
pub type Random = fn() -> f64;

pub fn random() -> f64 {
    fastrand::f64()
}

/// Decorrelated jitter: each wait is drawn between the base and three times the last one, so that clients that failed
/// together do not come back together.
pub struct Backoff {
    last: Duration,
    random: Random,
}

impl Backoff {
    pub fn new(random: Random) -> Self {
        Self { last: BASE, random }
    }

    pub fn next(&mut self) -> Duration {
        let high = (self.last * 3).min(CAP);
        self.last = BASE + high.saturating_sub(BASE).mul_f64((self.random)().clamp(0.0, 1.0));
        self.last
    }
}

/// The attempts at one request. Time spent waiting for a budget is planned and does not count: what counts is the time
/// that failed attempts took and the waits they caused.
pub struct Trial {
    backoff: Backoff,
    limit: Duration,
    spent: Duration,
    pub retries: u32,
    refused_at: Option<Instant>,
}

impl Trial {
    pub fn new(limit: Duration, random: Random) -> Self {
        Self { backoff: Backoff::new(random), limit, spent: Duration::ZERO, retries: 0, refused_at: None }
    }

    /// How long to wait before the next attempt, or nothing when the budget would not last: then the error comes at once.
    pub fn again(&mut self, took: Duration, asked: Option<Duration>) -> Option<Duration> {
        self.again_within(self.limit, took, asked)
    }

    /// The same under a tighter limit, for failures that are unlikely to pass.
    pub fn again_within(&mut self, limit: Duration, took: Duration, asked: Option<Duration>) -> Option<Duration> {
        let own = self.backoff.next();
        let wait = asked.filter(|asked| *asked >= AT_ONCE).unwrap_or(own);
        self.spent = self.spent.saturating_add(took).saturating_add(wait);
        if self.spent > limit.min(self.limit) {
            return None;
        }
        self.retries += 1;
        Some(wait)
    }

    /// Whether a refused token may be replaced. It may not when the refused one was obtained after an earlier refusal
    /// already: then the token is not what is wrong.
    pub fn reauthenticate(&mut self, obtained_at: Instant) -> bool {
        let first = *self.refused_at.get_or_insert_with(Instant::now);
        if obtained_at > first {
            return false;
        }
        self.retries += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_below_the_base() {
        let mut highest = Backoff::new(|| 1.0);
        let waits: Vec<_> = (0..6).map(|_| highest.next().as_secs_f64()).collect();
        assert_eq!(waits, [1.5, 4.5, 13.5, 40.5, 60.0, 60.0]);
        let mut lowest = Backoff::new(|| 0.0);
        assert!((0..6).all(|_| lowest.next() == BASE));
        assert!((0..100).all(|_| (0.0..=1.0).contains(&random())));
    }

    #[test]
    fn the_servers_wait_wins_unless_it_is_none() {
        let mut trial = Trial::new(Duration::from_secs(900), || 0.0);
        let second = Duration::from_secs(1);
        assert_eq!(trial.again(second, Some(second * 30)), Some(second * 30));
        assert_eq!(trial.again(second, Some(Duration::ZERO)), Some(BASE));
        assert_eq!(trial.again(second, None), Some(BASE));
        assert_eq!(trial.retries, 3);
    }

    #[test]
    fn the_budget_counts_attempts_and_waits() {
        let second = Duration::from_secs(1);
        let mut trial = Trial::new(second * 10, || 0.0);
        assert_eq!(trial.again(second, Some(second * 4)), Some(second * 4));
        assert_eq!(trial.again(second, Some(second * 4)), Some(second * 4));
        assert_eq!(trial.again(second, None), None);
        assert_eq!(Trial::new(second, random).again(Duration::ZERO, Some(second * 2)), None);
        assert_eq!(Trial::new(Duration::ZERO, random).again(Duration::ZERO, None), None);
        assert_eq!(Trial::new(second * 10, || 0.0).again_within(second, second, None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_newer_than_the_first_refusal_settles_it() {
        let mut trial = Trial::new(Duration::from_secs(10), || 0.0);
        let before = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(trial.reauthenticate(before));
        assert!(trial.reauthenticate(before + Duration::from_millis(500)), "fetched before the refusal: not yet proof");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!trial.reauthenticate(Instant::now()));
    }
}
