//! What can be changed in a running tenant, and what a change reports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tenant::unset_time::UnsetTime;

/// How many of each change. Targets are chosen by the seed; `team_id` and `channel_id` narrow the channel messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mutation {
    pub seed: u64,
    /// The clock is moved first, so that the changes are dated after everything read so far.
    pub advance_seconds: u64,
    pub team_id: Option<String>,
    pub channel_id: Option<String>,
    pub chat_id: Option<String>,
    /// Narrows the changes, removals and restores of users.
    pub user_id: Option<String>,
    /// What the messages that are changed or written have for a `lastModifiedDateTime`.
    pub unset_modified: Option<UnsetTime>,
    /// Root messages edited.
    pub edits: usize,
    pub reply_edits: usize,
    /// Root messages deleted by their sender.
    pub deletes: usize,
    pub reply_deletes: usize,
    /// Deleted messages taken back.
    pub undeletes: usize,
    /// Roots or replies that get a reaction.
    pub reactions: usize,
    /// Roots or replies that lose all their reactions.
    pub reaction_removals: usize,
    /// Roots or replies edited so that they lose their mentions and attachments.
    pub stripped: usize,
    pub new_messages: usize,
    /// Replies to existing roots.
    pub late_replies: usize,
    /// Roots or replies gone without a trace; a root takes its replies along.
    pub hard_deletes: usize,
    pub chat_messages: usize,
    pub chat_edits: usize,
    pub chat_deletes: usize,
    pub new_chats: usize,
    pub new_teams: usize,
    pub deleted_teams: usize,
    pub restored_teams: usize,
    pub renamed_teams: usize,
    pub archived_teams: usize,
    pub new_channels: usize,
    pub deleted_channels: usize,
    pub renamed_channels: usize,
    pub member_adds: usize,
    pub member_removes: usize,
    pub new_users: usize,
    pub user_changes: usize,
    /// Soft-deleted: restorable, and listed as deleted items.
    pub deleted_users: usize,
    pub restored_users: usize,
    /// Deleted for good.
    pub purged_users: usize,
}

/// One changed thing, by the ids that find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Touched {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct MutationSummary {
    /// The emulator's time after the changes; all of them are dated before it.
    pub now: String,
    /// By the name of the count that asked for it.
    #[serde(flatten)]
    pub changes: BTreeMap<&'static str, Vec<Touched>>,
}

impl MutationSummary {
    pub fn of(&self, kind: &str) -> &[Touched] {
        self.changes.get(kind).map_or(&[], Vec::as_slice)
    }
}
