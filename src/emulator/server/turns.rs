//! Which conversations of the Bot Connector have a request under way: operations on one must not overlap.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, usize>>);

/// A request under way; it ends when this is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    conversation: String,
    /// Whether no other one was under way.
    pub alone: bool,
}

impl Turns {
    pub fn enter(&self, conversation: &str) -> Turn<'_> {
        let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(conversation.to_owned()).or_default();
        *count += 1;
        Turn { turns: self, conversation: conversation.to_owned(), alone: *count == 1 }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.conversation) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.conversation);
            }
        }
    }
}
