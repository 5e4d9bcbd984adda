//! `getAllMessages` of a team or of a user: roots and replies, filtered by time, without a limit per channel.
//! <https://learn.microsoft.com/graph/api/channel-getallmessages>,
//! <https://learn.microsoft.com/graph/api/chats-getallmessages>

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::conversations::{Conversations, Family, before};
use super::engine::Step;
use super::item::Item;
use super::job::{Job, into};
use super::offset::Phase;
use super::window::Window;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_base::options::Strategy;
use teams_client::request::Request;
use teams_tables::{Context, ExportRows, Filter, ListRows, Page, Tally};

/// How often a window is read again because rows left it while plain `$skip` links were followed.
const WINDOW_READS: u8 = 3;

fn request(job: &Job, family: Family, parent: &str, window: Window) -> Request {
    let request = match family {
        Family::Channels => {
            let segments = ["teams", parent, "channels", "getAllMessages"];
            Request::new(&endpoint::TEAM_EXPORT, &segments, format!("team {parent}")).team(parent)
        }
        Family::Chats => {
            let segments = ["users", parent, "chats", "getAllMessages"];
            Request::new(&endpoint::USER_EXPORT, &segments, format!("user {parent}")).user(parent)
        }
    };
    match (window.filter(), sender(job, family, parent)) {
        (Some(window), Some(sender)) => request.query("$filter", format!("{window} and {sender}")),
        (Some(filter), None) | (None, Some(filter)) => request.query("$filter", filter),
        (None, None) => request,
    }
}

/// `chat_sender_filter`: each message once, from its sender's side, instead of once for every member.
fn sender(job: &Job, family: Family, user: &str) -> Option<String> {
    let is_asked = family == Family::Chats && job.options.chat_sender_filter;
    is_asked.then(|| format!("from/user/id eq '{}'", user.replace('\'', "''")))
}

/// Reads one page of a window.
pub async fn step(conversations: &Conversations<'_>, item: &mut Item, window: Window) -> Result<Step> {
    let job = conversations.job;
    if needs_children(conversations, item) {
        conversations.children(item).await?;
    }
    item.checked = item.checked.or_else(|| job.client.now());
    let wanted = wanted(conversations, item);
    let (request, (page, tally)) = read(conversations, item, window, wanted.as_ref()).await?;
    note(conversations, item, &tally);
    item.rows += page.items;
    if let Some(link) = &item.link {
        item.skip_paging |= link.url().query_pairs().any(|(name, _)| name == "$skip");
    }
    if page.next_link.is_none() {
        return end_of_window(conversations, item, window).await;
    }
    if item.rows >= job.rows_per_window
        && !item.filter_ignored
        && let Some(windows) = window.cut(item.oldest, item.newest)
    {
        let children = item.children.clone();
        let part = |window| Item { children: children.clone(), ..item.window(window) };
        let mut parts: Vec<Item> = windows.into_iter().map(part).collect();
        // A pause joins windows that were not begun, so that one of them at least is read before it.
        parts[0].tries.first_of_cut = true;
        return Ok(Step::Split(parts));
    }
    job.advance(item, &request, &page)
}

/// A history makes its children known, and a choice of chats has to be known. A sweep asks for neither.
fn needs_children(conversations: &Conversations<'_>, item: &Item) -> bool {
    let makes_known =
        conversations.job.options.strategy != Strategy::Export && conversations.round.phase == Phase::Read;
    makes_known || chooses_chats(conversations, item)
}

/// Whether rows of some chats only are wanted. Where each row may come only once, a chat belongs to one of its members.
fn chooses_chats(conversations: &Conversations<'_>, item: &Item) -> bool {
    let options = &conversations.job.options;
    conversations.family == Family::Chats && (!options.takes_all_chats() || item.seen.is_some())
}

/// The channels or chats whose rows are wanted; `None` for all.
fn wanted(conversations: &Conversations<'_>, item: &Item) -> Option<HashSet<String>> {
    let options = &conversations.job.options;
    match conversations.family {
        Family::Channels => (!options.channel_ids.is_empty()).then(|| options.channel_ids.iter().cloned().collect()),
        Family::Chats => chooses_chats(conversations, item)
            .then(|| item.children.iter().flat_map(|list| list.iter()).map(|child| child.id.clone()).collect()),
    }
}

async fn read(
    conversations: &Conversations<'_>,
    item: &Item,
    window: Window,
    wanted: Option<&HashSet<String>>,
) -> Result<(Request, (Page, Tally))> {
    let (job, parent) = (conversations.job, item.scope.as_str());
    let first = request(job, conversations.family, parent, window);
    let (wants_roots, wants_replies) = match conversations.family {
        Family::Channels => (job.sink.wants(0), job.sink.wants(1)),
        Family::Chats => (true, false),
    };
    job.export_page(&first, item.link.as_ref(), |builders, body| {
        let mut guard = item.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let mut filter = Filter {
            after: window.from,
            until: window.to,
            conversations: wanted,
            seen: guard.as_deref_mut(),
            page: Tally::default(),
        };
        let page = match (conversations.family, builders) {
            (Family::Channels, [roots, replies, ..]) => {
                let filter = &mut filter;
                into(
                    body,
                    &mut ExportRows {
                        roots,
                        replies,
                        wants_roots,
                        wants_replies,
                        team: parent,
                        filter,
                        reply_at: None,
                    },
                )
            }
            (Family::Chats, [rows, ..]) => into(body, &mut ListRows::new(rows, Context::default(), &mut filter)),
            _ => Err("no table to read into".to_owned()),
        }?;
        Ok((page, filter.page))
    })
    .await
}

/// Remembers what a page said of its scope: the conversations that the export holds will have been read at its end.
fn note(conversations: &Conversations<'_>, item: &mut Item, tally: &Tally) {
    item.oldest = [item.oldest, tally.oldest].into_iter().flatten().min();
    item.newest = item.newest.max(tally.newest);
    if tally.outside > 0 && !item.filter_ignored {
        item.filter_ignored = true;
        conversations
            .job
            .report()
            .note("the slow way: the export ignores the time filter, so more is read than was asked for");
    }
    // A sweep reads only changes, and the strategy `export` knows parents, not children.
    if conversations.job.options.strategy == Strategy::Export || conversations.round.phase != Phase::Read {
        return;
    }
    let special: HashSet<&str> = item
        .children
        .iter()
        .flat_map(|list| list.iter())
        .filter(|child| child.is_special)
        .map(|child| child.id.as_str())
        .collect();
    let mut known = conversations.round.known();
    for conversation in &tally.conversations {
        if !special.contains(conversation.as_str()) {
            let scope = format!("{}/{conversation}", item.scope);
            known.insert_pending(conversations.known_name(&scope));
        }
    }
}

/// Rows that leave a window while it is read by `$skip` shift the rows behind them over the seam of two pages.
async fn end_of_window(conversations: &Conversations<'_>, item: &mut Item, window: Window) -> Result<Step> {
    let Some(to) = window.to.filter(|_| item.skip_paging) else { return Ok(Step::Done) };
    if item.tries.window_reads >= WINDOW_READS {
        conversations.job.report().note(
            "a window kept changing while it was read by $skip links; a row at a seam may come only with the next sweep",
        );
        return Ok(Step::Done);
    }
    if !changed_since(conversations, item, to).await? {
        return Ok(Step::Done);
    }
    item.tries.window_reads += 1;
    item.skip_paging = false;
    item.restart();
    Ok(Step::More)
}

/// Whether anything was changed after the window's end and since the window was last begun.
async fn changed_since(conversations: &Conversations<'_>, item: &mut Item, to: Timestamp) -> Result<bool> {
    // The server tells its time in seconds: a change of the second in which the window was begun counts too.
    let begun = item.checked.map_or(to, |begun| before(begun, SignedDuration::from_secs(1)).max(to));
    let window = Window { from: Some(begun), to: None };
    let probe = request(conversations.job, conversations.family, &item.scope, window).query("$top", 1);
    let found = conversations.job.client.get(&probe, super::job::read_raw_page).await?;
    item.checked = conversations.job.client.now();
    Ok(!found.body.1.is_empty())
}
