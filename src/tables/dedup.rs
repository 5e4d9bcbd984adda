//! Deduplication of rows: the keys of those kept so far, by their hashes, and which of them came with the page being read.
//!
//! Whether rows of one read are deduplicated at all is for the reader of a table to decide, by giving the filter a
//! [`KeySet`]; a broken page is read again, so that its keys have to be taken back.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Keys by their hashes.
pub type KeySet = HashSet<u64, BuildHasherDefault<KeyHasher>>;

/// Passes a `u64` through: it is a hash already.
#[derive(Debug, Default, Clone, Copy)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hashes a key of three parts.
pub fn key_hash(conversation: &str, parent: &str, id: &str) -> u64 {
    [conversation, parent, id].into_iter().fold(0, hash)
}

#[inline]
fn hash(before: u64, part: &str) -> u64 {
    xxh3_64_with_seed(part.as_bytes(), before)
}

/// The same, with the first part hashed already.
#[inline]
pub(crate) fn key_of(conversation: u64, parent: &str, id: &str) -> u64 {
    hash(hash(conversation, parent), id)
}

/// A row in one of its versions.
pub(crate) fn version_of(key: u64, modified: Timestamp) -> u64 {
    xxh3_64_with_seed(&modified.as_nanosecond().to_le_bytes(), key)
}

/// Takes back the keys of a page from the one at `mark` on: their rows were taken back, and may come again.
pub(crate) fn take_back(seen: Option<&mut KeySet>, page: &mut Vec<u64>, mark: usize) {
    let keys = page.drain(mark..);
    if let Some(seen) = seen {
        keys.for_each(|key| {
            seen.remove(&key);
        });
    }
}

/// The conversation of the last row, and its hash: the next row is mostly of the same.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LastConversation {
    name: String,
    hash: Option<u64>,
}

impl LastConversation {
    #[inline]
    pub(crate) fn is(&self, name: &str) -> bool {
        self.hash.is_some() && self.name == name
    }

    #[inline]
    pub(crate) fn hash_of(&self, name: &str) -> u64 {
        self.hash.filter(|_| self.is(name)).unwrap_or_else(|| hash(0, name))
    }

    pub(crate) fn set(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
        self.hash = Some(hash(0, name));
    }
}
