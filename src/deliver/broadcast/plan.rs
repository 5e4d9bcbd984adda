//! What a broadcast sends, and how. Frozen beside its recipients, but for what each run may say anew.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a message without an answer leads to in a later run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    #[default]
    Skip,
    Resend,
    /// The chat is read and tells.
    Reconcile,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub name: String,
    /// What tells this broadcast's messages from others.
    pub run: String,
    /// The Adaptive Card, as a template.
    pub card: Value,
    /// The line that a notification shows.
    #[serde(default)]
    pub summary: Option<String>,
    /// Whether the app is installed for people who lack it.
    #[serde(default)]
    pub install: bool,
    /// The app's id in the catalogue, or that of its manifest; without it, the bot's application id.
    #[serde(default)]
    pub app: Option<String>,
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// When the recipients were frozen. All times are milliseconds since 1970.
    #[serde(default)]
    pub queued_at: i64,
    #[serde(default)]
    pub not_before: Option<i64>,
    #[serde(default)]
    pub not_after: Option<i64>,
    /// So many recipients that fail end the run.
    #[serde(default)]
    pub max_failures: Option<u64>,
    /// Whether those are tried again that failed, lack the app or block it.
    #[serde(default)]
    pub retry_failed: bool,
}
