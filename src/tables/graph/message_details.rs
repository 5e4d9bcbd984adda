//! What messages hold, a row for each: reactions, mentions, attachments, system events and hosted contents. They come out
//! of the same pass as the messages.
//!
//! A message shows its whole set each time it is read, and says nothing of what is no longer in it. So an item is keyed by
//! its position, and every version of a message writes position 0: with the first item, or, where a changed message has
//! none (any more), with a row whose `set_size` is 0. The rows of a message hold that are as new as its position 0;
//! `docs/message-details.md` has the query. A read of everything once has no older rows, and so no such row either.
//! <https://learn.microsoft.com/graph/api/resources/chatmessage>

use super::messages::{EXPORT_OR_LISTS, IDENTITY, MENTIONED, USER};
use crate::schema::{Column, ColumnType, Derived, Ingestion, Part, Reading, Table, Takes};

macro_rules! detail_columns {
    (channel, [$($column:expr),* $(,)?]) => {
        &[
            Column::derived("team_id", Derived::Team),
            Column::derived("channel_id", Derived::Channel),
            Column::detail("root_message_id", ColumnType::Text, Part::Root),
            Column::detail("message_id", ColumnType::Text, Part::Message),
            Column::cursor("lastModifiedDateTime"),
            $($column,)*
        ]
    };
    (chat, [$($column:expr),* $(,)?]) => {
        &[
            Column::derived("chat_id", Derived::Chat),
            Column::detail("message_id", ColumnType::Text, Part::Message),
            Column::cursor("lastModifiedDateTime"),
            $($column,)*
        ]
    };
}

const POSITION: Column = Column::detail("position", ColumnType::Int, Part::Position);
const SET_SIZE: Column = Column::detail("set_size", ColumnType::Int, Part::SetSize);

macro_rules! reactions {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                POSITION,
                SET_SIZE,
                Column::text("reactionType"),
                Column::text("displayName"),
                Column::text("reactionContentUrl"),
                Column::text("createdDateTime"),
                Column::detail("user_id", ColumnType::Text, Part::Nested(&["user", "user", "id"])),
                Column::new("user", IDENTITY),
            ]
        )
    };
}

macro_rules! mentions {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                POSITION,
                SET_SIZE,
                Column::new("id", ColumnType::Int),
                Column::text("mentionText"),
                Column::detail("mentioned_kind", ColumnType::Text, Part::IdentityKind("mentioned")),
                Column::detail("mentioned_id", ColumnType::Text, Part::IdentityId("mentioned")),
                Column::new("mentioned", MENTIONED),
            ]
        )
    };
}

macro_rules! attachments {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                POSITION,
                SET_SIZE,
                Column::text("id"),
                Column::text("contentType"),
                Column::text("contentUrl"),
                Column::text("content"),
                Column::text("name"),
                Column::text("thumbnailUrl"),
                Column::text("teamsAppId"),
            ]
        )
    };
}

macro_rules! hosted_contents {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                POSITION,
                SET_SIZE,
                Column::detail("id", ColumnType::Text, Part::HostedId),
                Column::detail("url", ColumnType::Text, Part::HostedUrl),
                Column::detail("shown_in", ColumnType::Text, Part::HostedSource),
                Column::detail("contentType", ColumnType::Text, Part::HostedValue),
                Column::detail("contentBytes", ColumnType::Binary, Part::HostedValue),
                Column::detail("content_length", ColumnType::Int, Part::HostedValue),
                Column::detail("content_status", ColumnType::Text, Part::HostedValue),
            ]
        )
    };
}

const USERS: ColumnType = USER.kind;
const PARTICIPANT: ColumnType = ColumnType::Struct(&[Column::new("participant", IDENTITY)]);

/// The fields of all thirty kinds of events of v1.0, each named as Graph names it.
macro_rules! events {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                Column::detail("createdDateTime", ColumnType::Text, Part::Of("createdDateTime")),
                Column::detail("deletedDateTime", ColumnType::Text, Part::Of("deletedDateTime")),
                Column::detail("event_type", ColumnType::Text, Part::EventType),
                Column::detail("initiator_kind", ColumnType::Text, Part::IdentityKind("initiator")),
                Column::detail("initiator_id", ColumnType::Text, Part::IdentityId("initiator")),
                Column::new("initiator", IDENTITY),
                Column::new("members", ColumnType::List(&USERS)),
                Column::text("visibleHistoryStartDateTime"),
                Column::new("conversationMemberRoles", ColumnType::List(&ColumnType::Text)),
                Column::new("conversationMemberUser", USERS),
                Column::text("callId"),
                Column::text("callEventType"),
                Column::text("callDuration"),
                Column::detail("call_duration_seconds", ColumnType::Int, Part::CallSeconds),
                Column::new("callParticipants", ColumnType::List(&PARTICIPANT)),
                Column::text("callRecordingDisplayName"),
                Column::text("callRecordingDuration"),
                Column::text("callRecordingStatus"),
                Column::text("callRecordingUrl"),
                Column::text("callTranscriptICalUid"),
                Column::new("meetingOrganizer", IDENTITY),
                Column::text("meetingChatId"),
                Column::bool("meetingChatEnabled"),
                Column::text("channelId"),
                Column::text("channelDisplayName"),
                Column::text("channelDescription"),
                Column::text("chatId"),
                Column::text("chatDisplayName"),
                Column::text("teamId"),
                Column::text("teamDisplayName"),
                Column::text("teamDescription"),
                Column::text("tabId"),
                Column::text("teamsAppId"),
                Column::text("teamsAppDisplayName"),
                Column::text("eventDateTime"),
                Column::detail("eventDetail", ColumnType::Json, Part::Of("eventDetail")),
            ]
        )
    };
}

const CHANNEL_SET: &[&str] = &["team_id", "channel_id", "root_message_id", "message_id", "position"];
const CHAT_SET: &[&str] = &["chat_id", "message_id", "position"];
const CHANNEL_EVENT: &[&str] = &["team_id", "channel_id", "root_message_id", "message_id"];
const CHAT_EVENT: &[&str] = &["chat_id", "message_id"];

macro_rules! channel_table {
    ($id:ident, $name:literal, $columns:expr, $keys:expr, $takes:expr, $description:literal) => {
        pub(super) static $id: Table = Table {
            name: $name,
            description: $description,
            endpoint_text: Some(EXPORT_OR_LISTS),
            columns: $columns,
            keys: $keys,
            cursor: Some("lastModifiedDateTime"),
            ingestion: Ingestion::Cdc,
            takes: Some($takes),
            ..Table::of(Reading::ChannelMessages)
        };
    };
}

macro_rules! chat_table {
    ($id:ident, $name:literal, $columns:expr, $keys:expr, $takes:expr, $description:literal) => {
        pub(super) static $id: Table = Table {
            name: $name,
            description: $description,
            columns: $columns,
            keys: $keys,
            cursor: Some("lastModifiedDateTime"),
            ingestion: Ingestion::Cdc,
            takes: Some($takes),
            ..Table::of(Reading::ChatMessages)
        };
    };
}

channel_table!(
    MESSAGE_REACTIONS,
    "message_reactions",
    reactions!(channel),
    CHANNEL_SET,
    Takes::Items("reactions"),
    "The reactions to channel messages and replies, a row for each; where set_size is 0 there are none any more."
);
channel_table!(
    MESSAGE_MENTIONS,
    "message_mentions",
    mentions!(channel),
    CHANNEL_SET,
    Takes::Items("mentions"),
    "Who and what channel messages and replies mention, a row for each; where set_size is 0 nobody any more."
);
channel_table!(
    MESSAGE_ATTACHMENTS,
    "message_attachments",
    attachments!(channel),
    CHANNEL_SET,
    Takes::Items("attachments"),
    "Files, cards and quotes in channel messages and replies, a row for each; where set_size is 0 none any more."
);
channel_table!(
    SYSTEM_EVENTS,
    "system_events",
    events!(channel),
    CHANNEL_EVENT,
    Takes::Event,
    "Calls, recordings, members, renames, apps: the system messages of channels, with their details in columns."
);
channel_table!(
    HOSTED_CONTENTS,
    "hosted_contents",
    hosted_contents!(channel),
    CHANNEL_SET,
    Takes::HostedContents,
    "Inline images and code snippets of channel messages; their bytes if hosted_contents_max_bytes asks for them."
);
chat_table!(
    CHAT_MESSAGE_REACTIONS,
    "chat_message_reactions",
    reactions!(chat),
    CHAT_SET,
    Takes::Items("reactions"),
    "The reactions to chat messages, a row for each; where set_size is 0 there are none any more."
);
chat_table!(
    CHAT_MESSAGE_MENTIONS,
    "chat_message_mentions",
    mentions!(chat),
    CHAT_SET,
    Takes::Items("mentions"),
    "Who and what chat messages mention, a row for each; where set_size is 0 nobody any more."
);
chat_table!(
    CHAT_MESSAGE_ATTACHMENTS,
    "chat_message_attachments",
    attachments!(chat),
    CHAT_SET,
    Takes::Items("attachments"),
    "Files, cards and quotes in chat messages, a row for each; where set_size is 0 none any more."
);
chat_table!(
    CHAT_SYSTEM_EVENTS,
    "chat_system_events",
    events!(chat),
    CHAT_EVENT,
    Takes::Event,
    "Calls, recordings, members, renames, apps: the system messages of chats, with their details in columns."
);
chat_table!(
    CHAT_HOSTED_CONTENTS,
    "chat_hosted_contents",
    hosted_contents!(chat),
    CHAT_SET,
    Takes::HostedContents,
    "Inline images and code snippets of chat messages; their bytes if hosted_contents_max_bytes asks for them."
);
