//! The ways in which tables are read, and what follows from each: endpoints, permissions, options.

use teams_base::graph::endpoint::{self, Endpoint};

use super::list::{List, Parent};

/// The way a table is read. Tables of one pass share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    Teams,
    /// One list per parent.
    List(&'static List),
    /// Channel messages: roots and replies come out of the same pass.
    ChannelMessages,
    Chats,
    ChatMessages,
    /// A CSV file for the whole tenant.
    Report(&'static Report),
    /// Messages that the lists no longer show.
    Archive(Archive),
    /// Calls, transcripts and recordings.
    Meetings(Meetings),
    /// `/users/delta`, `/groups/delta`.
    DirectoryDelta(DirectoryObject),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryObject {
    Users,
    Groups,
}

impl Reading {
    /// The name of the pass; tables of equal names can be read together.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Teams => "teams",
            Self::List(list) => list.endpoint.template,
            Self::Report(report) => report.endpoint.template,
            Self::ChannelMessages => "channel_messages",
            Self::Chats => "chats",
            Self::ChatMessages => "chat_messages",
            Self::Archive(Archive::Retained) => "retained_messages",
            Self::Archive(Archive::DeletedTeams) => "deleted_team_messages",
            Self::Meetings(Meetings::CallRecords) => "call_records",
            Self::Meetings(Meetings::Transcripts) => "online_meeting_transcripts",
            Self::Meetings(Meetings::Recordings) => "online_meeting_recordings",
            Self::DirectoryDelta(DirectoryObject::Users) => "users",
            Self::DirectoryDelta(DirectoryObject::Groups) => "groups",
        }
    }

    /// The endpoints that it reads; where options choose between them, the preferred first. Those that only find the
    /// parents are not among them.
    pub fn endpoints(self) -> &'static [&'static Endpoint] {
        match self {
            Self::List(list) => std::slice::from_ref(&list.endpoint),
            Self::Report(report) => std::slice::from_ref(&report.endpoint),
            Self::Teams => const { &[&endpoint::TEAMS, &endpoint::TEAM] },
            Self::ChannelMessages => const { &[&endpoint::TEAM_EXPORT, &endpoint::CHANNEL_MESSAGES] },
            Self::Chats => const { &[&endpoint::USER_CHATS] },
            Self::ChatMessages => const { &[&endpoint::USER_EXPORT, &endpoint::CHAT_MESSAGES] },
            Self::Archive(Archive::Retained) => const { &[&endpoint::TEAM_RETAINED] },
            // The list of deleted teams is the only way to find them.
            Self::Archive(Archive::DeletedTeams) => {
                const { &[&endpoint::DELETED_TEAMS, &endpoint::DELETED_TEAM_EXPORT] }
            }
            Self::Meetings(Meetings::CallRecords) => const { &[&endpoint::CALL_RECORDS] },
            Self::Meetings(Meetings::Transcripts) => const { &[&endpoint::TRANSCRIPTS] },
            Self::Meetings(Meetings::Recordings) => const { &[&endpoint::RECORDINGS] },
            Self::DirectoryDelta(DirectoryObject::Users) => const { &[&endpoint::USERS_DELTA] },
            Self::DirectoryDelta(DirectoryObject::Groups) => const { &[&endpoint::GROUPS_DELTA] },
        }
    }

    /// The permissions that discovering what it reads takes.
    pub(super) fn discovery_permissions(self) -> Vec<&'static str> {
        match self {
            Self::List(list) => list.parent.permissions(),
            Self::ChannelMessages => Parent::Channel.permissions(),
            Self::Archive(Archive::Retained) => Parent::Team.permissions(),
            Self::Chats | Self::ChatMessages | Self::Meetings(Meetings::Transcripts | Meetings::Recordings) => {
                Parent::User.permissions()
            }
            Self::Teams
            | Self::Report(_)
            | Self::Archive(Archive::DeletedTeams)
            | Self::Meetings(Meetings::CallRecords)
            | Self::DirectoryDelta(_) => Vec::new(),
        }
    }

    /// Which options name or discover what is read, for the documentation.
    pub(super) const fn options(self) -> &'static str {
        match self {
            Self::List(list) => list.parent.options(),
            Self::ChannelMessages => Parent::Channel.options(),
            Self::ChatMessages => Parent::Chat.options(),
            Self::Archive(Archive::Retained) => Parent::Team.options(),
            Self::Meetings(Meetings::Transcripts | Meetings::Recordings) => Parent::User.options(),
            Self::Teams
            | Self::Chats
            | Self::Report(_)
            | Self::Archive(Archive::DeletedTeams)
            | Self::Meetings(Meetings::CallRecords)
            | Self::DirectoryDelta(_) => "",
        }
    }

    /// The columns of a row's key, where the declaration names no others.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::List(list) => list.parent.keys(),
            _ => &["id"],
        }
    }
}

/// Which messages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Archive {
    /// `getAllRetainedMessages`: a row for each version of a message.
    Retained,
    /// `getAllMessages` of deleted teams: a row for each message.
    DeletedTeams,
}

/// What calls and meetings leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meetings {
    CallRecords,
    Transcripts,
    Recordings,
}

/// A report for the whole tenant.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Report {
    pub table: &'static str,
    /// The function below `/reports`; its period is an option.
    pub function: &'static str,
    pub endpoint: &'static Endpoint,
}
