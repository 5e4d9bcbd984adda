//! What the journal knows of an activity, and the events that tell it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::Mutex as Turn;

/// What became of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is still to be handled.
    #[default]
    Pending,
    Handled,
    /// Its handler failed.
    Failed,
    /// Nothing handles it.
    Ignored,
    /// Its card data is not what we sent.
    Refused,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Handled => "handled",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Handled, Self::Failed, Self::Ignored, Self::Refused];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// A line of the journal. `v` is the number of the event, `n` that of the activity, `t` milliseconds since 1970.
#[derive(Serialize, Deserialize)]
pub(super) enum Event {
    #[serde(rename = "r")]
    Received { v: u64, n: u64, t: i64, a: Box<RawValue> },
    #[serde(rename = "+")]
    Again { v: u64, n: u64, t: i64 },
    /// Its handler begins.
    #[serde(rename = "b")]
    Begun { v: u64, n: u64 },
    #[serde(rename = "e")]
    Ended {
        v: u64,
        n: u64,
        t: i64,
        s: State,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        c: String,
        /// What an invoke was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        a: Option<Box<RawValue>>,
    },
}

/// An activity, and what became of it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) key: u128,
    /// Of the event that it came with, and of the last that changed it.
    pub(super) received: u64,
    pub(super) changed: u64,
    pub received_ms: i64,
    pub arrivals: u32,
    pub last_ms: i64,
    pub state: State,
    pub attempts: u32,
    pub ended_ms: i64,
    /// Why it failed or was refused.
    pub code: String,
    /// What an invoke was answered.
    pub answer: Option<Arc<str>>,
    /// As it came, for as long as it is needed.
    pub body: Option<Arc<str>>,
    /// Held until it is on disk.
    pub(super) coming: Option<Arc<Turn<()>>>,
}

impl Entry {
    pub(super) fn new(key: u128, received: u64, now_ms: i64, body: Arc<str>) -> Self {
        Self {
            key,
            received,
            changed: received,
            received_ms: now_ms,
            arrivals: 1,
            last_ms: now_ms,
            state: State::Pending,
            attempts: 0,
            ended_ms: 0,
            code: String::new(),
            answer: None,
            body: Some(body),
            coming: None,
        }
    }

    pub(super) fn again(&mut self, now_ms: i64) {
        self.arrivals += 1;
        self.last_ms = now_ms;
    }

    pub(super) fn end(&mut self, now_ms: i64, state: State, code: String, answer: Option<Arc<str>>) {
        self.ended_ms = now_ms;
        self.state = state;
        self.code = code;
        self.answer = answer;
    }
}
