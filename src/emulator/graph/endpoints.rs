//! Every endpoint of the emulator: one row, one handler. The router, the permissions and the limits are this table.

use crate::bot;
use crate::graph::endpoint::{Endpoint, batch, get, subscribe, write};
use crate::graph::limit::Limit;
use crate::graph::{limit, permission};
use crate::handlers::{
    apps, archive, channels, chats, directory, directory_delta, export, group_mail, hosted_contents, meetings,
    messages, messages_delta, reports, schedule, sharing, tags, teams,
};
use crate::http::method::Method::{Delete, Get, Patch, Post, Put};
use crate::push;
use crate::write;

pub static ENDPOINTS: &[Endpoint] = &[
    batch("/$batch", permission::NONE),
    // Users
    get("/users", directory::users, permission::USERS_BASIC, Limit::Units(2)),
    get("/users/delta", directory_delta::users, permission::USERS, Limit::Units(2)).alias(&["/users/delta()"]),
    get("/users/{id}", directory::user, permission::USERS_BASIC, limit::DIRECTORY),
    get("/users/{id}/joinedTeams", teams::joined, permission::TEAMS, limit::JOINED_TEAMS),
    get("/users/{id}/teamwork/installedApps", bot::apps::list, permission::USER_APPS, limit::APPS.per_user()),
    get("/directory/deletedItems/microsoft.graph.user", directory::deleted_users, permission::USERS, limit::DIRECTORY),
    // Groups
    get("/groups", directory::groups, permission::GROUPS, limit::DIRECTORY),
    get("/groups/delta", directory_delta::groups, permission::GROUPS, limit::DIRECTORY).alias(&["/groups/delta()"]),
    get("/groups/{id}", directory::group, permission::GROUPS, limit::DIRECTORY),
    get("/groups/{id}/members", directory::group_members, permission::GROUP_MEMBERS, Limit::Units(3)),
    get(
        "/groups/{id}/transitiveMembers",
        directory::group_transitive_members,
        permission::GROUP_MEMBERS,
        Limit::Units(5),
    ),
    get("/groups/{id}/owners", directory::group_owners, permission::GROUP_MEMBERS, limit::DIRECTORY),
    get("/groups/{id}/team", teams::get, permission::TEAM_OF_GROUP, limit::TEAM),
    get("/groups/{id}/conversations", group_mail::list_conversations, permission::GROUP_MAIL, limit::MAILBOX),
    get("/groups/{id}/threads", group_mail::list_threads, permission::GROUP_MAIL, limit::MAILBOX),
    get("/groups/{id}/threads/{id}/posts", group_mail::list_posts, permission::GROUP_MAIL, limit::MAILBOX),
    get("/groups/{id}/drives", group_mail::list_drives, permission::DRIVES, limit::DIRECTORY),
    get(
        "/directory/deletedItems/microsoft.graph.group",
        directory::deleted_groups,
        permission::GROUPS,
        limit::DIRECTORY,
    ),
    // Teams
    get("/teams", teams::list, permission::TEAMS, limit::DEFAULT),
    get("/teams/{id}", teams::get, permission::TEAMS.or_team_consent(), limit::TEAM),
    get("/teams/{id}/members", teams::members, permission::TEAM_MEMBERS.or_team_consent(), limit::TEAM_MEMBERS),
    get("/teams/{id}/installedApps", apps::of_team, permission::TEAM_APPS.or_team_consent(), limit::APPS),
    get("/teams/{id}/tags", tags::list, permission::TAGS, limit::DEFAULT),
    get("/teams/{id}/tags/{id}/members", tags::list_members, permission::TAGS, limit::DEFAULT),
    get("/teams/{id}/schedule", schedule::get, permission::SCHEDULES, limit::SCHEDULE),
    get("/teams/{id}/schedule/shifts", schedule::list_shifts, permission::SCHEDULES, limit::SCHEDULE),
    get("/teamwork/deletedTeams", sharing::list_deleted, permission::DELETED_TEAMS, limit::DEFAULT),
    get(
        "/teamwork/deletedTeams/{id}/channels/getAllMessages",
        archive::deleted_team,
        permission::CHANNEL_MESSAGES,
        limit::EXPORT,
    ),
    // Channels
    get("/teams/{id}/channels", channels::list, permission::CHANNELS.or_team_consent(), limit::CHANNELS),
    get("/teams/{id}/allChannels", channels::all, permission::CHANNELS, limit::CHANNELS),
    get("/teams/{id}/incomingChannels", channels::list_incoming, permission::CHANNELS, limit::CHANNELS),
    get("/teams/{id}/primaryChannel", channels::primary, permission::CHANNELS.or_team_consent(), limit::CHANNELS),
    get("/teams/{id}/channels/getAllMessages", export::team, permission::CHANNEL_MESSAGES, limit::EXPORT),
    get("/teams/{id}/channels/getAllRetainedMessages", archive::retained, permission::CHANNEL_MESSAGES, limit::EXPORT),
    get("/teams/{id}/channels/{id}", channels::get, permission::CHANNELS.or_team_consent(), limit::CHANNEL),
    get(
        "/teams/{id}/channels/{id}/members",
        channels::members,
        permission::CHANNEL_MEMBERS.or_team_consent(),
        limit::CHANNEL_MEMBERS,
    ),
    get(
        "/teams/{id}/channels/{id}/allMembers",
        channels::all_members,
        permission::CHANNEL_MEMBERS.or_team_consent(),
        limit::CHANNEL_MEMBERS,
    ),
    get(
        "/teams/{id}/channels/{id}/sharedWithTeams",
        sharing::list_teams,
        permission::CHANNEL_MEMBERS.or_team_consent(),
        limit::DEFAULT.per_channel(),
    ),
    get(
        "/teams/{id}/channels/{id}/tabs",
        apps::channel_tabs,
        permission::TABS.or_team_consent(),
        limit::TABS.per_channel(),
    ),
    // Channel messages
    get(
        "/teams/{id}/channels/{id}/messages",
        messages::list,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::CHANNEL_MESSAGES,
    ),
    get(
        "/teams/{id}/channels/{id}/messages/delta",
        messages_delta::channel,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::CHANNEL_MESSAGES,
    )
    .alias(&["/teams/{id}/channels/{id}/messages/delta()"]),
    get(
        "/teams/{id}/channels/{id}/messages/{id}",
        messages::get,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::CHANNEL_MESSAGES,
    ),
    get(
        messages::REPLIES,
        messages::list_replies,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::CHANNEL_MESSAGES,
    ),
    get(
        "/teams/{id}/channels/{id}/messages/{id}/replies/{id}",
        messages::reply,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::CHANNEL_MESSAGES,
    ),
    get(
        "/teams/{id}/channels/{id}/messages/{id}/hostedContents",
        hosted_contents::list_in_channel,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::DEFAULT.per_channel(),
    )
    .alias(&["/teams/{id}/channels/{id}/messages/{_}/replies/{id}/hostedContents"]),
    get(
        "/teams/{id}/channels/{id}/messages/{id}/hostedContents/{id}/$value",
        hosted_contents::value_in_channel,
        permission::CHANNEL_MESSAGES.or_team_consent(),
        limit::HOSTED_CONTENT.per_channel(),
    )
    .alias(&["/teams/{id}/channels/{id}/messages/{_}/replies/{id}/hostedContents/{id}/$value"]),
    // Chats
    get("/chats", chats::all, permission::NONE, limit::CHATS),
    get("/users/{id}/chats", chats::of_user, permission::CHATS, limit::CHATS),
    get("/chats/{id}", chats::get, permission::CHATS, limit::CHAT).alias(&["/users/{_}/chats/{id}"]),
    get("/chats/{id}/members", chats::members, permission::CHAT_MEMBERS, limit::DEFAULT.per_chat())
        .alias(&["/users/{_}/chats/{id}/members"]),
    get("/chats/{id}/installedApps", apps::of_chat, permission::CHAT_APPS, limit::APPS.per_chat()),
    get("/chats/{id}/tabs", apps::chat_tabs, permission::TABS, limit::TABS.per_chat()),
    // Chat messages
    get("/chats/{id}/messages", chats::messages, permission::CHAT_MESSAGES, limit::CHAT_MESSAGES)
        .alias(&["/users/{_}/chats/{id}/messages"]),
    get("/chats/{id}/messages/{id}", chats::message, permission::CHAT_MESSAGES, limit::CHAT_MESSAGES),
    get(
        "/chats/{id}/messages/{id}/hostedContents",
        hosted_contents::list_in_chat,
        permission::CHAT_HOSTED_CONTENTS,
        limit::DEFAULT.per_chat(),
    ),
    get(
        "/chats/{id}/messages/{id}/hostedContents/{id}/$value",
        hosted_contents::value_in_chat,
        permission::CHAT_HOSTED_CONTENTS,
        limit::HOSTED_CONTENT.per_chat(),
    ),
    get("/users/{id}/chats/getAllMessages", export::user, permission::CHAT_MESSAGES, limit::EXPORT),
    get("/users/{id}/chats/getAllMessages/delta", messages_delta::user_chats, permission::CHAT_MESSAGES, limit::EXPORT),
    get("/users/{id}/chats/getAllRetainedMessages", export::user_retained, permission::CHAT_MESSAGES, limit::EXPORT),
    // Migration mode, and what makes and ends it
    write(Post, "/teams", write::teams::create, permission::MIGRATE, limit::CREATE_TEAM).rate_last(),
    write(Get, "/teams/{id}/operations/{id}", write::teams::operation, permission::OPERATION, limit::DEFAULT),
    write(Post, "/teams/{id}/completeMigration", write::teams::complete, permission::MIGRATE, limit::COMPLETE)
        .rate_last(),
    write(Post, "/teams/{id}/channels", write::channels::create, permission::CREATE_CHANNEL, limit::CREATE_CHANNEL)
        .rate_last(),
    write(
        Post,
        "/teams/{id}/channels/{id}/startMigration",
        write::migration::start_channel,
        permission::MIGRATE,
        limit::DEFAULT.per_channel(),
    )
    .rate_last(),
    write(
        Post,
        "/teams/{id}/channels/{id}/completeMigration",
        write::migration::complete_channel,
        permission::MIGRATE,
        limit::COMPLETE,
    )
    .rate_last(),
    write(
        Post,
        "/teams/{id}/channels/{id}/messages",
        write::messages::post_to_channel,
        permission::MIGRATE,
        limit::POST_TO_CHANNEL,
    )
    .rate_last(),
    write(Post, messages::REPLIES, write::messages::reply_in_channel, permission::MIGRATE, limit::POST_TO_CHANNEL)
        .rate_last(),
    write(Post, "/chats", write::chats::create, permission::CREATE_CHAT, limit::CREATE_CHAT).rate_last(),
    write(
        Post,
        "/chats/{id}/startMigration",
        write::migration::start_chat,
        permission::MIGRATE,
        limit::DEFAULT.per_chat(),
    )
    .rate_last(),
    write(Post, "/chats/{id}/completeMigration", write::migration::complete_chat, permission::MIGRATE, limit::COMPLETE)
        .rate_last(),
    write(Post, "/chats/{id}/messages", write::messages::post_to_chat, permission::MIGRATE, limit::POST_TO_CHAT)
        .rate_last(),
    write(Patch, "/teams/{id}", write::describe::team, permission::CHANGE_TEAM, limit::TEAM).rate_last(),
    write(
        Patch,
        "/teams/{id}/channels/{id}",
        write::describe::channel,
        permission::CHANGE_CHANNEL,
        limit::DEFAULT.per_channel(),
    )
    .rate_last(),
    write(Patch, "/chats/{id}", write::describe::chat, permission::CHANGE_CHAT, limit::DEFAULT.per_chat()).rate_last(),
    write(Put, "/drives/{id}/root:/{id}/{id}/content", write::drives::upload, permission::WRITE_FILES, limit::DEFAULT)
        .rate_last(),
    // Members
    write(Post, "/teams/{id}/members", write::members::add_to_team, permission::ADD_TEAM_MEMBER, limit::ADD_MEMBER)
        .rate_last(),
    write(
        Post,
        "/teams/{id}/members/add",
        write::members::add_many_to_team,
        permission::ADD_TEAM_MEMBER,
        limit::ADD_MEMBERS,
    )
    .rate_last(),
    write(
        Post,
        "/teams/{id}/channels/{id}/members",
        write::members::add_to_channel,
        permission::ADD_CHANNEL_MEMBER,
        limit::DEFAULT.per_channel(),
    )
    .rate_last(),
    write(Post, "/chats/{id}/members", write::members::add_to_chat, permission::ADD_CHAT_MEMBER, limit::ADD_MEMBER)
        .rate_last(),
    write(
        Delete,
        "/chats/{id}/members/{id}",
        write::members::remove_from_chat,
        permission::ADD_CHAT_MEMBER,
        limit::ADD_MEMBER,
    )
    .rate_last(),
    // The bot's app
    get("/appCatalogs/teamsApps", bot::apps::catalogue, permission::CATALOGUE, limit::DEFAULT),
    write(Post, "/users/{id}/teamwork/installedApps", bot::apps::install, permission::INSTALL, limit::INSTALL),
    write(Delete, "/users/{id}/teamwork/installedApps/{id}", bot::apps::remove, permission::INSTALL, limit::INSTALL),
    write(Get, "/users/{id}/teamwork/installedApps/{id}/chat", bot::apps::chat, permission::USER_APPS, limit::DEFAULT),
    // Change notifications; which permission is needed depends on the resource
    subscribe(Post, "/subscriptions", push::endpoints::propose),
    subscribe(Patch, "/subscriptions/{id}", push::endpoints::propose_change),
    get("/subscriptions", push::endpoints::list, permission::NONE, limit::SUBSCRIPTIONS),
    get("/subscriptions/{id}", push::endpoints::get, permission::NONE, limit::SUBSCRIPTION),
    write(Delete, "/subscriptions/{id}", push::endpoints::delete, permission::NONE, limit::CHANGE_SUBSCRIPTION),
    write(Post, "/subscriptions/{id}/reauthorize", push::endpoints::reauthorize, permission::NONE, limit::REAUTHORIZE),
    // Meetings and reports
    get("/communications/callRecords", meetings::list_calls, permission::CALL_RECORDS, limit::DEFAULT),
    get(
        "/users/{id}/onlineMeetings/getAllTranscripts",
        meetings::list_transcripts,
        permission::TRANSCRIPTS,
        limit::DEFAULT,
    ),
    get(
        "/users/{id}/onlineMeetings/{id}/transcripts/{id}/content",
        meetings::transcript,
        permission::TRANSCRIPTS,
        limit::DEFAULT,
    ),
    get(
        "/users/{id}/onlineMeetings/getAllRecordings",
        meetings::list_recordings,
        permission::RECORDINGS,
        limit::DEFAULT,
    ),
    get("/reports/getTeamsDeviceUsageUserDetail({id})", reports::device_usage, permission::REPORTS, limit::DEFAULT),
];

/// One endpoint, as it is served.
pub struct Served {
    pub method: &'static str,
    /// As Graph documents it, and other paths that lead there. `{id}` and `{_}` are ids.
    pub paths: Vec<&'static str>,
    /// The application permissions of which one is needed; none where that depends on what is asked for.
    pub roles: &'static [&'static str],
}

/// Everything that is served below `/v1.0`.
pub fn served() -> impl Iterator<Item = Served> {
    ENDPOINTS.iter().map(|row| Served {
        method: row.method.as_str(),
        paths: [row.template].into_iter().chain(row.aliases.iter().copied()).collect(),
        roles: row.permission.any_of,
    })
}
