//! Channel messages and their replies, and the message shape that chat messages share.
//! <https://learn.microsoft.com/graph/api/resources/chatmessage>

use crate::schema::{Column, ColumnType, Derived, Ingestion, Reading, Table};

pub(super) const USER: Column = Column::new(
    "user",
    ColumnType::Struct(&[
        Column::text("id"),
        Column::text("displayName"),
        Column::text("userIdentityType"),
        Column::text("tenantId"),
    ]),
);
const APPLICATION: Column = Column::new(
    "application",
    ColumnType::Struct(&[Column::text("id"), Column::text("displayName"), Column::text("applicationIdentityType")]),
);
const DEVICE: Column = Column::new("device", ColumnType::Struct(&[Column::text("id"), Column::text("displayName")]));
const CONVERSATION: Column = Column::new(
    "conversation",
    ColumnType::Struct(&[Column::text("id"), Column::text("displayName"), Column::text("conversationIdentityType")]),
);
const TAG: Column = Column::new("tag", ColumnType::Struct(&[Column::text("id"), Column::text("displayName")]));

pub(super) const IDENTITY: ColumnType = ColumnType::Struct(&[USER, APPLICATION, DEVICE, CONVERSATION]);
pub(super) const MENTIONED: ColumnType = ColumnType::Struct(&[USER, APPLICATION, DEVICE, CONVERSATION, TAG]);

const BODY: ColumnType = ColumnType::Struct(&[Column::text("contentType"), Column::text("content")]);

const ATTACHMENT: ColumnType = ColumnType::Struct(&[
    Column::text("id"),
    Column::text("contentType"),
    Column::text("contentUrl"),
    Column::text("content"),
    Column::text("name"),
    Column::text("thumbnailUrl"),
    Column::text("teamsAppId"),
]);

const MENTION: ColumnType = ColumnType::Struct(&[
    Column::new("id", ColumnType::Int),
    Column::text("mentionText"),
    Column::new("mentioned", MENTIONED),
]);

const REACTION: ColumnType = ColumnType::Struct(&[
    Column::text("reactionType"),
    Column::text("displayName"),
    Column::text("reactionContentUrl"),
    Column::text("createdDateTime"),
    Column::new("user", IDENTITY),
]);

/// The columns of every message table: its own keys first, then what Graph gives.
macro_rules! message_columns {
    ($($key:expr),* $(,)?) => {
        &[
            Column::text("id"),
            $($key,)*
            Column::text("messageType"),
            Column::text("createdDateTime"),
            Column::cursor("lastModifiedDateTime"),
            Column::text("lastEditedDateTime"),
            Column::text("deletedDateTime"),
            Column::text("importance"),
            Column::new("from", IDENTITY),
            Column::new("body", BODY),
            Column::new("attachments", ColumnType::List(&ATTACHMENT)),
            Column::new("mentions", ColumnType::List(&MENTION)),
            Column::new("reactions", ColumnType::List(&REACTION)),
            Column::text("subject"),
            Column::text("summary"),
            Column::text("etag"),
            Column::text("locale"),
            Column::text("webUrl"),
            Column::text("chatId"),
            Column::text("replyToId"),
            Column::json("channelIdentity"),
            Column::json("policyViolation"),
            Column::json("eventDetail"),
            Column::json("messageHistory"),
        ]
    };
}

/// Roots and replies in one table.
pub(super) const ARCHIVE_COLUMNS: &[Column] = message_columns![
    Column::derived("team_id", Derived::Team),
    Column::derived("channel_id", Derived::Channel),
    Column::derived("root_message_id", Derived::Parent),
];

pub(super) const CHAT_MESSAGE_COLUMNS: &[Column] = message_columns![Column::derived("chat_id", Derived::Chat)];

/// The lists of channels show replies only where they are asked for.
pub(super) const EXPORT_OR_LISTS: &str =
    "GET /teams/{id}/channels/getAllMessages; GET /teams/{id}/channels/{id}/messages?$expand=replies";

pub(super) static MESSAGES: Table = Table {
    name: "messages",
    description: "The root messages of channels: posts, announcements and system events.",
    endpoint_text: Some(EXPORT_OR_LISTS),
    columns: message_columns![
        Column::derived("team_id", Derived::Team),
        Column::derived("channel_id", Derived::Channel)
    ],
    keys: &["team_id", "channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    ingestion: Ingestion::Cdc,
    ..Table::of(Reading::ChannelMessages)
};

pub(super) static MESSAGE_REPLIES: Table = Table {
    name: "message_replies",
    description: "The replies to channel messages; the same pass as messages when both are taken.",
    endpoint_text: Some(EXPORT_OR_LISTS),
    columns: message_columns![
        Column::derived("team_id", Derived::Team),
        Column::derived("channel_id", Derived::Channel),
        Column::derived("parent_message_id", Derived::Parent),
    ],
    keys: &["team_id", "channel_id", "parent_message_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    ingestion: Ingestion::Cdc,
    required_options: "team_id or fetch_all_teams, channel_id or fetch_all_channels; optionally message_id",
    ..Table::of(Reading::ChannelMessages)
};
