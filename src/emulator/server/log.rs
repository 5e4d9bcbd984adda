//! The log of requests, and their counts by endpoint.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// The list keeps the newest entries; the counts keep all.
const KEPT: usize = 200_000;

#[derive(Clone, Debug, Serialize)]
pub struct RequestLogEntry {
    pub method: String,
    pub path: String,
    pub query: String,
    /// The endpoint, such as `/teams/{id}/channels`.
    pub template: String,
    /// 0: the connection was dropped without a response.
    pub status: u16,
    /// Real milliseconds since the emulator started.
    pub at_ms: u64,
    pub connection: u64,
    /// Whether it came inside a `$batch`.
    pub batched: bool,
    pub retry_after: Option<String>,
    pub client_request_id: Option<String>,
    pub prefer: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(Default)]
pub struct RequestLog {
    pub entries: VecDeque<RequestLogEntry>,
    /// By method and template; items of a batch under `$batch GET ...`.
    pub counts: BTreeMap<String, u64>,
}

impl RequestLog {
    pub fn add(&mut self, entry: RequestLogEntry) {
        let lead = if entry.batched { "$batch " } else { "" };
        *self.counts.entry(format!("{lead}{} {}", entry.method, entry.template)).or_default() += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.counts.clear();
    }
}
