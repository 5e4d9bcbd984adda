//! What lists no longer show: every version that retention keeps, and the messages of deleted teams.

use crate::handlers::call::Call;
use crate::handlers::messages::EXPORT_TYPE;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::odata::filter::{Filter, Grammar};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Channel, Membership, Message, Team, Tenant};
use crate::tenant::visibility::is_recycled;

/// Every version of every message of a team: those that were replaced, those that are shown, and those that are gone.
fn versions<'a>(team: &'a Team, knobs: &'a Knobs) -> impl Iterator<Item = (&'a Channel, &'a Message, i64, &'a [u8])> {
    let channels = team.channels.iter().filter(|channel| match channel.membership {
        Membership::Standard => true,
        Membership::Private => knobs.export_private_channels,
        Membership::Shared => knobs.export_shared_channels,
    });
    channels.flat_map(|channel| {
        let messages = channel.thread.messages.iter().chain(&channel.thread.hard_deleted);
        messages.flat_map(move |message| {
            let older = message.older.iter().map(|(modified, json)| (*modified, json.as_ref()));
            let all = older.chain([(message.modified_ms, message.json.as_ref())]);
            all.map(move |(modified, json)| (channel, message, modified, json))
        })
    })
}

/// The same with the root that readers derive.
pub fn retained_truth<'a>(knobs: &'a Knobs, team: &'a Team) -> Vec<(&'a Channel, i64, &'a [u8])> {
    let root = |message: &Message| message.reply_to.unwrap_or(message.id);
    versions(team, knobs).map(|(channel, message, _, json)| (channel, root(message), json)).collect()
}

/// A page of rows, linked by plain `$skip` as in the published example.
fn page<'a>(call: &Call<'_>, rows: impl Iterator<Item = (&'a Message, i64, &'a [u8])>) -> Outcome {
    call.query.only(&["$top", "$filter", "$skip", "$skiptoken"])?;
    let filter = call.query.get("$filter").map(|text| Filter::parse(text, Grammar::TeamExport)).transpose()?;
    let top = call.top(50.min(call.knobs.export_top_max), call.knobs.export_top_max)?;
    let skip: usize = call.query.get("$skip").and_then(|text| text.parse().ok()).unwrap_or(0);
    let is_inside = |message: &Message, modified: i64| {
        filter.as_ref().is_none_or(|filter| filter.matches(message, modified, call.tenant))
    };
    let mut rows = rows.filter(|(message, modified, _)| is_inside(message, *modified)).skip(skip).peekable();
    let mut items = Items::new();
    while items.count < top {
        let Some((_, _, json)) = rows.next() else { break };
        items.push_prefixed(EXPORT_TYPE, json);
    }
    let end = if rows.peek().is_some() {
        End::Link(call.link(&["$skip"], &format!("$skip={}", skip + top)))
    } else {
        End::Last
    };
    Ok(finish(call, "Collection(chatMessage)", items, true, end))
}

pub fn retained(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    page(call, versions(team, call.knobs).map(|(_, message, modified, json)| (message, modified, json)))
}

/// Teams whose group was deleted and can still be restored.
pub fn deleted(tenant: &Tenant, now_ms: i64) -> impl Iterator<Item = &Team> {
    tenant.teams.iter().filter(move |team| {
        let group = tenant.group_index.get(&team.id).map(|group| &tenant.groups[*group]);
        is_recycled(now_ms, group.and_then(|group| group.removal))
    })
}

pub fn deleted_messages(team: &Team) -> impl Iterator<Item = (&Channel, &Message)> {
    team.channels.iter().flat_map(|channel| channel.thread.messages.iter().map(move |message| (channel, message)))
}

pub fn deleted_team(call: &Call<'_>) -> Outcome {
    let id = call.id(0);
    let team = deleted(call.tenant, call.now_ms).find(|team| team.id == id).ok_or_else(|| GraphError::no_team(id))?;
    page(call, deleted_messages(team).map(|(_, message)| (message, message.modified_ms, message.json.as_ref())))
}
