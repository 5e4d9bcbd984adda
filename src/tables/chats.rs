//! Chats, and the messages in them. Application permissions reach both only through the users who take part.

use super::messages::CHAT_MESSAGE_COLUMNS;
use super::{Column, Ingestion, Reading, Table};

/// <https://learn.microsoft.com/graph/api/resources/chat>
pub(super) static CHATS: Table = Table {
    name: "chats",
    description: "One-on-one, group and meeting chats, each once, whoever takes part in it.",
    endpoint: "GET /users/{id}/chats",
    columns: &[
        Column::text("id"),
        Column::text("topic"),
        Column::text("chatType"),
        Column::text("createdDateTime"),
        Column::cursor("lastUpdatedDateTime"),
        Column::text("webUrl"),
        Column::json("onlineMeetingInfo"),
        Column::text("tenantId"),
        Column::bool("isHiddenForAllMembers"),
        Column::text("migrationMode"),
        Column::text("originalCreatedDateTime"),
    ],
    keys: &["id"],
    cursor: Some("lastUpdatedDateTime"),
    ingestion: Ingestion::Cdc,
    permissions: &["User.ReadBasic.All", "Chat.Read.All"],
    required_options: "",
    reading: Reading::Chats,
};

pub(super) static CHAT_MESSAGES: Table = Table {
    name: "chat_messages",
    description: "The messages of chats. Opt-in, because chats are private conversations.",
    endpoint: "GET /users/{id}/chats/getAllMessages; GET /chats/{id}/messages",
    columns: CHAT_MESSAGE_COLUMNS,
    keys: &["chat_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    ingestion: Ingestion::Cdc,
    permissions: &["User.ReadBasic.All", "Chat.Read.All"],
    required_options: "fetch_all_users, user_id or chat_id",
    reading: Reading::ChatMessages,
};
