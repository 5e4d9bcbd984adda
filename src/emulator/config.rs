//! What a tenant holds (fixed at start) and how it behaves (switchable while it runs).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// The size and identity of the tenant. Everything in it follows from these and the seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmulatorConfig {
    pub teams: usize,
    pub channels_per_team: usize,
    /// Root messages in each channel.
    pub messages_per_channel: usize,
    /// The average; a thread has from none to twice as many.
    pub replies_per_message: f64,
    /// The longest text; the shortest has three words.
    pub words_per_message: usize,
    pub users: usize,
    pub chats: usize,
    pub messages_per_chat: usize,
    pub seed: u64,
    /// 0 asks the system for a free port.
    pub port: u16,
    /// What the emulator's clock shows when it starts.
    #[serde(deserialize_with = "timestamp")]
    pub start: Timestamp,
    /// A frozen clock moves only when it is told to.
    pub frozen_clock: bool,
    /// How far back before `start` the generated messages reach.
    pub history_days: u32,
    /// Groups that carry the Team flag but have no team (beside `teams`).
    pub missing_teams: usize,
    /// Teams that answer 403 (beside `teams`).
    pub forbidden_teams: usize,
    /// Teams whose channels hold no message (beside `teams`).
    pub empty_teams: usize,
    /// Threads with `big_thread_replies` replies, one per channel from the first on.
    pub big_threads: usize,
    pub big_thread_replies: usize,
    /// Whether the last channel of the last team holds no message.
    pub empty_channel: bool,
    /// Whether one message in a hundred has a null `lastModifiedDateTime`, as seen in an import response.
    pub null_modified: bool,
    /// Members of each team; at most `users`.
    pub members_per_team: usize,
    pub threads: usize,
    pub tenant_id: String,
    pub tenant_domain: String,
    pub client_id: String,
    pub client_secret: String,
    #[serde(skip)]
    pub knobs: Knobs,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            teams: 5,
            channels_per_team: 3,
            messages_per_channel: 40,
            replies_per_message: 1.0,
            words_per_message: 23,
            users: 20,
            chats: 10,
            messages_per_chat: 20,
            seed: 7,
            port: 0,
            start: Timestamp::constant(1_768_478_400, 0), // 2026-01-15T12:00:00Z
            frozen_clock: false,
            history_days: 400,
            missing_teams: 1,
            forbidden_teams: 0,
            empty_teams: 0,
            big_threads: 1,
            big_thread_replies: 230,
            empty_channel: true,
            null_modified: false,
            members_per_team: 12,
            threads: 2,
            tenant_id: "8f9c7d5e-1a2b-4c3d-9e4f-5a6b7c8d9e0f".to_owned(),
            tenant_domain: "emulated.example".to_owned(),
            client_id: "3b1f6a70-52d4-4e8a-b6c9-0d1e2f3a4b5c".to_owned(),
            client_secret: "emulator~secret.value".to_owned(),
            knobs: Knobs::default(),
        }
    }
}

fn timestamp<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// How `Retry-After` is written; Microsoft's own sample is a fraction, HTTP also allows a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    Seconds,
    Fraction,
    Date,
    Absent,
}

/// Both forms are seen in nextLinks of the export API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPaging {
    Token,
    /// Plain `$skip`: counts over the rows that match now, so a row that leaves the window shifts the seam.
    Skip,
}

/// The order of an export answer is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportOrder {
    /// By channel, then by creation.
    Stored,
    /// By `lastModifiedDateTime`, oldest first.
    Modified,
    /// By `lastModifiedDateTime`, newest first.
    ModifiedDesc,
}

/// How an expired delta token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaExpiry {
    /// 410 with a `Location` that starts over.
    Gone,
    SyncStateNotFound,
    ResyncRequired,
}

/// What an endpoint does with a `$top` above its maximum ("ignored, capped or rejected per API").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopOverMax {
    Reject,
    Cap,
}

/// Behaviour that can be switched while the emulator runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // independent switches, not states of one machine
pub struct Knobs {
    /// Enforce the documented limits.
    pub rate_limits: bool,
    /// What the tenant grants, as a share of the documented limits.
    pub rate_limit_factor: f64,
    /// Multiplies the rates and divides the waits.
    pub time_scale: f64,
    pub latency_ms: u64,
    pub gzip: bool,
    pub date_header: bool,
    pub retry_after: RetryAfter,
    pub token_lifetime_seconds: u64,
    pub secret_expired: bool,
    /// Tokens that tell nothing about themselves, instead of JSON Web Tokens.
    pub opaque_tokens: bool,
    /// The application permissions: those that new tokens carry in `roles`, and those that requests are checked against.
    pub roles: BTreeSet<String>,
    /// Rows younger than this are exported as they were then, or not at all.
    pub export_lag_seconds: u64,
    /// 0, or the status with which every export is refused.
    pub export_refused: u16,
    /// Team id to the status with which its export is refused.
    pub export_refused_teams: BTreeMap<String, u16>,
    pub export_private_channels: bool,
    pub export_shared_channels: bool,
    pub export_top_max: usize,
    pub export_paging: ExportPaging,
    pub export_order: ExportOrder,
    /// 0, or the status with which channel delta is refused.
    pub channel_delta_refused: u16,
    /// Whether an edit or a reaction moves a chain up; only a new reply does when false.
    pub bubble_edits: bool,
    /// Whether lists hold soft-deleted messages (documented as "not always returned").
    pub list_deleted: bool,
    /// Replies under one root with `$expand=replies`.
    pub reply_cap: usize,
    pub delta_expiry: DeltaExpiry,
    pub delta_token_days: i64,
    pub directory_delta_page: usize,
    /// 0, or how many posts each thread of group mail has.
    pub posts_per_thread: usize,
    /// Page size of lists that document no `$top`.
    pub list_page: usize,
    /// 0: nextLinks live for ever.
    pub link_lifetime_seconds: u64,
    /// Bytes that nextLinks are longer than they need to be.
    pub link_padding: usize,
    pub top_over_max: TopOverMax,
    pub batch_shuffle: bool,
    pub forbidden_team_ids: BTreeSet<String>,
    pub missing_team_ids: BTreeSet<String>,
    /// Teams in which resource-specific consent is given.
    pub rsc_team_ids: BTreeSet<String>,
    /// Users that directory lists leave out.
    pub hidden_user_ids: BTreeSet<String>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            rate_limits: false,
            rate_limit_factor: 1.0,
            time_scale: 1.0,
            latency_ms: 0,
            gzip: true,
            date_header: true,
            retry_after: RetryAfter::Seconds,
            token_lifetime_seconds: 3599,
            secret_expired: false,
            opaque_tokens: false,
            roles: super::permissions::ALL.iter().map(|&role| role.to_owned()).collect(),
            export_lag_seconds: 0,
            export_refused: 0,
            export_refused_teams: BTreeMap::new(),
            export_private_channels: true,
            export_shared_channels: true,
            export_top_max: 250,
            export_paging: ExportPaging::Token,
            export_order: ExportOrder::Stored,
            channel_delta_refused: 0,
            bubble_edits: true,
            list_deleted: true,
            reply_cap: 200,
            delta_expiry: DeltaExpiry::Gone,
            delta_token_days: 7,
            directory_delta_page: 200,
            posts_per_thread: 0,
            list_page: 100,
            link_lifetime_seconds: 0,
            link_padding: 0,
            top_over_max: TopOverMax::Reject,
            batch_shuffle: true,
            forbidden_team_ids: BTreeSet::new(),
            missing_team_ids: BTreeSet::new(),
            rsc_team_ids: BTreeSet::new(),
            hidden_user_ids: BTreeSet::new(),
        }
    }
}
