//! Channel messages and their replies, and the message shape that chat messages share.
//! <https://learn.microsoft.com/graph/api/resources/chatmessage>

use super::keys::{CHANNEL_ID, CHAT_ID, TEAM_ID};
use crate::schema::{Column, ColumnType, Derived, Ingestion, Reading, Table};

pub(super) const USER: Column = Column::new(
    "user",
    ColumnType::Struct(&[
        Column::text("id", "The Entra ID object id of the person."),
        Column::text("displayName", "The person's name."),
        Column::text(
            "userIdentityType",
            "What kind of account it is: aadUser, anonymousGuest, federatedUser and others.",
        ),
        Column::text("tenantId", "The id of the person's tenant."),
    ]),
    "The person, where it is one.",
);
const APPLICATION: Column = Column::new(
    "application",
    ColumnType::Struct(&[
        Column::text("id", "The id of the app."),
        Column::text("displayName", "The app's name."),
        Column::text(
            "applicationIdentityType",
            "What kind of app it is: bot, aadApplication, incomingWebhook and others.",
        ),
    ]),
    "The app or bot, where it is one.",
);
const DEVICE: Column = Column::new(
    "device",
    ColumnType::Struct(&[
        Column::text("id", "The id of the device."),
        Column::text("displayName", "The device's name."),
    ]),
    "The device, where it is one.",
);
const CONVERSATION: Column = Column::new(
    "conversation",
    ColumnType::Struct(&[
        Column::text("id", "The id of the team, channel or chat."),
        Column::text("displayName", "The name of the team, channel or chat."),
        Column::text("conversationIdentityType", "Whether it is a team, channel or chat."),
    ]),
    "The team, channel or chat, where it is one.",
);
const TAG: Column = Column::new(
    "tag",
    ColumnType::Struct(&[Column::text("id", "The id of the tag."), Column::text("displayName", "The tag's name.")]),
    "The tag, where it is one.",
);

pub(super) const IDENTITY: ColumnType = ColumnType::Struct(&[USER, APPLICATION, DEVICE, CONVERSATION]);
pub(super) const MENTIONED: ColumnType = ColumnType::Struct(&[USER, APPLICATION, DEVICE, CONVERSATION, TAG]);

const BODY: ColumnType = ColumnType::Struct(&[
    Column::text("contentType", "Whether the content is html or text."),
    Column::text("content", "The content itself, with markup where it is html."),
]);

const ATTACHMENT: ColumnType = ColumnType::Struct(&[
    Column::text("id", "The id of the attachment, which the body's attachment element repeats."),
    Column::text(
        "contentType",
        "What it is: reference for files, messageReference for quotes, or a card's media type.",
    ),
    Column::text("contentUrl", "The address of the file."),
    Column::text("content", "The card or the quote, as JSON in text."),
    Column::text("name", "The file's name."),
    Column::text("thumbnailUrl", "The address of a preview image."),
    Column::text("teamsAppId", "The id of the app that the card belongs to."),
]);

const MENTION: ColumnType = ColumnType::Struct(&[
    Column::int("id", "The number of the mention, which the body's at element repeats."),
    Column::text("mentionText", "What the message shows for the mention."),
    Column::new("mentioned", MENTIONED, "What was mentioned, as an identity set."),
]);

const REACTION: ColumnType = ColumnType::Struct(&[
    Column::text("reactionType", "The reaction: an emoji, or custom."),
    Column::text("displayName", "The reaction's name, such as Like."),
    Column::text("reactionContentUrl", "The address of a custom reaction's image."),
    Column::time("createdDateTime", "When the reaction was given."),
    Column::new("user", IDENTITY, "Who reacted, as an identity set."),
]);

/// The columns of every message table: its own keys first, then what Graph gives.
macro_rules! message_columns {
    ($($key:expr),* $(,)?) => {
        &[
            Column::text("id", "The id of the message, unique within its thread."),
            $($key,)*
            Column::text("messageType", "What it is: message, systemEventMessage, chatEvent, typing or unknownFutureValue."),
            Column::time("createdDateTime", "When the message was written."),
            Column::cursor("lastModifiedDateTime", "When the message last changed: written, edited, deleted or reacted to."),
            Column::time("lastEditedDateTime", "When the author last edited it; null if never."),
            Column::time("deletedDateTime", "When it was deleted; null while it stands."),
            Column::text("importance", "How important the author made it: normal, high or urgent."),
            Column::new("from", IDENTITY, "Who wrote it, as an identity set; null for system messages."),
            Column::new("body", BODY, "What it says."),
            Column::new("attachments", ColumnType::List(&ATTACHMENT), "Files, cards and quotes in it."),
            Column::new("mentions", ColumnType::List(&MENTION), "Who and what it mentions."),
            Column::new("reactions", ColumnType::List(&REACTION), "The reactions to it."),
            Column::text("subject", "The headline of a post."),
            Column::text("summary", "A text for notifications, mostly of apps."),
            Column::text("etag", "The message's version, as an opaque text."),
            Column::text("locale", "The author's language, such as en-us."),
            Column::text("webUrl", "The link that opens the message in Teams; null in chats."),
            Column::text("chatId", "The id of the chat; null in channels."),
            Column::text("replyToId", "The id of the thread's first message; null for a root."),
            Column::json("channelIdentity", "The ids of team and channel; null in chats."),
            Column::json("policyViolation", "What a data loss prevention app has set on it."),
            Column::json("eventDetail", "What happened, of system messages."),
            Column::json("messageHistory", "What was done to the message before, such as reactions added and removed."),
        ]
    };
}

/// Roots and replies in one table.
pub(super) const ARCHIVE_COLUMNS: &[Column] = message_columns![
    TEAM_ID,
    CHANNEL_ID,
    Column::derived("root_message_id", Derived::Parent, "The id of the thread's first message; of a root its own."),
];

pub(super) const CHAT_MESSAGE_COLUMNS: &[Column] = message_columns![CHAT_ID];

/// The lists of channels show replies only where they are asked for.
pub(super) const EXPORT_OR_LISTS: &str =
    "GET /teams/{id}/channels/getAllMessages; GET /teams/{id}/channels/{id}/messages?$expand=replies";

pub(super) static MESSAGES: Table = Table {
    name: "messages",
    description: "The root messages of channels: posts, announcements and system events.",
    endpoint_text: Some(EXPORT_OR_LISTS),
    columns: message_columns![TEAM_ID, CHANNEL_ID],
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
        TEAM_ID,
        CHANNEL_ID,
        Column::derived("parent_message_id", Derived::Parent, "The id of the thread's first message."),
    ],
    keys: &["team_id", "channel_id", "parent_message_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    ingestion: Ingestion::Cdc,
    required_options: "team_id or fetch_all_teams, channel_id or fetch_all_channels; optionally message_id",
    ..Table::of(Reading::ChannelMessages)
};
