//! Apps and tabs: of teams, channels, chats and people.

use super::list::{CHANNELS_OF_TEAMS, CHATS_OF_USERS, List, Parent, TEAMS, USERS};
use super::{Column, Derived, Ingestion, Kind, Reading, Table};
use teams_base::graph::endpoint::{Endpoint, RateClass};

const APP: Column = Column::new(
    "teamsApp",
    Kind::Struct(&[
        Column::text("id"),
        Column::text("externalId"),
        Column::text("displayName"),
        Column::text("distributionMethod"),
    ]),
);

/// <https://learn.microsoft.com/graph/api/resources/teamsappinstallation>
macro_rules! installation_columns {
    ($key:expr) => {
        &[
            $key,
            Column::text("id"),
            APP,
            Column::new(
                "teamsAppDefinition",
                Kind::Struct(&[
                    Column::text("id"),
                    Column::text("teamsAppId"),
                    Column::text("displayName"),
                    Column::text("version"),
                    Column::text("publishingState"),
                    Column::text("shortDescription"),
                    Column::text("description"),
                    Column::text("lastModifiedDateTime"),
                    Column::json("createdBy"),
                    Column::json("authorization"),
                ]),
            ),
        ]
    };
}
const APP_QUERY: &[(&str, &str)] = &[("$expand", "teamsApp,teamsAppDefinition")];

/// <https://learn.microsoft.com/graph/api/resources/teamstab>
macro_rules! tab_columns {
    ($($key:expr),* $(,)?) => {
        &[
            $($key,)*
            Column::text("id"),
            Column::text("displayName"),
            Column::text("webUrl"),
            Column::text("sortOrderIndex"),
            Column::json("configuration"),
            APP,
        ]
    };
}
const TAB_QUERY: &[(&str, &str)] = &[("$expand", "teamsApp")];

/// <https://learn.microsoft.com/graph/api/team-list-installedapps>
pub(super) static TEAM_APPS: Table = Table {
    name: "team_apps",
    description: "The apps installed in teams, with their versions.",
    endpoint: "GET /teams/{id}/installedApps",
    columns: installation_columns![Column::derived("team_id", Derived::Team)],
    keys: &["team_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "TeamsAppInstallation.ReadForTeam.All"],
    required_options: TEAMS,
    reading: Reading::List(&List {
        query: APP_QUERY,
        ..List::new(
            Parent::Team,
            &Endpoint {
                template: "/teams/{id}/installedApps",
                class: RateClass::Other,
                permission: "TeamsAppInstallation.ReadForTeam.All",
            },
        )
    }),
};

/// <https://learn.microsoft.com/graph/api/chat-list-installedapps>
pub(super) static CHAT_APPS: Table = Table {
    name: "chat_apps",
    description: "The apps installed in chats and meetings; each chat is read once.",
    endpoint: "GET /chats/{id}/installedApps",
    columns: installation_columns![Column::derived("chat_id", Derived::Chat)],
    keys: &["chat_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["User.ReadBasic.All", "Chat.ReadBasic.All", "TeamsAppInstallation.ReadForChat.All"],
    required_options: CHATS_OF_USERS,
    reading: Reading::List(&List {
        query: APP_QUERY,
        ..List::new(
            Parent::Chat,
            &Endpoint {
                template: "/chats/{id}/installedApps",
                class: RateClass::Other,
                permission: "TeamsAppInstallation.ReadForChat.All",
            },
        )
    }),
};

/// <https://learn.microsoft.com/graph/api/userteamwork-list-installedapps>
pub(super) static USER_APPS: Table = Table {
    name: "user_apps",
    description: "The apps that people have installed for themselves.",
    endpoint: "GET /users/{id}/teamwork/installedApps",
    columns: installation_columns![Column::derived("user_id", Derived::User)],
    keys: &["user_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["User.ReadBasic.All", "TeamsAppInstallation.ReadForUser.All"],
    required_options: USERS,
    reading: Reading::List(&List {
        query: APP_QUERY,
        prerequisites: "The person needs a Teams licence",
        ..List::new(
            Parent::User,
            &Endpoint {
                template: "/users/{id}/teamwork/installedApps",
                class: RateClass::Other,
                permission: "TeamsAppInstallation.ReadForUser.All",
            },
        )
    }),
};

/// <https://learn.microsoft.com/graph/api/channel-list-tabs>
pub(super) static CHANNEL_TABS: Table = Table {
    name: "channel_tabs",
    description: "The tabs of channels, with the app behind each.",
    endpoint: "GET /teams/{id}/channels/{id}/tabs",
    columns: tab_columns![Column::derived("team_id", Derived::Team), Column::derived("channel_id", Derived::Channel)],
    keys: &["team_id", "channel_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "Channel.ReadBasic.All", "TeamsTab.Read.All"],
    required_options: CHANNELS_OF_TEAMS,
    reading: Reading::List(&List {
        query: TAB_QUERY,
        ..List::new(
            Parent::Channel,
            &Endpoint {
                template: "/teams/{id}/channels/{id}/tabs",
                class: RateClass::Other,
                permission: "TeamsTab.Read.All",
            },
        )
    }),
};

/// <https://learn.microsoft.com/graph/api/chat-list-tabs>
pub(super) static CHAT_TABS: Table = Table {
    name: "chat_tabs",
    description: "The tabs of chats and meetings, with the app behind each; each chat is read once.",
    endpoint: "GET /chats/{id}/tabs",
    columns: tab_columns![Column::derived("chat_id", Derived::Chat)],
    keys: &["chat_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["User.ReadBasic.All", "Chat.ReadBasic.All", "TeamsTab.Read.All"],
    required_options: CHATS_OF_USERS,
    reading: Reading::List(&List {
        query: TAB_QUERY,
        ..List::new(
            Parent::Chat,
            &Endpoint { template: "/chats/{id}/tabs", class: RateClass::Other, permission: "TeamsTab.Read.All" },
        )
    }),
};
