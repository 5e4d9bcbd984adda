//! What Graph offers to subscribe to, as far as it fills tables
//! (<https://learn.microsoft.com/graph/change-notifications-overview#supported-resources>).

/// A family of resources: who may subscribe, and how often.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// The tables that its objects become rows of; details of messages come with these.
    pub tables: &'static [&'static str],
    pub change_types: &'static str,
    /// Any of these is enough, the least privileged first.
    pub permissions: &'static [&'static str],
    pub quota: &'static str,
}

/// Minutes that a subscription to an object of Teams lives at most
/// (<https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime>).
pub const MOST_MINUTES: u32 = 4_320;

const ORGANIZATION: &str = "one of each per application, 10,000 in the organization";
const ALL: &str = "created,updated,deleted";

pub static CHANNEL_MESSAGES: Family = Family {
    tables: &["messages", "message_replies"],
    change_types: ALL,
    permissions: &["ChannelMessage.Read.All"],
    quota: "one per application, 10,000 subscriptions to messages in the organization",
};
pub static ONE_CHANNELS_MESSAGES: Family = Family {
    tables: &["messages", "message_replies"],
    change_types: ALL,
    permissions: &["ChannelMessage.Read.Group (resource-specific)", "ChannelMessage.Read.All"],
    quota: "one per application and channel, 10,000 in the organization",
};
pub static CHAT_MESSAGES: Family = Family {
    tables: &["chat_messages"],
    change_types: ALL,
    permissions: &["Chat.Read.All"],
    quota: "one per application, chat, or application and user (10 per user), 10,000 in the organization",
};
pub static CHATS: Family = Family {
    tables: &["chats"],
    change_types: "created,updated",
    permissions: &["Chat.ReadBasic.All", "Chat.Read.All"],
    quota: ORGANIZATION,
};
pub static ONE_CHAT: Family = Family {
    tables: &["chats"],
    change_types: "updated",
    permissions: &["ChatSettings.Read.Chat (resource-specific)", "Chat.ReadBasic.All", "Chat.Read.All"],
    quota: ORGANIZATION,
};
pub static TEAMS: Family = Family {
    tables: &["teams"],
    change_types: ALL,
    permissions: &["Team.ReadBasic.All", "TeamSettings.Read.All"],
    quota: ORGANIZATION,
};
pub static ONE_TEAM: Family = Family {
    tables: &["teams"],
    change_types: "updated,deleted",
    permissions: &["Team.ReadBasic.All", "TeamSettings.Read.All"],
    quota: ORGANIZATION,
};
pub static CHANNELS: Family = Family {
    tables: &["channels"],
    change_types: ALL,
    permissions: &["Channel.ReadBasic.All", "ChannelSettings.Read.All"],
    quota: ORGANIZATION,
};
pub static MEMBERS: Family = Family {
    tables: &["members"],
    change_types: ALL,
    permissions: &["TeamMember.Read.Group (resource-specific)", "TeamMember.Read.All"],
    quota: ORGANIZATION,
};
