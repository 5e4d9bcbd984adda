//! The messages of one channel, as a list of reply chains.
//! <https://learn.microsoft.com/graph/api/channel-list-messages>

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use parking_lot::MappedMutexGuard;
use serde_json::value::RawValue;

use crate::context::{ReadContext, into};
use crate::dedup::SeenKeys;
use crate::engine::Step;
use crate::error_policy::{Refusal, delta_refusal, refuses_expand};
use crate::page_retries::PageRetries;
use crate::page_sizes;
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::link::Link;
use teams_client::request::Request;
use teams_tables::{
    Context, Continuation, Fields, Filter, KeySet, ListRows, Page, TableBuilder, ThreadOutcome, ThreadRows, Twice,
    read_item,
};

const EXPAND_REFUSED: &str = "the slow way: $expand=replies is refused, so replies are listed for each root";

const LEFT_OUT: &str =
    "the slow way: the server leaves out the replies that $expand asks for, so they are listed for each root";

/// What channels do not answer here, as far as a read has found out.
#[derive(Debug, Default)]
pub struct Refused {
    delta: AtomicBool,
    /// `$expand=replies` of the list.
    expand: AtomicBool,
}

/// Reads one page of a channel with all its threads, back to `bound`. `uses_delta`: channel delta is to be tried first.
pub async fn step(
    context: &ReadContext,
    item: &mut WorkItem,
    bound: Option<Timestamp>,
    uses_delta: bool,
    refused: &Refused,
) -> Result<Step> {
    let channel = Channel::new(context, item, bound, refused);
    if !context.options.message_ids.is_empty() {
        return channel.named_threads(item).await;
    }
    let is_tried = match &item.link {
        Some(link) => link.url().path().ends_with("/delta"),
        None => !item.delta_refused && !refused.delta.load(Ordering::Relaxed),
    };
    if !uses_delta || !is_tried {
        return channel.list_page(item).await;
    }
    let error = match channel.delta_page(item).await {
        Err(error) => error,
        step => return step,
    };
    let Some(refusal) = delta_refusal(&error) else { return Err(error) };
    if item.link.is_some() {
        // The delta of a channel without messages links to a page that is refused; the list is as complete.
        item.restart();
        context.report().note("channel delta links to a page that does not come, so such channels are listed instead");
    } else {
        // Where it is unclear the channel itself may be gone; its list tells.
        refused.delta.fetch_or(refusal == Refusal::NotOffered, Ordering::Relaxed);
        context.report().note("channel delta is refused, so channels are listed instead");
    }
    item.delta_refused = true;
    channel.list_page(item).await
}

struct Channel<'c> {
    context: &'c ReadContext,
    team: String,
    id: String,
    scope: String,
    bound: Option<Timestamp>,
    seen_keys: Option<SeenKeys>,
    refused: &'c Refused,
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
    fn new(context: &'c ReadContext, item: &WorkItem, bound: Option<Timestamp>, refused: &'c Refused) -> Self {
        let (team, id) = item.ids();
        Self {
            context,
            team: team.to_owned(),
            id: id.to_owned(),
            scope: format!("channel {}", item.scope),
            bound,
            seen_keys: item.seen_keys.clone(),
            refused,
        }
    }

    fn request(&self, endpoint: &'static endpoint::Endpoint, tail: &[&str]) -> Request {
        let segments = [&["teams", &self.team, "channels", &self.id, "messages"], tail].concat();
        Request::new(endpoint, &segments, &self.scope).team(&self.team).conversation(&self.id)
    }

    fn page_size(&self) -> u32 {
        page_sizes::top(self.context.options.top, page_sizes::CHANNEL_MESSAGES)
    }

    async fn list_page(&self, item: &mut WorkItem) -> Result<Step> {
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
    async fn sized_page(&self, item: &mut WorkItem, is_small: bool) -> Result<Option<Step>> {
        let top = if is_small { self.page_size().min(page_sizes::CHANGED_CHANNEL_MESSAGES) } else { self.page_size() };
        let (request, chains) = self.list_chains(item, top, is_small).await?;
        let (page, is_end) = match chains {
            Chains::TooSmall => return Ok(None),
            Chains::Read(page, outcome) => {
                self.drain(&outcome.continuations).await?;
                (page, outcome.reached_bound)
            }
            Chains::Bare(page, roots) => {
                item.unexpanded = true;
                self.context.report().note(LEFT_OUT);
                let is_end = self.bare_roots(&roots, self.bound).await?;
                (page, is_end)
            }
        };
        if is_end { Ok(Some(Step::Done)) } else { self.context.advance(item, &request, &page).map(Some) }
    }

    /// A page of the list, without `$expand` where that is refused.
    async fn list_chains(&self, item: &mut WorkItem, top: u32, is_small: bool) -> Result<(Request, Chains)> {
        let plain = || self.request(&endpoint::CHANNEL_MESSAGES, &[]);
        let is_known = self.refused.expand.load(Ordering::Relaxed);
        if !is_known {
            let expanded = plain().query("$expand", "replies");
            match self.chains(expanded, item, top, is_small, self.bound).await {
                Err(error) if item.link.is_none() && refuses_expand(&error) => {}
                chains => return chains,
            }
        }
        let chains = self.chains(plain(), item, top, is_small, self.bound).await?;
        if !self.refused.expand.swap(true, Ordering::Relaxed) {
            self.context.report().note(EXPAND_REFUSED);
        }
        Ok(chains)
    }

    /// Channel delta is no longer documented: it sees the last eight months, and which chains changed.
    async fn delta_page(&self, item: &mut WorkItem) -> Result<Step> {
        let mut first = self.request(&endpoint::CHANNEL_MESSAGES_DELTA, &["delta"]).query("$expand", "replies");
        if let Some(bound) = self.bound {
            first = first.query("$filter", format!("lastModifiedDateTime gt {bound:.3}"));
        }
        self.context
            .report()
            .note("strategy=delta reads the last eight months only, by an endpoint that Microsoft no longer documents");
        // The server has chosen the chains; what made one change may not be among the replies that come with it.
        let (request, chains) = self.chains(first, item, self.page_size(), false, None).await?;
        let page = match chains {
            Chains::Read(page, outcome) => {
                self.drain(&outcome.continuations).await?;
                page
            }
            Chains::Bare(page, roots) => {
                self.context.report().note(LEFT_OUT);
                self.bare_roots(&roots, None).await?;
                page
            }
            Chains::TooSmall => return Ok(Step::More),
        };
        self.context.advance(item, &request, &page)
    }

    /// The page that an item is at, in a smaller size where it is too heavy for the server. `first` names no size.
    async fn chains(
        &self,
        first: Request,
        item: &mut WorkItem,
        top: u32,
        is_small: bool,
        bound: Option<Timestamp>,
    ) -> Result<(Request, Chains)> {
        let mut retries = PageRetries::new(first, item, top, page_sizes::SMALL_MESSAGES);
        loop {
            let request = retries.request();
            match self.page(&request, is_small, bound).await {
                Ok(chains) => {
                    retries.succeeded(self.context, item);
                    return Ok((request, chains));
                }
                Err(error) => retries.failed(error)?,
            }
        }
    }

    async fn page(&self, request: &Request, is_small: bool, bound: Option<Timestamp>) -> Result<Chains> {
        let wants = (self.context.sink.wants(0), self.context.sink.wants(1));
        self.context
            .page(request, |builders, body| {
                let [roots, replies, ..] = builders else { return Err("no table to read into".to_owned()) };
                let marks = (roots.len(), replies.len());
                let mut seen = self.seen_keys.as_ref().map(SeenKeys::lock);
                let mut given = self.given();
                let twice = given.as_deref_mut().map(Twice::Second);
                let mut filter = Filter { seen: seen.as_deref_mut(), twice, ..Filter::default() };
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

    /// Reads the replies that did not come with their root: 200 do. Not every server links to the others.
    async fn drain(&self, continuations: &[Continuation]) -> Result<()> {
        for chain in continuations {
            let link = match &chain.link {
                Some(link) => {
                    let request = self.request(&endpoint::REPLIES, &[&chain.root, "replies"]);
                    Some(self.context.client.link(link, &request)?)
                }
                None => None,
            };
            self.replies(&chain.root, link, None).await?;
        }
        Ok(())
    }

    /// Reads the replies to a root, from a link on or from their beginning.
    async fn replies(&self, root: &str, link: Option<Link>, after: Option<Timestamp>) -> Result<()> {
        let first = self.request(&endpoint::REPLIES, &[root, "replies"]).query("$top", self.page_size());
        let mut place = WorkItem { link, ..WorkItem::default() };
        loop {
            let request = place.link.clone().map_or(first.clone(), |link| first.follow(link));
            let page = self.replies_page(&request, root, after).await?;
            match self.context.advance(&mut place, &request, &page)? {
                Step::More => {}
                _ => return Ok(()),
            }
        }
    }

    /// Reads one page of a thread straight into the table.
    async fn replies_page(&self, request: &Request, root: &str, after: Option<Timestamp>) -> Result<Page> {
        let row = self.row_context(root);
        self.context
            .page(request, |builders, body| {
                let [_, replies, ..] = builders else { return Err("no table to read into".to_owned()) };
                let mut seen = self.seen_keys.as_ref().map(SeenKeys::lock);
                let mut given = self.given();
                let twice = given.as_deref_mut().map(Twice::Second);
                let mut filter = Filter { after, seen: seen.as_deref_mut(), twice, ..Filter::default() };
                into(body, &mut ListRows::new(replies, row, &mut filter))
            })
            .await
    }

    /// What the team's export has given.
    fn given(&self) -> Option<MappedMutexGuard<'_, KeySet>> {
        self.context.given.as_ref()?.of(&self.team)
    }

    fn row_context<'s>(&'s self, root: &'s str) -> Context<'s> {
        let parent = (!root.is_empty()).then_some(root);
        Context { team: Some(&self.team), channel: Some(&self.id), parent, ..Context::default() }
    }

    /// The threads that `message_id` names.
    async fn named_threads(&self, item: &WorkItem) -> Result<Step> {
        for root in &self.context.options.message_ids {
            self.replies(root, None, self.bound).await?;
        }
        log::debug!("{}: {} named threads", item.scope, self.context.options.message_ids.len());
        Ok(Step::Done)
    }

    /// Reads roots whose replies have to be asked for, one root after the other. `true` when a chain older than the bound
    /// was met: all that follow are older. A chain with a message without a readable time never counts as older, and one
    /// with a message that tells only when it was created says nothing of those that follow.
    async fn bare_roots(&self, roots: &[Box<RawValue>], bound: Option<Timestamp>) -> Result<bool> {
        for root in roots {
            let id = root_id(root);
            let first = self.request(&endpoint::REPLIES, &[&id, "replies"]).query("$top", self.page_size());
            let answers = self.context.list_raw(&first).await?;
            let mut scratch = self.context.sink.scratch();
            let [root_rows, replies, ..] = scratch.as_mut_slice() else { return Ok(true) };
            let (mut newest, mut keys) = self.bare_rows(std::slice::from_ref(root), "", root_rows);
            let (newest_reply, reply_keys) = self.bare_rows(&answers, &id, replies);
            let is_dated =
                |properties: &[&str]| std::iter::once(root).chain(&answers).all(|item| is_dated(item, properties));
            newest = newest.max(newest_reply);
            keys.extend(reply_keys);
            let is_old = is_dated(&["lastModifiedDateTime", "createdDateTime"])
                && newest.zip(bound).is_some_and(|(newest, bound)| newest < bound);
            if is_old {
                if let Some(seen) = &self.seen_keys {
                    seen.forget(&keys);
                }
                if is_dated(&["lastModifiedDateTime"]) {
                    return Ok(true);
                }
                continue;
            }
            self.context.sink.with(|builders| {
                for (output, (builder, scratch)) in builders.iter_mut().zip(&mut scratch).enumerate() {
                    if self.context.sink.wants(output) {
                        builder.append(scratch);
                    }
                }
            });
        }
        self.context.sink.flush().await?;
        Ok(false)
    }

    /// Rows of a root, or of the replies to it: the newest of them, and the keys of those that are new.
    fn bare_rows(
        &self,
        items: &[Box<RawValue>],
        parent: &str,
        rows: &mut TableBuilder,
    ) -> (Option<Timestamp>, Vec<u64>) {
        let mut seen = self.seen_keys.as_ref().map(SeenKeys::lock);
        let mut filter = Filter { seen: seen.as_deref_mut(), ..Filter::default() };
        for item in items {
            read_item(item.get(), &mut ListRows::new(rows, self.row_context(parent), &mut filter));
        }
        (filter.page.newest, filter.page.keys)
    }
}

/// Whether one of the properties tells a time.
fn is_dated(message: &RawValue, properties: &[&str]) -> bool {
    let is_time =
        |message: &Fields<'_>, name: &str| message.text(name).is_some_and(|text| timestamp::known(&text).is_some());
    Fields::of(message.get()).is_some_and(|message| properties.iter().any(|name| is_time(&message, name)))
}

fn root_id(root: &RawValue) -> String {
    Fields::of(root.get()).and_then(|root| root.id("id")).unwrap_or_default()
}
