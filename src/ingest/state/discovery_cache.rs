//! The teams, users, channels and chats that a round has discovered, kept in memory from one of its steps to the next.
//!
//! A round reads what there was when it began, so that its later steps need not list again: what appears meanwhile
//! belongs to the next round, which lists anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::round_kind::RoundKind;
use super::work_item::{Child, WorkItem};
use teams_base::options::TableOptions;

/// A round that takes longer lists again: what was deleted since would be asked for only to be not found.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Which round of which read.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub kind: RoundKind,
    pub options: Arc<TableOptions>,
    pub until: Timestamp,
}

struct Entry {
    key: Key,
    /// Graph's clock when the parents were listed.
    at: Timestamp,
    parents: Arc<[String]>,
    /// Of parents that are half-read, so that there are few of them.
    children: HashMap<String, Arc<[Child]>>,
}

/// The open rounds of a session. Clones share them.
#[derive(Clone, Default)]
pub struct DiscoveryCache(Arc<Mutex<Vec<Entry>>>);

impl DiscoveryCache {
    /// The parents of a round as they were listed at most [`LIFETIME`] before `now`.
    pub fn parents(&self, key: &Key, now: Option<Timestamp>) -> Option<Arc<[String]>> {
        let mut entries = self.0.lock();
        if let Some(now) = now {
            entries.retain(|entry| now.duration_since(entry.at) < LIFETIME);
        }
        entries.iter().find(|entry| entry.key == *key).map(|entry| Arc::clone(&entry.parents))
    }

    pub fn keep(&self, key: Key, parents: Arc<[String]>, at: Timestamp) {
        let mut entries = self.0.lock();
        entries.retain(|entry| entry.key != key);
        entries.push(Entry { key, at, parents, children: HashMap::new() });
    }

    /// Keeps the children of what a step leaves half-read, or listed and not begun; drops those of what was read.
    pub fn keep_children(&self, key: &Key, left: &[WorkItem], after: Option<&String>) {
        let mut entries = self.0.lock();
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) else { return };
        let scopes: HashSet<&str> = left.iter().map(|item| item.scope.as_str()).collect();
        entry.children.retain(|scope, _| scopes.contains(scope.as_str()) || Some(scope) > after);
        let listed = left.iter().filter_map(|item| Some((item.scope.clone(), item.children.clone()?)));
        entry.children.extend(listed);
    }

    /// What had been listed of a parent before the pause.
    pub fn children(&self, key: &Key, parent: &str) -> Option<Arc<[Child]>> {
        self.0.lock().iter().find(|entry| entry.key == *key)?.children.get(parent).cloned()
    }

    /// The round is over.
    pub fn forget(&self, key: &Key) {
        self.0.lock().retain(|entry| entry.key != *key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::round_kind::Family;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_serves_its_own_round_for_an_hour() {
        let cache = DiscoveryCache::default();
        let options = Arc::new(TableOptions::default());
        let key = |until: &str| Key { kind: RoundKind::Chats, options: Arc::clone(&options), until: at(until) };
        let first = key("2026-01-01T00:00:00Z");
        cache.keep(first.clone(), ["a".to_owned()].into(), at("2026-01-01T00:00:01Z"));
        assert_eq!(cache.parents(&first, Some(at("2026-01-01T00:59:00Z"))).as_deref(), Some(&["a".to_owned()][..]));
        let other =
            Key { options: Arc::new(TableOptions { top: Some(7), ..TableOptions::default() }), ..first.clone() };
        assert!(cache.parents(&other, None).is_none());
        assert!(cache.parents(&key("2026-01-02T00:00:00Z"), None).is_none());
        assert!(cache.parents(&first, Some(at("2026-01-01T01:00:02Z"))).is_none());
        assert!(cache.0.lock().is_empty(), "what is too old takes no room");
    }

    #[test]
    fn children_are_kept_until_their_parent_has_been_read() {
        let cache = DiscoveryCache::default();
        let until = at("2026-01-01T00:00:00Z");
        let key = Key { kind: RoundKind::Messages(Family::Channels), options: Arc::default(), until };
        cache.keep(key.clone(), Arc::default(), until);
        let children: Arc<[Child]> = [Child { id: "c".into(), is_special: false, active: None }].into();
        let parent = |scope: &str| WorkItem { children: Some(Arc::clone(&children)), ..WorkItem::parent(scope) };
        let after = "b".to_owned();
        cache.keep_children(&key, &[parent("a"), parent("b"), parent("c")], Some(&after));
        cache.keep_children(&key, &[WorkItem::parent("b")], Some(&after));
        let found = ["a", "b", "c"].map(|scope| cache.children(&key, scope).is_some());
        assert_eq!(found, [false, true, true], "read, half-read, not begun");
        cache.forget(&key);
        assert!(cache.children(&key, "b").is_none());
    }
}
