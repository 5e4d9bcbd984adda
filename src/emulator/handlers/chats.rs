//! Chats. Applications list them per user only, so readers meet a chat once per member.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::members;
use crate::handlers::messages::pair;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::filter::{Filter, Grammar};
use crate::odata::query::project;
use crate::tenant::model::{Chat, Message, Object};

/// `$expand=members` shows this many, whatever `$top` says.
const EXPANDED_MEMBERS: usize = 25;

/// There is no tenant-wide list for applications.
pub fn all(_: &Call<'_>) -> Outcome {
    Err(GraphError::new(412, "PreconditionFailed", "Requested API is not supported in application-only context"))
}

fn preview(chat: &Chat) -> Value {
    let Some(last) = chat.thread.messages.last() else {
        return Value::Null;
    };
    let full: Value = serde_json::from_slice(&last.json).unwrap_or_default();
    json!({
        "id": full["id"], "createdDateTime": full["createdDateTime"], "isDeleted": last.deleted,
        "messageType": full["messageType"], "eventDetail": full["eventDetail"], "body": full["body"], "from": full["from"],
    })
}

/// Some tenants do not answer the state of a migration in v1.0.
pub fn hide_migration(call: &Call<'_>, properties: &mut Object) {
    if !call.knobs.migration_mode_shown {
        properties.remove("migrationMode");
        properties.remove("originalCreatedDateTime");
    }
}

fn row(call: &Call<'_>, chat: &Chat) -> Value {
    let mut properties = chat.properties.clone();
    hide_migration(call, &mut properties);
    let mut object = project(&properties, call.query.select().as_deref(), &[]);
    if !call.faults.ignore_expand {
        if call.query.expands("members") {
            let shown = chat.members.len().min(EXPANDED_MEMBERS);
            let people: Vec<Value> = (0..shown).map(|at| members::chat_row(call.tenant, chat, at)).collect();
            object.insert("members".to_owned(), Value::Array(people));
        }
        if call.query.expands("lastMessagePreview") {
            object.insert("lastMessagePreview".to_owned(), preview(chat));
        }
    }
    Value::Object(object)
}

pub fn of_user(call: &Call<'_>) -> Outcome {
    call.query.only(&["$top", "$expand", "$filter", "$orderby", "$skiptoken", "$select"])?;
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let top = call.top(20, 50)?;
    let after: usize = call.position()?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let chats = call.tenant.users[user].chats.iter().map(|&chat| &call.tenant.chats[chat]);
    let chats: Vec<&Chat> = chats.filter(|chat| !chat.unlisted).collect();
    let last = (after + top).min(chats.len());
    let mut items = Items::new();
    chats.get(after..last).unwrap_or_default().iter().for_each(|chat| items.push_value(&row(call, chat)));
    let end = if last < chats.len() { End::Next(last.to_string()) } else { End::Last };
    Ok(finish(call, "chats", items, true, end))
}

pub fn find<'a>(call: &Call<'a>) -> Result<&'a Chat, GraphError> {
    let found = call.tenant.chat_index.get(call.id(0)).copied();
    found.map(|chat| &call.tenant.chats[chat]).ok_or_else(|| GraphError::not_found("NotFound"))
}

pub fn get(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$expand"])?;
    let chat = find(call)?;
    let mut object = row(call, chat);
    object["@odata.context"] = json!(call.context("chats/$entity"));
    Ok(Response::ok(object.to_string()))
}

pub fn members(call: &Call<'_>) -> Outcome {
    let chat = find(call)?;
    let context = format!("chats('{}')/members", chat.id);
    members::pages(call, &context, chat.members.len(), |at| members::chat_row(call.tenant, chat, at))
}

/// Newest first, by one of two dates.
fn by_created(call: &Call<'_>) -> Result<Option<bool>, GraphError> {
    let Some(order) = call.query.get("$orderby") else {
        return Ok(None);
    };
    match order.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["createdDateTime", "desc"] => Ok(Some(true)),
        ["lastModifiedDateTime", "desc"] => Ok(Some(false)),
        _ => Err(GraphError::bad_request("QueryOptions to order by this property or direction are not supported.")),
    }
}

pub fn messages(call: &Call<'_>) -> Outcome {
    call.query.only(&["$top", "$filter", "$orderby", "$skiptoken"])?;
    let chat = find(call)?;
    let top = call.top(20, 50)?;
    let asked = by_created(call)?;
    let created = asked.unwrap_or(false);
    let filter = call.query.get("$filter").map(|text| Filter::parse(text, Grammar::ChatMessages)).transpose()?;
    // Silently without effect unless `$orderby` names the same property.
    let filter = filter.filter(|filter| asked.is_some_and(|by| filter.names(by)) && !call.faults.ignore_filter);
    let before = call.position()?.map(|position| pair(&position)).transpose()?;
    let key = |message: &Message| (if created { message.created_ms } else { message.modified_ms }, message.id);
    let mut shown: Vec<&Message> = chat
        .thread
        .messages
        .iter()
        .filter(|message| call.knobs.list_deleted || !message.deleted)
        .filter(|message| before.is_none_or(|before| key(message) < before))
        .filter(|message| {
            filter.as_ref().is_none_or(|filter| filter.matches(message, message.modified_ms, call.tenant))
        })
        .collect();
    shown.sort_unstable_by_key(|message| std::cmp::Reverse(key(message)));
    let mut items = Items::new();
    shown.iter().take(top).for_each(|message| items.push(message.bytes(call.known_enums)));
    let end = if shown.len() > top {
        let last = key(shown[top - 1]);
        End::Next(format!("{},{}", last.0, last.1))
    } else {
        End::Last
    };
    Ok(finish(call, &format!("chats('{}')/messages", chat.id), items, true, end))
}

pub fn message(call: &Call<'_>) -> Outcome {
    call.query.only(&[])?;
    let chat = find(call)?;
    let id: i64 = call.id(1).parse().map_err(|_| GraphError::not_found("NotFound"))?;
    let message = chat.thread.get(id).ok_or_else(|| GraphError::not_found("NotFound"))?;
    let context = Value::from(call.context(&format!("chats('{}')/messages/$entity", chat.id)));
    let mut items = Items::new();
    items.push_prefixed(&format!("\"@odata.context\":{context}"), message.bytes(call.known_enums));
    Ok(Response::ok(items.bytes().to_vec()))
}
