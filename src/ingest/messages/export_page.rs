//! One page of an export: many rows, and fewer where a server does not give so many.

use crate::context::ReadContext;
use crate::error_policy::may_be_too_large;
use crate::page_sizes::{self, SMALL_EXPORT};
use teams_base::error::Result;
use teams_client::link::Link;
use teams_client::request::Request;
use teams_tables::TableBuilder;

/// Reads the page behind `link`, or the first one, and tells which request brought it. `first` names no size. One that
/// fails because of its size, as far as can be told, is asked for again with [`SMALL_EXPORT`]; links are followed as they
/// are.
pub async fn read<T>(
    context: &ReadContext,
    first: &Request,
    link: Option<&Link>,
    mut read: impl FnMut(&mut [TableBuilder], &[u8]) -> Result<T, String>,
) -> Result<(Request, T)> {
    if let Some(link) = link {
        let request = first.follow(link.clone());
        let page = context.page(&request, read).await?;
        return Ok((request, page));
    }
    let export = first.endpoint.template;
    let most = if context.small_exports.contains(export) { SMALL_EXPORT } else { page_sizes::EXPORT };
    let top = page_sizes::top(context.options.top, most);
    let request = first.clone().query("$top", top);
    let error = match context.page(&request, &mut read).await {
        Err(error) if top > SMALL_EXPORT && may_be_too_large(&error) => error,
        result => return Ok((request, result?)),
    };
    let request = first.clone().query("$top", SMALL_EXPORT);
    let page = context.page(&request, read).await?;
    // Only now it was the size: an export that is refused or fails altogether says nothing about it.
    if context.small_exports.insert(export) {
        let why = error.status().map_or("no answer in time".to_owned(), |status| format!("status {status}"));
        context.report().note(format!(
            "the slow way: {export} gives no page of {top} rows ({why}), so it is asked for {SMALL_EXPORT} at a time; \
             top={SMALL_EXPORT} does so from the start"
        ));
    }
    Ok((request, page))
}
