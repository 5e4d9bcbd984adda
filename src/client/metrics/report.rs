//! What a run did: counted while it runs, shown at its end.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::scopes::{Scopes, Status};

/// This many skipped scopes are listed one by one; the rest is counted.
const LISTED: usize = 1_000;
/// This many different notes and warnings are kept.
const NOTES: usize = 100;
/// This many unknown properties are listed.
const UNKNOWN: usize = 500;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EndpointCounts {
    pub requests: u64,
    pub retries: u64,
    pub throttled: u64,
    /// Requests that failed for good.
    pub errors: u64,
}

/// A scope that was left out, and what would bring it back.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Skipped {
    pub scope: String,
    pub endpoint: String,
    pub status: Option<u16>,
    pub code: String,
    pub reason: String,
    pub request_id: Option<String>,
    pub remedy: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Snapshot {
    pub requests: u64,
    pub retries: u64,
    pub throttled: u64,
    /// Seconds waited because Graph asked for it, added up over all requests.
    pub throttled_seconds: f64,
    /// Seconds waited to stay below the documented limits, added up over all requests.
    pub planned_seconds: f64,
    pub bytes_on_wire: u64,
    pub bytes_inflated: u64,
    pub endpoints: BTreeMap<&'static str, EndpointCounts>,
    pub rows: BTreeMap<String, u64>,
    pub skipped: Vec<Skipped>,
    /// All skipped scopes, those beyond the list included.
    pub skipped_count: u64,
    pub notes: Vec<String>,
    /// Values of another type than their column's, by `table.column`: each became null.
    pub wrong_types: BTreeMap<String, u64>,
    /// Rows in which a key column is null or empty, by `table.column`: no merge by key can match them.
    pub without_key: BTreeMap<String, u64>,
    pub warnings: Vec<String>,
    /// Properties that the declarations do not know, by `table.property`: how often each was met.
    pub unknown_properties: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub struct Report {
    state: Mutex<Snapshot>,
    /// Digests of the skipped scopes so far, each with its status and remedy; locked after the state.
    listed: Mutex<HashSet<u64>>,
    /// What became of each scope.
    pub scopes: Scopes,
}

impl Report {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.state().clone()
    }

    pub fn add_rows(&self, table: &str, rows: u64) {
        add(&mut self.state().rows, table, rows);
    }

    /// `column` as `table.column`.
    pub fn add_wrong_types(&self, column: &str, values: u64) {
        add(&mut self.state().wrong_types, column, values);
    }

    /// `column` as `table.column`.
    pub fn add_without_key(&self, column: &str, rows: u64) {
        add(&mut self.state().without_key, column, rows);
    }

    /// `property` as `table.property`. Past a bound new names are left out.
    pub fn add_unknown(&self, property: &str, count: u64) {
        let mut state = self.state();
        if state.unknown_properties.len() < UNKNOWN || state.unknown_properties.contains_key(property) {
            add(&mut state.unknown_properties, property, count);
        }
    }

    /// A scope that was left out. Several reads of a run may meet the same one; it is listed once.
    pub fn skip(&self, skipped: Skipped) {
        self.scopes.settled(&skipped.scope, Status::Skipped, &skipped.reason);
        let mut state = self.state();
        let key = format!("{}\n{:?}\n{}", skipped.scope, skipped.status, skipped.remedy);
        if !self.listed.lock().insert(xxh3_64(key.as_bytes())) {
            return;
        }
        state.skipped_count += 1;
        if state.skipped.len() < LISTED {
            state.skipped.push(skipped);
        }
    }

    /// Something worth knowing, said once however often it happens.
    pub fn note(&self, text: impl Into<String>) {
        once(&mut self.state().notes, text.into());
    }

    pub fn warn(&self, text: impl Into<String>) {
        once(&mut self.state().warnings, text.into());
    }

    pub(crate) fn requested(&self, endpoint: &'static str) {
        let mut state = self.state();
        state.requests += 1;
        state.endpoints.entry(endpoint).or_default().requests += 1;
    }

    /// An item of a batch: it counts for its endpoint, while the round trip counts as one request.
    pub(crate) fn batched(&self, endpoint: &'static str) {
        self.state().endpoints.entry(endpoint).or_default().requests += 1;
    }

    pub(crate) fn retried(&self, endpoint: &'static str) {
        let mut state = self.state();
        state.retries += 1;
        state.endpoints.entry(endpoint).or_default().retries += 1;
    }

    pub(crate) fn throttled(&self, endpoint: &'static str) {
        let mut state = self.state();
        state.throttled += 1;
        state.endpoints.entry(endpoint).or_default().throttled += 1;
    }

    pub(crate) fn failed(&self, endpoint: &'static str) {
        self.state().endpoints.entry(endpoint).or_default().errors += 1;
    }

    pub(crate) fn waited(&self, planned: Duration, throttled: Duration) {
        let mut state = self.state();
        state.planned_seconds += planned.as_secs_f64();
        state.throttled_seconds += throttled.as_secs_f64();
    }

    pub(crate) fn received(&self, on_wire: usize, inflated: usize) {
        let mut state = self.state();
        state.bytes_on_wire += on_wire as u64;
        state.bytes_inflated += inflated as u64;
    }

    fn state(&self) -> MutexGuard<'_, Snapshot> {
        self.state.lock()
    }
}

impl Snapshot {
    /// What happened after an earlier snapshot of the same report.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let endpoints = self.endpoints.iter().map(|(endpoint, now)| {
            let then = earlier.endpoints.get(endpoint).cloned().unwrap_or_default();
            (*endpoint, now.since(&then))
        });
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            retries: self.retries.saturating_sub(earlier.retries),
            throttled: self.throttled.saturating_sub(earlier.throttled),
            throttled_seconds: self.throttled_seconds - earlier.throttled_seconds,
            planned_seconds: self.planned_seconds - earlier.planned_seconds,
            bytes_on_wire: self.bytes_on_wire.saturating_sub(earlier.bytes_on_wire),
            bytes_inflated: self.bytes_inflated.saturating_sub(earlier.bytes_inflated),
            endpoints: endpoints.filter(|(_, counts)| *counts != EndpointCounts::default()).collect(),
            rows: differences(&self.rows, &earlier.rows),
            skipped: tail(&self.skipped, &earlier.skipped),
            skipped_count: self.skipped_count.saturating_sub(earlier.skipped_count),
            notes: tail(&self.notes, &earlier.notes),
            wrong_types: differences(&self.wrong_types, &earlier.wrong_types),
            without_key: differences(&self.without_key, &earlier.without_key),
            warnings: tail(&self.warnings, &earlier.warnings),
            unknown_properties: differences(&self.unknown_properties, &earlier.unknown_properties),
        }
    }
}

impl EndpointCounts {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            retries: self.retries.saturating_sub(earlier.retries),
            throttled: self.throttled.saturating_sub(earlier.throttled),
            errors: self.errors.saturating_sub(earlier.errors),
        }
    }
}

fn add(map: &mut BTreeMap<String, u64>, key: &str, count: u64) {
    match map.get_mut(key) {
        Some(sum) => *sum += count,
        None => drop(map.insert(key.to_owned(), count)),
    }
}

fn once(list: &mut Vec<String>, text: String) {
    if list.len() < NOTES && !list.contains(&text) {
        list.push(text);
    }
}

fn differences(now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    now.iter()
        .map(|(key, count)| (key.clone(), count.saturating_sub(then.get(key).copied().unwrap_or(0))))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Lists only grow, so what is new is what comes after.
fn tail<T: Clone>(now: &[T], then: &[T]) -> Vec<T> {
    now.get(then.len()..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_holds_only_what_is_new() {
        let report = Report::new();
        report.requested("/teams");
        report.add_rows("teams", 3);
        report.note("the slow way: one by one");
        let earlier = report.snapshot();
        report.note("the slow way: one by one");
        report.add_rows("teams", 2);
        report.skip(Skipped { scope: "team x".into(), ..Skipped::default() });
        let new = report.snapshot().since(&earlier);
        assert_eq!((new.requests, new.endpoints.len(), new.notes.len()), (0, 0, 0));
        assert_eq!((new.rows["teams"], new.skipped_count, new.skipped.len()), (2, 1, 1));
        assert!(serde_json::to_string(&new).unwrap().contains("\"team x\""));
    }

    #[test]
    fn lists_are_capped_and_still_counted() {
        let report = Report::new();
        for n in 0..LISTED + 5 {
            report.skip(Skipped { scope: format!("team {n}"), ..Skipped::default() });
        }
        let snapshot = report.snapshot();
        assert_eq!((snapshot.skipped.len(), snapshot.skipped_count), (LISTED, LISTED as u64 + 5));
    }

    #[test]
    fn a_scope_is_listed_once_for_each_remedy() {
        let report = Report::new();
        let skip = |endpoint: &str, status, remedy: &str| {
            let (scope, endpoint, remedy) = ("team x".to_owned(), endpoint.to_owned(), remedy.to_owned());
            report.skip(Skipped { scope, endpoint, status: Some(status), remedy, ..Skipped::default() });
        };
        skip("/teams/{id}/channels", 404, "");
        skip("/teams/{id}/channels/getAllMessages", 404, "");
        assert_eq!(report.snapshot().skipped_count, 1);
        skip("/teams/{id}/channels", 403, "Grant A");
        skip("/teams/{id}/members", 403, "Grant B");
        assert_eq!((report.snapshot().skipped_count, report.snapshot().skipped.len()), (3, 3));
    }
}
