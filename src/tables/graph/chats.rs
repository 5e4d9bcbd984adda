//! Chats, and the messages in them. Application permissions reach both only through the users who take part.

use super::messages::CHAT_MESSAGE_COLUMNS;
use crate::schema::{Column, Ingestion, Reading, Table};

/// <https://learn.microsoft.com/graph/api/resources/chat>
pub(super) static CHATS: Table = Table {
    name: "chats",
    description: "One-on-one, group and meeting chats, each once, whoever takes part in it.",
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
    cursor: Some("lastUpdatedDateTime"),
    ingestion: Ingestion::Cdc,
    ..Table::of(Reading::Chats)
};

pub(super) static CHAT_MESSAGES: Table = Table {
    name: "chat_messages",
    description: "The messages of chats. Opt-in, because chats are private conversations.",
    columns: CHAT_MESSAGE_COLUMNS,
    keys: &["chat_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    ingestion: Ingestion::Cdc,
    ..Table::of(Reading::ChatMessages)
};
