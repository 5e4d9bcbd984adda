//! Delta over messages: of a channel (undocumented since 2024, still answering) and of a user's chats.

use crate::handlers::call::Call;
use crate::handlers::messages::{EXPORT_TYPE, push_root};
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::odata::filter::{Filter, Grammar};
use crate::tenant::clock::DAY_MS;
use crate::tenant::model::Message;

/// Delta reaches back eight months.
const REACH_MS: i64 = 243 * DAY_MS;

/// A position in a round: after which step and which row.
struct Place {
    seq: u64,
    conversation: usize,
    id: i64,
}

/// Rows come in the order in which they changed, so that a change during a round comes later in the same round.
fn place(call: &Call<'_>) -> Result<Option<Place>, GraphError> {
    let broken = || GraphError::bad_request("Invalid token.");
    if let Some(position) = call.position()? {
        let parts: Vec<&str> = position.split(',').collect();
        let [seq, conversation, id] = parts.as_slice() else {
            return Err(broken());
        };
        return Ok(Some(Place {
            seq: seq.parse().map_err(|_| broken())?,
            conversation: conversation.parse().map_err(|_| broken())?,
            id: id.parse().map_err(|_| broken())?,
        }));
    }
    let Some(token) = call.delta_token()? else {
        return Ok(None);
    };
    let seq: u64 = token.position.parse().map_err(|_| broken())?;
    Ok(Some(Place { seq: seq + 1, conversation: 0, id: 0 }))
}

fn filter(call: &Call<'_>) -> Result<Option<Filter>, GraphError> {
    call.query
        .get("$filter")
        .filter(|_| !call.faults.ignore_filter)
        .map(|text| Filter::parse(text, Grammar::Delta))
        .transpose()
}

/// The `top` smallest rows after the place, in order; and whether more follow.
fn smallest(mut rows: Vec<(u64, usize, i64)>, top: usize) -> (Vec<(u64, usize, i64)>, bool) {
    let more = rows.len() > top;
    if more {
        rows.select_nth_unstable(top);
        rows.truncate(top);
    }
    rows.sort_unstable();
    (rows, more)
}

fn end(call: &Call<'_>, rows: &[(u64, usize, i64)], more: bool) -> End {
    match rows.last() {
        Some((seq, conversation, id)) if more => End::Next(format!("{seq},{conversation},{id}")),
        _ => End::Delta(call.tenant.seq),
    }
}

pub fn channel(call: &Call<'_>) -> Outcome {
    if call.knobs.channel_delta_refused != 0 {
        return Err(GraphError::of_status(call.knobs.channel_delta_refused));
    }
    call.query.only(&["$top", "$filter", "$expand", "$skip", "$skiptoken", "$deltatoken"])?;
    let (team, channel) = call.channel()?;
    let top = call.top(20, 50)?;
    let filter = filter(call)?;
    let from = place(call)?;
    let thread = &channel.thread;
    if call.knobs.empty_channel_delta_fails && thread.messages.is_empty() {
        return match from {
            None => Ok(finish(call, "Collection(chatMessage)", Items::new(), false, End::Next("0,0,0".to_owned()))),
            Some(_) => Err(GraphError::unsupported("$deltaToken")),
        };
    }
    let rows: Vec<(u64, usize, i64)> = thread
        .chains
        .iter()
        .filter(|(id, chain)| {
            let Some(root) = thread.get(**id) else {
                return false;
            };
            // The filter selects chains: a changed reply brings its root.
            let inside = filter.as_ref().is_none_or(|filter| filter.matches(root, chain.activity_ms, call.tenant));
            inside
                && call.now_ms - chain.activity_ms < REACH_MS
                && from.as_ref().is_none_or(|from| (chain.seq, 0, **id) > (from.seq, from.conversation, from.id))
        })
        .map(|(id, chain)| (chain.seq, 0, *id))
        .collect();
    let (rows, more) = smallest(rows, top);
    let mut items = Items::new();
    for (_, _, id) in &rows {
        if let Some(root) = thread.get(*id) {
            push_root(call, &mut items, team, channel, root, EXPORT_TYPE);
        }
    }
    Ok(finish(call, "Collection(chatMessage)", items, false, end(call, &rows, more)))
}

pub fn user_chats(call: &Call<'_>) -> Outcome {
    call.query.only(&["$top", "$filter", "$skip", "$skiptoken", "$deltatoken"])?;
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let top = call.top(20, 50)?;
    let filter = filter(call)?;
    let from = place(call)?;
    let mut rows = Vec::new();
    for &chat in &call.tenant.users[user].chats {
        let shown = |message: &&Message| {
            filter.as_ref().is_none_or(|filter| filter.matches(message, message.modified_ms, call.tenant))
                && call.now_ms - message.modified_ms < REACH_MS
                && from
                    .as_ref()
                    .is_none_or(|from| (message.seq, chat, message.id) > (from.seq, from.conversation, from.id))
        };
        let messages = call.tenant.chats[chat].thread.messages.iter();
        rows.extend(messages.filter(shown).map(|message| (message.seq, chat, message.id)));
    }
    let (rows, more) = smallest(rows, top);
    let mut items = Items::new();
    for &(_, chat, id) in &rows {
        if let Some(message) = call.tenant.chats[chat].thread.get(id) {
            items.push_prefixed(EXPORT_TYPE, message.bytes(call.known_enums));
        }
    }
    Ok(finish(call, "Collection(chatMessage)", items, false, end(call, &rows, more)))
}
