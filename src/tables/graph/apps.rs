//! Apps and tabs: of teams, channels, chats and people.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, List, Parent, Table};

const APP: Column = Column::new(
    "teamsApp",
    ColumnType::Struct(&[
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
                ColumnType::Struct(&[
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
    columns: installation_columns![Column::derived("team_id", Derived::Team)],
    ..Table::list(&List {
        query: APP_QUERY,
        ..List::new(
            Parent::Team,
            &Endpoint::get("/teams/{id}/installedApps", RateClass::Other, "TeamsAppInstallation.ReadForTeam.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/chat-list-installedapps>
pub(super) static CHAT_APPS: Table = Table {
    name: "chat_apps",
    description: "The apps installed in chats and meetings; each chat is read once.",
    columns: installation_columns![Column::derived("chat_id", Derived::Chat)],
    ..Table::list(&List {
        query: APP_QUERY,
        ..List::new(
            Parent::Chat,
            &Endpoint::get("/chats/{id}/installedApps", RateClass::Other, "TeamsAppInstallation.ReadForChat.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/userteamwork-list-installedapps>
pub(super) static USER_APPS: Table = Table {
    name: "user_apps",
    description: "The apps that people have installed for themselves.",
    columns: installation_columns![Column::derived("user_id", Derived::User)],
    ..Table::list(&List {
        query: APP_QUERY,
        prerequisites: "The person needs a Teams licence",
        ..List::new(
            Parent::User,
            &Endpoint::get(
                "/users/{id}/teamwork/installedApps",
                RateClass::Other,
                "TeamsAppInstallation.ReadForUser.All",
            ),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/channel-list-tabs>
pub(super) static CHANNEL_TABS: Table = Table {
    name: "channel_tabs",
    description: "The tabs of channels, with the app behind each.",
    columns: tab_columns![Column::derived("team_id", Derived::Team), Column::derived("channel_id", Derived::Channel)],
    ..Table::list(&List {
        query: TAB_QUERY,
        ..List::new(
            Parent::Channel,
            &Endpoint::get("/teams/{id}/channels/{id}/tabs", RateClass::Other, "TeamsTab.Read.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/chat-list-tabs>
pub(super) static CHAT_TABS: Table = Table {
    name: "chat_tabs",
    description: "The tabs of chats and meetings, with the app behind each; each chat is read once.",
    columns: tab_columns![Column::derived("chat_id", Derived::Chat)],
    ..Table::list(&List {
        query: TAB_QUERY,
        ..List::new(Parent::Chat, &Endpoint::get("/chats/{id}/tabs", RateClass::Other, "TeamsTab.Read.All"))
    })
};
