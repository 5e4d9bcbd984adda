//! Tables that are one list per parent: most of what Graph knows of a team, a channel, a chat, a user or a group.

use teams_base::graph::endpoint::Endpoint;

use super::source::Derived;

/// How such a table is read. All of them are snapshots.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct List {
    /// What there is one list of.
    pub parent: Parent,
    /// Its template is the path too: the ids of the parent take the places of `{id}`.
    pub endpoint: &'static Endpoint,
    /// `$select` and `$expand`.
    pub query: &'static [(&'static str, &'static str)],
    /// The largest page, where the endpoint documents `$top`; nothing is sent where it does not.
    pub top: Option<u32>,
    pub shape: Shape,
    /// Where an endpoint has been seen to end a longer list without a link; not documented, so that it is only reported.
    pub stops_at: Option<usize>,
    /// What it means that it holds nothing.
    pub empty: Empty,
    /// What the tenant needs beside the permissions; empty for most.
    pub prerequisites: &'static str,
}

/// What the endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Pages of items: each is a row.
    Items,
    /// One object, which is the row.
    Object,
}

/// What an empty list means. Services at times answer with an empty page what they can't find for a moment, and downstream
/// a missing row is a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Empty {
    /// That there is nothing.
    Usual,
    /// Rarely that there is nothing: the list is asked for once more.
    Rare,
    /// A mistake of the service of what is below its parent: the list is asked for once more. If it is empty again, that is
    /// believed for this read only, and what is stored of the parent is not taken for deleted.
    Doubtful,
    /// A mistake of the service: the list is asked for once more, and an error if it is empty again.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parent {
    /// One list for the whole tenant.
    Tenant,
    Team,
    Channel,
    /// A channel that is shared with other teams.
    SharedChannel,
    Chat,
    User,
    Group,
    /// A group with a mailbox of its own.
    MailGroup,
    /// An item of another list, by its `id`.
    Item(&'static List),
}

impl Parent {
    /// The columns that hold its ids, in the order of the path.
    pub fn columns(self) -> Vec<Derived> {
        match self {
            Self::Tenant => Vec::new(),
            Self::Team => vec![Derived::Team],
            Self::Channel | Self::SharedChannel => vec![Derived::Team, Derived::Channel],
            Self::Chat => vec![Derived::Chat],
            Self::User => vec![Derived::User],
            Self::Group | Self::MailGroup => vec![Derived::Group],
            Self::Item(list) => [list.parent.columns(), vec![Derived::Item]].concat(),
        }
    }

    /// The columns of a row's key; an item's id has a name in each table.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Tenant => &["id"],
            Self::Team => &["team_id", "id"],
            Self::Channel | Self::SharedChannel => &["team_id", "channel_id", "id"],
            Self::Chat => &["chat_id", "id"],
            Self::User => &["user_id", "id"],
            Self::Group | Self::MailGroup => &["group_id", "id"],
            Self::Item(_) => &[],
        }
    }

    /// The permissions that discovering the parents takes.
    pub(super) fn permissions(self) -> Vec<&'static str> {
        match self {
            Self::Tenant => Vec::new(),
            Self::Team => vec!["Team.ReadBasic.All"],
            Self::Channel | Self::SharedChannel => vec!["Team.ReadBasic.All", "Channel.ReadBasic.All"],
            Self::Chat => vec!["User.ReadBasic.All", "Chat.ReadBasic.All"],
            Self::User => vec!["User.ReadBasic.All"],
            Self::Group | Self::MailGroup => vec!["Group.ReadBasic.All"],
            Self::Item(list) => [list.parent.permissions(), vec![list.endpoint.permission]].concat(),
        }
    }

    /// Which options name or discover the parents, for the documentation.
    pub(super) const fn options(self) -> &'static str {
        match self {
            Self::Tenant => "",
            Self::Team => "team_id or fetch_all_teams",
            Self::Channel | Self::SharedChannel => "team_id or fetch_all_teams, and channel_id or fetch_all_channels",
            Self::Chat => "fetch_all_users, user_id or chat_id",
            Self::User => "user_id or fetch_all_users",
            Self::Group | Self::MailGroup => "one of group_id, fetch_all_groups, team_id and fetch_all_teams",
            Self::Item(list) => list.parent.options(),
        }
    }

    /// What a read costs beside one request per parent and page.
    pub fn cost(self) -> &'static str {
        match self {
            Self::Tenant => "1 request per page",
            Self::Team => "1 per team",
            Self::Channel => "1 per team and 1 per channel",
            Self::SharedChannel => "1 per team and 1 per shared channel",
            Self::Chat => "1 per user and 50 chats, and 1 per chat",
            Self::User => "1 per user",
            Self::Group | Self::MailGroup => "1 per group",
            Self::Item(_) => "1 per item of the list above it, beside that list",
        }
    }
}

impl List {
    /// A list of items without options of its own.
    pub const fn new(parent: Parent, endpoint: &'static Endpoint) -> Self {
        Self {
            parent,
            endpoint,
            query: &[],
            top: None,
            shape: Shape::Items,
            stops_at: None,
            empty: Empty::Usual,
            prerequisites: "",
        }
    }
}
