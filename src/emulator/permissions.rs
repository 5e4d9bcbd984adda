//! Which application permissions let a request through, and how Graph says no.

use super::errors::Refusal;
use super::router::Endpoint;

/// Every permission the emulator knows; tokens carry all of them unless told otherwise.
pub const ALL: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "Group.ReadBasic.All",
    "Group.Read.All",
    "GroupMember.Read.All",
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamMember.Read.All",
    "Channel.ReadBasic.All",
    "ChannelMember.Read.All",
    "ChannelMessage.Read.All",
    "Chat.ReadBasic.All",
    "Chat.Read.All",
    "ChatMember.Read.All",
    "Group-Conversation.Read.All",
    "Files.Read.All",
    "TeamsAppInstallation.ReadForTeam.All",
    "TeamsAppInstallation.ReadForChat.All",
    "TeamsAppInstallation.ReadForUser.All",
    "TeamsTab.Read.All",
    "TeamworkTag.Read.All",
    "Schedule.Read.All",
    "Reports.Read.All",
    "CallRecords.Read.All",
    "OnlineMeetingTranscript.Read.All",
    "OnlineMeetingRecording.Read.All",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Directory,
    Teams,
    Messages,
}

/// Any one of these is enough. Resource-specific consent, where it exists, stands in for them inside one team.
fn required(endpoint: Endpoint) -> (&'static [&'static str], Style, bool) {
    use Endpoint as E;
    match endpoint {
        E::Users | E::User => (&["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"], Style::Directory, false),
        E::UsersDelta | E::DeletedUsers => (&["User.Read.All", "Directory.Read.All"], Style::Directory, false),
        E::Groups | E::Group | E::GroupsDelta | E::DeletedGroups => (
            &["Group.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
            Style::Directory,
            false,
        ),
        E::GroupMembers | E::GroupTransitiveMembers | E::GroupOwners => (
            &["GroupMember.ReadBasic.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
            Style::Directory,
            false,
        ),
        E::GroupTeam => (&["Group.Read.All", "TeamSettings.Read.All"], Style::Teams, false),
        E::Teams | E::JoinedTeams => (&["Team.ReadBasic.All", "TeamSettings.Read.All"], Style::Teams, false),
        E::Team => (&["Team.ReadBasic.All", "TeamSettings.Read.All"], Style::Teams, true),
        E::Channels | E::Channel | E::PrimaryChannel => {
            (&["Channel.ReadBasic.All", "ChannelSettings.Read.All"], Style::Teams, true)
        }
        E::AllChannels | E::IncomingChannels => {
            (&["Channel.ReadBasic.All", "ChannelSettings.Read.All"], Style::Teams, false)
        }
        E::TeamMembers => (&["TeamMember.Read.All", "TeamMember.ReadWrite.All"], Style::Teams, true),
        E::ChannelMembers | E::ChannelAllMembers => {
            (&["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"], Style::Teams, true)
        }
        E::ChannelMessages
        | E::ChannelMessagesDelta
        | E::ChannelMessage
        | E::Replies
        | E::Reply
        | E::HostedContents
        | E::HostedContentValue => (&["ChannelMessage.Read.All"], Style::Messages, true),
        E::CallRecords => (&["CallRecords.Read.All"], Style::Teams, false),
        E::Transcripts | E::TranscriptContent => (&["OnlineMeetingTranscript.Read.All"], Style::Teams, false),
        E::Recordings => (&["OnlineMeetingRecording.Read.All"], Style::Teams, false),
        E::DeletedTeams => (&["Team.ReadBasic.All"], Style::Teams, false),
        E::TeamExport | E::TeamRetained | E::DeletedTeamExport => {
            (&["ChannelMessage.Read.All"], Style::Messages, false)
        }
        E::UserChats | E::Chat => (&["Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"], Style::Teams, false),
        E::ChatMembers => {
            (&["ChatMember.Read.All", "Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"], Style::Teams, false)
        }
        E::ChatMessages | E::ChatMessage | E::UserExport | E::UserExportDelta | E::UserRetained => {
            (&["Chat.Read.All", "Chat.ReadWrite.All"], Style::Messages, false)
        }
        E::GroupConversations | E::GroupThreads | E::ThreadPosts => {
            (&["Group-Conversation.Read.All", "Group.Read.All"], Style::Directory, false)
        }
        E::GroupDrives => (&["Files.Read.All", "Sites.Read.All"], Style::Directory, false),
        E::SharedWithTeams => (&["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"], Style::Teams, true),
        E::TeamApps => (&["TeamsAppInstallation.ReadForTeam.All"], Style::Teams, true),
        E::ChatApps => (&["TeamsAppInstallation.ReadForChat.All"], Style::Teams, false),
        E::UserApps => (&["TeamsAppInstallation.ReadForUser.All"], Style::Teams, false),
        E::ChannelTabs => (&["TeamsTab.Read.All", "TeamsTab.ReadWrite.All"], Style::Teams, true),
        E::ChatTabs => (&["TeamsTab.Read.All", "TeamsTab.ReadWrite.All"], Style::Teams, false),
        E::TeamTags | E::TagMembers => (&["TeamworkTag.Read.All"], Style::Teams, false),
        E::Schedule | E::Shifts => (&["Schedule.Read.All", "Schedule.ReadWrite.All"], Style::Teams, false),
        E::DeviceReport => (&["Reports.Read.All"], Style::Directory, false),
        E::ChatHostedContents | E::ChatHostedContentValue => (&["Chat.Read.All"], Style::Messages, false),
        E::Chats | E::Batch => (&[], Style::Teams, false),
    }
}

/// Refuses unless `roles` hold one of the required permissions, or the team consented for itself.
pub fn check(endpoint: Endpoint, roles: &[String], team_consents: bool) -> Result<(), Refusal> {
    let (any_of, style, resource_specific) = required(endpoint);
    let granted = any_of.is_empty() || any_of.iter().any(|&role| roles.iter().any(|held| held == role));
    if granted || (resource_specific && team_consents) {
        return Ok(());
    }
    Err(match style {
        Style::Directory => Refusal::directory_denied(),
        Style::Teams => Refusal::new(
            403,
            "Forbidden",
            format!("Missing role permissions on the request. API requires one of '{}'.", any_of.join(", ")),
        ),
        // Message reads answer an empty message, and so name no permission.
        Style::Messages => Refusal::new(403, "UnknownError", ""),
    })
}
