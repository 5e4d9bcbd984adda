//! Deduplication: what has been read already, where everything may come only once.
//!
//! A row's key is seen by hash (`teams_tables::key_hash`), so that a million of them take a few megabytes. Two
//! keys of equal hash would lose a row: of a hundred million rows that happens to one read in 3,700.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use teams_tables::{KeySet, key_hash};

/// The keys seen so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct SeenKeys(Arc<Mutex<KeySet>>);

impl SeenKeys {
    /// For a page's filter, which notes the keys of its rows.
    pub fn lock(&self) -> MutexGuard<'_, KeySet> {
        self.0.lock()
    }

    /// Notes an id; `false` where it has been seen before.
    pub fn insert(&self, id: &str) -> bool {
        self.lock().insert(key_hash("", "", id))
    }

    /// Rows that were not taken after all may come again.
    pub fn forget(&self, keys: &[u64]) {
        let mut seen = self.lock();
        for key in keys {
            seen.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_for_all_who_share_the_set() {
        let seen = SeenKeys::default();
        assert!(seen.insert("a") && seen.clone().insert("b"));
        assert!(!seen.clone().insert("a") && !seen.insert("b"));
        seen.forget(&[key_hash("", "", "a")]);
        assert!(seen.insert("a") && !seen.insert("b"));
    }
}
