//! How fast a budget may be drawn on, as a share of what was planned: additive increase, multiplicative decrease.
//!
//! A refusal cuts the pace once, however many requests were on their way. It
//! comes back quickly to nearly where it was refused, and from there on so slowly that a tenant which grants less than is
//! documented refuses one request in a few hundred. Only time in use counts: an unused pace proves nothing.

use std::time::Duration;

use tokio::time::Instant;

/// A refusal cuts the pace to this part of what it was.
pub const CUT: f64 = 0.7;
/// The same where two documents disagree on the rate.
pub const HALVE: f64 = 0.5;
/// The slowest it becomes.
const SLOWEST: f64 = 0.02;
/// What a second in use brings back, up to [`NEARLY`] where it was refused, and beyond.
const REGAIN: f64 = 0.05;
const PROBE: f64 = 0.0025;
const NEARLY: f64 = 0.9;
/// The time since the last request counts as time in use up to this.
const IN_USE: Duration = Duration::from_millis(250);
/// Refusals this soon after a cut are answers to requests that had left before it.
const EVENT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Aimd {
    cut: f64,
    share: f64,
    refused_at: f64,
    used: Instant,
    /// Refusals before this belong to the last cut.
    settles: Instant,
}

impl Aimd {
    pub fn new(cut: f64) -> Self {
        let now = Instant::now();
        Self { cut, share: 1.0, refused_at: 1.0, used: now, settles: now }
    }

    /// The share of the planned rate at which a request leaves now.
    pub fn advance(&mut self, now: Instant) -> f64 {
        let mut seconds = now.saturating_duration_since(self.used).min(IN_USE).as_secs_f64();
        self.used = now;
        let quick = (self.refused_at * NEARLY - self.share).clamp(0.0, REGAIN * seconds);
        seconds -= quick / REGAIN;
        self.share = (self.share + quick + PROBE * seconds).min(1.0);
        self.share
    }

    /// The server refused a request, and the budget pauses until then.
    pub fn cut(&mut self, now: Instant, until: Instant) {
        if now < self.settles {
            return;
        }
        self.refused_at = self.share;
        self.share = (self.share * self.cut).max(SLOWEST);
        self.settles = until.max(now + EVENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws evenly for so many seconds at the planned rate times the pace; returns the pace at the end.
    fn draw(pace: &mut Aimd, now: &mut Instant, planned: f64, seconds: f64) -> f64 {
        let end = *now + Duration::from_secs_f64(seconds);
        let mut share = pace.advance(*now);
        while *now < end {
            *now += Duration::from_secs_f64(1.0 / (planned * share));
            share = pace.advance(*now);
        }
        share
    }

    #[tokio::test(start_paused = true)]
    async fn one_event_cuts_once() {
        let (mut pace, now) = (Aimd::new(CUT), Instant::now());
        let until = now + Duration::from_secs(3);
        for _ in 0..10 {
            pace.cut(now, until);
            pace.cut(now + Duration::from_millis(2_900), until);
        }
        assert!((pace.advance(now) - CUT).abs() < 1e-9);
        pace.cut(until, until);
        assert!((pace.advance(now) - CUT * CUT).abs() < 1e-9);
        for seconds in 0..100 {
            pace.cut(until + Duration::from_secs(2 * seconds), until);
        }
        assert!((pace.advance(now) - SLOWEST).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn it_comes_back_quickly_to_nearly_where_it_was_refused_and_slowly_beyond() {
        let (mut pace, mut now) = (Aimd::new(CUT), Instant::now());
        pace.cut(now, now);
        assert!((0.88..0.91).contains(&draw(&mut pace, &mut now, 16.0, 4.2)));
        assert!((0.92..0.94).contains(&draw(&mut pace, &mut now, 16.0, 12.0)));
        assert!((draw(&mut pace, &mut now, 16.0, 40.0) - 1.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn rest_brings_nothing_back() {
        let (mut pace, now) = (Aimd::new(CUT), Instant::now());
        pace.cut(now, now);
        assert!(pace.advance(now + Duration::from_secs(3_600)) < 0.72);
    }

    /// A tenant that grants 100 of 160 requests per second, with a second's worth of burst, over ten minutes.
    #[tokio::test(start_paused = true)]
    async fn it_settles_near_what_is_granted() {
        let (mut pace, mut now) = (Aimd::new(CUT), Instant::now());
        let (planned, granted) = (160.0, 100.0);
        let (mut tokens, mut sent, mut refused, mut last) = (granted, 0_u32, 0_u32, now);
        let end = now + Duration::from_secs(600);
        while now < end {
            now += Duration::from_secs_f64(1.0 / (planned * pace.advance(now)));
            tokens = f64::min(tokens + (now - last).as_secs_f64() * granted, granted) - 1.0;
            last = now;
            sent += 1;
            if tokens < 0.0 {
                refused += 1;
                let until = now + Duration::from_secs(1);
                pace.cut(now, until);
                now = until;
            }
        }
        let rate = f64::from(sent - refused) / 600.0;
        assert!(rate > 0.9 * granted && f64::from(refused) < 0.002 * f64::from(sent), "{rate} {refused} of {sent}");
    }
}
