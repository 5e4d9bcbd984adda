//! The last items of pages, for pages that begin with what the page before ended with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Items as they are written, and how many they are.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    pub bytes: Vec<u8>,
    pub count: usize,
}

/// What one rule remembers. Its requests share it.
#[derive(Clone, Debug)]
pub struct Tails {
    /// How many items of a page come again on the next one.
    pub items: usize,
    by_link: Arc<Mutex<HashMap<String, Tail>>>,
}

impl Tails {
    pub fn new(items: usize) -> Self {
        Self { items, by_link: Arc::default() }
    }

    /// Remembers how the page before `link` ends.
    pub fn keep(&self, link: String, tail: Tail) {
        self.by_link.lock().unwrap_or_else(PoisonError::into_inner).insert(link, tail);
    }

    /// How the page before `link` ended. It stays, because a request may be repeated.
    pub fn before(&self, link: &str) -> Option<Tail> {
        self.by_link.lock().unwrap_or_else(PoisonError::into_inner).get(link).cloned()
    }
}
