//! What can be subscribed to: one row per family of resources.
//!
//! Source: "Microsoft Graph change notifications", supported resources; "Create subscription", permissions.

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Team,
    Channel,
    TeamMember,
    ChannelMember,
    ChannelMessage,
    Chat,
    ChatMember,
    ChatMessage,
}

pub struct Family {
    /// `{team}`, `{channel}`, `{chat}` and `{user}` narrow it.
    pub template: &'static str,
    pub kind: Kind,
    /// The change types that it offers.
    pub changes: &'static [&'static str],
    /// Any one of these is enough.
    pub permissions: &'static [&'static str],
}

const CUD: &[&str] = &["created", "updated", "deleted"];

const fn family(
    template: &'static str,
    kind: Kind,
    changes: &'static [&'static str],
    permissions: &'static [&'static str],
) -> Family {
    Family { template, kind, changes, permissions }
}

const CHANNEL_MESSAGES: &[&str] = &["ChannelMessage.Read.All"];
const CHAT_MESSAGES: &[&str] = &["Chat.Read.All", "Chat.ReadWrite.All"];
const CHATS: &[&str] = &["Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"];
const CHAT_MEMBERS: &[&str] = &["ChatMember.Read.All", "Chat.ReadBasic.All", "Chat.Read.All"];
const TEAMS: &[&str] = &["Team.ReadBasic.All", "TeamSettings.Read.All"];
const CHANNELS: &[&str] = &["Channel.ReadBasic.All", "ChannelSettings.Read.All"];
const TEAM_MEMBERS: &[&str] = &["TeamMember.Read.All"];
const CHANNEL_MEMBERS: &[&str] = &["ChannelMember.Read.All"];

/// A name goes before an id.
pub static FAMILIES: &[Family] = &[
    family("teams/getAllMessages", Kind::ChannelMessage, CUD, CHANNEL_MESSAGES),
    family("teams/getAllChannels", Kind::Channel, CUD, CHANNELS),
    family("teams/getAllMembers", Kind::TeamMember, CUD, TEAM_MEMBERS),
    family("teams/getAllChannels/getAllMembers", Kind::ChannelMember, CUD, CHANNEL_MEMBERS),
    family("chats/getAllMessages", Kind::ChatMessage, CUD, CHAT_MESSAGES),
    family("chats/getAllMembers", Kind::ChatMember, &["created", "deleted"], CHAT_MEMBERS),
    family("teams", Kind::Team, CUD, TEAMS),
    family("teams/{team}", Kind::Team, &["updated", "deleted"], TEAMS),
    family("teams/{team}/channels", Kind::Channel, CUD, CHANNELS),
    family("teams/{team}/members", Kind::TeamMember, CUD, TEAM_MEMBERS),
    family("teams/{team}/channels/getAllMembers", Kind::ChannelMember, CUD, CHANNEL_MEMBERS),
    family("teams/{team}/channels/{channel}/messages", Kind::ChannelMessage, CUD, CHANNEL_MESSAGES),
    family("chats", Kind::Chat, &["created", "updated"], CHATS),
    family("chats/{chat}", Kind::Chat, &["updated"], CHATS),
    family("chats/{chat}/messages", Kind::ChatMessage, CUD, CHAT_MESSAGES),
    family("chats/{chat}/members", Kind::ChatMember, &["created", "deleted"], CHAT_MEMBERS),
    family("users/{user}/chats", Kind::Chat, &["created", "updated"], CHATS),
    family("users/{user}/chats/getAllMessages", Kind::ChatMessage, CUD, CHAT_MESSAGES),
];

/// A resource as a subscription names it: its family, and the ids that narrow it.
pub struct Resource {
    pub family: &'static Family,
    ids: Vec<(&'static str, String)>,
}

impl Resource {
    /// Nothing for what is no resource of Teams, or has query options, none of which are emulated. `model` is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if !query.is_empty() && !query.starts_with("model=") {
            return None;
        }
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        FAMILIES.iter().find_map(|family| {
            let ids = ids(family.template, &segments)?;
            Some(Self { family, ids })
        })
    }

    pub fn id(&self, name: &str) -> Option<&str> {
        self.ids.iter().find(|(known, _)| *known == name).map(|(_, id)| id.as_str())
    }
}

fn ids(template: &'static str, segments: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let parts: Vec<&'static str> = template.split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (part, segment) in parts.into_iter().zip(segments) {
        match part.strip_prefix('{') {
            Some(name) if !segment.is_empty() => ids.push((name.trim_end_matches('}'), (*segment).to_owned())),
            None if part.eq_ignore_ascii_case(segment) => {}
            Some(_) | None => return None,
        }
    }
    Some(ids)
}

/// What makes two subscriptions the same: the resource and its change types, in whatever order.
pub fn identity(resource: &str, change_types: &[String]) -> (String, Vec<String>) {
    let mut types = change_types.to_vec();
    types.sort();
    (resource.trim_matches('/').to_lowercase(), types)
}
