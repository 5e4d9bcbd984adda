//! Reading a table once: each key once, in its newest version.
//!
//! What is fresh is read first, by lists; then the history is exported and what has been given is left out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::conversations::{Conversations, Family, Round};
use super::engine::{Reader, Step};
use super::item::{Child, Item, Seen};
use super::job::{Job, side_by_side};
use super::window::Window;
use teams_base::error::{Error, Result};
use teams_base::options::Strategy;

/// Parents read at once, and children of each. The pages of one parent come one after the other, so there are more of
/// them than connections (`max_concurrency`, 16): the wire is never idle because the last few parents are long.
const PARENTS: usize = 24;
const CHILDREN: usize = 24;

/// Children whose fresh messages are read at once, over all parents. Lists have a tenth of the budget that exports have:
/// were all parents to list first, their exports would all wait for the last list. Each channel has a budget of its own,
/// of which 20 make the tenant's.
const FRESH: usize = 24;

/// Windows of one export read at once.
const WINDOWS: usize = 8;

/// Reads all messages of the parents.
pub async fn conversations(job: &Job, family: Family, parents: Vec<String>, until: Timestamp) -> Result<()> {
    let round = Round { since: Some(until), ..Round::first(until) };
    let once = Once {
        reader: Conversations::new(job, family, round),
        claimed: Mutex::default(),
        fresh: Semaphore::new(FRESH),
        failures: Mutex::default(),
    };
    side_by_side(PARENTS, parents.iter().map(|parent| once.parent(parent).boxed()).collect()).await?;
    let failures = once.failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failures.into_iter().next().map_or(Ok(()), Err)
}

struct Once<'j> {
    reader: Conversations<'j>,
    /// A chat has several members, and is read for the first of them.
    claimed: Mutex<HashSet<String>>,
    /// Has its turns in the order in which they were asked for.
    fresh: Semaphore,
    /// One bad scope does not end the read; the read fails when the others have been given.
    failures: Mutex<Vec<Error>>,
}

impl Once<'_> {
    async fn parent(&self, scope: &str) -> Result<()> {
        // Keys repeat only within one parent, or one chat, which is read under one parent.
        let seen: Seen = Arc::default();
        let item = Item { seen: Some(seen), ..Item::parent(scope) };
        match self.read_parent(item).await {
            Err(error) if error.ends_run() => Err(error),
            Err(error) => {
                self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn read_parent(&self, mut item: Item) -> Result<()> {
        let strategy = self.reader.job.options.strategy;
        let whole = Window::new(self.reader.job.options.start_date, self.reader.round.until);
        // A team's export needs no list of its channels; of a user's, a chat belongs to one of its members.
        let is_listed = strategy != Strategy::Export || self.reader.family == Family::Chats;
        if is_listed && !self.list(&mut item).await? {
            return Ok(());
        }
        if strategy == Strategy::Export {
            let export = Item { children: item.children.clone(), ..item.window(whole) };
            return self.windows(vec![export]).await;
        }
        let exports = strategy == Strategy::Auto && !self.reader.is_child_named();
        if !exports {
            return self.children(&item, |_| true).await;
        }
        self.fresh(&item).await?;
        let export = Item { children: item.children.clone(), ..item.window(whole) };
        self.forget(&item);
        self.windows(vec![export]).await?;
        self.reader.settle(&item);
        // What the export holds is known by now; the rest is read whole.
        let known = |child: &Child| {
            let scope = format!("{}/{}", item.scope, child.id);
            self.reader.round.known().contains(self.reader.known_name(&scope))
        };
        self.children(&item, |child| !child.is_special && !known(child)).await
    }

    /// Lists the children; `false` when the parent was skipped.
    async fn list(&self, item: &mut Item) -> Result<bool> {
        loop {
            match self.reader.children(item).await {
                Ok(()) => {
                    self.claim(item);
                    return Ok(true);
                }
                Err(error) => match self.reader.job.judge(item, error, self.reader.is_parent_named())? {
                    Step::More => {}
                    _ => return Ok(false),
                },
            }
        }
    }

    fn claim(&self, item: &mut Item) {
        if self.reader.family == Family::Channels {
            return;
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let children = item.children.iter().flat_map(|list| list.iter());
        item.children = Some(children.filter(|child| claimed.insert(child.id.clone())).cloned().collect());
    }

    /// The chains of the last day or so, which the export may not hold yet, and children that it may not hold at all.
    /// An export that holds them nevertheless comes later, so that its older versions are left out.
    async fn fresh(&self, item: &Item) -> Result<()> {
        for child in item.children.iter().flat_map(|list| list.iter()).filter(|child| !child.is_special) {
            let scope = format!("{}/{}", item.scope, child.id);
            self.reader.round.known().insert(self.reader.known_name(&scope));
        }
        let exported = Item { exported: true, ..item.clone() };
        let in_turn = |child| async {
            let _turn = self.fresh.acquire().await;
            self.drive(child).await
        };
        side_by_side(CHILDREN, child_items(&exported, |_| true).map(|child| in_turn(child).boxed()).collect()).await
    }

    /// Children become known again by their rows in the export.
    fn forget(&self, item: &Item) {
        let mut known = self.reader.round.known();
        for child in item.children.iter().flat_map(|list| list.iter()) {
            known.remove(self.reader.known_name(&format!("{}/{}", item.scope, child.id)));
        }
    }

    async fn children(&self, item: &Item, is_wanted: impl Fn(&Child) -> bool) -> Result<()> {
        side_by_side(CHILDREN, child_items(item, is_wanted).map(|child| self.drive(child).boxed()).collect()).await
    }

    /// Reads windows, and what they are cut into, side by side.
    fn windows(&self, items: Vec<Item>) -> BoxFuture<'_, Result<()>> {
        let reads = items.into_iter().map(|item| self.drive(item).boxed()).collect();
        side_by_side(WINDOWS, reads).boxed()
    }

    /// Steps until there is no more. A refused export leaves its parent's children to be listed.
    async fn drive(&self, mut item: Item) -> Result<()> {
        loop {
            match self.reader.step(&mut item).await? {
                Step::More => {}
                Step::Done | Step::Skipped => return Ok(()),
                Step::Split(parts) if parts.iter().any(|part| part.refused) => return Ok(()),
                Step::Split(parts) => return self.windows(parts).await,
            }
        }
    }
}

fn child_items(item: &Item, is_wanted: impl Fn(&Child) -> bool) -> impl Iterator<Item = Item> {
    let children = item.children.iter().flat_map(|list| list.iter()).filter(move |child| is_wanted(child));
    children.map(|child| Item { after_child: None, ..item.child(&child.id) })
}
