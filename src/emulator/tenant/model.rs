//! The tenant: who and what is in it. A message is its prepared JSON plus the few facts that order and filter it.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::tenant::bot::Bot;
use crate::tenant::push::Subscriptions;

pub type Object = Map<String, Value>;

/// The members of a JSON object.
pub fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => map,
        _ => Object::new(),
    }
}

#[derive(Default)]
pub struct Tenant {
    pub id: String,
    pub domain: String,
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub teams: Vec<Team>,
    pub chats: Vec<Chat>,
    pub user_index: HashMap<String, usize>,
    pub group_index: HashMap<String, usize>,
    pub team_index: HashMap<String, usize>,
    pub chat_index: HashMap<String, usize>,
    /// Images that another address names than their message's own: conversation, message and content id of their bytes.
    pub images: HashSet<(String, i64, String)>,
    /// The bytes of images that were posted: by conversation, message and content id.
    pub uploads: HashMap<(String, i64, String), Upload>,
    /// Conversations that are or were in migration mode, by id.
    pub migrations: HashMap<String, Migration>,
    /// Teams that were created in migration mode, by id.
    pub migrated_teams: HashMap<String, MigratedTeam>,
    pub operations: HashMap<String, Operation>,
    pub bot: Bot,
    pub subscriptions: Subscriptions,
    /// Files that were uploaded: by drive and path, their bytes.
    pub files: BTreeMap<(String, String), Bytes>,
    /// The longest message, in words.
    pub words: usize,
    /// Grows with every change; delta tokens point into it.
    pub seq: u64,
}

pub struct Upload {
    pub content_type: String,
    pub bytes: Bytes,
}

/// The migration mode of a conversation, and the application that owns it. No API shows the owner.
pub struct Migration {
    pub app: String,
    pub in_progress: bool,
    /// Messages must be younger than this.
    pub floor_ms: i64,
    /// The milliseconds that messages have already.
    pub taken: HashSet<i64>,
}

pub struct MigratedTeam {
    pub app: String,
    pub in_progress: bool,
    /// Its first channel was completed, after which no channel can be created in migration mode.
    pub general_completed: bool,
}

/// A long running operation: `inProgress` for so many more readings.
pub struct Operation {
    pub team: String,
    pub created_ms: i64,
    pub polls_left: u32,
    pub polls: u32,
}

/// How a directory object left; `reason` of `@removed` is "changed" while it can still be restored.
#[derive(Clone, Copy)]
pub struct Removal {
    pub at_ms: i64,
    pub seq: u64,
    pub permanent: bool,
}

/// What happened to a directory object, and all of it as it was then.
pub enum Event {
    /// Created or restored.
    Came(Object),
    Changed(Object),
    Left(Removal),
}

pub struct Step {
    pub seq: u64,
    pub event: Event,
}

pub struct User {
    pub id: String,
    pub properties: Object,
    pub seq: u64,
    /// The step at which it was created or restored: delta gives the whole object to readers from before it.
    pub created_seq: u64,
    /// Which property changed at which step, for `Prefer: return=minimal`.
    pub changes: Vec<(u64, String)>,
    /// Positions in `Tenant::chats`.
    pub chats: Vec<usize>,
    pub removal: Option<Removal>,
    /// Whether somebody took the licences away.
    pub unlicensed: bool,
    /// Everything that happened since the tenant was generated.
    pub steps: Vec<Step>,
}

pub struct Group {
    pub id: String,
    pub properties: Object,
    pub seq: u64,
    /// As for users.
    pub created_seq: u64,
    pub members: Vec<usize>,
    pub owners: Vec<usize>,
    /// Membership steps: when, who, and whether it was a removal.
    pub member_changes: Vec<(u64, usize, bool)>,
    pub is_team: bool,
    pub removal: Option<Removal>,
    /// As for users.
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    Forbidden,
    /// The group exists, its team does not.
    Missing,
}

pub struct Team {
    pub id: String,
    pub properties: Object,
    pub channels: Vec<Channel>,
    /// Shared channels of other teams: positions (team, channel).
    pub incoming: Vec<(usize, usize)>,
    pub members: Vec<Member>,
    pub access: Access,
}

#[derive(Clone)]
pub struct Member {
    pub user: usize,
    pub role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    Owner,
    Guest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    Standard,
    Private,
    Shared,
}

impl Membership {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Private => "private",
            Self::Shared => "shared",
        }
    }
}

pub struct Channel {
    pub id: String,
    pub properties: Object,
    pub membership: Membership,
    /// Empty for standard channels, whose members are the team's.
    pub members: Vec<Member>,
    pub thread: Thread,
    pub removed: bool,
}

pub struct Chat {
    pub id: String,
    pub properties: Object,
    pub members: Vec<usize>,
    /// From when on a member sees what was written, where that is not the chat's creation.
    pub history: HashMap<usize, String>,
    pub thread: Thread,
    /// Whether only exports show it.
    pub unlisted: bool,
}

/// Who sent a message, as far as the export's sender clauses ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sender {
    User(usize),
    Federated,
    Anonymous,
    Bot,
    Connector,
    Nobody,
}

pub struct Message {
    /// Unique in its conversation only. Milliseconds of arrival: those of creation, unless the message was imported.
    pub id: i64,
    pub created_ms: i64,
    pub reply_to: Option<i64>,
    pub modified_ms: i64,
    pub seq: u64,
    pub deleted: bool,
    pub system: bool,
    pub sender: Sender,
    pub json: Bytes,
    /// The same without `Prefer: include-unknown-enum-members`, where that differs.
    pub json_unknown: Option<Bytes>,
    /// Superseded versions, oldest first.
    pub older: Vec<(i64, Bytes)>,
}

impl Message {
    pub fn bytes(&self, known_enums: bool) -> &Bytes {
        match &self.json_unknown {
            Some(unknown) if !known_enums => unknown,
            _ => &self.json,
        }
    }

    /// The version a copy that lags behind would hold: when it was modified, and its JSON.
    pub fn as_of(&self, cutoff_ms: i64, known_enums: bool) -> Option<(i64, &Bytes)> {
        if self.modified_ms <= cutoff_ms {
            return Some((self.modified_ms, self.bytes(known_enums)));
        }
        self.older.iter().rev().find(|(modified, _)| *modified <= cutoff_ms).map(|(modified, json)| (*modified, json))
    }
}

#[derive(Default)]
pub struct Chain {
    /// Ids, oldest first.
    pub replies: Vec<i64>,
    pub activity_ms: i64,
    pub seq: u64,
}

/// The messages of a channel or chat, oldest first, and the reply chains over them. In a chat every message is a chain.
#[derive(Default)]
pub struct Thread {
    pub messages: Vec<Message>,
    pub chains: BTreeMap<i64, Chain>,
    /// Messages that no list shows any more; retention keeps them.
    pub hard_deleted: Vec<Message>,
    /// Chains as (activity, root id), oldest activity first.
    pub order: Vec<(i64, i64)>,
}

impl Thread {
    pub fn get(&self, id: i64) -> Option<&Message> {
        self.messages.binary_search_by_key(&id, |message| message.id).ok().map(|at| &self.messages[at])
    }

    /// Adds a message that is younger by its id than all others.
    pub fn push(&mut self, message: Message) {
        let root = message.reply_to.unwrap_or(message.id);
        let chain = self.chains.entry(root).or_default();
        if message.reply_to.is_some() {
            chain.replies.push(message.id);
        }
        if let Ok(at) = self.order.binary_search(&(chain.activity_ms, root)) {
            self.order.remove(at);
        }
        chain.activity_ms = chain.activity_ms.max(message.modified_ms);
        chain.seq = chain.seq.max(message.seq);
        let place = (chain.activity_ms, root);
        let at = self.order.binary_search(&place).unwrap_or_else(|at| at);
        self.order.insert(at, place);
        self.messages.push(message);
    }

    /// Rebuilds chains and order; called once after generation and after each change of this conversation.
    pub fn index(&mut self, bubble_edits: bool) {
        self.messages.sort_unstable_by_key(|message| message.id);
        self.chains.clear();
        for message in &self.messages {
            let chain = self.chains.entry(message.reply_to.unwrap_or(message.id)).or_default();
            if message.reply_to.is_some() {
                chain.replies.push(message.id);
            }
            let moved = if bubble_edits { message.modified_ms } else { message.created_ms };
            chain.activity_ms = chain.activity_ms.max(moved);
            chain.seq = chain.seq.max(message.seq);
        }
        self.order = self.chains.iter().map(|(root, chain)| (chain.activity_ms, *root)).collect();
        self.order.sort_unstable();
    }
}

impl Tenant {
    pub fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    pub fn user_name(&self, user: usize) -> &str {
        self.users[user].properties["displayName"].as_str().unwrap_or_default()
    }

    /// A user by id or userPrincipalName, unless removed.
    pub fn user(&self, key: &str) -> Option<usize> {
        let found = self.user_index.get(key).copied().or_else(|| {
            self.users.iter().position(|user| {
                user.properties["userPrincipalName"].as_str().is_some_and(|upn| upn.eq_ignore_ascii_case(key))
            })
        })?;
        self.users[found].removal.is_none().then_some(found)
    }

    pub fn group_of_team(&self, team: usize) -> usize {
        self.group_index[&self.teams[team].id]
    }

    /// Teams whose group still exists.
    pub fn live_teams(&self) -> impl Iterator<Item = (usize, &Team)> {
        self.teams.iter().enumerate().filter(|(_, team)| self.is_live(team))
    }

    fn is_live(&self, team: &Team) -> bool {
        self.group_index.get(&team.id).is_some_and(|&group| self.groups[group].removal.is_none())
    }

    /// The shared channels that a team sees, each with its host.
    pub fn incoming<'a>(&'a self, team: &'a Team) -> impl Iterator<Item = (&'a Team, &'a Channel)> {
        let channels = team.incoming.iter().map(|&(host, at)| (&self.teams[host], &self.teams[host].channels[at]));
        channels.filter(|(host, channel)| self.is_live(host) && !channel.removed)
    }

    /// The teams that see a shared channel as incoming.
    pub fn invited<'a>(&'a self, channel: &'a Channel) -> impl Iterator<Item = &'a Team> {
        let sees = |team: &Team| self.incoming(team).any(|(_, incoming)| incoming.id == channel.id);
        self.live_teams().map(|(_, team)| team).filter(move |team| sees(team))
    }
}
