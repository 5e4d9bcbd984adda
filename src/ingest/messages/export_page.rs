//! One page of an export: many rows, and fewer where a server does not give so many.

use crate::context::ReadContext;
use crate::page_retries::PageRetries;
use crate::page_sizes::{self, SMALL_EXPORT};
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_client::request::Request;
use teams_tables::TableBuilder;

/// Reads the page that an item is at, and tells which request brought it. `first` names no size. The small size is kept for
/// all that is read of this export from then on.
pub async fn read<T>(
    context: &ReadContext,
    first: &Request,
    item: &mut WorkItem,
    mut read: impl FnMut(&mut [TableBuilder], &[u8]) -> Result<T, String>,
) -> Result<(Request, T)> {
    let export = first.endpoint.template;
    let most = if context.small_exports.contains(export) { SMALL_EXPORT } else { page_sizes::EXPORT };
    let top = page_sizes::top(context.options.top, most);
    let mut retries = PageRetries::new(first.clone(), item, top, SMALL_EXPORT);
    loop {
        let request = retries.request();
        match context.page(&request, &mut read).await {
            Ok(page) => {
                // Only now it was the size: an export that is refused or fails altogether says nothing about it.
                if retries.succeeded(context, item) {
                    context.small_exports.insert(export);
                }
                return Ok((request, page));
            }
            Err(error) => retries.failed(error)?,
        }
    }
}
