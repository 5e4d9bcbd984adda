//! The keys of an object, found by where they stand.
//!
//! Objects of one list have their keys in one order, so the key that followed last time is tried first. Most members of
//! most objects are null, and the same ones stand together again and again: such a stretch is compared as one text.

use std::borrow::Cow;

use super::json::{Json, Key, Read};

/// How many keys are remembered, those that are of no use included.
const MOST: usize = 128;
/// The longest stretch of nulls that is remembered, in bytes.
const LONGEST: usize = 1024;

/// What followed a key last time.
#[derive(Default)]
struct Follower {
    key: usize,
    /// Members that were null, each with its comma; and the place behind them.
    nulls: String,
    behind: usize,
}

/// Keys by index. Those that are met without having been asked for come behind the others.
pub(super) struct Keys {
    all: Vec<Key>,
    /// By place: before any key, and behind each.
    followers: Vec<Follower>,
    /// How many keys were asked for, and how often each of the others was met with a value.
    declared: usize,
    met: Vec<u64>,
}

/// How far an object has been read.
#[derive(Default)]
pub(super) struct Walk {
    is_inside: bool,
    place: usize,
}

/// A member whose value is not null and comes next.
pub(super) enum Member {
    Known(usize),
    /// One that is not remembered.
    Other,
}

impl Keys {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let all: Vec<_> = names.map(Key::new).collect();
        let follower = |key| Follower { key, ..Follower::default() };
        Self { followers: (0..=all.len()).map(follower).collect(), declared: all.len(), met: Vec::new(), all }
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

    /// Reads up to the next value that is not null; `None` at the end of the object. Nulls fill nothing.
    #[inline]
    pub(super) fn next(&mut self, walk: &mut Walk, json: &mut Json<'_>) -> Read<Option<Member>> {
        let has_more = if walk.is_inside { json.next_member()? } else { json.open_object()? };
        walk.is_inside = true;
        if !has_more {
            return Ok(None);
        }
        let follower = &self.followers[walk.place];
        if !follower.nulls.is_empty() && json.step_over(follower.nulls.as_bytes()) {
            walk.place = follower.behind;
        }
        let (place, start) = (walk.place, json.position());
        let key = self.key(walk, json)?;
        if json.peek()? == b'n' {
            return self.nulls(walk, key.map(|_| (place, start)), json);
        }
        Ok(Some(key.map_or(Member::Other, Member::Known)))
    }

    /// Goes on from a null that was not expected.
    fn nulls(
        &mut self,
        walk: &mut Walk,
        mut began: Option<(usize, usize)>,
        json: &mut Json<'_>,
    ) -> Read<Option<Member>> {
        loop {
            json.null()?;
            if !json.next_member()? {
                return Ok(None);
            }
            let (behind, end) = (walk.place, json.position());
            let key = self.key(walk, json)?;
            if json.peek()? != b'n' {
                if let Some((place, start)) = began {
                    self.remember(place, json.between(start, end), behind);
                }
                return Ok(Some(key.map_or(Member::Other, Member::Known)));
            }
            began = began.filter(|_| key.is_some());
        }
    }

    fn remember(&mut self, place: usize, nulls: &str, behind: usize) {
        if nulls.len() <= LONGEST {
            let follower = &mut self.followers[place];
            follower.behind = behind;
            follower.nulls.clear();
            follower.nulls.push_str(nulls);
        }
    }

    /// Reads a key. `None` for one that is not remembered.
    #[inline]
    fn key(&mut self, walk: &mut Walk, json: &mut Json<'_>) -> Read<Option<usize>> {
        let guess = self.followers[walk.place].key;
        if self.all.get(guess).is_some_and(|key| json.is_key(key)) {
            walk.place = guess + 1;
            return Ok(Some(guess));
        }
        self.search(walk, json)
    }

    // Apart, so that the usual way stays small.
    #[cold]
    #[inline(never)]
    fn search(&mut self, walk: &mut Walk, json: &mut Json<'_>) -> Read<Option<usize>> {
        let name = json.key()?;
        let mut found = self.all.iter().position(|key| key.name == name);
        // A key with escapes does not stand in the text as its name.
        if let (None, Cow::Borrowed(plain), true) = (found, &name, self.all.len() < MOST) {
            found = Some(self.all.len());
            self.all.push(Key::new((*plain).to_owned()));
            self.followers.push(Follower::default());
        }
        if let Some(found) = found {
            self.followers[walk.place].key = found;
            walk.place = found + 1;
        }
        Ok(found)
    }
}
