//! The table `chats`: the list of every user, each chat once.
//! <https://learn.microsoft.com/graph/api/chat-list>

use std::collections::HashMap;

use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::value::RawValue;
use teams_client::Malformed;

use crate::context::{ReadContext, read_raw_page};
use crate::discover;
use crate::engine::{Reader, Step};
use crate::state::round_state::{RoundState, before, signed};
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_base::timestamp;
use teams_tables::{Context, Fields, Filter, ListRows, TableBuilder, read_item};

pub struct Chats<'c> {
    context: &'c ReadContext,
    pub round: RoundState,
    /// Each chat may come only once.
    is_once: bool,
    /// The chats so far, and the newest version of each. A chat is listed by each of its members, and what moves while a
    /// list is paged stands on two pages.
    seen: Mutex<HashMap<String, Option<Timestamp>>>,
}

impl<'c> Chats<'c> {
    /// By pages; of a chat that changes meanwhile a newer version may follow.
    pub fn new(context: &'c ReadContext, round: RoundState) -> Self {
        Self { context, round, is_once: false, seen: Mutex::default() }
    }

    /// Each chat once: of what a user's list tells of it, the newest.
    pub fn once(context: &'c ReadContext, round: RoundState) -> Self {
        Self { is_once: true, ..Self::new(context, round) }
    }

    /// Chats have no filter by time, so that the lists are read whole and what has not changed is left out here.
    fn bound(&self, user: &str) -> Option<Timestamp> {
        if !self.round.known().contains(user) {
            return self.context.options.start_date;
        }
        Some(before(self.round.since_of(user)?, signed(self.context.options.lookback)))
    }

    async fn page(&self, item: &mut WorkItem) -> Result<Step> {
        let after = self.bound(&item.scope);
        let first = discover::chats::request(self.context, &item.scope);
        if self.is_once {
            let chats = self.context.list_raw(&first).await?;
            self.context.sink.with(|builders| self.append(builders, &chats, after));
            self.context.sink.flush().await?;
            return Ok(Step::Done);
        }
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        let page = self
            .context
            .page(&request, |builders, body| {
                let (page, chats) = read_raw_page(body).map_err(|Malformed(why)| why)?;
                self.append(builders, &chats, after);
                Ok(page)
            })
            .await?;
        self.context.advance(item, &request, &page)
    }

    /// Appends the chats that are new, or newer than they came before.
    fn append(&self, builders: &mut [TableBuilder], chats: &[Box<RawValue>], after: Option<Timestamp>) {
        let [rows, ..] = builders else { return };
        let mut seen = self.seen.lock();
        for chat in self.newest(chats, &mut seen) {
            let mut filter = Filter { after, ..Filter::default() };
            read_item(chat.get(), &mut ListRows::new(rows, Context::default(), &mut filter));
        }
    }

    /// Of each chat the newest version, and none that is not newer than what was seen of it.
    fn newest<'i>(
        &self,
        chats: &'i [Box<RawValue>],
        seen: &mut HashMap<String, Option<Timestamp>>,
    ) -> Vec<&'i RawValue> {
        let mut chosen: Vec<Option<&RawValue>> = Vec::new();
        let mut positions: HashMap<String, usize> = HashMap::new();
        for chat in chats {
            let fields = Fields::of(chat.get());
            let Some(id) = fields.as_ref().and_then(|fields| fields.key("id")) else {
                // What has no key repeats nothing.
                chosen.push(Some(chat));
                continue;
            };
            let version = fields.and_then(|fields| timestamp::known(&fields.text("lastUpdatedDateTime")?));
            let position = positions.get(&id).copied();
            match seen.get(&id) {
                Some(_) if self.is_once && position.is_none() => continue,
                Some(known) if version <= *known => continue,
                _ => {}
            }
            if let Some(position) = position {
                chosen[position] = None;
            }
            positions.insert(id.clone(), chosen.len());
            chosen.push(Some(chat));
            seen.insert(id, version);
        }
        chosen.into_iter().flatten().collect()
    }
}

impl Reader for Chats<'_> {
    fn step<'a>(&'a self, item: &'a mut WorkItem) -> BoxFuture<'a, Result<Step>> {
        Box::pin(async move {
            let is_named = !self.context.options.user_ids.is_empty();
            let result = self.page(item).await;
            result.or_else(|error| self.context.on_error(item, error, is_named))
        })
    }

    fn finished(&self, last: &WorkItem) -> Option<WorkItem> {
        self.round.known().insert(&last.scope);
        None
    }

    fn failed(&self, item: &WorkItem) -> Option<WorkItem> {
        let since = self.round.since_of(&item.scope);
        self.round.known().fail(&item.scope, since);
        None
    }

    fn skipped(&self, last: &WorkItem) {
        self.round.known().remove(&last.scope);
    }
}
