//! One budget: a rate with a small burst, a pause, and a rate that backs off and recovers.
//!
//! This is the generic cell rate algorithm, kept here rather than taken from a library because a nested budget must be
//! asked before it is charged, paused from outside, and slowed down while it is in use.

use std::time::Duration;

use tokio::time::Instant;

/// The slowest a budget becomes, as a share of its planned rate.
const SLOWEST: f64 = 0.125;
/// How much of the planned rate each request brings back: a halved budget is whole again after 50 requests.
const RECOVERY: f64 = 0.01;

#[derive(Debug)]
pub struct Bucket {
    /// Planned time per unit; zero where nothing is planned.
    interval: Duration,
    /// How far the plan may be run ahead of.
    tolerance: Duration,
    /// When the plan is caught up with.
    due: Instant,
    paused_until: Instant,
    speed: f64,
}

impl Bucket {
    /// `rate` in units per second; none where only pauses count.
    pub fn new(rate: Option<f64>) -> Self {
        let now = Instant::now();
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        // A tenth of a second's worth: limits hold over short windows too, but timers are not exact.
        let burst = rate.map_or(0.0, |rate| (rate / 10.0).floor());
        Self { interval, tolerance: interval.mul_f64(burst), due: now, paused_until: now, speed: 1.0 }
    }

    /// How long until one more request may leave.
    pub fn wait(&self, now: Instant) -> Duration {
        let planned = self.due.saturating_duration_since(now).saturating_sub(self.tolerance);
        planned.max(self.paused_until.saturating_duration_since(now))
    }

    pub fn charge(&mut self, now: Instant, cost: f64) {
        self.due = self.due.max(now) + self.interval.mul_f64(cost / self.speed);
        self.speed = (self.speed + RECOVERY).min(1.0);
    }

    pub fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    pub fn paused_until(&self) -> Instant {
        self.paused_until
    }

    pub fn slow_down(&mut self) {
        self.speed = (self.speed / 2.0).max(SLOWEST);
    }

    /// Whether dropping it would change nothing.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.due <= now && self.paused_until <= now && self.speed >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests leave within some seconds.
    fn leave(bucket: &mut Bucket, start: Instant, seconds: u64) -> u32 {
        let (mut now, mut count) = (start, 0);
        loop {
            now += bucket.wait(now);
            if now >= start + Duration::from_secs(seconds) {
                return count;
            }
            bucket.charge(now, 1.0);
            count += 1;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds_and_the_burst_is_small() {
        let start = Instant::now();
        assert_eq!(leave(&mut Bucket::new(Some(0.8)), start, 100), 80);
        assert_eq!(leave(&mut Bucket::new(Some(16.0)), start, 100), 1_601);
        let mut bucket = Bucket::new(Some(16.0));
        let mut at_once = 0;
        while bucket.wait(start).is_zero() {
            bucket.charge(start, 1.0);
            at_once += 1;
        }
        assert_eq!(at_once, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_only_grows() {
        let now = Instant::now();
        let mut bucket = Bucket::new(None);
        assert!(bucket.is_idle(now));
        bucket.pause(now + Duration::from_secs(5));
        bucket.pause(now + Duration::from_secs(3));
        assert_eq!(bucket.wait(now), Duration::from_secs(5));
        assert!(!bucket.is_idle(now));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slowed_budget_recovers() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(10.0));
        bucket.slow_down();
        assert!((5..8).contains(&leave(&mut bucket, start, 1)));
        leave(&mut bucket, start + Duration::from_secs(1), 10);
        assert!((9..=11).contains(&leave(&mut bucket, start + Duration::from_secs(20), 1)));
        for _ in 0..10 {
            bucket.slow_down();
        }
        assert!(bucket.speed >= SLOWEST);
    }
}
