//! New chats.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::clock::iso;
use crate::tenant::ids::id_of;
use crate::tenant::knobs::ChatHistory;
use crate::tenant::model::{Chat, Thread, object};
use crate::write::request::{answer, body, bound_user};

const MOST_MEMBERS: usize = 250;

pub fn create(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call)?;
    let mut members = Vec::new();
    let mut asked = HashMap::new();
    for member in body["members"].as_array().map_or(&[][..], Vec::as_slice) {
        let user = bound_user(member).and_then(|id| call.tenant.user(id));
        let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
        members.push(user);
        if let Some(since) = member["visibleHistoryStartDateTime"].as_str() {
            asked.insert(user, since.to_owned());
        }
    }
    if !asked.is_empty() && call.knobs.chat_history == ChatHistory::Refused {
        return Err(GraphError::bad_request("Invalid property 'visibleHistoryStartDateTime'."));
    }
    let mut distinct = members.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let kind = body["chatType"].as_str().unwrap_or_default();
    let wrong = match kind {
        "oneOnOne" => members.len() != 2 || !body["topic"].is_null(),
        "group" => members.is_empty() || members.len() > MOST_MEMBERS,
        _ => true,
    };
    if wrong || distinct.len() != members.len() {
        return Err(GraphError::bad_request("Invalid members or topic for the chat type."));
    }
    (call.rate)()?;
    if kind == "oneOnOne" {
        // There is one chat per pair: asking again gives the same.
        let found = call.tenant.chats.iter().find(|chat| {
            let mut people = chat.members.clone();
            people.sort_unstable();
            chat.properties.get("chatType").is_some_and(|kind| kind == "oneOnOne") && people == distinct
        });
        if let Some(chat) = found {
            return Ok(created(call, chat));
        }
    }
    let seq = call.tenant.next_seq().to_string();
    let id = if kind == "oneOnOne" {
        let mut ids = [&call.tenant.users[members[0]].id, &call.tenant.users[members[1]].id];
        ids.sort_unstable();
        format!("19:{}_{}@unq.gbl.spaces", ids[0], ids[1])
    } else {
        format!("19:{}@thread.v2", id_of("chat", &seq).replace('-', ""))
    };
    let now = iso(call.now_ms);
    let history = if call.knobs.chat_history == ChatHistory::Taken {
        asked
    } else {
        members.iter().map(|member| (*member, now.clone())).collect()
    };
    let properties = object(json!({
        "id": id,
        "topic": body["topic"],
        "createdDateTime": now,
        "lastUpdatedDateTime": now,
        "chatType": kind,
        "webUrl": format!("https://teams.microsoft.com/l/chat/{id}/0?tenantId={}", call.tenant.id),
        "tenantId": call.tenant.id,
        "onlineMeetingInfo": null,
        "viewpoint": null,
        "isHiddenForAllMembers": false,
        "migrationMode": null,
        "originalCreatedDateTime": null,
    }));
    let at = call.tenant.chats.len();
    for &member in &members {
        call.tenant.users[member].chats.push(at);
    }
    call.tenant.chat_index.insert(id.clone(), at);
    call.tenant.chats.push(Chat { id, properties, members, history, thread: Thread::default(), unlisted: false });
    Ok(created(call, &call.tenant.chats[at]))
}

fn created(call: &WriteCall<'_>, chat: &Chat) -> crate::http::response::Response {
    let mut shown = chat.properties.clone();
    shown.insert("@odata.context".to_owned(), json!(format!("{}/v1.0/$metadata#chats/$entity", call.request.base)));
    answer(201, &Value::Object(shown))
}
