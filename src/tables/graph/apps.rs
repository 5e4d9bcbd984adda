//! Apps and tabs: of teams, channels, chats and people.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::{CHANNEL_ID, CHAT_ID, TEAM_ID, USER_ID};
use crate::schema::{Column, ColumnType, List, Parent, Table};

const APP: Column = Column::new(
    "teamsApp",
    ColumnType::Struct(&[
        Column::text("id", "The app's id in the catalogue."),
        Column::text("externalId", "The id that the developer gave it in the manifest."),
        Column::text("displayName", "The app's name."),
        Column::text("distributionMethod", "Where the app comes from: store, organization or sideloaded."),
    ]),
    "The app from the catalogue.",
);

/// <https://learn.microsoft.com/graph/api/resources/teamsappinstallation>
macro_rules! installation_columns {
    ($key:expr) => {
        &[
            $key,
            Column::text("id", "The id of the installation."),
            APP,
            Column::new(
                "teamsAppDefinition",
                ColumnType::Struct(&[
                    Column::text("id", "The id of this version."),
                    Column::text("teamsAppId", "The app's id in the catalogue."),
                    Column::text("displayName", "The app's name in this version."),
                    Column::text("version", "The version, as the developer numbers it."),
                    Column::text("publishingState", "Whether the version is submitted, published or rejected."),
                    Column::text("shortDescription", "What the app does, in a line."),
                    Column::text("description", "What the app does, at length."),
                    Column::time("lastModifiedDateTime", "When this version was last changed."),
                    Column::json("createdBy", "Who made this version, as an identity set."),
                    Column::json("authorization", "The permissions that the app asks for."),
                ]),
                "The version of the app that is installed.",
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
            Column::text("id", "The id of the tab."),
            Column::text("displayName", "The tab's name."),
            Column::text("webUrl", "The link that opens the tab."),
            Column::text("sortOrderIndex", "Where the tab stands among the others; it sorts as text."),
            Column::json("configuration", "What the tab shows: entity, content and website addresses."),
            APP,
        ]
    };
}
const TAB_QUERY: &[(&str, &str)] = &[("$expand", "teamsApp")];

/// <https://learn.microsoft.com/graph/api/team-list-installedapps>
pub(super) static TEAM_APPS: Table = Table {
    name: "team_apps",
    description: "The apps installed in teams, with their versions.",
    columns: installation_columns![TEAM_ID],
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
    columns: installation_columns![CHAT_ID],
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
    columns: installation_columns![USER_ID],
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
    columns: tab_columns![TEAM_ID, CHANNEL_ID],
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
    columns: tab_columns![CHAT_ID],
    ..Table::list(&List {
        query: TAB_QUERY,
        ..List::new(Parent::Chat, &Endpoint::get("/chats/{id}/tabs", RateClass::Other, "TeamsTab.Read.All"))
    })
};
