//! A full read of messages, without an offset: each key once, in its newest version.
//!
//! What is fresh is read first, by lists; then the history is exported, and keys that have been seen are left out.

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::conversations::Conversations;
use super::strategy::Ways;
use crate::context::{ReadContext, side_by_side};
use crate::dedup::SeenKeys;
use crate::engine::{Reader, Step};
use crate::state::round_kind::Family;
use crate::state::round_state::RoundState;
use crate::state::window::Window;
use crate::state::work_item::{Child, WorkItem};
use teams_base::error::{Error, Result};

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
pub async fn read(context: &ReadContext, family: Family, parents: Vec<String>, until: Timestamp) -> Result<()> {
    let round = RoundState { since: Some(until), ..RoundState::first(until) };
    let read = FullRead {
        reader: Conversations::new(context, family, round),
        ways: Ways::of(&context.options, family),
        fresh_turns: Semaphore::new(FRESH),
        failures: Mutex::default(),
    };
    side_by_side(PARENTS, parents.iter().map(|parent| read.parent(parent).boxed()).collect()).await?;
    read.failures.into_inner().into_iter().next().map_or(Ok(()), Err)
}

struct FullRead<'c> {
    reader: Conversations<'c>,
    ways: Ways,
    /// First come, first served.
    fresh_turns: Semaphore,
    /// One bad scope does not end the read; the read fails when the others have been read.
    failures: Mutex<Vec<Error>>,
}

impl FullRead<'_> {
    async fn parent(&self, scope: &str) -> Result<()> {
        // Keys repeat only within one parent, or one chat, which is read under one parent.
        let item = WorkItem { seen_keys: Some(SeenKeys::default()), ..WorkItem::parent(scope) };
        match self.read_parent(item).await {
            Err(error) if error.ends_run() => Err(error),
            Err(error) => {
                self.failures.lock().push(error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn read_parent(&self, mut item: WorkItem) -> Result<()> {
        let whole = Window::new(self.reader.context.options.start_date, self.reader.round.until);
        // A team's export needs no list of its channels; of a user's, a chat belongs to one of its members.
        let is_listed = !self.ways.is_export_only() || self.reader.family == Family::Chats;
        if is_listed && !self.list(&mut item).await? {
            return Ok(());
        }
        if self.ways.is_export_only() {
            let export = WorkItem { children: item.children.clone(), ..item.window(whole) };
            return self.windows(vec![export]).await;
        }
        if !self.ways.exports_history() {
            return self.children(&item, |_| true).await;
        }
        self.fresh(&item).await?;
        let export = WorkItem { children: item.children.clone(), ..item.window(whole) };
        self.forget(&item);
        self.windows(vec![export]).await?;
        if !self.reader.is_spoiled(&item.scope) {
            self.reader.mark_complete(&item);
        }
        // What the export holds is known by now; the rest is read whole.
        let is_known =
            |child: &Child| self.reader.round.known().contains(self.reader.known_name(&item.child_scope(child)));
        self.children(&item, |child| !child.is_special && !is_known(child)).await
    }

    /// Lists the children; `false` when the parent was skipped.
    async fn list(&self, item: &mut WorkItem) -> Result<bool> {
        loop {
            match self.reader.list_children(item).await {
                Ok(()) => {
                    self.leave_out_seen_chats(item);
                    return Ok(true);
                }
                Err(error) => match self.reader.context.on_error(item, error, self.reader.is_parent_named())? {
                    Step::More => {}
                    _ => return Ok(false),
                },
            }
        }
    }

    fn leave_out_seen_chats(&self, item: &mut WorkItem) {
        if self.reader.family == Family::Chats {
            let new = item.listed_children().filter(|child| self.reader.unlisted_chats.list(&child.id));
            item.children = Some(new.cloned().collect());
        }
    }

    /// Reads the reply chains of the last day or so, which the export may not hold yet, and children that it may not
    /// hold at all. An export that holds them nevertheless comes later, so that its older versions are left out.
    async fn fresh(&self, item: &WorkItem) -> Result<()> {
        for child in item.listed_children().filter(|child| !child.is_special) {
            self.reader.round.known().insert(self.reader.known_name(&item.child_scope(child)));
        }
        let exported = WorkItem { exported: true, ..item.clone() };
        let in_turn = |child| async {
            let _turn = self.fresh_turns.acquire().await;
            self.drive(child).await
        };
        side_by_side(CHILDREN, self.child_items(&exported, |_| true).map(|child| in_turn(child).boxed()).collect())
            .await
    }

    /// Children become known again by their rows in the export.
    fn forget(&self, item: &WorkItem) {
        let mut known = self.reader.round.known();
        for child in item.listed_children() {
            known.remove(self.reader.known_name(&item.child_scope(child)));
        }
    }

    async fn children(&self, item: &WorkItem, is_wanted: impl Fn(&Child) -> bool) -> Result<()> {
        side_by_side(CHILDREN, self.child_items(item, is_wanted).map(|child| self.drive(child).boxed()).collect()).await
    }

    /// Reads windows, and what they are cut into, side by side.
    fn windows(&self, items: Vec<WorkItem>) -> BoxFuture<'_, Result<()>> {
        let reads = items.into_iter().map(|item| self.drive(item).boxed()).collect();
        side_by_side(WINDOWS, reads).boxed()
    }

    /// Steps until there is no more. A refused export leaves its parent's children to be listed.
    async fn drive(&self, mut item: WorkItem) -> Result<()> {
        loop {
            match self.reader.step(&mut item).await? {
                Step::More => {}
                Step::Done | Step::Skipped => return Ok(()),
                Step::Split(parts) if parts.iter().any(|part| part.refused) => return Ok(()),
                Step::Split(parts) => return self.windows(parts).await,
            }
        }
    }

    fn child_items(&self, item: &WorkItem, is_wanted: impl Fn(&Child) -> bool) -> impl Iterator<Item = WorkItem> {
        let children = item.listed_children().filter(move |child| is_wanted(child));
        children.map(|child| {
            let seen_keys = self.reader.unlisted_chats.seen_keys(&child.id).or_else(|| item.seen_keys.clone());
            WorkItem { after_child: None, seen_keys, ..item.child(&child.id) }
        })
    }
}
