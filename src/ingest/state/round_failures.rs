//! The first failure of a round that goes on, kept in memory until the round's end tells it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::discovery_cache::Key;
use teams_base::error::Error;

/// One failure for each read of a session, of its last round. Clones share them.
#[derive(Clone, Default)]
pub struct RoundFailures(Arc<Mutex<Vec<(Key, Error)>>>);

impl RoundFailures {
    /// Keeps the first failure of a round; that of an earlier round of the same read goes.
    pub fn keep(&self, key: Key, error: Error) {
        let mut failures = self.0.lock();
        failures
            .retain(|(other, _)| (other.kind, &other.options) != (key.kind, &key.options) || other.until == key.until);
        if failures.iter().all(|(other, _)| *other != key) {
            failures.push((key, error));
        }
    }

    /// The round's failure, which is told once.
    pub fn take(&self, key: &Key) -> Option<Error> {
        let mut failures = self.0.lock();
        let at = failures.iter().position(|(other, _)| other == key)?;
        Some(failures.remove(at).1)
    }
}
