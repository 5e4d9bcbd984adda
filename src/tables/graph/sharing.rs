//! Who is in a channel or chat, and which channels and teams are shared with whom.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, Empty, List, Parent, Table};

/// <https://learn.microsoft.com/graph/api/resources/conversationmember>: people of this tenant and of others, guests,
/// callers, bots. `odata_type` says which; only the columns of its kind are filled.
macro_rules! member_columns {
    ($($key:expr),* $(,)?) => {
        &[
            $($key,)*
            Column::text("id"),
            Column::named("odata_type", "@odata.type"),
            Column::new("roles", ColumnType::List(&ColumnType::Text)),
            Column::text("displayName"),
            Column::text("userId"),
            Column::text("email"),
            Column::text("tenantId"),
            Column::text("visibleHistoryStartDateTime"),
            Column::text("anonymousGuestId"),
            Column::text("azureCommunicationServicesId"),
            Column::text("phoneNumber"),
            Column::text("skypeId"),
        ]
    };
}

const CHANNEL_MEMBER_COLUMNS: &[Column] =
    member_columns![Column::derived("team_id", Derived::Team), Column::derived("channel_id", Derived::Channel)];

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
        Column::derived("team_id", Derived::Team),
        Column::derived("channel_id", Derived::Channel),
        Column::text("id"),
        Column::text("displayName"),
        Column::text("tenantId"),
        Column::bool("isHostTeam"),
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
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::named("odata_id", "@odata.id"),
        Column::text("displayName"),
        Column::text("description"),
        Column::text("membershipType"),
        Column::text("tenantId"),
        Column::text("webUrl"),
        Column::text("createdDateTime"),
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
    columns: member_columns![Column::derived("chat_id", Derived::Chat)],
    ..Table::list(&List {
        empty: Empty::Rare,
        ..List::new(Parent::Chat, &Endpoint::get("/chats/{id}/members", RateClass::Other, "Chat.ReadBasic.All"))
    })
};
