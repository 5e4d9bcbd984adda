//! Conversation members of teams, channels and chats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::Outcome;
use crate::odata::query::project;
use crate::tenant::model::{Chat, Member, Role, Tenant};

/// `owner` is the team's or channel's id: member ids are base64 of both ids.
pub fn row(tenant: &Tenant, owner: &str, member: &Member) -> Value {
    let user = &tenant.users[member.user];
    let roles = match member.role {
        Role::Owner => json!(["owner"]),
        Role::Guest => json!(["guest"]),
        Role::Member => json!([]),
    };
    json!({
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": STANDARD.encode(format!("{}##{owner}##{}", tenant.id, user.id)),
        "roles": roles,
        "displayName": user.properties["displayName"],
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
        "userId": user.id,
        "email": user.properties["mail"],
        "tenantId": tenant.id,
    })
}

/// In chats the id is plain and the history start differs by member.
pub fn chat_row(tenant: &Tenant, chat: &Chat, at: usize) -> Value {
    let user = &tenant.users[chat.members[at]];
    let since = match chat.history.get(&chat.members[at]) {
        Some(since) => json!(since),
        None if at == 0 => json!("0001-01-01T00:00:00Z"),
        None => chat.properties["createdDateTime"].clone(),
    };
    json!({
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": user.id,
        "roles": ["owner"],
        "displayName": user.properties["displayName"],
        "userId": user.id,
        "email": null,
        "tenantId": tenant.id,
        "visibleHistoryStartDateTime": since,
    })
}

pub fn list(call: &Call<'_>, context: &str, owner: &str, members: &[Member]) -> Outcome {
    pages(call, context, members.len(), |at| row(call.tenant, owner, &members[at]))
}

pub fn pages(call: &Call<'_>, context: &str, total: usize, row: impl Fn(usize) -> Value) -> Outcome {
    call.query.only(&["$filter", "$select", "$top", "$skiptoken"])?;
    let top = call.top(call.knobs.list_page.clamp(1, 100), 999)?;
    let after: usize = call.position()?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let select = call.query.select();
    let last = (after + top).min(total);
    let mut items = Items::new();
    for at in after..last {
        match row(at) {
            Value::Object(object) if select.is_some() => {
                items.push_value(&project(&object, select.as_deref(), &[]));
            }
            whole => items.push_value(&whole),
        }
    }
    let end = if last < total { End::Next(last.to_string()) } else { End::Last };
    Ok(finish(call, context, items, true, end))
}
