//! One message changed by hand, in ways that no request can: what a comparison has to find is planted so.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::generate::message::user_identity;
use crate::tenant::clock::iso;
use crate::tenant::model::{Message, Sender, Tenant, Thread};

/// What becomes of a message. Several changes go together.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a change of its own")]
#[serde(default, deny_unknown_fields)]
pub struct Tamper {
    /// The channel or chat.
    pub conversation: String,
    pub message: String,
    /// It is gone without a trace.
    pub drop: bool,
    /// It is marked as deleted.
    pub delete: bool,
    /// It stands there once more, with another id.
    pub twin: bool,
    pub content: Option<String>,
    pub subject: Option<String>,
    /// The object id of another author.
    pub author: Option<String>,
    pub created: Option<String>,
    /// The id of the message that it replies to; empty: it is no reply any more.
    pub reply_to: Option<String>,
    /// The bytes of its images are others.
    pub image: bool,
    pub no_mentions: bool,
    pub no_reactions: bool,
}

/// Changes the message; says why it cannot.
pub fn tamper(tenant: &mut Tenant, asked: &Tamper, bubble: bool) -> Result<(), String> {
    let id: i64 = asked.message.parse().map_err(|_| format!("{} is no message", asked.message))?;
    let author = match &asked.author {
        Some(author) => Some(*tenant.user_index.get(author).ok_or_else(|| format!("there is no user {author}"))?),
        None => None,
    };
    if asked.image {
        let own = |key: &(String, i64, String)| key.0 == asked.conversation && key.1 == id;
        for (_, upload) in tenant.uploads.iter_mut().filter(|(key, _)| own(key)) {
            upload.bytes = Bytes::from_static(b"others");
        }
    }
    let thread = thread(tenant, &asked.conversation).ok_or_else(|| format!("there is no {}", asked.conversation))?;
    let at = thread.messages.iter().position(|message| message.id == id);
    let at = at.ok_or_else(|| format!("there is no message {id}"))?;
    if asked.twin {
        let last = thread.messages.last().map_or(id, |message| message.id);
        // Far from the ids that were given out, some of which may be free again.
        let twin = copy(&thread.messages[at], last + 3_600_000);
        thread.messages.push(twin);
    }
    if asked.drop {
        thread.messages.remove(at);
    } else {
        change(&mut thread.messages[at], asked, author)?;
    }
    thread.index(bubble);
    Ok(())
}

fn thread<'t>(tenant: &'t mut Tenant, conversation: &str) -> Option<&'t mut Thread> {
    if let Some(&chat) = tenant.chat_index.get(conversation) {
        return Some(&mut tenant.chats[chat].thread);
    }
    let channels = tenant.teams.iter_mut().flat_map(|team| &mut team.channels);
    channels.into_iter().find(|channel| channel.id == conversation).map(|channel| &mut channel.thread)
}

fn copy(message: &Message, id: i64) -> Message {
    let mut value: Value = serde_json::from_slice(&message.json).unwrap_or_default();
    value["id"] = json!(id.to_string());
    Message {
        id,
        created_ms: message.created_ms,
        reply_to: message.reply_to,
        modified_ms: message.modified_ms,
        seq: message.seq,
        deleted: message.deleted,
        system: message.system,
        sender: message.sender,
        json: value.to_string().into(),
        json_unknown: None,
        older: Vec::new(),
    }
}

fn change(message: &mut Message, asked: &Tamper, author: Option<usize>) -> Result<(), String> {
    let mut value: Value = serde_json::from_slice(&message.json).unwrap_or_default();
    if let Some(content) = &asked.content {
        value["body"]["content"] = json!(content);
    }
    if let Some(subject) = &asked.subject {
        value["subject"] = json!(subject);
    }
    if let (Some(id), Some(user)) = (&asked.author, author) {
        value["from"] = user_identity(id, None);
        message.sender = Sender::User(user);
    }
    if let Some(created) = &asked.created {
        let at: Timestamp = created.parse().map_err(|_| format!("{created} is no time"))?;
        message.created_ms = at.as_millisecond();
        value["createdDateTime"] = json!(iso(message.created_ms));
    }
    if let Some(parent) = &asked.reply_to {
        message.reply_to = parent.parse().ok();
        value["replyToId"] = message.reply_to.map_or(Value::Null, |id| json!(id.to_string()));
    }
    if asked.delete {
        message.deleted = true;
        value["deletedDateTime"] = value["createdDateTime"].clone();
        value["body"]["content"] = json!("");
    }
    for (is_asked, name) in [(asked.no_mentions, "mentions"), (asked.no_reactions, "reactions")] {
        if is_asked {
            value[name] = json!([]);
        }
    }
    message.json = value.to_string().into();
    Ok(())
}
