//! What a whole and correct reader would hold: every row as Graph would give it now, with the keys that readers derive.

use serde_json::{Value, json};

use super::call::access;
use super::config::Knobs;
use super::members;
use super::tenant::{Access, Channel, Membership, Message, Team, Tenant};

fn open<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Team> {
    tenant
        .teams
        .iter()
        .enumerate()
        .filter(|(at, _)| access(tenant, knobs, *at) == Access::Open)
        .map(|(_, team)| team)
}

fn channels<'a>(
    tenant: &'a Tenant,
    knobs: &'a Knobs,
) -> impl Iterator<Item = (&'a Team, &'a Channel)> {
    open(tenant, knobs).flat_map(|team| {
        team.channels
            .iter()
            .filter(|channel| !channel.removed)
            .map(move |channel| (team, channel))
    })
}

fn parsed(message: &Message) -> Value {
    serde_json::from_slice(&message.json).unwrap_or_default()
}

fn channel_messages(tenant: &Tenant, knobs: &Knobs, replies: bool) -> Vec<Value> {
    let mut rows = Vec::new();
    for (team, channel) in channels(tenant, knobs) {
        for message in channel
            .thread
            .messages
            .iter()
            .filter(|message| message.reply_to.is_some() == replies)
        {
            let mut row = parsed(message);
            row["team_id"] = json!(team.id);
            row["channel_id"] = json!(channel.id);
            if let Some(root) = message.reply_to {
                row["parent_message_id"] = json!(root.to_string());
            }
            rows.push(row);
        }
    }
    rows
}

fn with(object: &serde_json::Map<String, Value>, key: &str, id: &str) -> Value {
    let mut row = Value::Object(object.clone());
    row[key] = json!(id);
    row
}

fn user_is_listed(tenant: &Tenant, knobs: &Knobs, user: usize) -> bool {
    tenant.users[user].removal.is_none() && !knobs.hidden_user_ids.contains(&tenant.users[user].id)
}

/// Chats are found through their members, so a chat all of whose members left is out of reach.
fn reachable<'a>(
    tenant: &'a Tenant,
    knobs: &'a Knobs,
) -> impl Iterator<Item = &'a super::tenant::Chat> {
    tenant.chats.iter().filter(|chat| {
        chat.members
            .iter()
            .any(|&user| user_is_listed(tenant, knobs, user))
    })
}

/// The rows of a table, or `None` if there is no such table.
pub fn rows(tenant: &Tenant, knobs: &Knobs, table: &str) -> Option<Vec<Value>> {
    let rows = match table {
        "teams" => open(tenant, knobs)
            .map(|team| Value::Object(team.properties.clone()))
            .collect(),
        "channels" => channels(tenant, knobs)
            .map(|(team, channel)| with(&channel.properties, "team_id", &team.id))
            .collect(),
        "members" => open(tenant, knobs)
            .flat_map(|team| team.members.iter().map(move |member| (team, member)))
            .map(|(team, member)| {
                let mut row = members::row(tenant, &team.id, member);
                row["team_id"] = json!(team.id);
                row
            })
            .collect(),
        "channel_members" => channels(tenant, knobs)
            .flat_map(|(team, channel)| {
                let people = if channel.membership == Membership::Standard {
                    &team.members
                } else {
                    &channel.members
                };
                people.iter().map(move |member| (team, channel, member))
            })
            .map(|(team, channel, member)| {
                let mut row = members::row(tenant, &channel.id, member);
                row["team_id"] = json!(team.id);
                row["channel_id"] = json!(channel.id);
                row
            })
            .collect(),
        "messages" => channel_messages(tenant, knobs, false),
        "message_replies" => channel_messages(tenant, knobs, true),
        "chats" => reachable(tenant, knobs)
            .map(|chat| Value::Object(chat.properties.clone()))
            .collect(),
        "chat_members" => reachable(tenant, knobs)
            .flat_map(|chat| (0..chat.members.len()).map(move |at| (chat, at)))
            .map(|(chat, at)| {
                let mut row = members::chat_row(tenant, chat, at);
                row["chat_id"] = json!(chat.id);
                row
            })
            .collect(),
        "chat_messages" => reachable(tenant, knobs)
            .flat_map(|chat| {
                chat.thread
                    .messages
                    .iter()
                    .map(move |message| (chat, message))
            })
            .map(|(chat, message)| {
                let mut row = parsed(message);
                row["chat_id"] = json!(chat.id);
                row
            })
            .collect(),
        "users" => (0..tenant.users.len())
            .filter(|&user| user_is_listed(tenant, knobs, user))
            .map(|user| Value::Object(tenant.users[user].properties.clone()))
            .collect(),
        "groups" => tenant
            .groups
            .iter()
            .filter(|group| group.removal.is_none())
            .map(|group| Value::Object(group.properties.clone()))
            .collect(),
        _ => return None,
    };
    Some(rows)
}

/// Teams that exist as groups with the Team flag and answer 403 or 404.
pub fn unreadable_teams(tenant: &Tenant, knobs: &Knobs) -> Vec<String> {
    tenant
        .live_teams()
        .filter(|(at, _)| access(tenant, knobs, *at) != Access::Open)
        .map(|(_, team)| team.id.clone())
        .collect()
}
