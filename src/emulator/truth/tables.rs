//! The rows of teams, channels, messages, chats and the directory.

use crate::handlers::{archive, meetings, members};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Channel, Member, Membership, Object, Team, Tenant};
use crate::tenant::visibility::{channels, exported, open, reachable, user_is_listed};
use crate::truth::json::{spliced, with};

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
        "chat_messages" => exported(tenant, knobs)
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
