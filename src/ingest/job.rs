//! What the readers of one call share: the client, the options, where rows go, and how failures are judged.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::value::RawValue;

use super::engine::{Caps, Step};
use super::export_pages::SmallPages;
use super::item::Item;
use super::listed::Listed;
use super::sink::Sink;
use super::trail::{Next, Trail};
use teams_base::error::{Error, GraphFailure, Result};
use teams_base::options::{OnForbidden, TableOptions};
use teams_client::metrics::{Report, Skipped};
use teams_client::request::Request;
use teams_client::{GraphClient, Malformed};
use teams_tables::{Fields, Page, RawItems, Rows, TableBuilder, read_page};

pub struct Job {
    pub client: GraphClient,
    pub options: Arc<TableOptions>,
    /// Some of the scopes that the options discover: a share of the work, not a choice of the user's.
    pub scopes: Option<Vec<String>>,
    pub sink: Sink,
    pub caps: Caps,
    /// When the session last read a round from this offset and found nothing.
    pub polled: Option<jiff::Timestamp>,
    /// Past this many rows an export is cut into windows.
    pub rows_per_window: usize,
    /// What the open rounds of the session have listed.
    pub listed: Listed,
    /// Which exports the session asks for small pages.
    pub small_pages: SmallPages,
}

/// What the items of a list stand for. One that can't be named could not be read, and so it is an error: a scope that is
/// left out silently is lost.
pub fn named<T>(request: &Request, items: &[Box<RawValue>], read: impl Fn(&Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
    let named = items.iter().map(|item| {
        Fields::of(item.get()).as_ref().and_then(&read).ok_or_else(|| {
            Error::Protocol(Box::new(GraphFailure {
                endpoint: request.endpoint.template,
                scope: request.scope.clone(),
                message: "the list holds an item without an id, so that what it stands for can't be read".to_owned(),
                remedy: "Try again later; if it stays, report it to Microsoft".to_owned(),
                ..GraphFailure::default()
            }))
        })
    });
    named.collect()
}

impl Job {
    pub fn report(&self) -> &Arc<Report> {
        self.client.report()
    }

    /// Reads one page into rows of the reader's making. `read` may be called again when the answer was broken.
    pub async fn page<T>(
        &self,
        request: &Request,
        mut read: impl FnMut(&mut [TableBuilder], &[u8]) -> Result<T, String>,
    ) -> Result<T> {
        let mut rows = 0;
        let read = |body: &[u8]| {
            let (result, found) = self.sink.with_count(|builders| read(builders, body));
            rows = found;
            result.map_err(Malformed)
        };
        let answer = self.client.get(request, read).await?;
        self.caps.count_page();
        self.report().scopes.add_rows(&request.scope, rows);
        self.sink.flush().await?;
        Ok(answer.body)
    }

    /// Every item of a list, as text, over all its pages.
    pub async fn list_raw(&self, request: &Request) -> Result<Vec<Box<RawValue>>> {
        let mut items = Vec::new();
        let mut request = request.clone();
        let mut trail = Trail::default();
        loop {
            let answer = self.client.get(&request, read_raw_page).await?;
            let (page, mut found) = answer.body;
            match trail.next(&self.client, &request, &page)? {
                Next::Again => {}
                Next::End => {
                    items.append(&mut found);
                    self.report().scopes.add_rows(&request.scope, items.len());
                    return Ok(items);
                }
                Next::Follow(link) => {
                    items.append(&mut found);
                    request = request.follow(link);
                }
            }
        }
    }

    /// The scopes that a list names.
    pub async fn list<T>(&self, request: &Request, read: impl Fn(&Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
        named(request, &self.list_raw(request).await?, read)
    }

    /// Moves an item to the page that comes after this one.
    pub fn advance(&self, item: &mut Item, request: &Request, page: &Page) -> Result<Step> {
        let next = item.trail.next(&self.client, request, page);
        Ok(match next? {
            Next::End => Step::Done,
            Next::Again => Step::More,
            Next::Follow(link) => {
                item.link = Some(link);
                Step::More
            }
        })
    }

    /// Judges the failure of an item's step: start again, skip and report, or fail the scope.
    pub fn judge(&self, item: &mut Item, error: Error, is_named: bool) -> Result<Step> {
        let status = error.status();
        let is_first_page = item.link.is_none();
        // Links die (their life is not documented); the scope is read again from where the round began.
        if item.link.is_some() && matches!(status, Some(400 | 404 | 410)) && !item.tries.restarted {
            item.restart();
            item.tries.restarted = true;
            return Ok(Step::More);
        }
        if matches!(status, Some(400 | 404 | 410)) {
            // The next step does not come back to a dead link.
            item.restart();
        }
        match (&error, error.graph()) {
            (Error::NotFound(_), Some(_)) if !is_named && is_first_page && !item.tries.confirmed => {
                item.tries.confirmed = true;
                item.restart();
                Ok(Step::More)
            }
            (Error::NotFound(_), Some(failure)) if !is_named && is_first_page => {
                self.skip(failure, "it is listed, but it was not found twice");
                Ok(Step::Skipped)
            }
            (Error::PermissionDenied(_), Some(failure))
                if !is_named && self.options.on_forbidden == OnForbidden::Skip =>
            {
                self.skip(failure, "access was refused, and on_forbidden=skip");
                Ok(Step::Skipped)
            }
            _ => Err(error),
        }
    }

    pub fn skip(&self, failure: &GraphFailure, reason: &str) {
        self.report().skip(Skipped {
            scope: failure.scope.clone(),
            endpoint: failure.endpoint.to_owned(),
            status: failure.status,
            code: failure.code.clone(),
            reason: reason.to_owned(),
            request_id: failure.request_id.clone(),
            remedy: failure.remedy.clone(),
        });
    }
}

pub fn read_raw_page(body: &[u8]) -> Result<(Page, Vec<Box<RawValue>>), Malformed> {
    let mut items = RawItems::default();
    let page = read_page(body, &mut items).map_err(Malformed)?;
    Ok((page, items.items))
}

/// Reads a page into `rows`, for the `read` of [`Job::page`].
pub fn into<R: Rows>(body: &[u8], rows: &mut R) -> Result<Page, String> {
    read_page(body, rows)
}

/// Runs pieces of work side by side; the first failure ends them.
pub async fn side_by_side(limit: usize, work: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    stream::iter(work).buffer_unordered(limit).try_collect::<Vec<()>>().await.map(drop)
}
