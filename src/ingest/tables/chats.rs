//! The table `chats`: the list of every user, each chat once.
//! <https://learn.microsoft.com/graph/api/chat-list>

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::context::{ReadContext, into};
use crate::dedup::SeenKeys;
use crate::discover;
use crate::engine::{Reader, Step};
use crate::state::round_state::{RoundState, before, signed};
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_tables::{Context, Filter, ListRows};

pub struct Chats<'c> {
    context: &'c ReadContext,
    pub round: RoundState,
    seen_keys: SeenKeys,
}

impl<'c> Chats<'c> {
    pub fn new(context: &'c ReadContext, round: RoundState) -> Self {
        Self { context, round, seen_keys: SeenKeys::default() }
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
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        let page = self
            .context
            .page(&request, |builders, body| {
                let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
                let mut seen = self.seen_keys.lock();
                let mut filter = Filter { after, seen: Some(&mut seen), ..Filter::default() };
                into(body, &mut ListRows::new(rows, Context::default(), &mut filter))
            })
            .await?;
        self.context.advance(item, &request, &page)
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

    fn failed(&self, item: &WorkItem) {
        let since = self.round.since_of(&item.scope);
        self.round.known().fail(&item.scope, since);
    }

    fn skipped(&self, last: &WorkItem) {
        self.round.known().remove(&last.scope);
    }
}
