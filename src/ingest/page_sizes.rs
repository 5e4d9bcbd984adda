//! How many rows a page is asked for, or is taken to hold where a cost has to be known beforehand.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// <https://learn.microsoft.com/graph/api/channel-list-messages>: 50 at most.
pub const CHANNEL_MESSAGES: u32 = 50;

/// Where only changes of a channel are asked for: there are few of them.
pub const CHANGED_CHANNEL_MESSAGES: u32 = 10;

/// Where a server fails each time it is asked for [`CHANNEL_MESSAGES`] or [`CHAT_MESSAGES`].
pub const SMALL_MESSAGES: u32 = 10;

/// <https://learn.microsoft.com/graph/api/chat-list-messages>: 50 at most.
pub const CHAT_MESSAGES: u32 = 50;

/// What the export article recommends at most; the API's own pages state no maximum.
pub const EXPORT: u32 = 250;

/// What the export API's documented examples ask for.
pub const SMALL_EXPORT: u32 = 50;

/// <https://learn.microsoft.com/graph/api/user-list>: 100 by default, 999 at most.
pub const USERS: u32 = 999;

/// What `/groups` gives at most, as `/users` does.
pub const GROUPS: u32 = 999;

/// <https://learn.microsoft.com/graph/api/team-list-members>: 100 by default, 999 at most.
pub const MEMBERS: u32 = 999;

/// <https://learn.microsoft.com/graph/api/chat-list>: 50 a page at most.
pub const CHATS: u32 = 50;

/// A JSON batch takes 20 requests: <https://learn.microsoft.com/graph/json-batching>.
pub const TEAMS_PER_BATCH: usize = 20;

/// `/teams` documents no page size; what other lists of the directory have.
pub const TEAMS: u32 = 100;

/// What a page of call records is taken to hold.
pub const CALL_RECORDS: u32 = 60;

/// Directory delta documents no page size either.
pub const DIRECTORY_DELTA: u32 = 200;

/// Rows that a page is asked for: the option `top`, and never more than the endpoint gives.
pub fn top(option: Option<u32>, most: u32) -> u32 {
    option.map_or(most, |top| top.min(most))
}

/// Exports, by their path templates, that gave pages of [`SMALL_EXPORT`] where they did not give larger ones. Clones
/// share it.
#[derive(Debug, Clone, Default)]
pub struct SmallExports(Arc<Mutex<HashSet<&'static str>>>);

impl SmallExports {
    pub fn contains(&self, template: &str) -> bool {
        self.0.lock().contains(template)
    }

    pub fn insert(&self, template: &'static str) {
        self.0.lock().insert(template);
    }
}
