//! Deduplication: what has been read already, where everything may come only once.
//!
//! A row's key is seen by hash (`teams_tables::key_hash`), so that a million of them take a few megabytes. Two
//! keys of equal hash would lose a row: of a hundred million rows that happens to one read in 3,700.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};

use teams_tables::{Fields, KeySet, key_hash};

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

/// Versions of rows that are kept in mind at most, some 38 MB: what is beyond them comes twice, which is harmless.
const MOST_VERSIONS: usize = 3_500_000;

/// What the export of a parent has given of children that are listed too, because an export may not hold them: their rows in
/// the versions that came, by the parent. Each goes when it has come again. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct GivenVersions(Arc<Mutex<HashMap<String, KeySet>>>);

impl GivenVersions {
    pub fn note(&self, parent: &str, versions: &[u64]) {
        let mut given = self.0.lock();
        let known: usize = given.values().map(KeySet::len).sum();
        if !versions.is_empty() && known < MOST_VERSIONS {
            given.entry(parent.to_owned()).or_default().extend(versions);
        }
    }

    /// For a page's filter.
    pub fn of(&self, parent: &str) -> Option<MappedMutexGuard<'_, KeySet>> {
        MutexGuard::try_map(self.0.lock(), |given| given.get_mut(parent)).ok()
    }
}

/// Each item of a list once: what moves while a list is paged stands on two pages, and its later state counts. An item
/// without one of the `keys` repeats no other.
pub fn latest<T>(items: Vec<T>, text: impl Fn(&T) -> &str, keys: &[&str]) -> Vec<T> {
    let mut seen = KeySet::default();
    let mut kept: Vec<T> = items
        .into_iter()
        .rev()
        .filter(|item| item_hash(text(item), keys).is_none_or(|hash| seen.insert(hash)))
        .collect();
    kept.reverse();
    kept
}

fn item_hash(item: &str, keys: &[&str]) -> Option<u64> {
    let item = Fields::of(item)?;
    let parts = keys.iter().map(|key| item.key(key)).collect::<Option<Vec<_>>>()?;
    Some(key_hash("", "", &parts.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_items_of_one_key_the_last_is_kept() {
        let items = vec![
            r#"{"id":"a","m":1}"#,
            r#"{"id":"b","m":1}"#,
            "{}",
            r#"{"id":"a","m":2}"#,
            "{}",
            r#"{"m":1,"id":"a","x":1}"#,
        ];
        let by = |keys: &[&str]| latest(items.clone(), |item| item, keys);
        assert_eq!(by(&["id"]), [items[1], "{}", "{}", items[5]]);
        assert_eq!(by(&["m", "id"]), [items[1], "{}", items[3], "{}", items[5]]);
    }

    #[test]
    fn an_id_is_new_once_for_all_who_share_the_set() {
        let seen = SeenKeys::default();
        assert!(seen.insert("a") && seen.clone().insert("b"));
        assert!(!seen.clone().insert("a") && !seen.insert("b"));
        seen.forget(&[key_hash("", "", "a")]);
        assert!(seen.insert("a") && !seen.insert("b"));
    }
}
