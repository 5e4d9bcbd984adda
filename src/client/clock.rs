//! The server's clock, as the `Date` headers tell it. Rounds end at this time, because this machine's clock may be wrong.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

#[derive(Default)]
pub struct Clock(Mutex<Option<(Timestamp, Instant)>>);

impl Clock {
    /// Takes the time of the latest answer.
    pub fn set(&self, date: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
    }

    /// The last time that was told, and what has gone by since.
    pub fn now(&self) -> Option<Timestamp> {
        let (date, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        date.checked_add(at.elapsed()).ok()
    }
}
