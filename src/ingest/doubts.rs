//! Teams whose list of channels was empty, though each has its General channel.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// The ids of the teams of which a read brought nothing because of that: what is stored of them is to be kept. Clones
/// share them.
#[derive(Debug, Clone, Default)]
pub struct Doubts(Arc<Mutex<BTreeSet<String>>>);

impl Doubts {
    pub(crate) fn add(&self, team: &str) {
        self.0.lock().insert(team.to_owned());
    }

    /// The ids, sorted.
    pub fn teams(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }
}
