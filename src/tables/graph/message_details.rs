//! What messages hold, a row for each: reactions, mentions, attachments, system events and hosted contents. They come out
//! of the same pass as the messages.
//!
//! A message shows its whole set each time it is read, and says nothing of what is no longer in it. So an item is keyed by
//! its position, and every version of a message writes position 0: with the first item, or, where a changed message has
//! none (any more), with a row whose `set_size` is 0. The rows of a message hold that are as new as its position 0;
//! `docs/message-details.md` has the query. A read of everything once has no older rows, and so no such row either.
//! <https://learn.microsoft.com/graph/api/resources/chatmessage>

use super::keys::{CHANNEL_ID, CHAT_ID, TEAM_ID};
use super::messages::{EXPORT_OR_LISTS, IDENTITY, MENTIONED, USER};
use crate::schema::{Column, ColumnType, Ingestion, Part, Reading, Table, Takes};

macro_rules! detail_columns {
    (channel, [$($column:expr),* $(,)?]) => {
        &[
            TEAM_ID,
            CHANNEL_ID,
            Column::detail("root_message_id", ColumnType::Text, Part::Root, "The id of the thread's first message; of a root its own."),
            Column::detail("message_id", ColumnType::Text, Part::Message, "The id of the message that holds it."),
            Column::cursor("lastModifiedDateTime", "When the message last changed; it orders the message's versions."),
            $($column,)*
        ]
    };
    (chat, [$($column:expr),* $(,)?]) => {
        &[
            CHAT_ID,
            Column::detail("message_id", ColumnType::Text, Part::Message, "The id of the message that holds it."),
            Column::cursor("lastModifiedDateTime", "When the message last changed; it orders the message's versions."),
            $($column,)*
        ]
    };
}

const POSITION: Column =
    Column::detail("position", ColumnType::Int, Part::Position, "Where the item stands in the message's list, from 0.");
const SET_SIZE: Column = Column::detail(
    "set_size",
    ColumnType::Int,
    Part::SetSize,
    "How many items the message has in this version; 0 where there are none any more.",
)
.in_unit("items");

macro_rules! reactions {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                POSITION,
                SET_SIZE,
                Column::text("reactionType", "The reaction: an emoji, or custom."),
                Column::text("displayName", "The reaction's name, such as Like."),
                Column::text("reactionContentUrl", "The address of a custom reaction's image."),
                Column::time("createdDateTime", "When the reaction was given."),
                Column::detail(
                    "user_id",
                    ColumnType::Text,
                    Part::Nested(&["user", "user", "id"]),
                    "The Entra ID object id of who reacted."
                ),
                Column::new("user", IDENTITY, "Who reacted, as an identity set."),
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
                Column::int("id", "The number of the mention, which the body's at element repeats."),
                Column::text("mentionText", "What the message shows for the mention."),
                Column::detail(
                    "mentioned_kind",
                    ColumnType::Text,
                    Part::IdentityKind("mentioned"),
                    "What was mentioned: user, application, device, conversation or tag."
                ),
                Column::detail(
                    "mentioned_id",
                    ColumnType::Text,
                    Part::IdentityId("mentioned"),
                    "The id of what was mentioned."
                ),
                Column::new("mentioned", MENTIONED, "What was mentioned, as an identity set."),
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
                Column::text("id", "The id of the attachment, which the body's attachment element repeats."),
                Column::text(
                    "contentType",
                    "What it is: reference for files, messageReference for quotes, or a card's media type."
                ),
                Column::text("contentUrl", "The address of the file."),
                Column::text("content", "The card or the quote, as JSON in text."),
                Column::text("name", "The file's name."),
                Column::text("thumbnailUrl", "The address of a preview image."),
                Column::text("teamsAppId", "The id of the app that the card belongs to."),
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
                Column::detail("id", ColumnType::Text, Part::HostedId, "The id of the hosted content."),
                Column::detail("url", ColumnType::Text, Part::HostedUrl, "The address of its bytes."),
                Column::detail(
                    "shown_in",
                    ColumnType::Text,
                    Part::HostedSource,
                    "Which part of the message shows it: body, attachment or reaction."
                ),
                Column::detail(
                    "contentType",
                    ColumnType::Text,
                    Part::HostedValue,
                    "What its first bytes say that it is; null unless it was fetched."
                ),
                Column::detail(
                    "contentBytes",
                    ColumnType::Binary,
                    Part::HostedValue,
                    "Its bytes; null unless hosted_contents_max_bytes asks for them."
                ),
                Column::detail(
                    "content_length",
                    ColumnType::Int,
                    Part::HostedValue,
                    "How long it is; null unless it was fetched."
                )
                .in_unit("bytes"),
                Column::detail(
                    "content_status",
                    ColumnType::Text,
                    Part::HostedValue,
                    "What fetching it came to: ok, too_large, not_found or forbidden."
                ),
            ]
        )
    };
}

const USERS: ColumnType = USER.kind;
const PARTICIPANT: ColumnType =
    ColumnType::Struct(&[Column::new("participant", IDENTITY, "Someone who took part, as an identity set.")]);

/// The fields of all thirty kinds of events of v1.0, each named as Graph names it.
macro_rules! events {
    ($place:ident) => {
        detail_columns!(
            $place,
            [
                Column::detail(
                    "createdDateTime",
                    ColumnType::Time,
                    Part::Of("createdDateTime"),
                    "When the system message was written."
                ),
                Column::detail(
                    "deletedDateTime",
                    ColumnType::Time,
                    Part::Of("deletedDateTime"),
                    "When the system message was deleted; null while it stands."
                ),
                Column::detail(
                    "event_type",
                    ColumnType::Text,
                    Part::EventType,
                    "What happened, such as membersAdded, callEnded or teamRenamed."
                ),
                Column::detail(
                    "initiator_kind",
                    ColumnType::Text,
                    Part::IdentityKind("initiator"),
                    "What kind of identity did it: user, application, device or conversation."
                ),
                Column::detail(
                    "initiator_id",
                    ColumnType::Text,
                    Part::IdentityId("initiator"),
                    "The id of who did it."
                ),
                Column::new("initiator", IDENTITY, "Who did it, as an identity set."),
                Column::new(
                    "members",
                    ColumnType::List(&USERS),
                    "The people whom it is about, of events about members."
                ),
                Column::time(
                    "visibleHistoryStartDateTime",
                    "From when on added members see the history; null where they see all of it."
                ),
                Column::texts("conversationMemberRoles", "The roles of the member whose role changed."),
                Column::new("conversationMemberUser", USERS, "The member whose role changed."),
                Column::text("callId", "The id of the call."),
                Column::text("callEventType", "Whether it was a call, a meeting or a screenShare."),
                Column::text("callDuration", "How long the call took.").in_unit("ISO 8601 duration"),
                Column::detail("call_duration_seconds", ColumnType::Int, Part::CallSeconds, "How long the call took.")
                    .in_unit("seconds"),
                Column::new("callParticipants", ColumnType::List(&PARTICIPANT), "Who took part in the call."),
                Column::text("callRecordingDisplayName", "The name of the recording's file."),
                Column::text("callRecordingDuration", "How long the recording is.").in_unit("ISO 8601 duration"),
                Column::text("callRecordingStatus", "How recording went: success, failure, initial or chunkFinished."),
                Column::text("callRecordingUrl", "The address of the recording."),
                Column::text("callTranscriptICalUid", "The calendar id of the transcribed meeting."),
                Column::new("meetingOrganizer", IDENTITY, "Who organized the meeting."),
                Column::text("meetingChatId", "The id of the meeting's chat."),
                Column::bool("meetingChatEnabled", "Whether the meeting's chat is open."),
                Column::text("channelId", "The id of the channel that it is about."),
                Column::text("channelDisplayName", "The channel's name."),
                Column::text("channelDescription", "The channel's description."),
                Column::text("chatId", "The id of the chat that it is about."),
                Column::text("chatDisplayName", "The chat's name."),
                Column::text("teamId", "The id of the team that it is about."),
                Column::text("teamDisplayName", "The team's name."),
                Column::text("teamDescription", "The team's description."),
                Column::text("tabId", "The id of the tab."),
                Column::text("teamsAppId", "The id of the app."),
                Column::text("teamsAppDisplayName", "The app's name."),
                Column::time("eventDateTime", "When it happened, where the event says so."),
                Column::detail(
                    "eventDetail",
                    ColumnType::Json,
                    Part::Of("eventDetail"),
                    "The whole event, also of kinds without columns."
                ),
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
