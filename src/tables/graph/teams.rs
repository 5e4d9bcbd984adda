//! Teams, their channels and their members.

use teams_base::graph::endpoint;

use crate::schema::{Column, ColumnType, Derived, Empty, List, Parent, Reading, Table};

/// <https://learn.microsoft.com/graph/api/resources/team>
pub(super) static TEAMS: Table = Table {
    name: "teams",
    description: "Every team, with its full settings.",
    endpoint_text: Some("GET /teams, then GET /teams/{id} in batches of 20"),
    columns: &[
        Column::text("id"),
        Column::text("displayName"),
        Column::text("description"),
        Column::text("visibility"),
        Column::bool("isArchived"),
        Column::text("createdDateTime"),
        Column::json("memberSettings"),
        Column::json("guestSettings"),
        Column::json("messagingSettings"),
        Column::json("funSettings"),
        Column::text("classification"),
        Column::text("specialization"),
        Column::text("internalId"),
        Column::text("webUrl"),
        Column::text("tenantId"),
        Column::json("summary"),
    ],
    ..Table::of(Reading::Teams)
};

/// <https://learn.microsoft.com/graph/api/resources/channel>
pub(super) static CHANNELS: Table = Table {
    name: "channels",
    description: "Every channel of the teams read: standard, private and shared.",
    columns: &[
        Column::text("id"),
        Column::derived("team_id", Derived::Team),
        Column::text("displayName"),
        Column::text("description"),
        Column::text("membershipType"),
        Column::text("email"),
        Column::text("webUrl"),
        Column::text("createdDateTime"),
        Column::bool("isFavoriteByDefault"),
        Column::bool("isArchived"),
        Column::text("tenantId"),
        Column::text("layoutType"),
        Column::text("migrationMode"),
        Column::text("originalCreatedDateTime"),
    ],
    // Each team has its General channel.
    ..Table::list(&List { empty: Empty::Doubtful, ..List::new(Parent::Team, &endpoint::CHANNELS) })
};

/// <https://learn.microsoft.com/graph/api/resources/aaduserconversationmember>
pub(super) static MEMBERS: Table = Table {
    name: "members",
    description: "The members of the teams read, with their roles.",
    columns: &[
        Column::text("id"),
        Column::derived("team_id", Derived::Team),
        Column::new("roles", ColumnType::List(&ColumnType::Text)),
        Column::text("displayName"),
        Column::text("userId"),
        Column::text("email"),
        Column::text("visibleHistoryStartDateTime"),
        Column::text("tenantId"),
    ],
    ..Table::list(&List { top: Some(999), empty: Empty::Rare, ..List::new(Parent::Team, &endpoint::TEAM_MEMBERS) })
};
