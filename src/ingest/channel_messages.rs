//! The messages of one channel, as a list of reply chains.
//! <https://learn.microsoft.com/graph/api/channel-list-messages>

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::conversations::Conversations;
use super::engine::Step;
use super::item::{Item, Seen};
use super::job::{Job, into};
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::options::Strategy;
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::{
    Context, Continuation, Fields, Filter, ListRows, Page, TableBuilder, ThreadOutcome, ThreadRows, read_item,
};

/// 50 is the endpoint's maximum.
pub const PAGE: u32 = 50;

/// Where only changes are asked for, a channel has few of them.
const SMALL_PAGE: u32 = 10;

const LEFT_OUT: &str =
    "the slow way: the server leaves out the replies that $expand asks for, so they are listed for each root";

/// Reads one page of a channel with all its threads.
pub async fn step(conversations: &Conversations<'_>, item: &mut Item) -> Result<Step> {
    let channel = Channel::new(conversations, item);
    if !channel.job.options.message_ids.is_empty() {
        return channel.named_threads(item).await;
    }
    let refused = &conversations.delta_refused;
    let is_delta = channel.job.options.strategy == Strategy::Delta
        && item.link.as_ref().map_or_else(
            || !item.listed && !refused.load(Ordering::Relaxed),
            |link| link.url().path().ends_with("/delta"),
        );
    if !is_delta {
        return channel.list_page(item).await;
    }
    match channel.delta_page(item).await {
        Err(error) if item.link.is_none() && is_refused_delta(&error) => {
            // Not found may be the channel itself; its list tells.
            refused.fetch_or(error.status() != Some(404), Ordering::Relaxed);
            channel.job.report().note("channel delta is refused, so channels are listed instead");
            item.listed = true;
            channel.list_page(item).await
        }
        result => result,
    }
}

struct Channel<'c> {
    job: &'c Job,
    team: String,
    id: String,
    scope: String,
    bound: Option<Timestamp>,
    seen: Option<Seen>,
}

/// What a page of chains turned out to be.
enum Chains {
    Read(Page, ThreadOutcome),
    /// A small page that did not reach what is known; nothing of it was taken.
    TooSmall,
    /// Roots without their replies, as text; nothing of them was taken.
    Bare(Page, Vec<Box<RawValue>>),
}

impl<'c> Channel<'c> {
    fn new(conversations: &Conversations<'c>, item: &Item) -> Self {
        let (team, id) = item.ids();
        Self {
            job: conversations.job,
            team: team.to_owned(),
            id: id.to_owned(),
            scope: format!("channel {}", item.scope),
            bound: conversations.bound(item),
            seen: item.seen.clone(),
        }
    }

    fn request(&self, endpoint: &'static endpoint::Endpoint, tail: &[&str]) -> Request {
        let segments = [&["teams", &self.team, "channels", &self.id, "messages"], tail].concat();
        Request::new(endpoint, &segments, &self.scope).team(&self.team).conversation(&self.id)
    }

    fn page_size(&self) -> u32 {
        self.job.options.top.unwrap_or(PAGE).min(PAGE)
    }

    async fn list_page(&self, item: &mut Item) -> Result<Step> {
        let is_small = self.bound.is_some() && item.link.is_none() && !item.unexpanded;
        if is_small {
            // Both in one step: a pause between them would begin with the small page again.
            match self.sized_page(item, true).await? {
                Some(step) => return Ok(step),
                None => log::debug!("{}: more than a small page has changed", item.scope),
            }
        }
        Ok(self.sized_page(item, false).await?.unwrap_or(Step::More))
    }

    /// `None` for a small page that did not reach what is known.
    async fn sized_page(&self, item: &mut Item, is_small: bool) -> Result<Option<Step>> {
        let top = if is_small { self.page_size().min(SMALL_PAGE) } else { self.page_size() };
        let first = self.request(&endpoint::CHANNEL_MESSAGES, &[]).query("$top", top).query("$expand", "replies");
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        let (page, is_end) = match self.chains(&request, is_small, self.bound).await? {
            Chains::TooSmall => return Ok(None),
            Chains::Read(page, outcome) => {
                self.drain(&outcome.continuations).await?;
                (page, outcome.reached_bound)
            }
            Chains::Bare(page, roots) => {
                item.unexpanded = true;
                self.job.report().note(LEFT_OUT);
                let is_end = self.bare_roots(&roots, self.bound).await?;
                (page, is_end)
            }
        };
        if is_end { Ok(Some(Step::Done)) } else { self.job.advance(item, &request, &page).map(Some) }
    }

    /// Channel delta is no longer documented: it sees the last eight months, and which chains changed.
    async fn delta_page(&self, item: &mut Item) -> Result<Step> {
        let mut first = self
            .request(&endpoint::CHANNEL_MESSAGES_DELTA, &["delta"])
            .query("$top", self.page_size())
            .query("$expand", "replies");
        if let Some(bound) = self.bound {
            first = first.query("$filter", format!("lastModifiedDateTime gt {bound:.3}"));
        }
        self.job
            .report()
            .note("strategy=delta reads the last eight months only, by an endpoint that Microsoft no longer documents");
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        // The server has chosen the chains; what made one change may not be among the replies that come with it.
        let page = match self.chains(&request, false, None).await? {
            Chains::Read(page, outcome) => {
                self.drain(&outcome.continuations).await?;
                page
            }
            Chains::Bare(page, roots) => {
                self.job.report().note(LEFT_OUT);
                self.bare_roots(&roots, None).await?;
                page
            }
            Chains::TooSmall => return Ok(Step::More),
        };
        self.job.advance(item, &request, &page)
    }

    async fn chains(&self, request: &Request, is_small: bool, bound: Option<Timestamp>) -> Result<Chains> {
        let wants = (self.job.sink.wants(0), self.job.sink.wants(1));
        self.job
            .page(request, |builders, body| {
                let [roots, replies, ..] = builders else { return Err("no table to read into".to_owned()) };
                let marks = (roots.len(), replies.len());
                let mut guard = self.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
                let mut filter = Filter { seen: guard.as_deref_mut(), ..Filter::default() };
                let mut rows = ThreadRows::new(roots, replies, wants, &self.team, &self.id, bound, &mut filter);
                let page = into(body, &mut rows)?;
                let outcome = rows.into_outcome();
                let is_bare = !outcome.bare_roots.is_empty();
                let is_too_small = is_small && !outcome.reached_bound && page.next_link.is_some();
                if is_bare || is_too_small {
                    filter.forget();
                    roots.truncate(marks.0);
                    replies.truncate(marks.1);
                }
                if is_bare {
                    return Ok(Chains::Bare(page, outcome.bare_roots));
                }
                if is_too_small {
                    return Ok(Chains::TooSmall);
                }
                Ok(Chains::Read(page, outcome))
            })
            .await
    }

    /// Follows the replies that did not fit into the page: 200 come with their root.
    async fn drain(&self, continuations: &[Continuation]) -> Result<()> {
        for chain in continuations {
            let first = self.request(&endpoint::REPLIES, &[&chain.root, "replies"]);
            let link = self.job.client.link(&chain.link, &first)?;
            let mut item = Item { link: Some(link), ..Item::default() };
            while let Some(link) = item.link.clone() {
                let request = first.follow(link);
                let page = self.replies_page(&request, &chain.root, None).await?;
                if !matches!(self.job.advance(&mut item, &request, &page)?, Step::More) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads one page of a thread straight into the table.
    async fn replies_page(&self, request: &Request, root: &str, after: Option<Timestamp>) -> Result<Page> {
        let context = self.context(root);
        self.job
            .page(request, |builders, body| {
                let [_, replies, ..] = builders else { return Err("no table to read into".to_owned()) };
                let mut guard = self.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
                let mut filter = Filter { after, seen: guard.as_deref_mut(), ..Filter::default() };
                into(body, &mut ListRows::new(replies, context, &mut filter))
            })
            .await
    }

    fn context<'s>(&'s self, root: &'s str) -> Context<'s> {
        let parent = (!root.is_empty()).then_some(root);
        Context { team: Some(&self.team), channel: Some(&self.id), parent, ..Context::default() }
    }

    /// The threads that `message_id` names.
    async fn named_threads(&self, item: &Item) -> Result<Step> {
        for root in &self.job.options.message_ids {
            let first = self.request(&endpoint::REPLIES, &[root, "replies"]).query("$top", self.page_size());
            let mut place = Item::default();
            loop {
                let request = place.link.clone().map_or(first.clone(), |link| first.follow(link));
                let page = self.replies_page(&request, root, self.bound).await?;
                match self.job.advance(&mut place, &request, &page)? {
                    Step::More => {}
                    _ => break,
                }
            }
        }
        log::debug!("{}: {} named threads", item.scope, self.job.options.message_ids.len());
        Ok(Step::Done)
    }

    /// Roots whose replies have to be asked for, one root after the other. `true` when a chain older than the bound
    /// was met, behind which all are older. One of which anything has no readable time is never called old.
    async fn bare_roots(&self, roots: &[Box<RawValue>], bound: Option<Timestamp>) -> Result<bool> {
        for root in roots {
            let id = root_id(root);
            let first = self.request(&endpoint::REPLIES, &[&id, "replies"]).query("$top", self.page_size());
            let answers = self.job.list_raw(&first).await?;
            let mut scratch = self.job.sink.scratch();
            let [root_rows, replies, ..] = scratch.as_mut_slice() else { return Ok(true) };
            let (mut newest, mut keys) = self.bare_rows(std::slice::from_ref(root), "", root_rows);
            let (newest_reply, reply_keys) = self.bare_rows(&answers, &id, replies);
            let is_dated = std::iter::once(root).chain(&answers).all(|item| is_dated(item));
            newest = newest.max(newest_reply);
            keys.extend(reply_keys);
            if is_dated && newest.zip(bound).is_some_and(|(newest, bound)| newest < bound) {
                self.forget(&keys);
                return Ok(true);
            }
            self.job.sink.with(|builders| {
                for (slot, (builder, scratch)) in builders.iter_mut().zip(&mut scratch).enumerate() {
                    if self.job.sink.wants(slot) {
                        builder.append(scratch);
                    }
                }
            });
        }
        self.job.sink.flush().await?;
        Ok(false)
    }

    /// Rows that are not taken may come again.
    fn forget(&self, keys: &[u64]) {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                seen.remove(key);
            }
        }
    }

    /// Rows of a root, or of the replies to it: the newest of them, and the keys of those that are new.
    fn bare_rows(
        &self,
        items: &[Box<RawValue>],
        parent: &str,
        rows: &mut TableBuilder,
    ) -> (Option<Timestamp>, Vec<u64>) {
        let mut guard = self.seen.as_ref().map(|seen| seen.lock().unwrap_or_else(PoisonError::into_inner));
        let mut filter = Filter { seen: guard.as_deref_mut(), ..Filter::default() };
        for item in items {
            read_item(item.get(), &mut ListRows::new(rows, self.context(parent), &mut filter));
        }
        (filter.page.newest, filter.page.keys)
    }
}

/// Delta is refused, and not something that was asked for after it.
fn is_refused_delta(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 405 | 501))
        && error.graph().is_some_and(|failure| failure.endpoint == endpoint::CHANNEL_MESSAGES_DELTA.template)
}

fn is_dated(message: &RawValue) -> bool {
    let time = |message: &Fields<'_>| {
        let modified = message.text("lastModifiedDateTime").or_else(|| message.text("createdDateTime"))?;
        timestamp::parse(&modified)
    };
    Fields::of(message.get()).as_ref().and_then(time).is_some()
}

fn root_id(root: &RawValue) -> String {
    Fields::of(root.get()).and_then(|root| root.id("id")).unwrap_or_default()
}
