//! How many rows a page of an export is asked for: many, and fewer where a server does not give so many.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::job::Job;
use teams_base::error::{Error, Result};
use teams_client::link::Link;
use teams_client::request::Request;
use teams_tables::TableBuilder;

/// What the export article recommends at most; the API's own pages state no maximum.
pub const PAGE: u32 = 250;

/// What the API's documented examples ask for.
const SMALL: u32 = 50;

/// Exports, by their templates, that gave pages of [`SMALL`] where they did not give larger ones. Clones share it.
#[derive(Clone, Default)]
pub struct SmallPages(Arc<Mutex<HashSet<&'static str>>>);

impl SmallPages {
    fn lock(&self) -> MutexGuard<'_, HashSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    /// Reads the page behind `link`, or the first one, and tells which request brought it. `first` names no size. One that
    /// fails because of its size, as far as can be told, is asked for again with [`SMALL`]; links are followed as they are.
    pub async fn export_page<T>(
        &self,
        first: &Request,
        link: Option<&Link>,
        mut read: impl FnMut(&mut [TableBuilder], &[u8]) -> Result<T, String>,
    ) -> Result<(Request, T)> {
        if let Some(link) = link {
            let request = first.follow(link.clone());
            let page = self.page(&request, read).await?;
            return Ok((request, page));
        }
        let export = first.endpoint.template;
        let most = if self.small_pages.lock().contains(export) { SMALL } else { PAGE };
        let top = self.options.top.map_or(most, |top| top.min(most));
        let request = first.clone().query("$top", top);
        let error = match self.page(&request, &mut read).await {
            Err(error) if top > SMALL && may_be_too_large(&error) => error,
            result => return Ok((request, result?)),
        };
        let request = first.clone().query("$top", SMALL);
        let page = self.page(&request, read).await?;
        // Only now it was the size: an export that is refused or fails altogether says nothing about it.
        if self.small_pages.lock().insert(export) {
            let why = error.status().map_or("no answer in time".to_owned(), |status| format!("status {status}"));
            self.report().note(format!(
                "the slow way: {export} gives no page of {top} rows ({why}), so it is asked for {SMALL} at a time; \
                 top={SMALL} does so from the start"
            ));
        }
        Ok((request, page))
    }
}

/// A host that was given up gets this one chance: where large pages come too late, nothing else may have been asked.
fn may_be_too_large(error: &Error) -> bool {
    error.graph().is_some_and(|failure| failure.status == Some(400) || failure.timed_out)
}
