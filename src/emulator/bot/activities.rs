//! What the bot sends, replaces and deletes.

use serde_json::{Value, json};

use crate::bot::place::{Place, open, recipient};
use crate::bot::{error, mirror};
use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::bot::{Delivery, With};
use crate::write::request::{answer, body};

const TYPES: [&str; 2] = ["message", "typing"];

/// The path names the conversation, with its thread.
pub fn send(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::of(call)?;
    post(call, &place, place.root)
}

/// The path names the message that is answered, too.
pub fn reply(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::of(call)?;
    let to = activity_id(call)?;
    if !open(call, &place).messages.contains_key(&to) && place.root != Some(to) && !is_known(call, &place, to) {
        return Err(error::of("ActivityNotFoundInConversation"));
    }
    post(call, &place, Some(to))
}

fn post(call: &mut WriteCall<'_>, place: &Place, root: Option<i64>) -> Outcome {
    place.check_writable(call)?;
    let activity = activity(call)?;
    let root = root.filter(|_| matches!(place.with, With::Channel(..)));
    if root.is_some_and(|root| !is_known(call, place, root)) {
        return Err(error::of("ActivityNotFoundInConversation"));
    }
    if has_text(&activity) && has_attachment(&activity) {
        // Teams makes two messages of it and tells the id of neither.
        let mut text = activity.clone();
        text["attachments"] = json!([]);
        deliver(call, place, root, &text)?;
        let mut rest = activity;
        rest["text"] = Value::Null;
        deliver(call, place, root, &rest)?;
        return Ok(answer(201, &json!({})));
    }
    let id = deliver(call, place, root, &activity)?;
    Ok(answer(201, &json!({"id": id.to_string()})))
}

pub fn update(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::of(call)?;
    place.check_writable(call)?;
    let id = activity_id(call)?;
    let activity = activity(call)?;
    let messages = &mut open(call, &place).messages;
    let message = messages.get_mut(&id).ok_or_else(|| error::of("ActivityNotFoundInConversation"))?;
    message.clone_from(&activity);
    open(call, &place).forget_views(id);
    mirror::change(call, place.with, id, Some(&activity));
    note(call, &place, "update", id, None, activity);
    Ok(answer(200, &json!({"id": id.to_string()})))
}

pub fn delete(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::of(call)?;
    place.check_writable(call)?;
    let id = activity_id(call)?;
    let removed = open(call, &place).messages.remove(&id);
    open(call, &place).forget_views(id);
    removed.ok_or_else(|| error::of("ActivityNotFoundInConversation"))?;
    mirror::change(call, place.with, id, None);
    note(call, &place, "delete", id, None, Value::Null);
    Ok(Response::ok(""))
}

/// Puts a message into the conversation; gives its id.
pub fn deliver(
    call: &mut WriteCall<'_>,
    place: &Place,
    root: Option<i64>,
    activity: &Value,
) -> Result<i64, GraphError> {
    check_size(call, activity)?;
    if activity["type"] == "typing" {
        return Ok(call.now_ms);
    }
    if let With::Person(user) = place.with {
        mirror::open_chat(call, user);
    }
    let newest = mirror::newest(call.tenant, place.with);
    let now_ms = call.now_ms;
    let conversation = open(call, place);
    // Milliseconds of arrival, and never one twice in a conversation.
    let id = now_ms.max(conversation.last + 1).max(newest + 1);
    conversation.last = id;
    conversation.messages.insert(id, activity.clone());
    mirror::post(call, place.with, id, root, activity);
    note(call, place, "send", id, root, activity.clone());
    Ok(id)
}

fn note(call: &mut WriteCall<'_>, place: &Place, action: &'static str, id: i64, root: Option<i64>, activity: Value) {
    let delivery = Delivery {
        at_ms: call.now_ms,
        action,
        recipient: recipient(call.tenant, place.with).to_owned(),
        conversation: place.conversation.clone(),
        activity_id: id.to_string(),
        reply_to: root.map(|root| root.to_string()),
        activity,
    };
    call.tenant.bot.ledger.push(delivery);
}

/// Whether a message of this id stands in the channel, whoever wrote it.
fn is_known(call: &WriteCall<'_>, place: &Place, id: i64) -> bool {
    match place.with {
        With::Person(_) => true,
        With::Channel(team, channel) => call.tenant.teams[team].channels[channel].thread.get(id).is_some(),
    }
}

fn activity_id(call: &WriteCall<'_>) -> Result<i64, GraphError> {
    call.id(1).parse().map_err(|_| error::of("ActivityNotFoundInConversation"))
}

fn activity(call: &WriteCall<'_>) -> Result<Value, GraphError> {
    let activity = body(call).map_err(|_| error::of("BadSyntax"))?;
    let is_one = activity["type"].as_str().is_some_and(|kind| TYPES.contains(&kind));
    let is_empty = activity["type"] == "message" && !has_text(&activity) && !has_attachment(&activity);
    if !is_one || is_empty {
        return Err(error::of("BadSyntax"));
    }
    check_size(call, &activity)?;
    Ok(activity)
}

fn check_size(call: &WriteCall<'_>, activity: &Value) -> Result<(), GraphError> {
    // What is counted is the text in UTF-16, as the service holds it.
    let bytes = activity.to_string().encode_utf16().count() * 2;
    if bytes > call.knobs.activity_bytes { Err(error::of("MessageSizeTooBig")) } else { Ok(()) }
}

fn has_text(activity: &Value) -> bool {
    activity["text"].as_str().is_some_and(|text| !text.trim().is_empty())
}

fn has_attachment(activity: &Value) -> bool {
    activity["attachments"].as_array().is_some_and(|all| !all.is_empty())
}
