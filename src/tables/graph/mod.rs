//! The tables of Graph, each one declaration.

mod apps;
mod archive;
mod chats;
mod directory;
mod group_mail;
mod keys;
mod meetings;
mod message_details;
mod messages;
mod people;
mod reports;
mod sharing;
mod shifts;
mod tags;
mod teams;
#[cfg(test)]
mod tests;

use teams_base::error::{Error, Result};
use teams_base::nearest::nearest;

use crate::schema::Table;

/// In the order of the documentation.
pub static TABLES: &[&Table] = &[
    &teams::TEAMS,
    &teams::CHANNELS,
    &teams::MEMBERS,
    &messages::MESSAGES,
    &messages::MESSAGE_REPLIES,
    &chats::CHATS,
    &chats::CHAT_MESSAGES,
    &directory::USERS,
    &directory::GROUPS,
    &people::GROUP_MEMBERS,
    &people::GROUP_OWNERS,
    &people::USER_LICENSES,
    &sharing::CHANNEL_MEMBERS,
    &sharing::SHARED_CHANNEL_MEMBERS,
    &sharing::SHARED_CHANNEL_TEAMS,
    &sharing::INCOMING_CHANNELS,
    &sharing::CHAT_MEMBERS,
    &apps::CHANNEL_TABS,
    &apps::CHAT_TABS,
    &apps::TEAM_APPS,
    &apps::CHAT_APPS,
    &apps::USER_APPS,
    &tags::TEAM_TAGS,
    &tags::TEAM_TAG_MEMBERS,
    &tags::DELETED_TEAMS,
    &shifts::SCHEDULES,
    &shifts::SHIFTS,
    &group_mail::CONVERSATIONS,
    &group_mail::CONVERSATION_THREADS,
    &group_mail::CONVERSATION_POSTS,
    &group_mail::TEAM_DRIVES,
    &reports::TEAM_DEVICE_USAGE_REPORT,
    &message_details::MESSAGE_REACTIONS,
    &message_details::MESSAGE_MENTIONS,
    &message_details::MESSAGE_ATTACHMENTS,
    &message_details::SYSTEM_EVENTS,
    &message_details::HOSTED_CONTENTS,
    &message_details::CHAT_MESSAGE_REACTIONS,
    &message_details::CHAT_MESSAGE_MENTIONS,
    &message_details::CHAT_MESSAGE_ATTACHMENTS,
    &message_details::CHAT_SYSTEM_EVENTS,
    &message_details::CHAT_HOSTED_CONTENTS,
    &archive::RETAINED_MESSAGES,
    &archive::DELETED_TEAM_MESSAGES,
    &meetings::CALL_RECORDS,
    &meetings::TRANSCRIPTS,
    &meetings::RECORDINGS,
];

/// Finds a table by its name.
pub fn find(name: &str) -> Result<&'static Table> {
    TABLES.iter().find(|table| table.name == name).copied().ok_or_else(|| {
        let nearest = nearest(name, TABLES.iter().map(|table| table.name));
        let remedy = nearest.map_or_else(
            || format!("tables are {}", TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ")),
            |table| format!("did you mean '{table}'?"),
        );
        Error::configuration(format!("table '{name}' is not supported: {remedy}"))
    })
}
