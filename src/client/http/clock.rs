//! The server's clock, as the `Date` headers tell it. Rounds end at this time, because this machine's clock may be wrong.

use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;

#[derive(Default)]
pub struct Clock(Mutex<Option<(Timestamp, Instant)>>);

impl Clock {
    /// Takes the time of the latest answer.
    pub fn set(&self, date: Timestamp) {
        *self.0.lock() = Some((date, Instant::now()));
    }

    /// The time of the latest answer plus what has passed since.
    pub fn now(&self) -> Option<Timestamp> {
        let (date, at) = (*self.0.lock())?;
        date.checked_add(at.elapsed()).ok()
    }
}
