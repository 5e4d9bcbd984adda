//! Teams, their channels and their members.

use super::{Column, Derived, Ingestion, Kind, List, Parent, Reading, Table};
use teams_base::graph::endpoint;

/// <https://learn.microsoft.com/graph/api/resources/team>
pub(super) static TEAMS: Table = Table {
    name: "teams",
    description: "Every team, with its full settings.",
    endpoint: "GET /teams, then GET /teams/{id} in batches of 20",
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
    keys: &["id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "TeamSettings.Read.All"],
    required_options: "",
    reading: Reading::Teams,
};

/// <https://learn.microsoft.com/graph/api/resources/channel>
pub(super) static CHANNELS: Table = Table {
    name: "channels",
    description: "Every channel of the teams read: standard, private and shared.",
    endpoint: "GET /teams/{id}/channels",
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
    keys: &["team_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "Channel.ReadBasic.All"],
    required_options: "team_id or fetch_all_teams",
    reading: Reading::List(&List::new(Parent::Team, &endpoint::CHANNELS)),
};

/// <https://learn.microsoft.com/graph/api/resources/aaduserconversationmember>
pub(super) static MEMBERS: Table = Table {
    name: "members",
    description: "The members of the teams read, with their roles.",
    endpoint: "GET /teams/{id}/members",
    columns: &[
        Column::text("id"),
        Column::derived("team_id", Derived::Team),
        Column::new("roles", Kind::List(&Kind::Text)),
        Column::text("displayName"),
        Column::text("userId"),
        Column::text("email"),
        Column::text("visibleHistoryStartDateTime"),
        Column::text("tenantId"),
    ],
    keys: &["team_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "TeamMember.Read.All"],
    required_options: "team_id or fetch_all_teams",
    reading: Reading::List(&List { top: Some(999), ..List::new(Parent::Team, &endpoint::TEAM_MEMBERS) }),
};
