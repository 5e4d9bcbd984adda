//! What is read in rounds, and the two families of messages.

use teams_base::options::TableOptions;

/// What a round reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundKind {
    Messages(Family),
    /// The lists of users' chats: the table `chats`.
    Chats,
}

/// Messages hang below parents and their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Teams, and the messages of their channels.
    Channels,
    /// Users, and the messages of their chats.
    Chats,
}

impl Family {
    /// How a child's scope (`parent/child`) stands in the set of known scopes: a chat is the same for each of
    /// its members.
    pub fn known_name(self, scope: &str) -> &str {
        match self {
            Self::Channels => scope,
            Self::Chats => scope.split_once('/').map_or(scope, |(_, chat)| chat),
        }
    }

    /// Whether an option names the parents, so that none is discovered.
    pub fn is_parent_named(self, options: &TableOptions) -> bool {
        match self {
            Self::Channels => !options.team_ids.is_empty(),
            Self::Chats => !options.user_ids.is_empty(),
        }
    }

    /// Whether an option names the children.
    pub fn is_child_named(self, options: &TableOptions) -> bool {
        match self {
            Self::Channels => !options.channel_ids.is_empty(),
            Self::Chats => !options.chat_ids.is_empty(),
        }
    }
}
