//! From a path to an endpoint and the ids in it.

use percent_encoding::percent_decode_str;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Endpoint {
    Users,
    UsersDelta,
    User,
    UserChats,
    UserExport,
    UserExportDelta,
    UserRetained,
    JoinedTeams,
    Groups,
    GroupsDelta,
    Group,
    GroupMembers,
    GroupTransitiveMembers,
    GroupOwners,
    GroupTeam,
    DeletedUsers,
    DeletedGroups,
    Teams,
    Team,
    Channels,
    AllChannels,
    IncomingChannels,
    PrimaryChannel,
    TeamMembers,
    TeamExport,
    TeamRetained,
    Channel,
    ChannelMembers,
    ChannelAllMembers,
    ChannelMessages,
    ChannelMessagesDelta,
    ChannelMessage,
    Replies,
    Reply,
    HostedContents,
    HostedContentValue,
    Chats,
    Chat,
    ChatMembers,
    ChatMessages,
    ChatMessage,
    GroupConversations,
    GroupThreads,
    ThreadPosts,
    GroupDrives,
    UserApps,
    DeletedTeams,
    TeamApps,
    TeamTags,
    TagMembers,
    Schedule,
    Shifts,
    SharedWithTeams,
    ChannelTabs,
    ChatApps,
    ChatTabs,
    DeviceReport,
    ChatHostedContents,
    DeletedTeamExport,
    CallRecords,
    Transcripts,
    TranscriptContent,
    Recordings,
    ChatHostedContentValue,
    Batch,
}

impl Endpoint {
    /// The endpoint's name in logs and counts.
    pub fn template(self) -> &'static str {
        use Endpoint as E;
        match self {
            E::Users => "/users",
            E::UsersDelta => "/users/delta",
            E::User => "/users/{id}",
            E::UserChats => "/users/{id}/chats",
            E::UserExport => "/users/{id}/chats/getAllMessages",
            E::UserExportDelta => "/users/{id}/chats/getAllMessages/delta",
            E::UserRetained => "/users/{id}/chats/getAllRetainedMessages",
            E::JoinedTeams => "/users/{id}/joinedTeams",
            E::Groups => "/groups",
            E::GroupsDelta => "/groups/delta",
            E::Group => "/groups/{id}",
            E::GroupMembers => "/groups/{id}/members",
            E::GroupTransitiveMembers => "/groups/{id}/transitiveMembers",
            E::GroupOwners => "/groups/{id}/owners",
            E::GroupTeam => "/groups/{id}/team",
            E::DeletedUsers => "/directory/deletedItems/microsoft.graph.user",
            E::DeletedGroups => "/directory/deletedItems/microsoft.graph.group",
            E::Teams => "/teams",
            E::Team => "/teams/{id}",
            E::Channels => "/teams/{id}/channels",
            E::AllChannels => "/teams/{id}/allChannels",
            E::IncomingChannels => "/teams/{id}/incomingChannels",
            E::PrimaryChannel => "/teams/{id}/primaryChannel",
            E::TeamMembers => "/teams/{id}/members",
            E::TeamExport => "/teams/{id}/channels/getAllMessages",
            E::TeamRetained => "/teams/{id}/channels/getAllRetainedMessages",
            E::Channel => "/teams/{id}/channels/{id}",
            E::ChannelMembers => "/teams/{id}/channels/{id}/members",
            E::ChannelAllMembers => "/teams/{id}/channels/{id}/allMembers",
            E::ChannelMessages => "/teams/{id}/channels/{id}/messages",
            E::ChannelMessagesDelta => "/teams/{id}/channels/{id}/messages/delta",
            E::ChannelMessage => "/teams/{id}/channels/{id}/messages/{id}",
            E::Replies => "/teams/{id}/channels/{id}/messages/{id}/replies",
            E::Reply => "/teams/{id}/channels/{id}/messages/{id}/replies/{id}",
            E::HostedContents => "/teams/{id}/channels/{id}/messages/{id}/hostedContents",
            E::HostedContentValue => "/teams/{id}/channels/{id}/messages/{id}/hostedContents/{id}/$value",
            E::Chats => "/chats",
            E::Chat => "/chats/{id}",
            E::ChatMembers => "/chats/{id}/members",
            E::ChatMessages => "/chats/{id}/messages",
            E::ChatMessage => "/chats/{id}/messages/{id}",
            E::GroupConversations => "/groups/{id}/conversations",
            E::GroupThreads => "/groups/{id}/threads",
            E::ThreadPosts => "/groups/{id}/threads/{id}/posts",
            E::GroupDrives => "/groups/{id}/drives",
            E::UserApps => "/users/{id}/teamwork/installedApps",
            E::CallRecords => "/communications/callRecords",
            E::Transcripts => "/users/{id}/onlineMeetings/getAllTranscripts",
            E::TranscriptContent => "/users/{id}/onlineMeetings/{id}/transcripts/{id}/content",
            E::Recordings => "/users/{id}/onlineMeetings/getAllRecordings",
            E::DeletedTeams => "/teamwork/deletedTeams",
            E::TeamApps => "/teams/{id}/installedApps",
            E::TeamTags => "/teams/{id}/tags",
            E::TagMembers => "/teams/{id}/tags/{id}/members",
            E::Schedule => "/teams/{id}/schedule",
            E::Shifts => "/teams/{id}/schedule/shifts",
            E::SharedWithTeams => "/teams/{id}/channels/{id}/sharedWithTeams",
            E::ChannelTabs => "/teams/{id}/channels/{id}/tabs",
            E::ChatApps => "/chats/{id}/installedApps",
            E::ChatTabs => "/chats/{id}/tabs",
            E::DeviceReport => "/reports/getTeamsDeviceUsageUserDetail",
            E::DeletedTeamExport => "/teamwork/deletedTeams/{id}/channels/getAllMessages",
            E::ChatHostedContents => "/chats/{id}/messages/{id}/hostedContents",
            E::ChatHostedContentValue => "/chats/{id}/messages/{id}/hostedContents/{id}/$value",
            E::Batch => "/$batch",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Route {
    pub endpoint: Endpoint,
    /// The ids of the path, in order.
    pub ids: Vec<String>,
}

/// Splits a path below `/v1.0`. Graph's own links also use the key form `teams('id')`.
fn segments(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for raw in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decode_str(raw).decode_utf8_lossy().into_owned();
        match part.split_once("('") {
            Some((name, key)) if key.ends_with("')") => {
                parts.push(name.to_owned());
                parts.push(key.trim_end_matches("')").to_owned());
            }
            _ => parts.push(part),
        }
    }
    parts
}

pub fn route(path: &str) -> Option<Route> {
    use Endpoint as E;
    let parts = segments(path);
    // OData function names are matched without regard to case: Graph's links write `getallMessages`.
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let words: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (endpoint, at): (Endpoint, &[usize]) = match words.as_slice() {
        ["$batch"] => (E::Batch, &[]),
        ["users"] => (E::Users, &[]),
        ["users", "delta" | "delta()"] => (E::UsersDelta, &[]),
        ["users", _] => (E::User, &[1]),
        ["users", _, "chats"] => (E::UserChats, &[1]),
        ["users", _, "joinedteams"] => (E::JoinedTeams, &[1]),
        ["users", _, "chats", "getallmessages"] => (E::UserExport, &[1]),
        ["users", _, "chats", "getallmessages", "delta"] => (E::UserExportDelta, &[1]),
        ["users", _, "chats", "getallretainedmessages"] => (E::UserRetained, &[1]),
        ["users", _, "chats", _] => (E::Chat, &[3]),
        ["users", _, "chats", _, "members"] => (E::ChatMembers, &[3]),
        ["users", _, "chats", _, "messages"] => (E::ChatMessages, &[3]),
        ["groups"] => (E::Groups, &[]),
        ["groups", "delta" | "delta()"] => (E::GroupsDelta, &[]),
        ["groups", _] => (E::Group, &[1]),
        ["groups", _, "members"] => (E::GroupMembers, &[1]),
        ["groups", _, "transitivemembers"] => (E::GroupTransitiveMembers, &[1]),
        ["groups", _, "owners"] => (E::GroupOwners, &[1]),
        ["groups", _, "team"] => (E::GroupTeam, &[1]),
        ["directory", "deleteditems", "microsoft.graph.user"] => (E::DeletedUsers, &[]),
        ["directory", "deleteditems", "microsoft.graph.group"] => (E::DeletedGroups, &[]),
        ["teams"] => (E::Teams, &[]),
        ["teams", _] => (E::Team, &[1]),
        ["teams", _, "channels"] => (E::Channels, &[1]),
        ["teams", _, "allchannels"] => (E::AllChannels, &[1]),
        ["teams", _, "incomingchannels"] => (E::IncomingChannels, &[1]),
        ["teams", _, "primarychannel"] => (E::PrimaryChannel, &[1]),
        ["teams", _, "members"] => (E::TeamMembers, &[1]),
        ["teams", _, "channels", "getallmessages"] => (E::TeamExport, &[1]),
        ["teams", _, "channels", "getallretainedmessages"] => (E::TeamRetained, &[1]),
        ["teams", _, "channels", _] => (E::Channel, &[1, 3]),
        ["teams", _, "channels", _, "members"] => (E::ChannelMembers, &[1, 3]),
        ["teams", _, "channels", _, "allmembers"] => (E::ChannelAllMembers, &[1, 3]),
        ["teams", _, "channels", _, "messages"] => (E::ChannelMessages, &[1, 3]),
        ["teams", _, "channels", _, "messages", "delta" | "delta()"] => (E::ChannelMessagesDelta, &[1, 3]),
        ["teams", _, "channels", _, "messages", _] => (E::ChannelMessage, &[1, 3, 5]),
        ["teams", _, "channels", _, "messages", _, "replies"] => (E::Replies, &[1, 3, 5]),
        ["teams", _, "channels", _, "messages", _, "replies", _] => (E::Reply, &[1, 3, 5, 7]),
        ["teams", _, "channels", _, "messages", _, "hostedcontents"] => (E::HostedContents, &[1, 3, 5]),
        ["teams", _, "channels", _, "messages", _, "hostedcontents", _, "$value"] => {
            (E::HostedContentValue, &[1, 3, 5, 7])
        }
        ["teams", _, "channels", _, "messages", _, "replies", _, "hostedcontents"] => (E::HostedContents, &[1, 3, 7]),
        ["teams", _, "channels", _, "messages", _, "replies", _, "hostedcontents", _, "$value"] => {
            (E::HostedContentValue, &[1, 3, 7, 9])
        }
        ["communications", "callrecords"] => (E::CallRecords, &[]),
        ["users", _, "onlinemeetings", "getalltranscripts"] => (E::Transcripts, &[1]),
        ["users", _, "onlinemeetings", _, "transcripts", _, "content"] => (E::TranscriptContent, &[1, 3, 5]),
        ["users", _, "onlinemeetings", "getallrecordings"] => (E::Recordings, &[1]),
        ["teamwork", "deletedteams"] => (E::DeletedTeams, &[]),
        ["teamwork", "deletedteams", _, "channels", "getallmessages"] => (E::DeletedTeamExport, &[2]),
        ["chats"] => (E::Chats, &[]),
        ["chats", _] => (E::Chat, &[1]),
        ["chats", _, "members"] => (E::ChatMembers, &[1]),
        ["chats", _, "messages"] => (E::ChatMessages, &[1]),
        ["chats", _, "messages", _] => (E::ChatMessage, &[1, 3]),
        ["groups", _, "conversations"] => (E::GroupConversations, &[1]),
        ["groups", _, "threads"] => (E::GroupThreads, &[1]),
        ["groups", _, "threads", _, "posts"] => (E::ThreadPosts, &[1, 3]),
        ["groups", _, "drives"] => (E::GroupDrives, &[1]),
        ["users", _, "teamwork", "installedapps"] => (E::UserApps, &[1]),
        ["teams", _, "installedapps"] => (E::TeamApps, &[1]),
        ["teams", _, "tags"] => (E::TeamTags, &[1]),
        ["teams", _, "tags", _, "members"] => (E::TagMembers, &[1, 3]),
        ["teams", _, "schedule"] => (E::Schedule, &[1]),
        ["teams", _, "schedule", "shifts"] => (E::Shifts, &[1]),
        ["teams", _, "channels", _, "sharedwithteams"] => (E::SharedWithTeams, &[1, 3]),
        ["teams", _, "channels", _, "tabs"] => (E::ChannelTabs, &[1, 3]),
        ["chats", _, "installedapps"] => (E::ChatApps, &[1]),
        ["chats", _, "tabs"] => (E::ChatTabs, &[1]),
        ["reports", report] if report.starts_with("getteamsdeviceusageuserdetail(") => (E::DeviceReport, &[1]),
        ["chats", _, "messages", _, "hostedcontents"] => (E::ChatHostedContents, &[1, 3]),
        ["chats", _, "messages", _, "hostedcontents", _, "$value"] => (E::ChatHostedContentValue, &[1, 3, 5]),
        _ => return None,
    };
    Some(Route { endpoint, ids: at.iter().map(|&index| parts[index].clone()).collect() })
}
