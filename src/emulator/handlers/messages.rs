//! Channel messages and replies: newest reply chain first, replies newest first and capped.

use crate::handlers::call::Call;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::knobs::ReplyCount;
use crate::tenant::model::{Channel, Message, Team, Thread};

pub const EXPORT_TYPE: &str = "\"@odata.type\":\"#microsoft.graph.chatMessage\"";

/// The endpoint that an expanded root's own link to more replies leads to.
pub const REPLIES: &str = "/teams/{id}/channels/{id}/messages/{id}/replies";

pub fn context(team: &Team, channel: &Channel, tail: &str) -> String {
    let channel_id = channel.id.replace(':', "%3A").replace('@', "%40");
    format!("teams('{}')/channels('{channel_id}')/{tail}", team.id)
}

/// The replies to show, newest first.
fn replies<'t>(call: &Call<'_>, thread: &'t Thread, root: i64) -> impl Iterator<Item = &'t Message> {
    let hide_deleted = !call.knobs.list_deleted;
    thread
        .chains
        .get(&root)
        .into_iter()
        .flat_map(|chain| chain.replies.iter().rev())
        .filter_map(|id| thread.get(*id))
        .filter(move |reply| !(hide_deleted && reply.deleted))
}

/// The members that `$expand=replies` adds to a root.
fn expanded(call: &Call<'_>, team: &Team, channel: &Channel, root: i64) -> Vec<u8> {
    let mut items = Items::new();
    let mut last = 0;
    let mut more = false;
    for reply in replies(call, &channel.thread, root) {
        if items.count == call.knobs.reply_cap {
            more = true;
            break;
        }
        items.push(reply.bytes(call.known_enums));
        last = reply.id;
    }
    let count = match call.knobs.reply_count {
        ReplyCount::Shown => Some(items.count),
        ReplyCount::All => Some(replies(call, &channel.thread, root).count()),
        ReplyCount::Absent => None,
    };
    let mut tail = count.map(|count| format!("\"replies@odata.count\":{count},")).unwrap_or_default().into_bytes();
    if more && call.knobs.reply_links {
        let path = format!("/v1.0/teams/{}/channels/{}/messages/{root}/replies", team.id, channel.id);
        let ids = [team.id.as_str(), channel.id.as_str(), &root.to_string()];
        let token = call.seal_for(REPLIES, &ids, &last.to_string());
        let link = format!("{}{path}?$skiptoken={token}", call.request.base);
        tail.extend_from_slice(format!("\"replies@odata.nextLink\":\"{link}\",").as_bytes());
    }
    tail.extend_from_slice(b"\"replies\":[");
    tail.extend_from_slice(items.bytes());
    tail.push(b']');
    tail
}

/// Puts a root on a page, with its replies if the request asks for them.
pub fn push_root(call: &Call<'_>, items: &mut Items, team: &Team, channel: &Channel, root: &Message, prefix: &str) {
    let expand = call.query.expands("replies") && !call.faults.ignore_expand;
    let marked;
    let bytes: &[u8] = if call.faults.replytoid_on_roots {
        let own = format!("\"replyToId\":\"{}\"", root.id);
        marked =
            String::from_utf8_lossy(root.bytes(call.known_enums)).replacen("\"replyToId\":null", &own, 1).into_bytes();
        &marked
    } else {
        root.bytes(call.known_enums)
    };
    match (expand, prefix.is_empty()) {
        (true, _) => items.push_with(prefix, bytes, &expanded(call, team, channel, root.id)),
        (false, true) => items.push(bytes),
        (false, false) => items.push_prefixed(prefix, bytes),
    }
}

fn expand_is_known(call: &Call<'_>) -> Result<(), GraphError> {
    match call.query.get("$expand") {
        Some(expand) if !expand.eq_ignore_ascii_case("replies") => Err(GraphError::unsupported("$expand")),
        _ => Ok(()),
    }
}

pub fn list(call: &Call<'_>) -> Outcome {
    call.query.only(&["$top", "$expand", "$skiptoken"])?;
    expand_is_known(call)?;
    let (team, channel) = call.channel()?;
    let thread = &channel.thread;
    let top = call.top(20, 50)?;
    // The position is the last chain's place in the order. A chain that moves to the top meanwhile is passed by.
    let before = match call.position()? {
        None => thread.order.len(),
        Some(position) => {
            let place = pair(&position)?;
            thread.order.partition_point(|&chain| chain < place)
        }
    };
    let mut items = Items::new();
    let mut end = End::Last;
    let mut last = (0, 0);
    for &(activity, id) in thread.order[..before].iter().rev() {
        // A chain whose root is gone for good is not listed.
        let Some(root) = thread.get(id) else { continue };
        if root.deleted && !call.knobs.list_deleted {
            continue;
        }
        if items.count == top {
            end = End::Next(format!("{},{}", last.0, last.1));
            break;
        }
        push_root(call, &mut items, team, channel, root, "");
        last = (activity, id);
    }
    Ok(finish(call, &context(team, channel, "messages"), items, true, end))
}

pub fn pair(position: &str) -> Result<(i64, i64), GraphError> {
    position
        .split_once(',')
        .and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)))
        .ok_or_else(|| GraphError::bad_request("Invalid skip token."))
}

/// A root or reply of this channel by the id at place `at` of the path.
fn find<'a>(call: &Call<'_>, channel: &'a Channel, at: usize, parent: Option<i64>) -> Result<&'a Message, GraphError> {
    let id: i64 = call.id(at).parse().map_err(|_| GraphError::not_found("NotFound"))?;
    channel.thread.get(id).filter(|message| message.reply_to == parent).ok_or_else(|| GraphError::not_found("NotFound"))
}

fn entity(call: &Call<'_>, context: &str, bytes: &[u8]) -> Response {
    let lead = format!("{{\"@odata.context\":{},", serde_json::Value::from(call.context(context)));
    let mut body = Vec::with_capacity(lead.len() + bytes.len());
    body.extend_from_slice(lead.as_bytes());
    body.extend_from_slice(&bytes[1..]);
    Response::ok(body)
}

pub fn get(call: &Call<'_>) -> Outcome {
    call.query.only(&["$expand"])?;
    expand_is_known(call)?;
    let (team, channel) = call.channel()?;
    let root = find(call, channel, 2, None)?;
    let mut items = Items::new();
    push_root(call, &mut items, team, channel, root, "");
    Ok(entity(call, &context(team, channel, "messages/$entity"), items.bytes()))
}

pub fn reply(call: &Call<'_>) -> Outcome {
    let (team, channel) = call.channel()?;
    let root = find(call, channel, 2, None)?;
    let reply = find(call, channel, 3, Some(root.id))?;
    let tail = format!("messages('{}')/replies/$entity", root.id);
    Ok(entity(call, &context(team, channel, &tail), reply.bytes(call.known_enums)))
}

pub fn list_replies(call: &Call<'_>) -> Outcome {
    call.query.only(&["$top", "$skiptoken"])?;
    let (team, channel) = call.channel()?;
    let root = find(call, channel, 2, None)?;
    let top = call.top(20, 50)?;
    let before: i64 = match call.position()? {
        None => i64::MAX,
        Some(position) => position.parse().map_err(|_| GraphError::bad_request("Invalid skip token."))?,
    };
    let mut items = Items::new();
    let mut end = End::Last;
    let mut last = 0;
    for reply in replies(call, &channel.thread, root.id).filter(|reply| reply.id < before) {
        if items.count == top {
            end = End::Next(last.to_string());
            break;
        }
        items.push(reply.bytes(call.known_enums));
        last = reply.id;
    }
    let tail = format!("messages('{}')/replies", root.id);
    Ok(finish(call, &context(team, channel, &tail), items, true, end))
}
