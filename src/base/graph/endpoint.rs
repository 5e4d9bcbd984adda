//! Every Graph endpoint the connector knows: its path template, its rate class and the permission it needs.

/// Rows of Graph's throttling table (<https://learn.microsoft.com/graph/throttling-limits#microsoft-teams-service-limits>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateClass {
    Team,
    Channels,
    Members,
    ChannelMessages,
    /// `getAllMessages`: no limit per resource.
    Export,
    UserChats,
    Chat,
    ChatMessages,
    /// Mail of groups: Outlook limits requests per mailbox.
    Mailbox,
    /// `/users`, `/groups`: a bucket of resource units instead of requests; the number is the cost.
    Directory(u32),
    /// Teams endpoints without a row of their own.
    Other,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// For errors and the report, such as `/teams/{id}/channels`.
    pub template: &'static str,
    pub class: RateClass,
    /// The least privileged application permission.
    pub permission: &'static str,
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $template:literal, $class:expr, $permission:literal;)*) => {
        $($(#[$doc])* pub static $name: Endpoint = Endpoint { template: $template, class: $class, permission: $permission };)*

        static ALL: &[&Endpoint] = &[$(&$name),*];
    };
}

/// The endpoint of a path template, as the tables' declarations write it.
pub fn find(template: &str) -> Option<&'static Endpoint> {
    ALL.iter().copied().find(|endpoint| endpoint.template == template)
}

endpoints! {
    TEAMS = "/teams", RateClass::Other, "Team.ReadBasic.All";
    TEAM = "/teams/{id}", RateClass::Team, "TeamSettings.Read.All";
    GROUPS_WITH_TEAM = "/groups?$filter=resourceProvisioningOptions", RateClass::Directory(1), "Group.ReadBasic.All";
    GROUPS = "/groups", RateClass::Directory(1), "Group.ReadBasic.All";
    CHANNELS = "/teams/{id}/channels", RateClass::Channels, "Channel.ReadBasic.All";
    TEAM_MEMBERS = "/teams/{id}/members", RateClass::Members, "TeamMember.Read.All";
    CHANNEL_MESSAGES = "/teams/{id}/channels/{id}/messages", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHANNEL_MESSAGE = "/teams/{id}/channels/{id}/messages/{id}", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHANNEL_MESSAGES_DELTA = "/teams/{id}/channels/{id}/messages/delta", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    REPLIES = "/teams/{id}/channels/{id}/messages/{id}/replies", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    TEAM_EXPORT = "/teams/{id}/channels/getAllMessages", RateClass::Export, "ChannelMessage.Read.All";
    TEAM_RETAINED = "/teams/{id}/channels/getAllRetainedMessages", RateClass::Export, "ChannelMessage.Read.All";
    CALL_RECORDS = "/communications/callRecords", RateClass::Other, "CallRecords.Read.All";
    TRANSCRIPTS = "/users/{id}/onlineMeetings/getAllTranscripts", RateClass::Other, "OnlineMeetingTranscript.Read.All";
    TRANSCRIPT_CONTENT = "/users/{id}/onlineMeetings/{id}/transcripts/{id}/content", RateClass::Other, "OnlineMeetingTranscript.Read.All";
    RECORDINGS = "/users/{id}/onlineMeetings/getAllRecordings", RateClass::Other, "OnlineMeetingRecording.Read.All";
    DELETED_TEAMS = "/teamwork/deletedTeams", RateClass::Other, "Team.ReadBasic.All";
    DELETED_TEAM_EXPORT = "/teamwork/deletedTeams/{id}/channels/getAllMessages", RateClass::Export, "ChannelMessage.Read.All";
    USERS = "/users", RateClass::Directory(1), "User.ReadBasic.All";
    USERS_DELTA = "/users/delta", RateClass::Directory(1), "User.Read.All";
    GROUPS_DELTA = "/groups/delta", RateClass::Directory(1), "Group.ReadBasic.All";
    DELETED_USERS = "/directory/deletedItems/microsoft.graph.user", RateClass::Directory(1), "User.Read.All";
    DELETED_GROUPS = "/directory/deletedItems/microsoft.graph.group", RateClass::Directory(1), "Group.Read.All";
    USER_CHATS = "/users/{id}/chats", RateClass::UserChats, "Chat.Read.All";
    CHAT = "/chats/{id}", RateClass::Chat, "Chat.Read.All";
    CHAT_MESSAGES = "/chats/{id}/messages", RateClass::ChatMessages, "Chat.Read.All";
    /// A file on another host, behind a signed link.
    DOWNLOAD = "(file behind a signed link)", RateClass::Other, "";
    /// Carries up to twenty reads, each of which draws on its own endpoint's budgets.
    BATCH = "/$batch", RateClass::Other, "";
    HOSTED_CONTENT = "/teams/{id}/channels/{id}/messages/{id}/hostedContents/{id}/$value", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHAT_HOSTED_CONTENT = "/chats/{id}/messages/{id}/hostedContents/{id}/$value", RateClass::ChatMessages, "Chat.Read.All";
    USER_EXPORT = "/users/{id}/chats/getAllMessages", RateClass::Export, "Chat.Read.All";
}
