//! The messages of one chat, newest change first.
//! <https://learn.microsoft.com/graph/api/chat-list-messages>

use std::sync::PoisonError;

use super::conversations::Conversations;
use super::engine::Step;
use super::item::Item;
use super::job::into;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Context, Filter, ListRows};

/// 50 is the endpoint's maximum.
pub const PAGE: u32 = 50;

/// Reads one page of a chat.
pub async fn step(conversations: &Conversations<'_>, item: &mut Item) -> Result<Step> {
    let job = conversations.job;
    let (_, chat) = item.ids();
    let chat = chat.to_owned();
    let bound = conversations.bound(item);
    let top = job.options.top.unwrap_or(PAGE).min(PAGE);
    let mut first = Request::new(&endpoint::CHAT_MESSAGES, &["chats", &chat, "messages"], format!("chat {chat}"))
        .conversation(&chat)
        .query("$top", top)
        // The filter is silently ignored unless `$orderby` names the same property.
        .query("$orderby", "lastModifiedDateTime desc");
    if let Some(bound) = bound {
        first = first.query("$filter", format!("lastModifiedDateTime gt {bound:.3}"));
    }
    let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
    let seen = item.seen.clone();
    let (page, tally) = job
        .page(&request, |builders, body| {
            let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
            let mut guard = seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
            let mut filter = Filter { after: bound, seen: guard.as_deref_mut(), ..Filter::default() };
            let context = Context { chat: Some(&chat), ..Context::default() };
            let page = into(body, &mut ListRows::new(rows, context, &mut filter))?;
            Ok((page, filter.page))
        })
        .await?;
    // Newest change first: a row older than the bound means that the filter was ignored, and that the rest is older.
    if tally.outside > 0 {
        return Ok(Step::Done);
    }
    job.advance(item, &request, &page)
}
