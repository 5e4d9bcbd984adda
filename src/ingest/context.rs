//! What the readers of one call share: the client, the options, where rows go, and how an error policy's verdict is
//! carried out.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::value::RawValue;

use crate::caps::Caps;
use crate::dedup::GivenVersions;
use crate::doubts::Doubts;
use crate::engine::Step;
use crate::error_policy::{Attempt, FORBIDDEN, GONE, Verdict, is_dead_link, skipped, verdict};
use crate::page_sizes::SmallExports;
use crate::pagination::{Next, Pagination, protocol_error};
use crate::pass::LeftOut;
use crate::sink::Sink;
use crate::state::discovery_cache::DiscoveryCache;
use crate::state::round_failures::RoundFailures;
use crate::state::work_item::WorkItem;
use teams_base::error::{Error, GraphFailure, Result};
use teams_base::options::{OnForbidden, TableOptions};
use teams_client::metrics::Report;
use teams_client::request::Request;
use teams_client::{GraphClient, Malformed};
use teams_tables::{Derived, Empty, Fields, Page, RawItems, Rows, TableBuilder, read_page};

pub struct ReadContext {
    pub client: GraphClient,
    pub options: Arc<TableOptions>,
    /// Some of the scopes that the options discover: a share of the work, not a choice of the user's.
    pub scopes: Option<Vec<String>>,
    /// Where a snapshot notes the scopes that refused to be read.
    pub left_out: Option<LeftOut>,
    pub sink: Sink,
    pub caps: Caps,
    /// When the session last read a round from this offset and found nothing.
    pub polled: Option<jiff::Timestamp>,
    /// Past this many rows an export is cut into windows.
    pub rows_per_window: usize,
    /// What the open rounds of the session have discovered.
    pub discovered: DiscoveryCache,
    /// What failed in the open rounds of the session.
    pub failures: RoundFailures,
    /// Which exports the session asks for small pages.
    pub small_exports: SmallExports,
    /// What the round has given of children that are read in two ways; `None` where its steps know nothing of each other.
    pub given: Option<GivenVersions>,
    /// Takes the teams whose list of channels is empty; `None` where that has to be an error.
    pub doubts: Option<Doubts>,
}

/// What a list holds.
pub struct Listed {
    pub items: Vec<Box<RawValue>>,
    /// The server gave something else first: no list, or an empty one.
    pub is_doubtful: bool,
}

impl ReadContext {
    pub fn report(&self) -> &Arc<Report> {
        self.client.report()
    }

    /// Reads one page into rows of the reader's making. `read` may be called again when the answer was broken.
    pub async fn page<T>(
        &self,
        request: &Request,
        read: impl FnMut(&mut [TableBuilder], &[u8]) -> Result<T, String>,
    ) -> Result<T> {
        let page = self.held_page(request, read).await?;
        self.sink.flush().await?;
        Ok(page)
    }

    /// The same, and hands no row on.
    pub async fn held_page<T>(
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
        Ok(answer.body)
    }

    /// Every item of a list, as text, over all its pages.
    pub async fn list_raw(&self, request: &Request) -> Result<Vec<Box<RawValue>>> {
        self.list_noting(request).await.map(|listed| listed.items)
    }

    async fn list_noting(&self, request: &Request) -> Result<Listed> {
        let mut items = Vec::new();
        let mut request = request.clone();
        let mut pagination = Pagination::default();
        let mut is_doubtful = false;
        loop {
            let read = |body: &[u8]| {
                let page = read_raw_page(body);
                is_doubtful |= page.is_err() && is_without_list(body);
                page
            };
            let answer = self.client.get(&request, read).await?;
            let (page, mut found) = answer.body;
            match pagination.next(&self.client, &request, &page)? {
                Next::Again => {}
                Next::End => {
                    items.append(&mut found);
                    self.report().scopes.add_rows(&request.scope, items.len());
                    return Ok(Listed { items, is_doubtful });
                }
                Next::Follow(link) => {
                    items.append(&mut found);
                    request = request.follow(link);
                }
            }
        }
    }

    /// The same of a list whose kind says what it means to hold nothing.
    pub async fn list_unless_empty(&self, request: &Request, empty: Empty) -> Result<Vec<Box<RawValue>>> {
        self.list_with_doubts(request, empty).await.map(|listed| listed.items)
    }

    /// The same, and whether the server seemed to know better at first.
    pub async fn list_with_doubts(&self, request: &Request, empty: Empty) -> Result<Listed> {
        let listed = self.list_noting(request).await?;
        if !listed.items.is_empty() || empty == Empty::Usual {
            return Ok(listed);
        }
        let listed = self.list_noting(request).await?;
        match empty {
            _ if !listed.items.is_empty() => {}
            Empty::Never => return Err(never_empty(request)),
            Empty::Doubtful => self.doubt(request)?,
            Empty::Rare | Empty::Usual => {}
        }
        Ok(Listed { is_doubtful: true, ..listed })
    }

    /// A team's list is empty that never is.
    fn doubt(&self, request: &Request) -> Result<()> {
        let (Some(doubts), Some(team)) = (&self.doubts, &request.budget.team) else { return Err(never_empty(request)) };
        doubts.add(team);
        self.report().note(format!(
            "{}: its list of channels was empty twice, though each team has its General channel. Nothing is taken for \
             deleted; once they are listed again, they are read whole",
            request.scope
        ));
        Ok(())
    }

    /// The scopes that a list names.
    pub async fn list<T>(
        &self,
        request: &Request,
        empty: Empty,
        read: impl Fn(&Fields<'_>) -> Option<T>,
    ) -> Result<Vec<T>> {
        named(request, &self.list_unless_empty(request, empty).await?, read)
    }

    /// Moves an item to the page that comes after this one.
    pub fn advance(&self, item: &mut WorkItem, request: &Request, page: &Page) -> Result<Step> {
        let next = item.pagination.next(&self.client, request, page);
        Ok(match next? {
            Next::End => Step::Done,
            Next::Again => Step::More,
            Next::Follow(link) => {
                item.link = Some(link);
                item.tries.stalls = 0;
                Step::More
            }
        })
    }

    /// How an item goes on after a step of it failed. `is_named`: an option names its scope.
    pub fn on_error(&self, item: &mut WorkItem, error: Error, is_named: bool) -> Result<Step> {
        let attempt = Attempt {
            is_named,
            is_first_page: item.link.is_none(),
            was_restarted: item.tries.restarted,
            was_confirmed: item.tries.confirmed,
        };
        let verdict = verdict(&error, attempt, self.options.on_forbidden);
        if is_dead_link(&error) {
            // The next step does not come back to a dead link.
            item.restart();
        }
        match verdict {
            Verdict::Restart => {
                item.tries.restarted = true;
                Ok(Step::More)
            }
            Verdict::Confirm => {
                item.tries.confirmed = true;
                Ok(Step::More)
            }
            Verdict::Skip(reason) => {
                if let Some(failure) = error.graph() {
                    self.skip(failure, reason);
                }
                Ok(Step::Skipped)
            }
            Verdict::Fail => Err(error),
        }
    }

    /// Reads a scope of a snapshot. One that was discovered and is not found twice is reported and left out, because it
    /// was deleted meanwhile.
    pub async fn confirmed<T, F: Future<Output = Result<T>>>(
        &self,
        is_named: bool,
        read: impl Fn() -> F,
    ) -> Result<Option<T>> {
        match read().await {
            Err(Error::NotFound(_)) if !is_named => {}
            result => return result.map(Some),
        }
        match read().await {
            Err(Error::NotFound(failure)) => {
                self.skip(&failure, GONE);
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    /// The same where `on_forbidden=skip` and a reader who keeps the rows of what is left out (`place`, by the columns that
    /// name it) make a refusal no error.
    pub async fn unless_left_out<T, F: Future<Output = Result<T>>>(
        &self,
        place: &[(Derived, &str)],
        is_named: bool,
        read: impl Fn() -> F,
    ) -> Result<Option<T>> {
        let left_out = self.left_out.as_ref().filter(|_| !is_named && !place.is_empty());
        match (self.confirmed(is_named, read).await, left_out) {
            (Err(Error::PermissionDenied(failure)), Some(left_out))
                if self.options.on_forbidden == OnForbidden::Skip =>
            {
                left_out.lock().push(place.iter().map(|(column, id)| (*column, (*id).to_owned())).collect());
                self.skip(&failure, FORBIDDEN);
                Ok(None)
            }
            (result, _) => result,
        }
    }

    pub fn skip(&self, failure: &GraphFailure, reason: &str) {
        self.report().skip(skipped(failure, reason));
    }
}

/// What the items of a list stand for. One that can't be named could not be read, and so it is an error: a scope that is
/// left out silently is lost.
pub fn named<T>(request: &Request, items: &[Box<RawValue>], read: impl Fn(&Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
    let named = items.iter().map(|item| {
        Fields::of(item.get()).as_ref().and_then(&read).ok_or_else(|| {
            protocol_error(
                request,
                "the list holds an item without an id, so that what it stands for can't be read".to_owned(),
                "Try again later; if it stays, report it to Microsoft",
            )
        })
    });
    named.collect()
}

/// Whether an answer is an object that has no list, or null for one.
fn is_without_list(body: &[u8]) -> bool {
    Fields::of(&String::from_utf8_lossy(body)).is_some_and(|answer| !answer.is_list("value"))
}

/// A list that holds nothing, though there is always something: to believe it would be to take all of it for deleted.
pub fn never_empty(request: &Request) -> Error {
    protocol_error(
        request,
        "the list was empty twice, though it always holds something".to_owned(),
        "Nothing is taken for deleted. Try again later; if it stays, report it to Microsoft with the scope",
    )
}

pub fn read_raw_page(body: &[u8]) -> Result<(Page, Vec<Box<RawValue>>), Malformed> {
    let mut items = RawItems::default();
    let page = read_page(body, &mut items).map_err(Malformed)?;
    Ok((page, items.items))
}

/// An answer that is one object.
pub fn read_object(body: &[u8]) -> Result<Box<RawValue>, Malformed> {
    let text = String::from_utf8_lossy(body);
    let value: Box<RawValue> =
        serde_json::from_str(&text).map_err(|error| Malformed(format!("malformed JSON at line {}", error.line())))?;
    if value.get().starts_with('{') { Ok(value) } else { Err(Malformed("no object".to_owned())) }
}

/// Reads a page into `rows`, for the `read` of [`ReadContext::page`].
pub fn into<R: Rows>(body: &[u8], rows: &mut R) -> Result<Page, String> {
    read_page(body, rows)
}

/// Runs pieces of work side by side; the first failure ends them.
pub async fn side_by_side(limit: usize, work: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    stream::iter(work).buffer_unordered(limit).try_collect::<Vec<()>>().await.map(drop)
}
