//! Who is in a channel or chat, and which channels and teams are shared with whom.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::{CHANNEL_ID, CHAT_ID, TEAM_ID};
use crate::schema::{Column, Empty, List, Parent, Table};

/// <https://learn.microsoft.com/graph/api/resources/conversationmember>: people of this tenant and of others, guests,
/// callers, bots. `odata_type` says which; only the columns of its kind are filled.
macro_rules! member_columns {
    ($($key:expr),* $(,)?) => {
        &[
            $($key,)*
            Column::text("id", "The id of the membership."),
            Column::named("odata_type", "@odata.type", "What kind of member it is, such as #microsoft.graph.aadUserConversationMember."),
            Column::texts("roles", "Roles: owner, guest, or none for plain members."),
            Column::text("displayName", "The member's name."),
            Column::text("userId", "The Entra ID object id of the person; null for anonymous guests and callers."),
            Column::text("email", "The member's mail address."),
            Column::text("tenantId", "The id of the member's tenant."),
            Column::time("visibleHistoryStartDateTime", "From when on the member sees the history; null where all of it."),
            Column::text("anonymousGuestId", "The id of a guest without an account."),
            Column::text("azureCommunicationServicesId", "The id of a member from Azure Communication Services."),
            Column::text("phoneNumber", "The phone number of a caller."),
            Column::text("skypeId", "The Skype id of a member."),
        ]
    };
}

const CHANNEL_MEMBER_COLUMNS: &[Column] = member_columns![TEAM_ID, CHANNEL_ID];

/// <https://learn.microsoft.com/graph/api/channel-list-members>
pub(super) static CHANNEL_MEMBERS: Table = Table {
    name: "channel_members",
    description: "The direct members of channels; those of a standard channel are the team's.",
    columns: CHANNEL_MEMBER_COLUMNS,
    ..Table::list(&List {
        empty: Empty::Rare,
        ..List::new(
            Parent::Channel,
            &Endpoint::get("/teams/{id}/channels/{id}/members", RateClass::Members, "ChannelMember.Read.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/channel-list-allmembers>
pub(super) static SHARED_CHANNEL_MEMBERS: Table = Table {
    name: "shared_channel_members",
    description: "Everyone in shared channels, the members of the teams they are shared with included.",
    columns: CHANNEL_MEMBER_COLUMNS,
    ..Table::list(&List {
        empty: Empty::Rare,
        ..List::new(
            Parent::SharedChannel,
            &Endpoint::get("/teams/{id}/channels/{id}/allMembers", RateClass::Members, "ChannelMember.Read.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/sharedwithchannelteaminfo-list>
pub(super) static SHARED_CHANNEL_TEAMS: Table = Table {
    name: "shared_channel_teams",
    description: "The teams that shared channels are shared with, their hosts among them.",
    columns: &[
        TEAM_ID,
        CHANNEL_ID,
        Column::text("id", "The id of a team that the channel is shared with."),
        Column::text("displayName", "That team's name."),
        Column::text("tenantId", "The id of that team's tenant."),
        Column::bool("isHostTeam", "Whether it is the team that the channel belongs to."),
    ],
    ..Table::list(&List {
        empty: Empty::Rare,
        ..List::new(
            Parent::SharedChannel,
            &Endpoint::get("/teams/{id}/channels/{id}/sharedWithTeams", RateClass::Other, "ChannelMember.Read.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/team-list-incomingchannels>. Without `email`, which is expensive to fill.
pub(super) static INCOMING_CHANNELS: Table = Table {
    name: "incoming_channels",
    description: "Channels of other teams that are shared with the teams read; odata_id names host team and tenant.",
    columns: &[
        TEAM_ID,
        Column::text("id", "The id of the channel."),
        Column::named("odata_id", "@odata.id", "The channel's address, which names its team and tenant."),
        Column::text("displayName", "The channel's name."),
        Column::text("description", "What the channel is for."),
        Column::text("membershipType", "Who is in it; shared for all that come in."),
        Column::text("tenantId", "The id of the channel's tenant."),
        Column::text("webUrl", "The link that opens the channel in Teams."),
        Column::time("createdDateTime", "When the channel was made."),
    ],
    ..Table::list(&List {
        query: &[("$select", "id,displayName,description,membershipType,tenantId,webUrl,createdDateTime")],
        ..List::new(
            Parent::Team,
            &Endpoint::get("/teams/{id}/incomingChannels", RateClass::Channels, "Channel.ReadBasic.All"),
        )
    })
};

/// <https://learn.microsoft.com/graph/api/chat-list-members>: `$expand=members` would show 25 of a chat at most.
pub(super) static CHAT_MEMBERS: Table = Table {
    name: "chat_members",
    description: "Who takes part in chats; each chat is read once. Opt-in, because chats are private conversations.",
    columns: member_columns![CHAT_ID],
    ..Table::list(&List {
        empty: Empty::Rare,
        ..List::new(Parent::Chat, &Endpoint::get("/chats/{id}/members", RateClass::Other, "Chat.ReadBasic.All"))
    })
};
