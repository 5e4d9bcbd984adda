//! Which items of a page become rows, and what the page says of its scope.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use jiff::Timestamp;

use super::head::Head;
use crate::dedup::{self, KeyHasher, KeySet, LastConversation};

/// Decides by an item's head. What it notes is of one page: a page that turns out to be broken is forgotten whole.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Older rows, and rows of exactly this time, are left out. Rows without a readable time never are.
    pub after: Option<Timestamp>,
    /// The server has chosen the rows by their time, so that one that does not tell it is wanted.
    pub is_chosen: bool,
    /// The end of the window that was asked for; only noted, because a newer version is never wrong.
    pub until: Option<Timestamp>,
    /// The channels or chats that are wanted; `None` for all.
    pub conversations: Option<&'a HashSet<String>>,
    /// Channels whose rows are left out.
    pub excluded: &'a [String],
    /// The conversations that are not among the wanted ones, where some of them are wanted all the same.
    pub unlisted: Option<Unlisted<'a>>,
    /// The keys of all rows kept so far, where each may come only once.
    pub seen: Option<&'a mut KeySet>,
    /// What comes twice in the same version, because its conversation is read in two ways.
    pub twice: Option<Twice<'a>>,
    pub page: Tally,
}

/// The two ways in which rows of a conversation come.
#[derive(Debug)]
pub enum Twice<'a> {
    /// Those of these conversations will come again: [`Tally::versions_kept`] tells which.
    First(&'a HashSet<&'a str>),
    /// Those of these versions have come before, and are left out; each is taken out of them.
    Second(&'a mut KeySet),
}

/// When items were changed, by their keys.
type Versions = HashMap<u64, Timestamp, BuildHasherDefault<KeyHasher>>;

/// Conversations that were found by their rows: each is wanted unless a list has named it before.
#[derive(Debug)]
pub struct Unlisted<'a> {
    /// Conversations by the hashes of their ids ([`key_hash`](crate::key_hash)).
    pub listed: &'a KeySet,
    pub unlisted: &'a mut KeySet,
    /// The keys of all their rows kept so far.
    pub seen: &'a mut KeySet,
}

impl Unlisted<'_> {
    /// Whether a conversation was found by its rows, or is found now; `is_wanted` where it was listed for this page.
    fn takes(&mut self, conversation: &str, is_wanted: bool) -> bool {
        let key = dedup::key_hash("", "", conversation);
        self.unlisted.contains(&key)
            || !is_wanted && !conversation.is_empty() && !self.listed.contains(&key) && self.unlisted.insert(key)
    }
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
    /// When they were changed.
    times: Vec<Option<Timestamp>>,
    /// The versions of rows kept that will come again ([`Twice::First`]).
    pub versions_kept: Vec<u64>,
    /// Those of which a newer version came behind.
    outdated: Versions,
    /// Of items that the page holds in several versions, the newest: the page is read for a second time.
    versions: Versions,
    last: LastConversation,
}

impl Tally {
    /// Notes an item that came before: on this page, or on another, whose rows are gone.
    fn repeat(&mut self, key: u64, modified: Option<Timestamp>) {
        let Some(at) = self.keys.iter().position(|other| *other == key) else { return };
        let newest = self.outdated.get(&key).copied().or(self.times[at]);
        if let Some(modified) = modified.filter(|modified| newest.is_none_or(|newest| newest < *modified)) {
            self.outdated.insert(key, modified);
        }
    }

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
        if self.is_early(head) || self.excluded.iter().any(|excluded| excluded == conversation) {
            return false;
        }
        let is_wanted = self.conversations.is_none_or(|wanted| wanted.contains(conversation));
        let is_unlisted = self.unlisted.as_mut().is_some_and(|unlisted| unlisted.takes(conversation, is_wanted));
        if !is_wanted && !is_unlisted {
            return false;
        }
        if is_keyed && self.came_before(head, conversation, parent) {
            return false;
        }
        let seen = match &mut self.unlisted {
            Some(unlisted) if is_unlisted => Some(&mut *unlisted.seen),
            _ => self.seen.as_deref_mut(),
        };
        if let Some(seen) = seen.filter(|_| is_keyed) {
            let key = dedup::key_of(self.page.last.hash_of(conversation), parent, head.id());
            let versions = &self.page.versions;
            if !versions.is_empty() && versions.get(&key).is_some_and(|newest| head.modified != Some(*newest)) {
                return false;
            }
            if !seen.insert(key) {
                self.page.repeat(key, head.modified);
                return false;
            }
            self.page.keys.push(key);
            self.page.times.push(head.modified);
        }
        self.page.note(conversation);
        true
    }

    /// Whether the version has come before, in another way; notes one that will. One that does not tell when it was changed is
    /// no known version.
    fn came_before(&mut self, head: &Head<'_>, conversation: &str, parent: &str) -> bool {
        let Some(modified) = head.modified.filter(|_| !head.is_substitute) else { return false };
        let key = |last: &LastConversation| dedup::key_of(last.hash_of(conversation), parent, head.id());
        match &mut self.twice {
            None => false,
            Some(Twice::Second(given)) => given.remove(&dedup::version_of(key(&self.page.last), modified)),
            Some(Twice::First(conversations)) => {
                if conversations.contains(conversation) {
                    self.page.versions_kept.push(dedup::version_of(key(&self.page.last), modified));
                }
                false
            }
        }
    }

    /// Notes an item's time, and tells whether it is too early to be wanted. When an item was created says little of when
    /// it was changed: it counts only where the server does not know better.
    fn is_early(&mut self, head: &Head<'_>) -> bool {
        let Some(modified) = head.modified else { return false };
        let is_before = self.after.is_some_and(|after| modified <= after);
        let is_after = self.until.is_some_and(|until| modified > until);
        let is_outside = is_before || is_after;
        if head.is_substitute && is_outside {
            return is_before && !self.is_chosen;
        }
        self.page.oldest = Some(self.page.oldest.map_or(modified, |oldest| oldest.min(modified)));
        self.page.newest = self.page.newest.max(Some(modified));
        self.page.outside += usize::from(is_outside);
        is_before
    }

    /// How many keys are of this page: the point to take a thread back to.
    pub(crate) fn mark(&self) -> usize {
        self.page.keys.len()
    }

    /// Rows that were kept and then taken back may come again.
    pub(crate) fn take_back(&mut self, mark: usize) {
        if let Some(unlisted) = &mut self.unlisted {
            // A key is of one of the two sets.
            dedup::take_back(Some(unlisted.seen), &mut self.page.keys.clone(), mark);
        }
        dedup::take_back(self.seen.as_deref_mut(), &mut self.page.keys, mark);
        self.page.times.truncate(mark);
    }

    /// Whether the page has to be read again, because of some items a newer version came behind an older one. It is
    /// forgotten then, and only the newest of each will be kept.
    pub(crate) fn begin_newest(&mut self) -> bool {
        if self.page.outdated.is_empty() {
            return false;
        }
        let newest = std::mem::take(&mut self.page.outdated);
        self.forget();
        self.page.versions = newest;
        true
    }

    /// Forgets the page, because it is going to be read again.
    pub fn forget(&mut self) {
        self.take_back(0);
        self.page = Tally::default();
    }
}
