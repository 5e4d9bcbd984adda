//! Which application permissions let a request through, and how Graph refuses it otherwise.
//!
//! Source: the permission tables of the endpoints' pages in the Microsoft Graph v1.0 reference.

use crate::http::error::GraphError;

/// How the error reads when the permission is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Denial {
    Directory,
    /// Names the permissions that would do.
    Teams,
    /// Message reads answer an empty message, and so name no permission.
    Messages,
}

#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// Any one of these is enough; an empty list lets everyone with a valid token through.
    pub any_of: &'static [&'static str],
    denial: Denial,
    /// Whether resource-specific consent of the team stands in for the permission. The team is the path's first id.
    team_consent: bool,
}

impl Permission {
    const fn new(denial: Denial, any_of: &'static [&'static str]) -> Self {
        Self { any_of, denial, team_consent: false }
    }

    pub const fn or_team_consent(self) -> Self {
        Self { team_consent: true, ..self }
    }

    /// Fails unless `is_granted` holds for one of the permissions, or the team consented for itself.
    pub fn check(&self, is_granted: impl Fn(&str) -> bool, team_consents: bool) -> Result<(), GraphError> {
        let granted = self.any_of.is_empty() || self.any_of.iter().any(|&role| is_granted(role));
        if granted || (self.team_consent && team_consents) {
            return Ok(());
        }
        Err(match self.denial {
            Denial::Directory => GraphError::directory_denied(),
            Denial::Teams => GraphError::new(
                403,
                "Forbidden",
                format!("Missing role permissions on the request. API requires one of '{}'.", self.any_of.join(", ")),
            ),
            Denial::Messages => GraphError::new(403, "UnknownError", ""),
        })
    }
}

const fn directory(any_of: &'static [&'static str]) -> Permission {
    Permission::new(Denial::Directory, any_of)
}

const fn teams(any_of: &'static [&'static str]) -> Permission {
    Permission::new(Denial::Teams, any_of)
}

const fn messages(any_of: &'static [&'static str]) -> Permission {
    Permission::new(Denial::Messages, any_of)
}

/// No permission is needed: a batch, whose parts are checked, or a request that fails for every application.
pub const NONE: Permission = teams(&[]);

pub const USERS_BASIC: Permission = directory(&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"]);
pub const USERS: Permission = directory(&["User.Read.All", "Directory.Read.All"]);
pub const GROUPS: Permission =
    directory(&["Group.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
pub const GROUP_MEMBERS: Permission =
    directory(&["GroupMember.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
pub const GROUP_MAIL: Permission = directory(&["Group-Conversation.Read.All", "Group.Read.All"]);
pub const DRIVES: Permission = directory(&["Files.Read.All", "Sites.Read.All"]);
pub const REPORTS: Permission = directory(&["Reports.Read.All"]);

pub const TEAMS: Permission = teams(&["Team.ReadBasic.All", "TeamSettings.Read.All"]);
pub const TEAM_OF_GROUP: Permission = teams(&["Group.Read.All", "TeamSettings.Read.All"]);
pub const DELETED_TEAMS: Permission = teams(&["Team.ReadBasic.All"]);
pub const TEAM_MEMBERS: Permission = teams(&["TeamMember.Read.All", "TeamMember.ReadWrite.All"]);
pub const CHANNELS: Permission = teams(&["Channel.ReadBasic.All", "ChannelSettings.Read.All"]);
pub const CHANNEL_MEMBERS: Permission = teams(&["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"]);
pub const CHATS: Permission = teams(&["Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"]);
pub const CHAT_MEMBERS: Permission =
    teams(&["ChatMember.Read.All", "Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"]);
pub const TEAM_APPS: Permission = teams(&["TeamsAppInstallation.ReadForTeam.All"]);
pub const CHAT_APPS: Permission = teams(&["TeamsAppInstallation.ReadForChat.All"]);
pub const USER_APPS: Permission = teams(&["TeamsAppInstallation.ReadForUser.All"]);
pub const TABS: Permission = teams(&["TeamsTab.Read.All", "TeamsTab.ReadWrite.All"]);
pub const TAGS: Permission = teams(&["TeamworkTag.Read.All"]);
pub const SCHEDULES: Permission = teams(&["Schedule.Read.All", "Schedule.ReadWrite.All"]);
pub const CALL_RECORDS: Permission = teams(&["CallRecords.Read.All"]);
pub const TRANSCRIPTS: Permission = teams(&["OnlineMeetingTranscript.Read.All"]);
pub const RECORDINGS: Permission = teams(&["OnlineMeetingRecording.Read.All"]);

pub const CHANNEL_MESSAGES: Permission = messages(&["ChannelMessage.Read.All"]);
pub const CHAT_MESSAGES: Permission = messages(&["Chat.Read.All", "Chat.ReadWrite.All"]);
pub const CHAT_HOSTED_CONTENTS: Permission = messages(&["Chat.Read.All"]);

/// "Message POST is allowed in application-only context only for import purposes" is the handler's to say.
pub const MIGRATE: Permission = teams(&["Teamwork.Migrate.All"]);
pub const OPERATION: Permission = teams(&["Teamwork.Migrate.All", "Team.ReadBasic.All", "Team.Create"]);
pub const CREATE_CHANNEL: Permission = teams(&["Teamwork.Migrate.All", "Channel.Create"]);
pub const CREATE_CHAT: Permission = teams(&["Chat.Create"]);
pub const ADD_TEAM_MEMBER: Permission = teams(&["TeamMember.ReadWriteNonOwnerRole.All", "TeamMember.ReadWrite.All"]);
pub const ADD_CHAT_MEMBER: Permission = teams(&["ChatMember.ReadWrite.All"]);
pub const ADD_CHANNEL_MEMBER: Permission = teams(&["ChannelMember.ReadWrite.All"]);
pub const WRITE_FILES: Permission = directory(&["Files.ReadWrite.All", "Sites.ReadWrite.All"]);
pub const CHANGE_TEAM: Permission = teams(&["TeamSettings.ReadWrite.All"]);
pub const CHANGE_CHANNEL: Permission = teams(&["ChannelSettings.ReadWrite.All"]);
pub const CHANGE_CHAT: Permission = teams(&["Chat.ReadWrite.All"]);
/// The least of them covers the application's own app only.
pub const INSTALL: Permission =
    teams(&["TeamsAppInstallation.ReadWriteSelfForUser.All", "TeamsAppInstallation.ReadWriteForUser.All"]);
pub const CATALOGUE: Permission = teams(&["AppCatalog.Read.All", "AppCatalog.ReadWrite.All"]);
