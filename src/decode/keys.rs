//! The keys of an object, found by where they stand.
//!
//! Objects of one list have their keys in one order, so the key that followed last time is tried first.

use super::json::{Json, Key, Read};

/// How many keys are remembered, those that are of no use included.
const MOST: usize = 128;

/// Keys by index. Those that are met without having been asked for come behind the others.
pub(super) struct Keys {
    all: Vec<Key>,
    /// Which key followed each one, and which came first.
    next: Vec<usize>,
    /// How many keys were asked for, and how often each of the others was met.
    declared: usize,
    met: Vec<u64>,
}

impl Keys {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let keys: Vec<_> = names.map(Key::new).collect();
        Self {
            next: (0..=keys.len()).map(|at| at.min(keys.len().saturating_sub(1))).collect(),
            declared: keys.len(),
            met: Vec::new(),
            all: keys,
        }
    }

    /// Counts a key, if nobody asked for it.
    pub(super) fn note(&mut self, key: usize) {
        let Some(place) = key.checked_sub(self.declared) else { return };
        if place >= self.met.len() {
            self.met.resize(place + 1, 0);
        }
        self.met[place] += 1;
    }

    /// Takes the counts of keys that nobody asked for.
    pub(super) fn take_met(&mut self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.all[self.declared..].iter().map(|key| key.name.as_ref());
        names.zip(self.met.iter_mut().map(std::mem::take)).filter(|(_, count)| *count > 0)
    }

    /// Reads a key; `last` is the one that came before it. `None` for one that is not remembered.
    #[inline]
    pub(super) fn read(&mut self, last: Option<usize>, json: &mut Json<'_>) -> Read<Option<usize>> {
        let place = last.map_or(0, |last| last + 1);
        let guess = self.next[place];
        if self.all.get(guess).is_some_and(|key| json.is_key(key)) {
            return Ok(Some(guess));
        }
        self.search(place, json)
    }

    fn search(&mut self, place: usize, json: &mut Json<'_>) -> Read<Option<usize>> {
        let name = json.key()?;
        let mut found = self.all.iter().position(|key| key.name == name);
        if found.is_none() && self.all.len() < MOST {
            found = Some(self.all.len());
            self.all.push(Key::new(name.into_owned()));
            self.next.push(0);
        }
        if let Some(found) = found {
            self.next[place] = found;
        }
        Ok(found)
    }
}
