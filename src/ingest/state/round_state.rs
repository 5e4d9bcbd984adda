//! What a round knows from the offset it goes on from, and what it learns.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::scope_set::ScopeSet;

/// The export may lag behind by a day; one hour more for clocks and long rounds.
pub const EXPORT_LAG: SignedDuration = SignedDuration::from_hours(25);

/// The export is swept for late edits once in this time.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What the current round is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading what was never read, and what changed.
    Read,
    /// Exporting changes that `Read` can't see, such as late edits of old replies.
    Sweep,
    /// The round is over.
    Done,
}

pub struct RoundState {
    pub phase: Phase,
    /// Changes up to here have been read by earlier rounds.
    pub since: Option<Timestamp>,
    /// Graph's clock when this round began.
    pub until: Timestamp,
    /// `until` of the last finished sweep.
    pub swept: Option<Timestamp>,
    /// The export API answered when the round was last left, or has not been asked.
    pub export: bool,
    /// The scopes that have been read whole.
    pub known: Mutex<ScopeSet>,
    /// The scopes whose first history failed behind its beginning: they are half-read, and not begun anew.
    pub standing: HashSet<String>,
    /// The parents of which a window failed in this round.
    pub failed_exports: HashSet<String>,
}

impl RoundState {
    /// A first round, of which nothing is known yet but when it begins.
    pub fn first(until: Timestamp) -> Self {
        Self {
            phase: Phase::Read,
            since: None,
            until,
            swept: Some(until),
            export: true,
            known: Mutex::default(),
            standing: HashSet::new(),
            failed_exports: HashSet::new(),
        }
    }

    pub fn known(&self) -> MutexGuard<'_, ScopeSet> {
        self.known.lock()
    }

    /// Up to where a known scope has been read by earlier rounds.
    pub fn since_of(&self, scope: &str) -> Option<Timestamp> {
        self.known().late(scope).or(self.since)
    }

    /// `until` of the last finished sweep of a parent.
    pub fn swept_of(&self, parent: &str) -> Option<Timestamp> {
        self.known().owed_sweep(parent).or(self.swept)
    }
}

/// Whether it is time for the next sweep.
pub fn is_sweep_due(swept: Option<Timestamp>, until: Timestamp) -> bool {
    swept.is_none_or(|swept| until.duration_since(swept) >= SWEEP_EVERY)
}

/// A time earlier by `by`; the earliest there is where that is out of range.
pub fn before(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// A duration of an option; none where it is out of range.
pub fn signed(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO)
}

/// The days after `from`'s, up to `to`'s, counted from the epoch.
pub fn days(from: Timestamp, to: Timestamp) -> std::ops::Range<i64> {
    const DAY: i64 = 86_400;
    (from.as_second().div_euclid(DAY) + 1)..(to.as_second().div_euclid(DAY) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_that_began_between_two_times() {
        let at = |text: &str| text.parse().unwrap();
        let count = |from, to| days(at(from), at(to)).count();
        assert_eq!(count("2026-01-01T00:00:00Z", "2026-01-01T23:59:59Z"), 0);
        assert_eq!(count("2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z"), 1);
        assert_eq!(count("2026-01-01T12:00:00Z", "2026-01-04T06:00:00Z"), 3);
    }
}
