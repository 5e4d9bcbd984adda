//! A budget that is told as counts within windows: so many requests in a second, so many in half a minute, and so on, all of
//! which hold.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub struct Windows {
    counts: &'static [(usize, u64)],
    /// When requests left, oldest first, as far back as the longest window reaches.
    left: VecDeque<Instant>,
}

impl Windows {
    /// `counts` are requests and seconds; none where there is no such limit.
    pub fn new(counts: &'static [(usize, u64)]) -> Self {
        Self { counts, left: VecDeque::new() }
    }

    /// How long until one more request may leave.
    pub fn wait(&self, now: Instant) -> Duration {
        let waits = self.counts.iter().filter_map(|(count, seconds)| {
            // Of the requests that count as one more would, the oldest has to be out of the window first.
            let oldest = *self.left.iter().nth_back(count - 1)?;
            Some((oldest + Duration::from_secs(*seconds)).saturating_duration_since(now))
        });
        waits.max().unwrap_or_default()
    }

    pub fn charge(&mut self, now: Instant) {
        if self.counts.is_empty() {
            return;
        }
        let longest = self.counts.iter().map(|(_, seconds)| *seconds).max().unwrap_or_default();
        while self.left.front().is_some_and(|at| *at + Duration::from_secs(longest) <= now) {
            self.left.pop_front();
        }
        self.left.push_back(now);
    }

    /// Whether dropping it would change nothing that is worth keeping: an hour's count matters only to those who write much.
    pub fn is_idle(&self, now: Instant) -> bool {
        const FEW: usize = 8;
        let long_ago = |at: &Instant| *at + Duration::from_secs(30) <= now;
        self.left.back().is_none_or(|at| long_ago(at) && self.left.len() < FEW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDS: &[(usize, u64)] = &[(7, 1), (8, 2), (60, 30), (1_800, 3_600)];

    #[tokio::test(start_paused = true)]
    async fn every_window_holds_at_any_time() {
        let start = Instant::now();
        let mut windows = Windows::new(SENDS);
        let (mut now, mut left) = (start, Vec::new());
        while now < start + Duration::from_secs(7_300) {
            let wait = windows.wait(now);
            now += wait;
            windows.charge(now);
            left.push(now);
        }
        for (count, seconds) in SENDS {
            for group in left.windows(count + 1) {
                assert!(group[*count] - group[0] >= Duration::from_secs(*seconds), "{count} in {seconds} s");
            }
        }
        let first_hour = left.iter().filter(|at| **at < start + Duration::from_secs(3_600)).count();
        assert_eq!(first_hour, 1_800, "and all of an hour's count is used");
    }

    #[tokio::test(start_paused = true)]
    async fn no_counts_are_no_limit() {
        let now = Instant::now();
        let mut windows = Windows::new(&[]);
        for _ in 0..1_000 {
            assert_eq!(windows.wait(now), Duration::ZERO);
            windows.charge(now);
        }
        assert!(windows.is_idle(now));
    }
}
