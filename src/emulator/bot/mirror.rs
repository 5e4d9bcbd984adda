//! The bot's messages as Graph shows them: in the chat of its conversation with a person, or in the channel.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::bot::address;
use crate::generate::message::{Draft, Place as Address, message, rewrite};
use crate::handlers::call::WriteCall;
use crate::tenant::bot::With;
use crate::tenant::clock::iso;
use crate::tenant::ids::id_of;
use crate::tenant::model::{Chat, Sender, Tenant, Thread, object};

fn identity(app: &str) -> Value {
    let application = json!({
        "@odata.type": "#microsoft.graph.teamworkApplicationIdentity", "id": app, "displayName": "Emulated bot",
        "applicationIdentityType": "bot",
    });
    json!({"application": application, "device": null, "user": null})
}

/// The chat of a person with the bot; no list shows it, and whoever knows its id can read it.
pub fn open_chat(call: &mut WriteCall<'_>, user: usize) -> String {
    let tenant = &mut *call.tenant;
    let id = address::chat(&tenant.users[user].id, &tenant.bot.app);
    if !tenant.chat_index.contains_key(&id) {
        let now = iso(call.now_ms);
        let properties = object(json!({
            "id": id, "topic": null, "createdDateTime": now, "lastUpdatedDateTime": now, "chatType": "oneOnOne",
            "webUrl": format!("https://teams.microsoft.com/l/chat/{id}/0?tenantId={}", tenant.id),
            "tenantId": tenant.id, "onlineMeetingInfo": null, "viewpoint": null, "isHiddenForAllMembers": false,
            "migrationMode": null, "originalCreatedDateTime": null,
        }));
        tenant.chat_index.insert(id.clone(), tenant.chats.len());
        let thread = Thread::default();
        tenant.chats.push(Chat {
            id: id.clone(),
            properties,
            members: vec![user],
            thread,
            unlisted: true,
            history: HashMap::new(),
        });
    }
    id
}

/// The text and the attachments of an activity.
fn fill(draft: &mut Draft, activity: &Value) {
    let text = activity["text"].as_str().unwrap_or_default();
    let mut content = text.to_owned();
    for (at, attachment) in activity["attachments"].as_array().into_iter().flatten().enumerate() {
        let id = id_of(&draft.id.to_string(), &format!("attachment {at}")).replace('-', "");
        content.extend(["<attachment id=\"", &id, "\"></attachment>"]);
        let inner =
            if attachment["content"].is_null() { Value::Null } else { attachment["content"].to_string().into() };
        draft.attachments.push(json!({
            "id": id, "contentType": attachment["contentType"], "contentUrl": attachment["contentUrl"],
            "content": inner, "name": attachment["name"], "thumbnailUrl": null, "teamsAppId": null,
        }));
    }
    draft.content = Some(content);
}

fn thread(tenant: &mut Tenant, with: With) -> Option<&mut Thread> {
    match with {
        With::Channel(team, channel) => Some(&mut tenant.teams[team].channels[channel].thread),
        With::Person(user) => {
            let at = tenant.chat_index.get(&address::chat(&tenant.users[user].id, &tenant.bot.app)).copied()?;
            Some(&mut tenant.chats[at].thread)
        }
    }
}

/// The newest id of a conversation's messages.
pub fn newest(tenant: &mut Tenant, with: With) -> i64 {
    thread(tenant, with).and_then(|thread| thread.messages.last()).map_or(0, |message| message.id)
}

pub fn post(call: &mut WriteCall<'_>, with: With, id: i64, root: Option<i64>, activity: &Value) {
    let seq = call.tenant.next_seq();
    let mut draft = Draft::new(id, root);
    draft.created_ms = call.now_ms;
    draft.modified_ms = call.now_ms;
    draft.sender = Sender::Bot;
    draft.from = identity(&call.tenant.bot.app);
    fill(&mut draft, activity);
    let tenant = &*call.tenant;
    let shown = match with {
        With::Channel(team, channel) => {
            let team = &tenant.teams[team];
            let place = Address::Channel { tenant: &tenant.id, team: &team.id, channel: &team.channels[channel].id };
            message(&draft, place, seq)
        }
        With::Person(user) => {
            let chat = address::chat(&tenant.users[user].id, &tenant.bot.app);
            message(&draft, Address::Chat { chat: &chat }, seq)
        }
    };
    if let Some(thread) = thread(call.tenant, with) {
        thread.push(shown);
    }
}

/// Replaces a message, or deletes it where there is no activity.
pub fn change(call: &mut WriteCall<'_>, with: With, id: i64, activity: Option<&Value>) {
    let seq = call.tenant.next_seq();
    let (now_ms, bubble) = (call.now_ms, call.knobs.bubble_edits);
    let Some(thread) = thread(call.tenant, with) else { return };
    if let Some(message) = thread.messages.iter_mut().find(|message| message.id == id) {
        rewrite(message, now_ms, seq, |shown| {
            if let Some(activity) = activity {
                let mut draft = Draft::new(id, None);
                fill(&mut draft, activity);
                shown["body"]["content"] = json!(draft.content);
                shown["attachments"] = json!(draft.attachments);
                shown["lastEditedDateTime"] = json!(iso(now_ms));
            } else {
                shown["deletedDateTime"] = json!(iso(now_ms));
                shown["body"]["content"] = json!("");
                shown["attachments"] = json!([]);
            }
        });
    }
    thread.index(bubble);
}
