//! Members of teams, private and shared channels, and chats.

use serde_json::{Value, json};

use crate::handlers::call::WriteCall;
use crate::handlers::members::{chat_row, row};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::clock::iso;
use crate::tenant::model::{Member, Role};
use crate::write::place::{Place, open_team};
use crate::write::request::{answer, body, bound_user, no_content};
use crate::write::teams::is_closed;

const MOST_AT_ONCE: usize = 200;

fn closed() -> GraphError {
    GraphError::new(403, "Forbidden", "Members cannot be added while the team is in migration mode.")
}

fn role(member: &Value) -> Role {
    let owns = member["roles"].as_array().is_some_and(|roles| roles.contains(&json!("owner")));
    if owns { Role::Owner } else { Role::Member }
}

/// Adds a member to the team and to its group, or changes the role of one.
fn join(call: &mut WriteCall<'_>, team: usize, user: usize, role: Role) {
    let seq = call.tenant.next_seq();
    let group = call.tenant.group_of_team(team);
    let members = &mut call.tenant.teams[team].members;
    if let Some(member) = members.iter_mut().find(|member| member.user == user) {
        member.role = role;
    } else {
        members.push(Member { user, role });
        let group = &mut call.tenant.groups[group];
        group.members.push(user);
        group.member_changes.push((seq, user, false));
    }
    let group = &mut call.tenant.groups[group];
    group.seq = seq;
    if role == Role::Owner && !group.owners.contains(&user) {
        group.owners.push(user);
    }
}

pub fn add_to_team(call: &mut WriteCall<'_>) -> Outcome {
    let member = body(call)?;
    let team = open_team(call)?;
    if is_closed(call, call.id(0)) {
        return Err(closed());
    }
    let user = bound_user(&member).and_then(|id| call.tenant.user(id));
    let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
    (call.rate)()?;
    join(call, team, user, role(&member));
    let shown = row(call.tenant, call.id(0), &Member { user, role: role(&member) });
    Ok(answer(201, &shown))
}

/// Each member has a result of its own; the status is 207 where one of them failed.
pub fn add_many_to_team(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call)?;
    let team = open_team(call)?;
    if is_closed(call, call.id(0)) {
        return Err(closed());
    }
    let values = body["values"].as_array().filter(|values| (1..=MOST_AT_ONCE).contains(&values.len()));
    let values = values.ok_or_else(|| GraphError::bad_request("The number of members must be between 1 and 200."))?;
    (call.rate)()?;
    let mut results = Vec::new();
    let mut failed = false;
    for member in values {
        let id = bound_user(member).unwrap_or_default();
        let error = if let Some(user) = call.tenant.user(id) {
            join(call, team, user, role(member));
            Value::Null
        } else {
            failed = true;
            json!({"code": "NotFound", "message": ""})
        };
        let kind = "#microsoft.graph.aadUserConversationMemberResult";
        results.push(json!({"@odata.type": kind, "userId": id, "error": error}));
    }
    Ok(answer(if failed { 207 } else { 200 }, &json!({"value": results})))
}

pub fn add_to_channel(call: &mut WriteCall<'_>) -> Outcome {
    let member = body(call)?;
    let place = Place::channel(call)?;
    if place.is_standard_channel(call) {
        return Err(GraphError::bad_request("Members of a standard channel are those of its team."));
    }
    let Place::Channel(team, channel) = place else { return Err(GraphError::not_found("NotFound")) };
    let user = bound_user(&member).and_then(|id| call.tenant.user(id));
    let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
    (call.rate)()?;
    let members = &mut call.tenant.teams[team].channels[channel].members;
    members.retain(|known| known.user != user);
    members.push(Member { user, role: role(&member) });
    let shown = row(call.tenant, call.id(1), &Member { user, role: role(&member) });
    Ok(answer(201, &shown))
}

pub fn add_to_chat(call: &mut WriteCall<'_>) -> Outcome {
    let member = body(call)?;
    let Place::Chat(chat) = Place::chat(call)? else { return Err(GraphError::not_found("NotFound")) };
    let user = bound_user(&member).and_then(|id| call.tenant.user(id));
    let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
    if call.tenant.chats[chat].members.contains(&user) {
        return Err(GraphError::bad_request("The user is a member of the chat already."));
    }
    (call.rate)()?;
    // "If not specified, the member sees nothing of the history."
    let since = member["visibleHistoryStartDateTime"].as_str().map_or_else(|| iso(call.now_ms), str::to_owned);
    call.tenant.chats[chat].members.push(user);
    call.tenant.chats[chat].history.insert(user, since);
    call.tenant.users[user].chats.push(chat);
    let at = call.tenant.chats[chat].members.len() - 1;
    let mut response = answer(201, &chat_row(call.tenant, &call.tenant.chats[chat], at));
    response.headers.push(("Location", format!("/chats/{}/members/{}", call.id(0), call.tenant.users[user].id)));
    Ok(response)
}

pub fn remove_from_chat(call: &mut WriteCall<'_>) -> Outcome {
    let Place::Chat(chat) = Place::chat(call)? else { return Err(GraphError::not_found("NotFound")) };
    let user = call.tenant.user(call.id(1)).filter(|user| call.tenant.chats[chat].members.contains(user));
    let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
    (call.rate)()?;
    call.tenant.chats[chat].members.retain(|&member| member != user);
    call.tenant.users[user].chats.retain(|&known| known != chat);
    Ok(no_content())
}
