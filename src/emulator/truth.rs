//! What a whole and correct reader would hold: every row as Graph would give it now, with the keys that readers derive.

use serde_json::Value;

use super::archive;
use super::call::access;
use super::config::Knobs;
use super::meetings;
use super::members;
use super::tenant::{Access, Channel, Chat, Member, Membership, Object, Team, Tenant};

pub fn open<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Team> {
    tenant.teams.iter().enumerate().filter(|(at, _)| access(tenant, knobs, *at) == Access::Open).map(|(_, team)| team)
}

pub fn channels<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = (&'a Team, &'a Channel)> {
    open(tenant, knobs)
        .flat_map(|team| team.channels.iter().filter(|channel| !channel.removed).map(move |channel| (team, channel)))
}

/// The written item with the derived keys after its own. Not parsed: there may be millions.
fn spliced(json: &[u8], keys: &[(&str, &str)]) -> String {
    let mut text = String::from_utf8_lossy(json).into_owned();
    text.pop();
    for (key, id) in keys {
        text.push_str(",\"");
        text.push_str(key);
        text.push_str("\":");
        text.push_str(&Value::from(*id).to_string());
    }
    text.push('}');
    text
}

pub fn with(item: &Value, keys: &[(&str, &str)]) -> String {
    spliced(item.to_string().as_bytes(), keys)
}

fn plain(object: &Object) -> String {
    object_text(object, &[])
}

fn object_text(object: &Object, keys: &[(&str, &str)]) -> String {
    spliced(&serde_json::to_vec(object).unwrap_or_default(), keys)
}

fn channel_messages(tenant: &Tenant, knobs: &Knobs, replies: bool) -> Vec<String> {
    let mut rows = Vec::new();
    for (team, channel) in channels(tenant, knobs) {
        let messages = channel.thread.messages.iter();
        for message in messages.filter(|message| message.reply_to.is_some() == replies) {
            let root = message.reply_to.map(|root| root.to_string());
            let mut keys = vec![("team_id", team.id.as_str()), ("channel_id", channel.id.as_str())];
            keys.extend(root.as_deref().map(|root| ("parent_message_id", root)));
            rows.push(spliced(&message.json, &keys));
        }
    }
    rows
}

pub fn user_is_listed(tenant: &Tenant, knobs: &Knobs, user: usize) -> bool {
    tenant.users[user].removal.is_none() && !knobs.hidden_user_ids.contains(&tenant.users[user].id)
}

/// Chats are found through their members, so a chat all of whose members left is out of reach.
pub fn reachable<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Chat> {
    tenant.chats.iter().filter(|chat| chat.members.iter().any(|&user| user_is_listed(tenant, knobs, user)))
}

/// The rows of a table as JSON texts, or `None` if there is no such table.
pub fn rows(tenant: &Tenant, knobs: &Knobs, now_ms: i64, table: &str) -> Option<Vec<String>> {
    let rows = match table {
        "teams" => open(tenant, knobs).map(|team| plain(&team.properties)).collect(),
        "channels" => channels(tenant, knobs)
            .map(|(team, channel)| object_text(&channel.properties, &[("team_id", &team.id)]))
            .collect(),
        "members" => open(tenant, knobs)
            .flat_map(|team| team.members.iter().map(move |member| (team, member)))
            .map(|(team, member)| with(&members::row(tenant, &team.id, member), &[("team_id", &team.id)]))
            .collect(),
        "channel_members" => channels(tenant, knobs)
            .flat_map(|(team, channel)| people(team, channel).iter().map(move |member| (team, channel, member)))
            .map(|(team, channel, member)| {
                let keys = [("team_id", team.id.as_str()), ("channel_id", channel.id.as_str())];
                with(&members::row(tenant, &channel.id, member), &keys)
            })
            .collect(),
        "messages" => channel_messages(tenant, knobs, false),
        "message_replies" => channel_messages(tenant, knobs, true),
        "call_records" => meetings::call_records(tenant, now_ms).iter().map(|call| with(call, &[])).collect(),
        "online_meeting_transcripts" | "online_meeting_recordings" => (0..tenant.users.len())
            .filter(|&user| user_is_listed(tenant, knobs, user))
            .flat_map(|user| {
                let found = meetings::artifacts(tenant, user, table.ends_with("recordings"));
                found.into_iter().map(move |item| (user, item))
            })
            .map(|(user, item)| with(&item, &[("user_id", &tenant.users[user].id)]))
            .collect(),
        "retained_messages" => open(tenant, knobs)
            .flat_map(|team| archive::retained_truth(knobs, team).into_iter().map(move |row| (team, row)))
            .map(|(team, (channel, root, json))| {
                let root = root.to_string();
                spliced(json, &[("team_id", &team.id), ("channel_id", &channel.id), ("root_message_id", &root)])
            })
            .collect(),
        "deleted_team_messages" => archive::deleted(tenant, now_ms)
            .flat_map(|team| archive::deleted_messages(team).map(move |row| (team, row)))
            .map(|(team, (channel, message))| {
                let root = message.reply_to.unwrap_or(message.id).to_string();
                spliced(
                    &message.json,
                    &[("team_id", &team.id), ("channel_id", &channel.id), ("root_message_id", &root)],
                )
            })
            .collect(),
        "chats" => reachable(tenant, knobs).map(|chat| plain(&chat.properties)).collect(),
        "chat_members" => reachable(tenant, knobs)
            .flat_map(|chat| (0..chat.members.len()).map(move |at| (chat, at)))
            .map(|(chat, at)| with(&members::chat_row(tenant, chat, at), &[("chat_id", &chat.id)]))
            .collect(),
        "chat_messages" => reachable(tenant, knobs)
            .flat_map(|chat| chat.thread.messages.iter().map(move |message| (chat, message)))
            .map(|(chat, message)| spliced(&message.json, &[("chat_id", &chat.id)]))
            .collect(),
        "users" => (0..tenant.users.len())
            .filter(|&user| user_is_listed(tenant, knobs, user))
            .map(|user| plain(&tenant.users[user].properties))
            .collect(),
        "groups" => {
            tenant.groups.iter().filter(|group| group.removal.is_none()).map(|group| plain(&group.properties)).collect()
        }
        _ => return None,
    };
    Some(rows)
}

fn people<'a>(team: &'a Team, channel: &'a Channel) -> &'a [Member] {
    match channel.membership {
        Membership::Standard => &team.members,
        _ => &channel.members,
    }
}

/// Teams that exist as groups with the Team flag and answer 403 or 404.
pub fn unreadable_teams(tenant: &Tenant, knobs: &Knobs) -> Vec<String> {
    tenant
        .live_teams()
        .filter(|(at, _)| access(tenant, knobs, *at) != Access::Open)
        .map(|(_, team)| team.id.clone())
        .collect()
}
