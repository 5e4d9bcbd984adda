//! Tags of teams, and teams that were deleted.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::TEAM_ID;
use crate::schema::{Column, Derived, List, Parent, Table};

static TAGS: List =
    List::new(Parent::Team, &Endpoint::get("/teams/{id}/tags", RateClass::Other, "TeamworkTag.Read.All"));

/// <https://learn.microsoft.com/graph/api/teamworktag-list>
pub(super) static TEAM_TAGS: Table = Table {
    name: "team_tags",
    description: "The tags by which people of a team are mentioned together.",
    columns: &[
        TEAM_ID,
        Column::text("id", "The id of the tag."),
        Column::text("displayName", "The tag's name."),
        Column::text("description", "What the tag is for."),
        Column::long("memberCount", "How many have the tag.").in_unit("people"),
        Column::text("tagType", "What kind of tag it is; standard for all that people make."),
        Column::text("teamId", "The id of the team."),
    ],
    ..Table::list(&TAGS)
};

/// <https://learn.microsoft.com/graph/api/teamworktagmember-list>
pub(super) static TEAM_TAG_MEMBERS: Table = Table {
    name: "team_tag_members",
    description: "Who has which tag.",
    columns: &[
        TEAM_ID,
        Column::derived("tag_id", Derived::Item, "The id of the tag."),
        Column::text("id", "The id of the membership in the tag."),
        Column::text("displayName", "The person's name."),
        Column::text("userId", "The Entra ID object id of the person."),
        Column::text("tenantId", "The id of the person's tenant."),
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
    columns: &[Column::text("id", "The id of the deleted team.")],
    ..Table::list(&List::new(
        Parent::Tenant,
        &Endpoint::get("/teamwork/deletedTeams", RateClass::Other, "Team.ReadBasic.All"),
    ))
};
