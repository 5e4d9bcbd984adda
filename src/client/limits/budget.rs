//! What a resource allows: a rate, and counts within windows where it has them.

use std::time::Duration;

use tokio::time::Instant;

use super::gcra::Gcra;
use super::windows::Windows;

#[derive(Debug)]
pub struct Budget {
    rate: Gcra,
    windows: Windows,
}

impl Budget {
    pub fn new(rate: Option<f64>, windows: &'static [(usize, u64)]) -> Self {
        Self { rate: Gcra::new(rate), windows: Windows::new(windows) }
    }

    pub fn wait(&self, now: Instant) -> Duration {
        self.rate.wait(now).max(self.windows.wait(now))
    }

    /// `pace` is the share of the planned rate that is granted for now.
    pub fn charge(&mut self, now: Instant, cost: f64, pace: f64) {
        self.rate.charge(now, cost, pace);
        self.windows.charge(now);
    }

    pub fn is_busy(&self) -> bool {
        self.rate.is_busy()
    }

    pub fn pause(&mut self, until: Instant) {
        self.rate.pause(until);
    }

    pub fn paused_until(&self) -> Instant {
        self.rate.paused_until()
    }

    pub fn is_idle(&self, now: Instant) -> bool {
        self.rate.is_idle(now) && self.windows.is_idle(now)
    }
}
