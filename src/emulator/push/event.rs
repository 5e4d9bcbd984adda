//! What is told of a change: the resource as notifications name it, and its state after the change.

use serde_json::{Value, json};

use crate::handlers::members;
use crate::mutate::mutation::{MutationSummary, Touched};
use crate::push::family::{Kind, Resource};
use crate::tenant::clock::iso;
use crate::tenant::model::{Channel, Member, Message, Object, Role, Team, Tenant, Thread};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Deleted,
}

impl Change {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

#[derive(Clone)]
pub struct Event {
    pub kind: Kind,
    pub change: Change,
    /// `teams('...')/channels('...')/messages('...')`.
    pub resource: String,
    pub id: String,
    pub odata_type: &'static str,
    /// The object as notifications show it.
    pub payload: Value,
    /// The same for subscriptions that were created without `Prefer: include-unknown-enum-members`, where that differs.
    pub plain_payload: Option<Value>,
    pub team: Option<String>,
    pub channel: Option<String>,
    pub chat: Option<String>,
    /// Who is in the chat.
    pub users: Vec<String>,
}

impl Event {
    /// Whether a resource covers it.
    pub fn is_of(&self, resource: &Resource) -> bool {
        let same = |name, own: &Option<String>| resource.id(name).is_none_or(|id| own.as_deref() == Some(id));
        resource.family.kind == self.kind
            && same("team", &self.team)
            && same("channel", &self.channel)
            && same("chat", &self.chat)
            && resource.id("user").is_none_or(|user| self.users.iter().any(|id| id == user))
    }

    fn new(kind: Kind, change: Change, resource: String, id: &str, payload: Value) -> Self {
        let odata_type = match kind {
            Kind::Team => "#Microsoft.Graph.team",
            Kind::Channel => "#Microsoft.Graph.channel",
            Kind::TeamMember | Kind::ChannelMember | Kind::ChatMember => "#Microsoft.Graph.aadUserConversationMember",
            Kind::ChannelMessage | Kind::ChatMessage => "#Microsoft.Graph.chatMessage",
            Kind::Chat => "#Microsoft.Graph.chat",
        };
        let id = id.to_owned();
        Self {
            kind,
            change,
            resource,
            id,
            odata_type,
            payload,
            plain_payload: None,
            team: None,
            channel: None,
            chat: None,
            users: Vec::new(),
        }
    }
}

/// The events of a mutation. Each kind of change tells of what it touched.
pub fn of(tenant: &Tenant, summary: &MutationSummary, now_ms: i64) -> Vec<Event> {
    use Change::{Created, Deleted, Updated};
    let source = Source { tenant, now_ms };
    let mut events = Vec::new();
    for (kind, touched) in &summary.changes {
        for touched in touched {
            match *kind {
                "new_messages" | "late_replies" | "chat_messages" => events.extend(source.message(touched, Created)),
                "deletes" | "reply_deletes" | "chat_deletes" | "hard_deletes" => {
                    events.extend(source.message(touched, Deleted));
                }
                "edits" | "reply_edits" | "reactions" | "reaction_removals" | "stripped" | "undeletes"
                | "chat_edits" => {
                    events.extend(source.message(touched, Updated));
                }
                "new_chats" => events.extend(source.new_chat(&touched.id)),
                "new_teams" => events.extend(source.new_team(&touched.id)),
                "renamed_teams" | "archived_teams" | "restored_teams" => {
                    events.extend(source.team(&touched.id, Updated));
                }
                "deleted_teams" => events.extend(source.team(&touched.id, Deleted)),
                "new_channels" => events.extend(source.channel(touched, Created)),
                "renamed_channels" => events.extend(source.channel(touched, Updated)),
                "deleted_channels" => events.extend(source.channel(touched, Deleted)),
                "member_adds" => events.extend(source.team_member(touched, Created)),
                "member_removes" => events.extend(source.team_member(touched, Deleted)),
                _ => {}
            }
        }
    }
    events
}

/// The event of one message that was written.
pub fn of_post(tenant: &Tenant, touched: &Touched, now_ms: i64) -> Option<Event> {
    Source { tenant, now_ms }.message(touched, Change::Created)
}

struct Source<'t> {
    tenant: &'t Tenant,
    now_ms: i64,
}

impl<'t> Source<'t> {
    fn team_of(&self, id: &str) -> Option<&'t Team> {
        self.tenant.team_index.get(id).map(|&team| &self.tenant.teams[team])
    }

    fn message(&self, touched: &Touched, change: Change) -> Option<Event> {
        let id = touched.id.parse().ok()?;
        if let Some(chat_id) = &touched.chat_id {
            let chat = &self.tenant.chats[*self.tenant.chat_index.get(chat_id)?];
            let resource = format!("chats('{chat_id}')/messages('{}')", touched.id);
            let mut event = self.written(Kind::ChatMessage, change, resource, find(&chat.thread, id)?);
            event.chat = Some(chat_id.clone());
            event.users = chat.members.iter().map(|&user| self.tenant.users[user].id.clone()).collect();
            return Some(event);
        }
        let (team_id, channel_id) = (touched.team_id.as_ref()?, touched.channel_id.as_ref()?);
        let channel = channel(self.team_of(team_id)?, channel_id)?;
        let place = format!("teams('{team_id}')/channels('{channel_id}')/messages");
        let resource = match &touched.parent_message_id {
            Some(root) => format!("{place}('{root}')/replies('{}')", touched.id),
            None => format!("{place}('{}')", touched.id),
        };
        let mut event = self.written(Kind::ChannelMessage, change, resource, find(&channel.thread, id)?);
        event.team = Some(team_id.clone());
        event.channel = Some(channel_id.clone());
        Some(event)
    }

    fn written(&self, kind: Kind, change: Change, resource: String, message: &Message) -> Event {
        let shown = |bytes: &[u8]| {
            let mut payload: Value = serde_json::from_slice(bytes).unwrap_or_default();
            // Seen in samples, and never meant as "none".
            payload["replies"] = json!([]);
            payload["hostedContents"] = json!([]);
            if change == Change::Deleted && payload["deletedDateTime"].is_null() {
                payload["deletedDateTime"] = json!(iso(self.now_ms));
            }
            payload
        };
        let mut event = Event::new(kind, change, resource, &message.id.to_string(), shown(&message.json));
        event.plain_payload = message.json_unknown.as_ref().map(|bytes| shown(bytes));
        event
    }

    fn team(&self, id: &str, change: Change) -> Option<Event> {
        let payload = Value::Object(self.team_of(id)?.properties.clone());
        let mut event = Event::new(Kind::Team, change, format!("teams('{id}')"), id, payload);
        event.team = Some(id.to_owned());
        Some(event)
    }

    fn new_team(&self, id: &str) -> Vec<Event> {
        let Some(team) = self.team_of(id) else { return Vec::new() };
        let mut events: Vec<Event> = self.team(id, Change::Created).into_iter().collect();
        events.extend(team.channels.iter().map(|channel| channel_event(team, channel, Change::Created)));
        events.extend(team.members.iter().map(|member| self.member_of_team(team, member, Change::Created)));
        events
    }

    fn channel(&self, touched: &Touched, change: Change) -> Option<Event> {
        let team = self.team_of(touched.team_id.as_ref()?)?;
        let channel = channel(team, &touched.id)?;
        Some(channel_event(team, channel, change))
    }

    fn team_member(&self, touched: &Touched, change: Change) -> Option<Event> {
        let team = self.team_of(touched.team_id.as_ref()?)?;
        let user = *self.tenant.user_index.get(&touched.id)?;
        Some(self.member_of_team(team, &Member { user, role: Role::Member }, change))
    }

    fn member_of_team(&self, team: &Team, member: &Member, change: Change) -> Event {
        let row = members::row(self.tenant, &team.id, member);
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        let resource = format!("teams('{}')/members('{id}')", team.id);
        let mut event = Event::new(Kind::TeamMember, change, resource, &id, told(row));
        event.team = Some(team.id.clone());
        event
    }

    fn new_chat(&self, id: &str) -> Vec<Event> {
        let Some(&at) = self.tenant.chat_index.get(id) else { return Vec::new() };
        let chat = &self.tenant.chats[at];
        let users: Vec<String> = chat.members.iter().map(|&user| self.tenant.users[user].id.clone()).collect();
        let mut payload = chat.properties.clone();
        for list in ["messages", "installedApps", "tabs"] {
            payload.insert(list.to_owned(), json!([]));
        }
        let created = Event::new(Kind::Chat, Change::Created, format!("chats('{id}')"), id, Value::Object(payload));
        let members = (0..chat.members.len()).map(|at| {
            let row = members::chat_row(self.tenant, chat, at);
            let member = row["id"].as_str().unwrap_or_default().to_owned();
            let resource = format!("chats('{id}')/members('{member}')");
            Event::new(Kind::ChatMember, Change::Created, resource, &member, told(row))
        });
        let whose = |event| Event { chat: Some(id.to_owned()), users: users.clone(), ..event };
        std::iter::once(created).chain(members).map(whose).collect()
    }
}

/// A message where it stands, or where retention keeps it.
fn find(thread: &Thread, id: i64) -> Option<&Message> {
    thread.get(id).or_else(|| thread.hard_deleted.iter().rev().find(|message| message.id == id))
}

fn channel<'t>(team: &'t Team, id: &str) -> Option<&'t Channel> {
    team.channels.iter().find(|channel| channel.id == id)
}

fn channel_event(team: &Team, channel: &Channel, change: Change) -> Event {
    let mut properties: Object = channel.properties.clone();
    properties.remove("email");
    let resource = format!("teams('{}')/channels('{}')", team.id, channel.id);
    let mut event = Event::new(Kind::Channel, change, resource, &channel.id, Value::Object(properties));
    event.team = Some(team.id.clone());
    event.channel = Some(channel.id.clone());
    event
}

/// A member as notifications show it: with gaps, and with roles in capitals.
fn told(mut member: Value) -> Value {
    member["email"] = Value::Null;
    member["user"] = Value::Null;
    member["displayName"] = Value::Null;
    if member["roles"] == json!(["owner"]) {
        member["roles"] = json!(["Owner"]);
    }
    member
}
