//! One budget, by the generic cell rate algorithm: a rate with a small burst, and a pause.
//!
//! Kept here rather than taken from a library (governor, leaky-bucket) because a nested budget must be asked before it is
//! charged, paused from outside, and drawn on at a pace that changes.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub struct Gcra {
    /// Planned time per unit; zero where nothing is planned.
    interval: Duration,
    /// How far the plan may be run ahead of.
    tolerance: Duration,
    /// When the plan is caught up with.
    due: Instant,
    paused_until: Instant,
    charged: Option<Instant>,
    /// Whether the last two requests came about as soon after each other as the plan allows.
    is_busy: bool,
}

impl Gcra {
    /// `rate` in units per second; none where only pauses count.
    pub fn new(rate: Option<f64>) -> Self {
        let now = Instant::now();
        let interval = rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        // A tenth of a second's worth: limits hold over short windows too, but timers are not exact.
        let burst = rate.map_or(0.0, |rate| (rate / 10.0).floor());
        Self {
            interval,
            tolerance: interval.mul_f64(burst),
            due: now,
            paused_until: now,
            charged: None,
            is_busy: false,
        }
    }

    /// How long until one more request may leave.
    pub fn wait(&self, now: Instant) -> Duration {
        let planned = self.due.saturating_duration_since(now).saturating_sub(self.tolerance);
        planned.max(self.paused_until.saturating_duration_since(now))
    }

    /// Draws on the budget; `pace` is the share of the planned rate that is granted for now.
    pub fn charge(&mut self, now: Instant, cost: f64, pace: f64) {
        let interval = self.interval.mul_f64(cost / pace);
        self.due = self.due.max(now) + interval;
        self.is_busy = self.charged.is_some_and(|last| now < last + interval * 2);
        self.charged = Some(now);
    }

    /// Whether it is drawn on at about its rate, so that a refusal may well be its own.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    pub fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    pub fn paused_until(&self) -> Instant {
        self.paused_until
    }

    /// Whether dropping it would change nothing.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.due <= now && self.paused_until <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests leave within some seconds.
    fn leave(budget: &mut Gcra, start: Instant, seconds: u64) -> u32 {
        let (mut now, mut count) = (start, 0);
        loop {
            now += budget.wait(now);
            if now >= start + Duration::from_secs(seconds) {
                return count;
            }
            budget.charge(now, 1.0, 1.0);
            count += 1;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds_and_the_burst_is_small() {
        let start = Instant::now();
        assert_eq!(leave(&mut Gcra::new(Some(0.8)), start, 100), 80);
        assert_eq!(leave(&mut Gcra::new(Some(16.0)), start, 100), 1_601);
        let mut budget = Gcra::new(Some(16.0));
        let mut at_once = 0;
        while budget.wait(start).is_zero() {
            budget.charge(start, 1.0, 1.0);
            at_once += 1;
        }
        assert_eq!(at_once, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_only_grows() {
        let now = Instant::now();
        let mut budget = Gcra::new(None);
        assert!(budget.is_idle(now));
        budget.pause(now + Duration::from_secs(5));
        budget.pause(now + Duration::from_secs(3));
        assert_eq!(budget.wait(now), Duration::from_secs(5));
        assert!(!budget.is_idle(now));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_busy_only_at_about_its_rate() {
        let start = Instant::now();
        let mut budget = Gcra::new(Some(1.0));
        let at = |seconds| start + Duration::from_secs(seconds);
        budget.charge(at(0), 1.0, 1.0);
        assert!(!budget.is_busy());
        budget.charge(at(1), 1.0, 1.0);
        assert!(budget.is_busy());
        budget.charge(at(5), 1.0, 1.0);
        assert!(!budget.is_busy());
        budget.charge(at(8), 1.0, 0.5);
        assert!(budget.is_busy(), "at half the pace");
    }
}
