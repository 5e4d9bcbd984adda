//! Tags of teams, and teams that were deleted.

use super::list::{List, Parent, TEAMS};
use super::{Column, Derived, Ingestion, Kind, Reading, Table};
use teams_base::graph::endpoint::{Endpoint, RateClass};

static TAGS: List = List::new(
    Parent::Team,
    &Endpoint { template: "/teams/{id}/tags", class: RateClass::Other, permission: "TeamworkTag.Read.All" },
);

/// <https://learn.microsoft.com/graph/api/teamworktag-list>
pub(super) static TEAM_TAGS: Table = Table {
    name: "team_tags",
    description: "The tags by which people of a team are mentioned together.",
    endpoint: "GET /teams/{id}/tags",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::text("displayName"),
        Column::text("description"),
        Column::new("memberCount", Kind::Long),
        Column::text("tagType"),
        Column::text("teamId"),
    ],
    keys: &["team_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "TeamworkTag.Read.All"],
    required_options: TEAMS,
    reading: Reading::List(&TAGS),
};

/// <https://learn.microsoft.com/graph/api/teamworktagmember-list>
pub(super) static TEAM_TAG_MEMBERS: Table = Table {
    name: "team_tag_members",
    description: "Who has which tag.",
    endpoint: "GET /teams/{id}/tags/{id}/members",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::derived("tag_id", Derived::Item),
        Column::text("id"),
        Column::text("displayName"),
        Column::text("userId"),
        Column::text("tenantId"),
    ],
    keys: &["team_id", "tag_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "TeamworkTag.Read.All"],
    required_options: TEAMS,
    reading: Reading::List(&List::new(
        Parent::Item(&TAGS),
        &Endpoint {
            template: "/teams/{id}/tags/{id}/members",
            class: RateClass::Other,
            permission: "TeamworkTag.Read.All",
        },
    )),
};

/// <https://learn.microsoft.com/graph/api/teamwork-list-deletedteams>
pub(super) static DELETED_TEAMS: Table = Table {
    name: "deleted_teams",
    description: "The ids of teams that were deleted and can still be restored.",
    endpoint: "GET /teamwork/deletedTeams",
    columns: &[Column::text("id")],
    keys: &["id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All"],
    required_options: "",
    reading: Reading::List(&List::new(
        Parent::Tenant,
        &Endpoint { template: "/teamwork/deletedTeams", class: RateClass::Other, permission: "Team.ReadBasic.All" },
    )),
};
