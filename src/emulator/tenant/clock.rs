//! The emulator's own clock, which starts at a configured time, runs with real time and can be advanced; and the forms
//! in which times are written.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

pub const DAY_MS: i64 = 86_400_000;

pub struct Clock {
    base_ms: i64,
    started: Instant,
    frozen: bool,
    advanced_ms: AtomicI64,
}

impl Clock {
    pub fn new(start: Timestamp, frozen: bool) -> Self {
        Self { base_ms: start.as_millisecond(), started: Instant::now(), frozen, advanced_ms: AtomicI64::new(0) }
    }

    pub fn now_ms(&self) -> i64 {
        let running = if self.frozen { 0 } else { self.started.elapsed().as_millis() as i64 };
        self.base_ms + running + self.advanced_ms.load(Ordering::Relaxed)
    }

    pub fn advance_ms(&self, milliseconds: i64) {
        self.advanced_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// Graph's form of a time: milliseconds, with the trailing zeros of the fraction dropped.
pub fn iso(milliseconds: i64) -> String {
    stamp(milliseconds).to_string()
}

pub fn stamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

/// The form of HTTP headers (RFC 9110, IMF-fixdate).
pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
