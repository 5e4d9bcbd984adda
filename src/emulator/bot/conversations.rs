//! Conversations that the bot begins.

use serde_json::{Value, json};

use crate::bot::activities::deliver;
use crate::bot::place::{self, Place, channel, person};
use crate::bot::{address, error, mirror};
use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::bot::{Conversation, With};
use crate::write::request::{answer, body};

pub fn create(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call).map_err(|_| error::of("BadSyntax"))?;
    match body["channelData"]["channel"]["id"].as_str() {
        Some(channel) => in_channel(call, channel, &body),
        None => with_person(call, &body),
    }
}

/// A new post in a channel; its first message comes with it.
fn in_channel(call: &mut WriteCall<'_>, id: &str, body: &Value) -> Outcome {
    let (team, at) = channel(call.tenant, id).ok_or_else(|| error::of("ConversationNotFound"))?;
    if !body["activity"].is_object() || body["isGroup"] != true {
        return Err(error::of("BadSyntax"));
    }
    let place = Place { with: With::Channel(team, at), conversation: id.to_owned(), root: None };
    place.check_writable(call)?;
    let activity = deliver(call, &place, None, &body["activity"])?;
    let conversation = format!("{id};messageid={activity}");
    Ok(answer(201, &json!({"id": conversation, "activityId": activity.to_string()})))
}

fn with_person(call: &mut WriteCall<'_>, body: &Value) -> Outcome {
    let members = body["members"].as_array().map_or(&[][..], Vec::as_slice);
    let tenant = body["tenantId"].as_str().or(body["channelData"]["tenant"]["id"].as_str());
    // Group chats cannot be created.
    let [member] = members else { return Err(error::of("BadSyntax")) };
    if body["isGroup"] == true || tenant.is_none() {
        return Err(error::of("BadSyntax"));
    }
    if tenant != Some(call.tenant.id.as_str()) {
        return Err(error::of("Bad Argument"));
    }
    let user = member["id"].as_str().and_then(|id| person(call.tenant, id));
    let user = user.ok_or_else(|| GraphError::new(400, "BadSyntax", "Bad format of conversation member id"))?;
    let id = call.tenant.users[user].id.clone();
    // What passes by itself hits messages, which have an effect.
    place::refusal(call.knobs, &id).or_else(|error| match error.status {
        412 | 429 | 500.. => Ok(()),
        _ => Err(error),
    })?;
    if !call.tenant.bot.has_app(call.knobs, &id) {
        return Err(error::of("ForbiddenOperationException"));
    }
    mirror::open_chat(call, user);
    let sessions = if call.knobs.bot_sessions { call.tenant.bot.conversations.len() } else { 0 };
    let conversation = address::personal(&id, &call.tenant.bot.app, sessions);
    let new = || Conversation::new(With::Person(user));
    call.tenant.bot.conversations.entry(conversation.clone()).or_insert_with(new);
    if body["activity"].is_object() {
        // It is sent, and nothing tells its id.
        let place = Place { with: With::Person(user), conversation: conversation.clone(), root: None };
        place.check_writable(call)?;
        deliver(call, &place, None, &body["activity"])?;
    }
    Ok(answer(201, &json!({"id": conversation})))
}
