//! Chats, and the messages in them. Application permissions reach both only through the users who take part.

use super::messages::CHAT_MESSAGE_COLUMNS;
use crate::schema::{Column, Ingestion, Reading, Table};

/// <https://learn.microsoft.com/graph/api/resources/chat>
pub(super) static CHATS: Table = Table {
    name: "chats",
    description: "One-on-one, group and meeting chats, each once, whoever takes part in it.",
    columns: &[
        Column::text("id", "The id of the chat."),
        Column::text("topic", "The chat's name; null where nobody gave it one."),
        Column::text("chatType", "What kind of chat it is: oneOnOne, group or meeting."),
        Column::time("createdDateTime", "When the chat began."),
        Column::cursor("lastUpdatedDateTime", "When the chat's name or members last changed."),
        Column::text("webUrl", "The link that opens the chat in Teams."),
        Column::json("onlineMeetingInfo", "The meeting behind a meeting's chat: organizer, join link, calendar event."),
        Column::text("tenantId", "The id of the tenant in which the chat was made."),
        Column::bool("isHiddenForAllMembers", "Whether the chat is hidden from all who take part."),
        Column::text("migrationMode", "Whether messages are being imported into the chat: inProgress or completed."),
        Column::time("originalCreatedDateTime", "When the chat was made, where an import has moved its beginning."),
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
