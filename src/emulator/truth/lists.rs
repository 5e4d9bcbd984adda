//! The rows of the tables that are one list per parent.

use serde_json::Value;

use crate::bot::apps as installed_apps;
use crate::handlers::{
    apps, channels as channel_lists, directory_extras, group_mail, members, reports, schedule, sharing, tags,
};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Access, Channel, Group, Membership, Team, Tenant};
use crate::tenant::visibility::{access, channels, open, reachable, user_is_listed};
use crate::truth::json::with;

type Keys<'a> = Vec<(&'static str, &'a str)>;

fn rows<'a>(lists: impl Iterator<Item = (Keys<'a>, Vec<Value>)>) -> Vec<String> {
    lists.flat_map(|(keys, items)| items.into_iter().map(move |item| with(&item, &keys))).collect()
}

fn channel_keys<'a>(team: &'a Team, channel: &'a Channel) -> Keys<'a> {
    vec![("team_id", &team.id), ("channel_id", &channel.id)]
}

fn groups(tenant: &Tenant) -> impl Iterator<Item = &Group> {
    tenant.groups.iter().filter(|group| group.removal.is_none())
}

fn group_members(tenant: &Tenant, group: &Group, owners: bool) -> Vec<Value> {
    let people = if owners { &group.owners } else { &group.members };
    let users = people.iter().map(|&user| &tenant.users[user]).filter(|user| user.removal.is_none());
    let users = users.map(|user| ("#microsoft.graph.user", user.properties.clone()));
    let others = if owners { Vec::new() } else { directory_extras::others(group) };
    let typed = users.chain(others).map(|(kind, mut properties)| {
        properties.insert("@odata.type".to_owned(), kind.into());
        Value::Object(properties)
    });
    typed.collect()
}

/// The groups of the teams that `/teams` lists.
fn listed_groups<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Group> {
    tenant
        .live_teams()
        .filter(|(at, _)| access(tenant, knobs, *at) != Access::Missing)
        .map(|(at, _)| &tenant.groups[tenant.group_of_team(at)])
}

fn posts<'a>(tenant: &'a Tenant, knobs: &Knobs, group: &'a Group) -> Vec<String> {
    let threads = group_mail::threads(tenant, group);
    let ids = threads.iter().filter_map(|thread| thread["id"].as_str());
    ids.flat_map(|id| {
        let keys = vec![("group_id", group.id.as_str()), ("thread_id", id)];
        rows(std::iter::once((keys, group_mail::posts(tenant, knobs, group, id).unwrap_or_default())))
    })
    .collect()
}

fn tag_members<'a>(tenant: &'a Tenant, team: &'a Team) -> Vec<String> {
    let tags = tags::of_team(tenant, team);
    let ids = tags.iter().filter_map(|tag| tag["id"].as_str());
    ids.flat_map(|id| {
        let keys = vec![("team_id", team.id.as_str()), ("tag_id", id)];
        rows(std::iter::once((keys, tags::members(tenant, team, id).unwrap_or_default())))
    })
    .collect()
}

/// The rows of a table as JSON texts, or `None` if there is no such table.
pub fn of(tenant: &Tenant, knobs: &Knobs, now_ms: i64, table: &str) -> Option<Vec<String>> {
    let teams = || open(tenant, knobs).map(|team| (vec![("team_id", team.id.as_str())], team));
    let positions = || teams().map(|(keys, team)| (keys, tenant.team_index[&team.id], team));
    let shared = || channels(tenant, knobs).filter(|(_, channel)| channel.membership == Membership::Shared);
    let chats = || reachable(tenant, knobs).map(|chat| (vec![("chat_id", chat.id.as_str())], chat));
    let groups = || groups(tenant).map(|group| (vec![("group_id", group.id.as_str())], group));
    let users = || (0..tenant.users.len()).filter(|&user| user_is_listed(tenant, knobs, user));
    Some(match table {
        "group_members" => rows(groups().map(|(keys, group)| (keys, group_members(tenant, group, false)))),
        "group_owners" => rows(groups().map(|(keys, group)| (keys, group_members(tenant, group, true)))),
        "user_licenses" => {
            users().map(|user| Value::Object(directory_extras::licensed(&tenant.users[user])).to_string()).collect()
        }
        "user_apps" => {
            let ids = users().map(|user| tenant.users[user].id.as_str());
            rows(ids.map(|id| (vec![("user_id", id)], installed_apps::of_user(tenant, knobs, id))))
        }
        "shared_channel_members" => rows(shared().map(|(team, channel)| {
            let people = channel_lists::people(tenant, team, channel, true);
            let items = people.iter().map(|member| members::row(tenant, &channel.id, member)).collect();
            (channel_keys(team, channel), items)
        })),
        "shared_channel_teams" => {
            rows(shared().map(|(team, channel)| (channel_keys(team, channel), sharing::teams(tenant, team, channel))))
        }
        "incoming_channels" => rows(teams().map(|(keys, team)| (keys, channel_lists::incoming(tenant, team)))),
        "channel_tabs" => {
            rows(channels(tenant, knobs).map(|(team, channel)| (channel_keys(team, channel), apps::tabs(&channel.id))))
        }
        "chat_tabs" => rows(chats().map(|(keys, chat)| (keys, apps::tabs(&chat.id)))),
        "chat_apps" => rows(chats().map(|(keys, chat)| (keys, apps::installations(&chat.id)))),
        "team_apps" => rows(teams().map(|(keys, team)| (keys, apps::installations(&team.id)))),
        "team_tags" => rows(teams().map(|(keys, team)| (keys, tags::of_team(tenant, team)))),
        "team_tag_members" => open(tenant, knobs).flat_map(|team| tag_members(tenant, team)).collect(),
        "deleted_teams" => sharing::deleted(tenant, now_ms).iter().map(Value::to_string).collect(),
        "schedules" => {
            rows(positions().map(|(keys, at, team)| (keys, schedule::of_team(at, team).into_iter().collect())))
        }
        "shifts" => {
            rows(positions().map(|(keys, at, team)| (keys, schedule::shifts(tenant, at, team).unwrap_or_default())))
        }
        "conversations" => rows(groups().map(|(keys, group)| (keys, group_mail::conversations(tenant, group)))),
        "conversation_threads" => rows(groups().map(|(keys, group)| (keys, group_mail::threads(tenant, group)))),
        "conversation_posts" => groups().flat_map(|(_, group)| posts(tenant, knobs, group)).collect(),
        "team_drives" => rows(
            listed_groups(tenant, knobs).map(|group| (vec![("team_id", group.id.as_str())], group_mail::drives(group))),
        ),
        "team_device_usage_report" => reports::rows(tenant, knobs, now_ms, "D7").iter().map(Value::to_string).collect(),
        _ => return None,
    })
}
