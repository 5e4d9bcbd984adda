//! The keys of an object, found by where they stand.
//!
//! Objects of one list have their keys in one order, so the key that followed last time is tried first.

use super::json::{Json, Key, Read};

/// How many keys are remembered, those that are of no use included.
const MOST: usize = 128;

/// Keys by index. Those that are met without having been asked for come behind the others.
pub(super) struct Keys {
    keys: Vec<Key>,
    /// Which key followed each one, and which came first.
    next: Vec<usize>,
}

impl Keys {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let keys: Vec<_> = names.map(Key::new).collect();
        Self { next: (0..=keys.len()).map(|at| at.min(keys.len().saturating_sub(1))).collect(), keys }
    }

    /// Reads a key; `last` is the one that came before it. `None` for one that is not remembered.
    #[inline]
    pub(super) fn read(&mut self, last: Option<usize>, json: &mut Json<'_>) -> Read<Option<usize>> {
        let place = last.map_or(0, |last| last + 1);
        let guess = self.next[place];
        if self.keys.get(guess).is_some_and(|key| json.is_key(key)) {
            return Ok(Some(guess));
        }
        self.search(place, json)
    }

    fn search(&mut self, place: usize, json: &mut Json<'_>) -> Read<Option<usize>> {
        let name = json.key()?;
        let mut found = self.keys.iter().position(|key| key.name == name);
        if found.is_none() && self.keys.len() < MOST {
            found = Some(self.keys.len());
            self.keys.push(Key::new(name.into_owned()));
            self.next.push(0);
        }
        if let Some(found) = found {
            self.next[place] = found;
        }
        Ok(found)
    }
}
