//! The mail of groups' mailboxes, and their document libraries.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::directory::group_at;
use crate::handlers::list::{Rules, page};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::ids::{draw, id_of};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Group, Tenant};

fn count(group: &Group) -> usize {
    1 + draw(&group.id, "conversations") as usize % 5
}

fn conversation_id(group: &Group, n: usize) -> String {
    STANDARD.encode(format!("AAQ{}{n}", id_of(&group.id, "mailbox")))
}

/// A conversation has one thread here.
fn thread_id(group: &Group, n: usize) -> String {
    STANDARD.encode(format!("AAQ{}{n}/thread?", id_of(&group.id, "mailbox")))
}

fn recipient(tenant: &Tenant, user: usize) -> Value {
    let user = &tenant.users[user % tenant.users.len()];
    json!({"emailAddress": {"name": user.properties["displayName"], "address": user.properties["userPrincipalName"]}})
}

fn common(tenant: &Tenant, n: usize) -> Value {
    json!({
        "topic": format!("Re: budget {n} – \"final\""),
        "hasAttachments": n == 1,
        "lastDeliveredDateTime": format!("2025-11-{:02}T10:00:00Z", 1 + n),
        "uniqueSenders": [tenant.user_name(n % tenant.users.len()), "The group"],
        "preview": "See attached.\r\nAll the best",
    })
}

pub fn conversations(tenant: &Tenant, group: &Group) -> Vec<Value> {
    (0..count(group))
        .map(|n| {
            let mut row = common(tenant, n);
            row["id"] = json!(conversation_id(group, n));
            row
        })
        .collect()
}

pub fn threads(tenant: &Tenant, group: &Group) -> Vec<Value> {
    (0..count(group))
        .map(|n| {
            let mut row = common(tenant, n);
            row["id"] = json!(thread_id(group, n));
            row["isLocked"] = json!(n == 2);
            let own = json!({"name": group.properties["displayName"], "address": group.properties["mail"]});
            row["toRecipients"] = json!([{"emailAddress": own}]);
            row["ccRecipients"] = if n == 0 { json!([]) } else { json!([recipient(tenant, n)]) };
            row
        })
        .collect()
}

/// The posts of a thread: one to five, unless `posts_per_thread` says otherwise.
pub fn posts(tenant: &Tenant, knobs: &Knobs, group: &Group, thread: &str) -> Option<Vec<Value>> {
    let n = (0..count(group)).find(|n| thread_id(group, *n) == thread)?;
    let count =
        if knobs.posts_per_thread > 0 { knobs.posts_per_thread } else { 1 + draw(thread, "posts") as usize % 5 };
    let posts = (0..count).map(|m| {
        json!({
            "@odata.etag": format!("W/\"CwAA{m}\""),
            "id": STANDARD.encode(format!("AAMk{}{n}{m}", id_of(&group.id, "mailbox"))),
            "createdDateTime": format!("2025-10-{:02}T18:59:04Z", 1 + m % 28),
            "lastModifiedDateTime": format!("2025-10-{:02}T19:00:00Z", 2 + m % 28),
            "changeKey": format!("CwAA{m}"),
            "categories": if m == 1 { json!(["Blue category"]) } else { json!([]) },
            "receivedDateTime": format!("2025-10-{:02}T18:59:05Z", 1 + m % 28),
            "hasAttachments": m == 2,
            "body": {"contentType": "html", "content": format!("<html><body><div>Post {m} to „{n}“</div></body></html>")},
            "from": recipient(tenant, m),
            "sender": recipient(tenant, m),
            "newParticipants": [],
            "conversationId": conversation_id(group, n),
            "conversationThreadId": thread,
        })
    });
    Some(posts.collect())
}

/// The library of files, and now and then a second one.
pub fn drives(group: &Group) -> Vec<Value> {
    (0..=draw(&group.id, "drives") as usize % 3)
        .map(|n| {
            let system = json!({"user": {"displayName": "System Account"}});
            json!({
                "id": format!("b!{}", id_of(&group.id, &format!("drive {n}")).replace('-', "_")),
                "name": if n == 0 { "Documents" } else { "Archive" },
                "description": "",
                "driveType": "documentLibrary",
                "webUrl": format!("https://emulated.sharepoint.example/sites/{}/Shared%20Documents", group.id),
                "createdDateTime": "2024-01-02T03:04:05Z",
                "lastModifiedDateTime": "2025-05-06T07:08:09Z",
                "createdBy": system,
                "owner": {"group": {"id": group.id, "displayName": group.properties["displayName"]}},
                "quota": {"deleted": 0, "remaining": 27_487_790_694_399_u64, "state": "normal", "total": 27_487_790_694_400_u64, "used": 1},
            })
        })
        .collect()
}

fn group<'a>(call: &Call<'a>) -> Result<&'a Group, GraphError> {
    Ok(&call.tenant.groups[group_at(call)?])
}

pub fn list_conversations(call: &Call<'_>) -> Outcome {
    let group = group(call)?;
    page(call, &format!("groups('{}')/conversations", group.id), Rules::default(), conversations(call.tenant, group))
}

pub fn list_threads(call: &Call<'_>) -> Outcome {
    let group = group(call)?;
    let rules = Rules { selected: &["toRecipients", "ccRecipients"], ..Rules::default() };
    page(call, &format!("groups('{}')/threads", group.id), rules, threads(call.tenant, group))
}

pub fn list_posts(call: &Call<'_>) -> Outcome {
    let group = group(call)?;
    let missing = || GraphError::new(404, "ErrorItemNotFound", "The specified object was not found in the store.");
    let rows = posts(call.tenant, call.knobs, group, call.id(1)).ok_or_else(missing)?;
    let rules = Rules { options: &["$expand"], ..Rules::default() };
    page(call, &format!("groups('{}')/threads('{}')/posts", group.id, call.id(1)), rules, rows)
}

pub fn list_drives(call: &Call<'_>) -> Outcome {
    let rules = Rules { options: &["$expand", "$top", "$orderby"], ..Rules::default() };
    page(call, "drives", rules, drives(group(call)?))
}
