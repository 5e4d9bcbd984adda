//! The messages of one chat, newest change first.
//! <https://learn.microsoft.com/graph/api/chat-list-messages>

use jiff::Timestamp;

use crate::context::{ReadContext, into};
use crate::dedup::SeenKeys;
use crate::engine::Step;
use crate::page_retries::PageRetries;
use crate::page_sizes;
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Context, Filter, ListRows, TableBuilder};

/// Reads one page of a chat, back to `bound`.
pub async fn step(context: &ReadContext, item: &mut WorkItem, bound: Option<Timestamp>) -> Result<Step> {
    let (_, chat) = item.ids();
    let chat = chat.to_owned();
    let mut first = Request::new(&endpoint::CHAT_MESSAGES, &["chats", &chat, "messages"], format!("chat {chat}"))
        .conversation(&chat)
        // The filter is silently ignored unless `$orderby` names the same property.
        .query("$orderby", "lastModifiedDateTime desc");
    if let Some(bound) = bound {
        first = first.query("$filter", format!("lastModifiedDateTime gt {bound:.3}"));
    }
    let seen_keys = item.seen_keys.clone();
    let read = |builders: &mut [TableBuilder], body: &[u8]| {
        let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
        let mut seen = seen_keys.as_ref().map(SeenKeys::lock);
        let mut filter = Filter { after: bound, is_chosen: true, seen: seen.as_deref_mut(), ..Filter::default() };
        let row = Context { chat: Some(&chat), ..Context::default() };
        let page = into(body, &mut ListRows::new(rows, row, &mut filter))?;
        Ok((page, filter.page))
    };
    let top = page_sizes::top(context.options.top, page_sizes::CHAT_MESSAGES);
    let mut retries = PageRetries::new(first, item, top, page_sizes::SMALL_MESSAGES);
    let (request, (page, tally)) = loop {
        let request = retries.request();
        match context.page(&request, read).await {
            Ok(page) => break (request, page),
            Err(error) => retries.failed(error)?,
        }
    };
    retries.succeeded(context, item);
    // Newest change first: a row older than the bound means that the filter was ignored, and that the rest is older.
    if tally.outside > 0 {
        return Ok(Step::Done);
    }
    context.advance(item, &request, &page)
}
