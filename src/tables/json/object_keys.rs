//! The keys of an object, found by what stands between two values.
//!
//! Objects of one list have their keys in one order, and most members of most objects are null, the same ones again and
//! again. So the text between two values, nulls and the next key included, is one of a few, and is compared as one text.

use std::borrow::Cow;

use super::literal::Literal;
use super::reader::{Json, Read};

/// How many keys are remembered, those that are of no use included.
const MOST: usize = 128;
/// How many ways are remembered to go on from a place: a property that is null in some objects makes two.
const WAYS: usize = 4;
/// An annotation without a column that items of one list have in common: read as part of the way.
const ANNOTATION: &str = "@odata.type";
/// The longest way that is remembered, in bytes.
const LONGEST: usize = 1024;

/// The place behind a key that is not remembered; 0 is the place before any key.
const ELSEWHERE: usize = 1;

/// The place behind a key.
const fn behind(key: usize) -> usize {
    key + 2
}

/// From one value to the next, or to the end of the object.
struct Way {
    /// With the first byte of the value, so that nothing is left to look at before it is read.
    text: Literal,
    to: Option<(usize, First)>,
    taken: u64,
}

/// ObjectKeys by index. Those that are met without having been asked for come behind the others.
pub(crate) struct ObjectKeys {
    all: Vec<Cow<'static, str>>,
    /// By place, those that are taken more often in front.
    ways: Vec<Vec<Way>>,
    /// How many keys were asked for, and how often each of the others was met with a value.
    declared: usize,
    met: Vec<u64>,
}

/// How far an object has been read.
#[derive(Default)]
pub(crate) struct Walk {
    is_inside: bool,
    place: usize,
}

/// The first byte of a value that comes next and is not null.
pub(crate) type First = u8;

/// A member whose value is not null and comes next.
pub(crate) enum Member {
    Known(usize, First),
    /// One that is not remembered.
    Other,
}

impl ObjectKeys {
    pub(crate) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let all: Vec<_> = names.map(Cow::Borrowed).collect();
        let ways = (0..behind(all.len())).map(|_| Vec::new()).collect();
        Self { ways, declared: all.len(), met: Vec::new(), all }
    }

    /// Counts a key that was not asked for.
    pub(crate) fn note(&mut self, key: usize) {
        let Some(place) = key.checked_sub(self.declared) else { return };
        if place >= self.met.len() {
            self.met.resize(place + 1, 0);
        }
        self.met[place] += 1;
    }

    /// Takes the counts of keys that were not asked for.
    pub(crate) fn take_met(&mut self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.all[self.declared..].iter().map(AsRef::as_ref);
        names.zip(self.met.iter_mut().map(std::mem::take)).filter(|(_, count)| *count > 0)
    }

    /// Reads up to the next value that is not null; `None` at the end of the object. Nulls fill nothing.
    #[inline]
    pub(crate) fn next(&mut self, walk: &mut Walk, json: &mut Json<'_>) -> Read<Option<Member>> {
        if let Some(way) = self.ways[walk.place].first_mut()
            && json.step_along(&way.text, way.to.is_some())
        {
            way.taken += 1;
            return Ok(walk.arrive(way.to));
        }
        self.next_unusual(walk, json)
    }

    // Apart, so that the usual way stays small.
    #[inline(never)]
    fn next_unusual(&mut self, walk: &mut Walk, json: &mut Json<'_>) -> Read<Option<Member>> {
        let ways = &mut self.ways[walk.place];
        if let Some(found) = ways.iter().position(|way| json.step_along(&way.text, way.to.is_some())) {
            let to = ways[found].to;
            ways[found].taken += 1;
            // It moves up when it has overtaken the one in front of it.
            if let Some(front) = found.checked_sub(1).filter(|front| ways[*front].taken < ways[found].taken) {
                ways.swap(front, found);
            }
            return Ok(walk.arrive(to));
        }
        let (place, start) = (walk.place, json.position());
        let has_more = if walk.is_inside { json.next_member()? } else { json.open_object()? };
        walk.is_inside = true;
        if !has_more {
            self.remember(place, json.since(start).as_bytes(), None);
            return Ok(None);
        }
        loop {
            let name = json.key()?;
            let first = json.peek()?;
            if name == ANNOTATION && first == b'"' && !self.all[..self.declared].iter().any(|key| key == ANNOTATION) {
                json.skip()?;
            } else if first == b'n' {
                json.null()?;
            } else {
                let Some(key) = self.key(name) else {
                    walk.place = ELSEWHERE;
                    return Ok(Some(Member::Other));
                };
                self.remember(place, json.through(start), Some((key, first)));
                walk.place = behind(key);
                return Ok(Some(Member::Known(key, first)));
            }
            if !json.next_member()? {
                self.remember(place, json.since(start).as_bytes(), None);
                return Ok(None);
            }
        }
    }

    fn remember(&mut self, place: usize, text: &[u8], to: Option<(usize, First)>) {
        if text.len() <= LONGEST {
            let ways = &mut self.ways[place];
            ways.truncate(WAYS - 1);
            ways.push(Way { text: Literal::new(text), to, taken: 1 });
        }
    }

    /// The index of a key. `None` for one that is not remembered.
    fn key(&mut self, name: Cow<'_, str>) -> Option<usize> {
        let found = self.all.iter().position(|key| *key == name);
        if found.is_some() || self.all.len() >= MOST {
            return found;
        }
        self.all.push(Cow::Owned(name.into_owned()));
        self.ways.push(Vec::new());
        Some(self.all.len() - 1)
    }
}

impl Walk {
    #[inline]
    fn arrive(&mut self, at: Option<(usize, First)>) -> Option<Member> {
        self.is_inside = true;
        at.map(|(key, first)| {
            self.place = behind(key);
            Member::Known(key, first)
        })
    }
}
