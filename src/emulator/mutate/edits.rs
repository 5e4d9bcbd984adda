//! Changes to one written message, and which messages they fit.

use serde_json::{Value, json};

use crate::generate::message::user_identity;
use crate::tenant::clock::iso;
use crate::tenant::model::Message;

/// Who makes a change.
pub struct Actor {
    pub id: String,
    pub name: String,
}

pub fn is_live(message: &Message) -> bool {
    !message.deleted && !message.system
}

pub fn is_root(message: &Message) -> bool {
    is_live(message) && message.reply_to.is_none()
}

/// Whether a list of the written message has items.
fn holds(message: &Message, list: &str) -> bool {
    let filled = format!("\"{list}\":[{{");
    is_live(message) && message.json.windows(filled.len()).any(|text| text == filled.as_bytes())
}

pub fn has_reaction(message: &Message) -> bool {
    holds(message, "reactions")
}

pub fn has_parts(message: &Message) -> bool {
    holds(message, "mentions") || holds(message, "attachments")
}

pub fn is_reply(message: &Message) -> bool {
    is_live(message) && message.reply_to.is_some()
}

pub fn edit(value: &mut Value, now: i64, actor: &Actor) {
    value["lastEditedDateTime"] = json!(iso(now));
    let content = value["body"]["content"].as_str().unwrap_or_default();
    value["body"]["content"] = json!(format!("{content}<p>edited near {} by {}</p>", iso(now), actor.name));
}

pub fn react(value: &mut Value, now: i64, actor: &Actor) {
    let reaction = json!({
        "reactionType": "like", "displayName": "Like", "reactionContentUrl": null, "createdDateTime": iso(now),
        "user": {"application": null, "device": null, "user": {"id": actor.id, "displayName": null, "userIdentityType": "aadUser"}},
    });
    let step = json!({"modifiedDateTime": iso(now), "actions": "reactionAdded", "reaction": reaction.clone()});
    for (key, item) in [("reactions", reaction), ("messageHistory", step)] {
        match value.get_mut(key).and_then(Value::as_array_mut) {
            Some(list) => list.push(item),
            None => value[key] = json!([item]),
        }
    }
}

pub fn unreact(value: &mut Value, now: i64, _: &Actor) {
    let taken = std::mem::replace(&mut value["reactions"], json!([]));
    let steps = taken.as_array().into_iter().flatten();
    let steps = steps
        .map(|reaction| json!({"modifiedDateTime": iso(now), "actions": "reactionRemoved", "reaction": reaction}))
        .collect::<Vec<_>>();
    match value.get_mut("messageHistory").and_then(Value::as_array_mut) {
        Some(list) => list.extend(steps),
        None => value["messageHistory"] = json!(steps),
    }
}

pub fn strip(value: &mut Value, now: i64, _: &Actor) {
    value["lastEditedDateTime"] = json!(iso(now));
    value["body"]["content"] = json!("<p>never mind</p>");
    value["mentions"] = json!([]);
    value["attachments"] = json!([]);
}

pub fn delete(value: &mut Value, now: i64, _: &Actor) {
    value["deletedDateTime"] = json!(iso(now));
    value["from"] = Value::Null;
    value["subject"] = Value::Null;
    // Both forms are seen.
    value["body"]["content"] = if now % 2 == 0 { Value::Null } else { json!("") };
    for list in ["attachments", "mentions", "reactions"] {
        value[list] = json!([]);
    }
}

pub fn undelete(value: &mut Value, now: i64, actor: &Actor) {
    value["deletedDateTime"] = Value::Null;
    value["from"] = user_identity(&actor.id, Some(&actor.name));
    value["body"] = json!({"contentType": "html", "content": format!("<p>restored near {}</p>", iso(now))});
}
