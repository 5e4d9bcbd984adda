//! Chats that the export of a user shows and that no list has named so far: those of other tenants, and those that the user
//! has left. Each member's export may show one, a part of it each, so that their rows are told apart by key over all users.
//!
//! A chat that was listed first belongs to the user whose list named it.

use parking_lot::{Mutex, MutexGuard};

use crate::dedup::SeenKeys;
use teams_tables::{KeySet, Unlisted, key_hash};

#[derive(Debug, Default)]
pub struct UnlistedChats {
    chats: Mutex<Chats>,
    keys: SeenKeys,
}

#[derive(Debug, Default)]
struct Chats {
    listed: KeySet,
    unlisted: KeySet,
}

impl UnlistedChats {
    /// Notes a chat that a list names; `false` where another list has named it before.
    pub fn list(&self, chat: &str) -> bool {
        self.chats.lock().listed.insert(key_hash("", "", chat))
    }

    /// The keys that have been seen of a chat, if an export has shown it before any list did.
    pub fn seen_keys(&self, chat: &str) -> Option<SeenKeys> {
        let is_unlisted = self.chats.lock().unlisted.contains(&key_hash("", "", chat));
        is_unlisted.then(|| self.keys.clone())
    }

    /// For a page of an export.
    pub fn lock(&self) -> Guard<'_> {
        Guard { chats: self.chats.lock(), keys: self.keys.lock() }
    }
}

pub struct Guard<'a> {
    chats: MutexGuard<'a, Chats>,
    keys: MutexGuard<'a, KeySet>,
}

impl Guard<'_> {
    pub fn for_filter(&mut self) -> Unlisted<'_> {
        let Chats { listed, unlisted } = &mut *self.chats;
        Unlisted { listed, unlisted, seen: &mut self.keys }
    }
}
