//! Which items of a page become rows, and what the page says of its scope.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::head::Head;
use crate::dedup::{self, KeySet, LastConversation};

/// Decides by an item's head. What it notes is of one page: a page that turns out to be broken is forgotten whole.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Older rows, and rows of exactly this time, are left out. Rows without a readable time never are.
    pub after: Option<Timestamp>,
    /// The end of the window that was asked for; only noted, because a newer version is never wrong.
    pub until: Option<Timestamp>,
    /// The channels or chats that are wanted; `None` for all.
    pub conversations: Option<&'a HashSet<String>>,
    /// The keys of all rows kept so far, where each may come only once.
    pub seen: Option<&'a mut KeySet>,
    pub page: Tally,
}

/// What a page held.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Rows outside the window, which only a server that ignores the filter sends.
    pub outside: usize,
    pub conversations: BTreeSet<String>,
    pub oldest: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    /// Those of [`Filter::seen`] that are of this page, in order.
    pub keys: Vec<u64>,
    last: LastConversation,
}

impl Tally {
    fn note(&mut self, conversation: &str) {
        if self.last.is(conversation) {
            return;
        }
        if !self.conversations.contains(conversation) {
            self.conversations.insert(conversation.to_owned());
        }
        self.last.set(conversation);
    }
}

impl Filter<'_> {
    /// Whether an item becomes a row. `conversation` is its channel or chat (empty where the table has none, `None` where
    /// the item should have one), `parent` the root it replies to.
    pub fn keep(&mut self, head: &Head<'_>, conversation: Option<&str>, parent: &str) -> bool {
        // What has no key of its own repeats nothing.
        let is_keyed = !head.id().is_empty() && conversation.is_some();
        let conversation = conversation.unwrap_or_default();
        self.note_time(head.modified);
        if self.after.zip(head.modified).is_some_and(|(after, modified)| modified <= after) {
            return false;
        }
        if self.conversations.is_some_and(|wanted| !wanted.contains(conversation)) {
            return false;
        }
        if let Some(seen) = self.seen.as_mut().filter(|_| is_keyed) {
            let hash = self.page.last.hash_of(conversation);
            if !dedup::insert(seen, &mut self.page.keys, hash, parent, head.id()) {
                return false;
            }
        }
        self.page.note(conversation);
        true
    }

    fn note_time(&mut self, modified: Option<Timestamp>) {
        let Some(modified) = modified else { return };
        self.page.oldest = Some(self.page.oldest.map_or(modified, |oldest| oldest.min(modified)));
        self.page.newest = self.page.newest.max(Some(modified));
        let is_before = self.after.is_some_and(|after| modified <= after);
        let is_after = self.until.is_some_and(|until| modified > until);
        self.page.outside += usize::from(is_before || is_after);
    }

    /// How many keys are of this page: the point to take a thread back to.
    pub(crate) fn mark(&self) -> usize {
        self.page.keys.len()
    }

    /// Rows that were kept and then taken back may come again.
    pub(crate) fn take_back(&mut self, mark: usize) {
        dedup::take_back(self.seen.as_deref_mut(), &mut self.page.keys, mark);
    }

    /// Forgets the page, because it is going to be read again.
    pub fn forget(&mut self) {
        self.take_back(0);
        self.page = Tally::default();
    }
}
