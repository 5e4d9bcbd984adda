//! Every Graph endpoint the connector knows: its method, its path template, its rate class and the permission it needs.

use std::fmt;

/// An HTTP method (<https://www.rfc-editor.org/rfc/rfc9110#section-9.3>), as far as Graph and the Bot Connector use them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    CreateTeam,
    CreateChannel,
    CreateChat,
    /// startMigration has no row of its own, completeMigration has one.
    Migration,
    /// Imported messages of channels and of chats.
    ImportToChannel,
    ImportToChat,
    /// Members of a team or a chat: a few per minute.
    AddMembers,
    /// An app is installed for a user.
    Install,
    /// Requests of the Bot Connector, which share one limit per app and tenant, and have others per conversation
    /// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit>).
    BotSend,
    BotCreate,
    BotRoster,
    /// Teams endpoints without a row of their own.
    Other,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub method: Method,
    /// For errors and the report, such as `/teams/{id}/channels`.
    pub template: &'static str,
    pub class: RateClass,
    /// The least privileged application permission.
    pub permission: &'static str,
}

impl Endpoint {
    pub const fn get(template: &'static str, class: RateClass, permission: &'static str) -> Self {
        Self { method: Method::Get, template, class, permission }
    }

    /// Whether its answers are bytes that people sent, and not text of the service.
    pub fn is_file(&self) -> bool {
        self.template.ends_with("/$value")
    }
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $method:ident $template:literal, $class:expr, $permission:literal;)*) => {
        $($(#[$doc])* pub static $name: Endpoint =
            Endpoint { method: Method::$method, template: $template, class: $class, permission: $permission };)*

        static ALL: &[&Endpoint] = &[$(&$name),*];
    };
}

/// The endpoint that reads a path template, as the tables' declarations write it.
pub fn find(template: &str) -> Option<&'static Endpoint> {
    ALL.iter().copied().find(|endpoint| endpoint.method == Method::Get && endpoint.template == template)
}

endpoints! {
    TEAMS = Get "/teams", RateClass::Other, "Team.ReadBasic.All";
    TEAM = Get "/teams/{id}", RateClass::Team, "TeamSettings.Read.All";
    GROUPS_WITH_TEAM = Get "/groups?$filter=resourceProvisioningOptions", RateClass::Directory(1), "Group.ReadBasic.All";
    GROUPS = Get "/groups", RateClass::Directory(1), "Group.ReadBasic.All";
    CHANNELS = Get "/teams/{id}/channels", RateClass::Channels, "Channel.ReadBasic.All";
    TEAM_MEMBERS = Get "/teams/{id}/members", RateClass::Members, "TeamMember.Read.All";
    CHANNEL_MESSAGES = Get "/teams/{id}/channels/{id}/messages", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHANNEL_MESSAGE = Get "/teams/{id}/channels/{id}/messages/{id}", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHANNEL_MESSAGES_DELTA = Get "/teams/{id}/channels/{id}/messages/delta", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    REPLIES = Get "/teams/{id}/channels/{id}/messages/{id}/replies", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    TEAM_EXPORT = Get "/teams/{id}/channels/getAllMessages", RateClass::Export, "ChannelMessage.Read.All";
    TEAM_RETAINED = Get "/teams/{id}/channels/getAllRetainedMessages", RateClass::Export, "ChannelMessage.Read.All";
    CALL_RECORDS = Get "/communications/callRecords", RateClass::Other, "CallRecords.Read.All";
    TRANSCRIPTS = Get "/users/{id}/onlineMeetings/getAllTranscripts", RateClass::Other, "OnlineMeetingTranscript.Read.All";
    TRANSCRIPT_CONTENT = Get "/users/{id}/onlineMeetings/{id}/transcripts/{id}/content", RateClass::Other, "OnlineMeetingTranscript.Read.All";
    RECORDINGS = Get "/users/{id}/onlineMeetings/getAllRecordings", RateClass::Other, "OnlineMeetingRecording.Read.All";
    DELETED_TEAMS = Get "/teamwork/deletedTeams", RateClass::Other, "Team.ReadBasic.All";
    DELETED_TEAM_EXPORT = Get "/teamwork/deletedTeams/{id}/channels/getAllMessages", RateClass::Export, "ChannelMessage.Read.All";
    USERS = Get "/users", RateClass::Directory(1), "User.ReadBasic.All";
    USERS_DELTA = Get "/users/delta", RateClass::Directory(1), "User.Read.All";
    GROUPS_DELTA = Get "/groups/delta", RateClass::Directory(1), "Group.ReadBasic.All";
    DELETED_USERS = Get "/directory/deletedItems/microsoft.graph.user", RateClass::Directory(1), "User.Read.All";
    DELETED_GROUPS = Get "/directory/deletedItems/microsoft.graph.group", RateClass::Directory(1), "Group.Read.All";
    USER_CHATS = Get "/users/{id}/chats", RateClass::UserChats, "Chat.Read.All";
    CHAT = Get "/chats/{id}", RateClass::Chat, "Chat.Read.All";
    CHAT_MESSAGES = Get "/chats/{id}/messages", RateClass::ChatMessages, "Chat.Read.All";
    /// A file on another host, behind a signed link.
    DOWNLOAD = Get "(file behind a signed link)", RateClass::Other, "";
    /// Carries up to twenty reads, each of which draws on its own endpoint's budgets.
    BATCH = Post "/$batch", RateClass::Other, "";
    HOSTED_CONTENT = Get "/teams/{id}/channels/{id}/messages/{id}/hostedContents/{id}/$value", RateClass::ChannelMessages, "ChannelMessage.Read.All";
    CHAT_HOSTED_CONTENT = Get "/chats/{id}/messages/{id}/hostedContents/{id}/$value", RateClass::ChatMessages, "Chat.Read.All";
    CHANNEL = Get "/teams/{id}/channels/{id}", RateClass::Other, "Channel.ReadBasic.All";
    PRIMARY_CHANNEL = Get "/teams/{id}/primaryChannel", RateClass::Channels, "Channel.ReadBasic.All";
    TEAM_OPERATION = Get "/teams/{id}/operations/{id}", RateClass::Other, "Teamwork.Migrate.All";
    USER = Get "/users/{id}", RateClass::Directory(1), "User.ReadBasic.All";
    CREATE_TEAM = Post "/teams", RateClass::CreateTeam, "Teamwork.Migrate.All";
    CREATE_CHANNEL = Post "/teams/{id}/channels", RateClass::CreateChannel, "Teamwork.Migrate.All";
    CREATE_CHAT = Post "/chats", RateClass::CreateChat, "Chat.Create";
    START_CHANNEL_MIGRATION = Post "/teams/{id}/channels/{id}/startMigration", RateClass::Migration, "Teamwork.Migrate.All";
    START_CHAT_MIGRATION = Post "/chats/{id}/startMigration", RateClass::Migration, "Teamwork.Migrate.All";
    COMPLETE_CHANNEL_MIGRATION = Post "/teams/{id}/channels/{id}/completeMigration", RateClass::Migration, "Teamwork.Migrate.All";
    COMPLETE_CHAT_MIGRATION = Post "/chats/{id}/completeMigration", RateClass::Migration, "Teamwork.Migrate.All";
    COMPLETE_TEAM_MIGRATION = Post "/teams/{id}/completeMigration", RateClass::Migration, "Teamwork.Migrate.All";
    IMPORT_MESSAGE = Post "/teams/{id}/channels/{id}/messages", RateClass::ImportToChannel, "Teamwork.Migrate.All";
    IMPORT_REPLY = Post "/teams/{id}/channels/{id}/messages/{id}/replies", RateClass::ImportToChannel, "Teamwork.Migrate.All";
    IMPORT_CHAT_MESSAGE = Post "/chats/{id}/messages", RateClass::ImportToChat, "Teamwork.Migrate.All";
    ADD_TEAM_MEMBERS = Post "/teams/{id}/members/add", RateClass::AddMembers, "TeamMember.ReadWriteNonOwnerRole.All";
    ADD_CHANNEL_MEMBER = Post "/teams/{id}/channels/{id}/members", RateClass::Migration, "ChannelMember.ReadWrite.All";
    CATALOGUE_APPS = Get "/appCatalogs/teamsApps", RateClass::Other, "AppCatalog.Read.All";
    INSTALLED_APPS = Get "/users/{id}/teamwork/installedApps", RateClass::Other, "TeamsAppInstallation.ReadForUser.All";
    INSTALL_APP = Post "/users/{id}/teamwork/installedApps", RateClass::Install, "TeamsAppInstallation.ReadWriteSelfForUser.All";
    INSTALLED_APP_CHAT = Get "/users/{id}/teamwork/installedApps/{id}/chat", RateClass::Other, "TeamsAppInstallation.ReadForUser.All";
    TRANSITIVE_MEMBERS = Get "/groups/{id}/transitiveMembers", RateClass::Directory(5), "GroupMember.Read.All";
    CREATE_CONVERSATION = Post "/v3/conversations", RateClass::BotCreate, "";
    SEND_ACTIVITY = Post "/v3/conversations/{id}/activities", RateClass::BotSend, "";
    REPLY_TO_ACTIVITY = Post "/v3/conversations/{id}/activities/{id}", RateClass::BotSend, "";
    UPDATE_ACTIVITY = Put "/v3/conversations/{id}/activities/{id}", RateClass::BotSend, "";
    DELETE_ACTIVITY = Delete "/v3/conversations/{id}/activities/{id}", RateClass::BotSend, "";
    CONVERSATION_MEMBERS = Get "/v3/conversations/{id}/pagedMembers", RateClass::BotRoster, "";
    CONVERSATION_MEMBER = Get "/v3/conversations/{id}/members/{id}", RateClass::BotRoster, "";
    BOT_TEAM = Get "/v3/teams/{id}", RateClass::BotRoster, "";
    BOT_TEAM_CHANNELS = Get "/v3/teams/{id}/conversations", RateClass::BotRoster, "";
    LIST_CHAT_MEMBERS = Get "/chats/{id}/members", RateClass::Chat, "Chat.Read.All";
    ADD_CHAT_MEMBER = Post "/chats/{id}/members", RateClass::AddMembers, "ChatMember.ReadWrite.All";
    REMOVE_CHAT_MEMBER = Delete "/chats/{id}/members/{id}", RateClass::AddMembers, "ChatMember.ReadWrite.All";
    /// A file of at most 250 MB into a drive (<https://learn.microsoft.com/graph/api/driveitem-put-content>).
    UPLOAD = Put "/drives/{id}/root:/{path}:/content", RateClass::Other, "Files.ReadWrite.All";
    RENAME_TEAM = Patch "/teams/{id}", RateClass::Team, "TeamSettings.ReadWrite.All";
    RENAME_CHANNEL = Patch "/teams/{id}/channels/{id}", RateClass::Migration, "ChannelSettings.ReadWrite.All";
    RENAME_CHAT = Patch "/chats/{id}", RateClass::Migration, "Chat.ReadWrite.All";
    SUBSCRIPTIONS = Get "/subscriptions", RateClass::Other, "";
    SUBSCRIPTION = Get "/subscriptions/{id}", RateClass::Other, "";
    /// Which permission it takes depends on what is subscribed to.
    SUBSCRIBE = Post "/subscriptions", RateClass::Other, "";
    RENEW_SUBSCRIPTION = Patch "/subscriptions/{id}", RateClass::Other, "";
    UNSUBSCRIBE = Delete "/subscriptions/{id}", RateClass::Other, "";
    USER_EXPORT = Get "/users/{id}/chats/getAllMessages", RateClass::Export, "Chat.Read.All";
}
