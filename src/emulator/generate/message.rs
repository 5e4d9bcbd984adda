//! A message as Graph writes it. Rendered once, kept as bytes, and rendered anew when it changes.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::tenant::clock::iso;
use crate::tenant::model::{Message, Sender};
use crate::tenant::unset_time::UnsetTime;

/// Where a message lives.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    Channel { tenant: &'a str, team: &'a str, channel: &'a str },
    Chat { chat: &'a str },
}

/// What a message is made of, before it is written.
pub struct Draft {
    pub id: i64,
    pub created_ms: i64,
    pub reply_to: Option<i64>,
    pub modified_ms: i64,
    /// What is written instead of the modification time.
    pub unset_modified: Option<UnsetTime>,
    pub edited_ms: Option<i64>,
    pub deleted_ms: Option<i64>,
    pub subject: Option<String>,
    pub importance: &'static str,
    pub sender: Sender,
    pub from: Value,
    pub content_type: &'static str,
    pub content: Option<String>,
    pub attachments: Vec<Value>,
    pub mentions: Vec<Value>,
    pub reactions: Vec<Value>,
    /// `None`: the property is absent, as in older answers.
    pub history: Option<Vec<Value>>,
    pub policy: Value,
    /// Set for system events.
    pub event: Option<Value>,
    /// Properties the v1.0 metadata does not know.
    pub unknown: Option<Value>,
}

impl Draft {
    pub fn new(id: i64, reply_to: Option<i64>) -> Self {
        Self {
            id,
            created_ms: id,
            reply_to,
            modified_ms: id,
            unset_modified: None,
            edited_ms: None,
            deleted_ms: None,
            subject: None,
            importance: "normal",
            sender: Sender::Nobody,
            from: Value::Null,
            content_type: "html",
            content: None,
            attachments: Vec::new(),
            mentions: Vec::new(),
            reactions: Vec::new(),
            history: None,
            policy: Value::Null,
            event: None,
            unknown: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    id: String,
    reply_to_id: Option<String>,
    etag: String,
    message_type: &'static str,
    created_date_time: String,
    last_modified_date_time: Option<String>,
    last_edited_date_time: Option<String>,
    deleted_date_time: Option<String>,
    subject: Option<&'a str>,
    summary: (),
    chat_id: Option<&'a str>,
    importance: &'static str,
    locale: &'static str,
    web_url: Option<String>,
    policy_violation: &'a Value,
    event_detail: Option<&'a Value>,
    from: &'a Value,
    body: Body<'a>,
    channel_identity: Option<ChannelIdentity<'a>>,
    attachments: &'a [Value],
    mentions: &'a [Value],
    reactions: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    message_history: Option<&'a [Value]>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    unknown: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    content_type: &'static str,
    content: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChannelIdentity<'a> {
    team_id: &'a str,
    channel_id: &'a str,
}

fn web_url(draft: &Draft, tenant: &str, team: &str, channel: &str) -> String {
    let id = draft.id;
    let parent = draft.reply_to.unwrap_or(id);
    let channel = channel.replace(':', "%3A").replace('@', "%40");
    format!(
        "https://teams.microsoft.com/l/message/{channel}/{id}?groupId={team}&tenantId={tenant}&createdTime={id}&parentMessageId={parent}"
    )
}

fn write(draft: &Draft, place: Place<'_>, message_type: &'static str) -> Bytes {
    let (chat_id, url, channel_identity) = match place {
        Place::Channel { tenant, team, channel } => {
            let identity = ChannelIdentity { team_id: team, channel_id: channel };
            (None, Some(web_url(draft, tenant, team, channel)), Some(identity))
        }
        Place::Chat { chat } => (Some(chat), None, None),
    };
    let wire = Wire {
        id: draft.id.to_string(),
        reply_to_id: draft.reply_to.map(|root| root.to_string()),
        etag: draft.modified_ms.to_string(),
        message_type,
        created_date_time: iso(draft.created_ms),
        last_modified_date_time: match draft.unset_modified {
            None => Some(iso(draft.modified_ms)),
            Some(unset) => unset.text().map(str::to_owned),
        },
        last_edited_date_time: draft.edited_ms.map(iso),
        deleted_date_time: draft.deleted_ms.map(iso),
        subject: draft.subject.as_deref(),
        summary: (),
        chat_id,
        importance: draft.importance,
        locale: "en-us",
        web_url: url,
        policy_violation: &draft.policy,
        event_detail: draft.event.as_ref(),
        from: &draft.from,
        body: Body { content_type: draft.content_type, content: draft.content.as_deref() },
        channel_identity,
        attachments: &draft.attachments,
        mentions: &draft.mentions,
        reactions: &draft.reactions,
        message_history: draft.history.as_deref(),
        unknown: draft.unknown.as_ref(),
    };
    // Without the room that was left over for more, which is as much again.
    serde_json::to_vec(&wire).unwrap_or_default().into_boxed_slice().into()
}

/// Renders a new message. A system event has two forms: without the Prefer header its type is `unknownFutureValue`.
pub fn message(draft: &Draft, place: Place<'_>, seq: u64) -> Message {
    let system = draft.event.is_some();
    let shown = if system { "systemEventMessage" } else { "message" };
    Message {
        id: draft.id,
        created_ms: draft.created_ms,
        reply_to: draft.reply_to,
        modified_ms: draft.modified_ms,
        seq,
        deleted: draft.deleted_ms.is_some(),
        system,
        sender: draft.sender,
        json: write(draft, place, shown),
        json_unknown: system.then(|| write(draft, place, "unknownFutureValue")),
        older: Vec::new(),
    }
}

/// Applies a change to the written message: parse, change, write. The superseded version stays for lagging readers.
pub fn rewrite(message: &mut Message, at_ms: i64, seq: u64, change: impl FnOnce(&mut Value)) {
    let Ok(mut value) = serde_json::from_slice::<Value>(&message.json) else {
        return;
    };
    value["lastModifiedDateTime"] = json!(iso(at_ms));
    value["etag"] = json!(at_ms.to_string());
    change(&mut value);
    message.older.push((message.modified_ms, message.json.clone()));
    message.modified_ms = at_ms;
    message.seq = seq;
    message.deleted = !value["deletedDateTime"].is_null();
    message.json = value.to_string().into();
}

pub fn user_identity(id: &str, name: Option<&str>) -> Value {
    json!({
        "application": null,
        "device": null,
        "user": {"@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": id, "displayName": name, "userIdentityType": "aadUser"},
    })
}
