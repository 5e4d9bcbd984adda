//! The export: `getAllMessages` of a team and of a user's chats, and their retained forms.

use crate::handlers::call::Call;
use crate::handlers::messages::EXPORT_TYPE;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::odata::filter::{Filter, Grammar};
use crate::tenant::knobs::{ExportOrder, ExportPaging};
use crate::tenant::model::{Membership, Message, Thread};

/// One row of an export: which conversation, which message, and the version the lagging copy holds.
struct Row<'a> {
    conversation: usize,
    message: &'a Message,
    modified_ms: i64,
    json: &'a [u8],
}

struct Export<'a> {
    conversations: Vec<&'a Thread>,
    filter: Option<Filter>,
    cutoff_ms: i64,
    top: usize,
}

impl<'a> Export<'a> {
    fn row(&self, call: &Call<'_>, conversation: usize, message: &'a Message) -> Option<Row<'a>> {
        let (modified_ms, json) = message.as_of(self.cutoff_ms, call.known_enums)?;
        let inside = self.filter.as_ref().is_none_or(|filter| filter.matches(message, modified_ms, call.tenant));
        inside.then_some(Row { conversation, message, modified_ms, json })
    }

    /// All rows in stored order, from a place on.
    fn rows(&self, call: &Call<'_>, from: (usize, i64)) -> impl Iterator<Item = Row<'a>> {
        self.conversations.iter().enumerate().skip(from.0).flat_map(move |(at, thread)| {
            let start = if at == from.0 { thread.messages.partition_point(|message| message.id <= from.1) } else { 0 };
            thread.messages[start..].iter().filter_map(move |message| self.row(call, at, message))
        })
    }
}

/// Refuses everything but a date range and `$top`, as the export does.
fn prepare<'a>(call: &Call<'_>, conversations: Vec<&'a Thread>, grammar: Grammar) -> Result<Export<'a>, GraphError> {
    call.query.only(&["$top", "$filter", "$skiptoken", "$skip"])?;
    let filter = call
        .query
        .get("$filter")
        .filter(|_| !call.faults.ignore_filter)
        .map(|text| Filter::parse(text, grammar))
        .transpose()?;
    let cutoff_ms = call.now_ms - call.knobs.export_lag_seconds as i64 * 1000;
    let cutoff_ms = if call.knobs.export_lag_seconds == 0 { i64::MAX } else { cutoff_ms };
    let top = call.top(50.min(call.knobs.export_top_max), call.knobs.export_top_max)?;
    Ok(Export { conversations, filter, cutoff_ms, top })
}

fn answer(call: &Call<'_>, export: &Export<'_>) -> Outcome {
    let mut items = Items::new();
    let mut next = None;
    match (call.knobs.export_paging, call.knobs.export_order) {
        (ExportPaging::Skip, order) => {
            let skip: usize = call.query.get("$skip").and_then(|text| text.parse().ok()).unwrap_or(0);
            let rows = ordered(call, export, order);
            let more = rows.len() > skip + export.top;
            rows.iter().skip(skip).take(export.top).for_each(|row| items.push_prefixed(EXPORT_TYPE, row.json));
            next = more.then(|| call.link(&["$skip", "$skiptoken"], &format!("$skip={}", skip + export.top)));
        }
        (ExportPaging::Token, ExportOrder::Stored) => {
            let from = place(call)?.map_or((0, i64::MIN), |(_, conversation, id)| (conversation, id));
            let mut last = None;
            for row in export.rows(call, from) {
                if items.count == export.top {
                    next = last.map(|(conversation, id)| call.next_link(&format!("0,{conversation},{id}")));
                    break;
                }
                items.push_prefixed(EXPORT_TYPE, row.json);
                last = Some((row.conversation, row.message.id));
            }
        }
        (ExportPaging::Token, order) => {
            let rows = ordered(call, export, order);
            let descending = order == ExportOrder::ModifiedDesc;
            let key = |row: &Row<'_>| (row.modified_ms, row.conversation, row.message.id);
            let start = match place(call)? {
                None => 0,
                Some(place) => {
                    rows.partition_point(|row| if descending { key(row) >= place } else { key(row) <= place })
                }
            };
            rows[start..].iter().take(export.top).for_each(|row| items.push_prefixed(EXPORT_TYPE, row.json));
            if rows.len() > start + export.top {
                let (modified, conversation, id) = key(&rows[start + export.top - 1]);
                next = Some(call.next_link(&format!("{modified},{conversation},{id}")));
            }
        }
    }
    let end = next.map_or(End::Last, End::Link);
    Ok(finish(call, "Collection(chatMessage)", items, true, end))
}

fn ordered<'a>(call: &Call<'_>, export: &Export<'a>, order: ExportOrder) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = export.rows(call, (0, i64::MIN)).collect();
    match order {
        ExportOrder::Stored => {}
        ExportOrder::Modified => {
            rows.sort_unstable_by_key(|row| (row.modified_ms, row.conversation, row.message.id));
        }
        ExportOrder::ModifiedDesc => {
            rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.modified_ms, row.conversation, row.message.id)));
        }
    }
    rows
}

fn place(call: &Call<'_>) -> Result<Option<(i64, usize, i64)>, GraphError> {
    let Some(position) = call.position()? else {
        return Ok(None);
    };
    let parts: Vec<&str> = position.split(',').collect();
    let read = || match parts.as_slice() {
        [modified, conversation, id] => Some((modified.parse().ok()?, conversation.parse().ok()?, id.parse().ok()?)),
        _ => None,
    };
    read().map(Some).ok_or_else(|| GraphError::bad_request("Invalid skip token."))
}

/// Roots and replies of all channels of the team, flat.
pub fn team(call: &Call<'_>) -> Outcome {
    if call.knobs.export_refused != 0 {
        return Err(GraphError::of_status(call.knobs.export_refused));
    }
    let (_, team) = call.team()?;
    if let Some(&status) = call.knobs.export_refused_teams.get(&team.id) {
        return Err(GraphError::of_status(status));
    }
    let conversations = team
        .channels
        .iter()
        .filter(|channel| !channel.removed)
        .filter(|channel| match channel.membership {
            Membership::Standard => true,
            Membership::Private => call.knobs.export_private_channels,
            Membership::Shared => call.knobs.export_shared_channels,
        })
        .map(|channel| &channel.thread)
        .collect();
    answer(call, &prepare(call, conversations, Grammar::TeamExport)?)
}

/// Every message of every chat the user is in; others' messages too, so participants see the same row.
pub fn user(call: &Call<'_>) -> Outcome {
    chats_of_user(call, Grammar::UserExport)
}

pub fn user_retained(call: &Call<'_>) -> Outcome {
    chats_of_user(call, Grammar::TeamExport)
}

fn chats_of_user(call: &Call<'_>, grammar: Grammar) -> Outcome {
    if call.knobs.export_refused != 0 {
        return Err(GraphError::of_status(call.knobs.export_refused));
    }
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let chats = &call.tenant.users[user].chats;
    let conversations = chats.iter().map(|&chat| &call.tenant.chats[chat].thread).collect();
    answer(call, &prepare(call, conversations, grammar)?)
}
