//! What became of each scope: its requests, its rows, and how its last request ended.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;

/// This many scopes are counted one by one, and the rest together.
const LISTED: usize = 20_000;
const OTHERS: &str = "(others)";

/// Rows of the table `ingest_report`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ScopeCounts {
    pub scope: String,
    pub status: Status,
    /// Why it failed or was left out; empty otherwise.
    pub reason: String,
    pub rows: u64,
    pub requests: u64,
    /// Seconds waited because Graph asked for it, added up over requests side by side.
    pub throttled_seconds: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Ok,
    Skipped,
    Failed,
}

#[derive(Debug, Default)]
pub struct Scopes(Mutex<BTreeMap<String, ScopeCounts>>);

impl Scopes {
    pub(crate) fn requested(&self, scope: &str, throttled: Duration) {
        self.change(scope, |counts| {
            counts.requests += 1;
            counts.throttled_seconds += throttled.as_secs_f64();
        });
    }

    pub(crate) fn throttled(&self, scope: &str, wait: Duration) {
        self.change(scope, |counts| counts.throttled_seconds += wait.as_secs_f64());
    }

    pub(crate) fn settled(&self, scope: &str, status: Status, reason: &str) {
        self.change(scope, |counts| {
            counts.status = status;
            reason.clone_into(&mut counts.reason);
        });
    }

    pub fn add_rows(&self, scope: &str, rows: usize) {
        self.change(scope, |counts| counts.rows += rows as u64);
    }

    /// All of them, sorted.
    pub fn snapshot(&self) -> Vec<ScopeCounts> {
        self.lock().values().cloned().collect()
    }

    fn change(&self, scope: &str, change: impl FnOnce(&mut ScopeCounts)) {
        let mut scopes = self.lock();
        if let Some(counts) = scopes.get_mut(scope) {
            return change(counts);
        }
        let scope = if scopes.len() < LISTED { scope } else { OTHERS };
        let counts = scopes.entry(scope.to_owned()).or_default();
        if counts.scope.is_empty() {
            scope.clone_into(&mut counts.scope);
        }
        change(counts);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ScopeCounts>> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_beyond_the_list_are_counted_together() {
        let scopes = Scopes::default();
        for n in 0..LISTED + 7 {
            scopes.requested(&format!("team {n:06}"), Duration::ZERO);
        }
        scopes.add_rows("team 000001", 3);
        scopes.settled("team 000001", Status::Failed, "status 503");
        scopes.settled("team 000001", Status::Ok, "");
        let found = scopes.snapshot();
        assert_eq!(found.len(), LISTED + 1);
        assert_eq!((found[0].scope.as_str(), found[0].requests), (OTHERS, 7));
        assert_eq!((found[2].rows, found[2].status), (3, Status::Ok));
    }
}
