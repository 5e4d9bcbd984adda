//! Teams, their channels and their members.

use teams_base::graph::endpoint;

use super::keys::TEAM_ID;
use crate::schema::{Column, Empty, List, Parent, Reading, Table};

/// <https://learn.microsoft.com/graph/api/resources/team>
pub(super) static TEAMS: Table = Table {
    name: "teams",
    description: "Every team, with its full settings.",
    endpoint_text: Some("GET /teams, then GET /teams/{id} in batches of 20"),
    columns: &[
        Column::text("id", "The id of the team, which is its group's id too."),
        Column::text("displayName", "The team's name."),
        Column::text("description", "What the team is for."),
        Column::text("visibility", "Who can see and join it: public, private or hiddenMembership."),
        Column::bool("isArchived", "Whether the team is archived, so that it can only be read."),
        Column::time("createdDateTime", "When the team was made."),
        Column::json("memberSettings", "What members may do."),
        Column::json("guestSettings", "What guests may do."),
        Column::json("messagingSettings", "What may be done with messages."),
        Column::json("funSettings", "Whether pictures and memes are allowed."),
        Column::text("classification", "The label that the organization gave the team."),
        Column::text("specialization", "What the team is made for, such as educationClass; none for most."),
        Column::text("internalId", "The id that audit logs and bots use."),
        Column::text("webUrl", "The link that opens the team in Teams."),
        Column::text("tenantId", "The id of the team's tenant."),
        Column::json("summary", "How many owners, members and guests it has."),
    ],
    ..Table::of(Reading::Teams)
};

/// <https://learn.microsoft.com/graph/api/resources/channel>
pub(super) static CHANNELS: Table = Table {
    name: "channels",
    description: "Every channel of the teams read: standard, private and shared.",
    columns: &[
        Column::text("id", "The id of the channel."),
        TEAM_ID,
        Column::text("displayName", "The channel's name."),
        Column::text("description", "What the channel is for."),
        Column::text("membershipType", "Who is in it: standard, private or shared."),
        Column::text("email", "The address whose mail the channel shows."),
        Column::text("webUrl", "The link that opens the channel in Teams."),
        Column::time("createdDateTime", "When the channel was made."),
        Column::bool("isFavoriteByDefault", "Whether the channel is shown to all members at first."),
        Column::bool("isArchived", "Whether the channel is archived, so that it can only be read."),
        Column::text("tenantId", "The id of the channel's tenant."),
        Column::text("layoutType", "How the channel shows posts: post or chat."),
        Column::text("migrationMode", "Whether messages are being imported into the channel: inProgress or completed."),
        Column::time("originalCreatedDateTime", "When the channel was made, where an import has moved its beginning."),
    ],
    // Each team has its General channel.
    ..Table::list(&List { empty: Empty::Doubtful, ..List::new(Parent::Team, &endpoint::CHANNELS) })
};

/// <https://learn.microsoft.com/graph/api/resources/aaduserconversationmember>
pub(super) static MEMBERS: Table = Table {
    name: "members",
    description: "The members of the teams read, with their roles.",
    columns: &[
        Column::text("id", "The id of the membership."),
        TEAM_ID,
        Column::texts("roles", "Roles: owner, guest, or none for plain members."),
        Column::text("displayName", "The member's name."),
        Column::text("userId", "The Entra ID object id of the person."),
        Column::text("email", "The member's mail address."),
        Column::time("visibleHistoryStartDateTime", "From when on the member sees the history; null where all of it."),
        Column::text("tenantId", "The id of the member's tenant."),
    ],
    ..Table::list(&List { top: Some(999), empty: Empty::Rare, ..List::new(Parent::Team, &endpoint::TEAM_MEMBERS) })
};
