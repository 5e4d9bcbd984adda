//! What a reader can see of a tenant: the teams that answer, the users that are listed, the chats that are reachable.

use crate::tenant::clock::DAY_MS;
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Access, Channel, Chat, Removal, Team, Tenant};

/// Deleted directory objects can be restored, and are listed, for this long.
const RECYCLE_DAYS: i64 = 30;

pub fn access(tenant: &Tenant, knobs: &Knobs, team: usize) -> Access {
    let id = &tenant.teams[team].id;
    let group_gone = tenant.groups[tenant.group_of_team(team)].removal.is_some();
    if group_gone || knobs.missing_team_ids.contains(id) {
        Access::Missing
    } else if knobs.forbidden_team_ids.contains(id) {
        Access::Forbidden
    } else {
        tenant.teams[team].access
    }
}

/// Teams that answer.
pub fn open<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Team> {
    tenant.teams.iter().enumerate().filter(|(at, _)| access(tenant, knobs, *at) == Access::Open).map(|(_, team)| team)
}

/// The channels of teams that answer.
pub fn channels<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = (&'a Team, &'a Channel)> {
    open(tenant, knobs)
        .flat_map(|team| team.channels.iter().filter(|channel| !channel.removed).map(move |channel| (team, channel)))
}

/// Teams that exist as groups with the Team flag and answer 403 or 404.
pub fn unreadable_teams(tenant: &Tenant, knobs: &Knobs) -> Vec<String> {
    tenant
        .live_teams()
        .filter(|(at, _)| access(tenant, knobs, *at) != Access::Open)
        .map(|(_, team)| team.id.clone())
        .collect()
}

pub fn user_is_listed(tenant: &Tenant, knobs: &Knobs, user: usize) -> bool {
    tenant.users[user].removal.is_none() && !knobs.hidden_user_ids.contains(&tenant.users[user].id)
}

/// Chats are found through their members, so a chat all of whose members left is out of reach.
pub fn reachable<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Chat> {
    exported(tenant, knobs).filter(|chat| !chat.unlisted)
}

/// Chats whose messages come with the export of a member's chats.
pub fn exported<'a>(tenant: &'a Tenant, knobs: &'a Knobs) -> impl Iterator<Item = &'a Chat> {
    tenant.chats.iter().filter(|chat| chat.members.iter().any(|&user| user_is_listed(tenant, knobs, user)))
}

/// Whether a deleted object can still be restored.
pub fn is_recycled(now_ms: i64, removal: Option<Removal>) -> bool {
    removal.is_some_and(|removal| !removal.permanent && now_ms - removal.at_ms < RECYCLE_DAYS * DAY_MS)
}
