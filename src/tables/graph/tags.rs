//! Tags of teams, and teams that were deleted.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, List, Parent, Table};

static TAGS: List =
    List::new(Parent::Team, &Endpoint::get("/teams/{id}/tags", RateClass::Other, "TeamworkTag.Read.All"));

/// <https://learn.microsoft.com/graph/api/teamworktag-list>
pub(super) static TEAM_TAGS: Table = Table {
    name: "team_tags",
    description: "The tags by which people of a team are mentioned together.",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::text("displayName"),
        Column::text("description"),
        Column::new("memberCount", ColumnType::Long),
        Column::text("tagType"),
        Column::text("teamId"),
    ],
    ..Table::list(&TAGS)
};

/// <https://learn.microsoft.com/graph/api/teamworktagmember-list>
pub(super) static TEAM_TAG_MEMBERS: Table = Table {
    name: "team_tag_members",
    description: "Who has which tag.",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::derived("tag_id", Derived::Item),
        Column::text("id"),
        Column::text("displayName"),
        Column::text("userId"),
        Column::text("tenantId"),
    ],
    keys: &["team_id", "tag_id", "id"],
    ..Table::list(&List::new(
        Parent::Item(&TAGS),
        &Endpoint::get("/teams/{id}/tags/{id}/members", RateClass::Other, "TeamworkTag.Read.All"),
    ))
};

/// <https://learn.microsoft.com/graph/api/teamwork-list-deletedteams>
pub(super) static DELETED_TEAMS: Table = Table {
    name: "deleted_teams",
    description: "The ids of teams that were deleted and can still be restored.",
    columns: &[Column::text("id")],
    ..Table::list(&List::new(
        Parent::Tenant,
        &Endpoint::get("/teamwork/deletedTeams", RateClass::Other, "Team.ReadBasic.All"),
    ))
};
