//! Rows per page, where a cost is to be known beforehand.

pub use super::channel_messages::PAGE as CHANNEL_MESSAGES;
pub use super::chat_messages::PAGE as CHAT_MESSAGES;
pub use super::export_pages::PAGE as EXPORT;
pub use super::roster::{CHATS_PAGE as CHATS, MEMBERS_PAGE as MEMBERS, USERS_PAGE as USERS};
pub use super::snapshot::BATCH as TEAMS_PER_BATCH;
pub use super::window::ROWS_PER_WINDOW;

/// `/teams` documents no page size; what other lists of the directory have.
pub const TEAMS: u32 = 100;

/// What a page of call records is taken to hold.
pub const CALL_RECORDS: u32 = 60;

/// Directory delta documents no page size either.
pub const DIRECTORY_DELTA: u32 = 200;
