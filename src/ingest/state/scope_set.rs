//! The set of scopes that have been read whole, small enough to be part of an offset.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::state::rice;

/// A set of scopes by 40-bit hash, each with whether the current round has met it. A scope that a round did not meet
/// (deleted, skipped, not permitted) is forgotten at its end, so that it is read whole when it comes back.
///
/// A new scope whose hash is that of another would be taken for known, and its history never be read: of 10,000 channels
/// that happens to one tenant in 20,000. More bits would not fit: an offset has less than five characters for a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet {
    scopes: BTreeMap<u64, bool>,
    /// 32-bit hashes, from an offset of an earlier release. A scope moves to `scopes` when it is met.
    short: BTreeMap<u32, bool>,
}

/// What the written form begins with. Earlier releases wrote base64 alone, with 32-bit hashes.
const LONG: char = '~';
const THEN_SHORT: char = '.';

impl ScopeSet {
    pub fn contains(&self, scope: &str) -> bool {
        let hash = hash(scope);
        self.scopes.contains_key(&hash) || self.short.contains_key(&(hash as u32))
    }

    pub fn insert(&mut self, scope: &str) {
        let hash = hash(scope);
        self.short.remove(&(hash as u32));
        self.scopes.insert(hash, true);
    }

    /// The scope was met and needs no reading; it stays known if it was.
    pub fn confirm(&mut self, scope: &str) {
        if self.contains(scope) {
            self.insert(scope);
        }
    }

    /// A new round has met nothing yet.
    pub fn begin_round(&mut self) {
        self.scopes.values_mut().chain(self.short.values_mut()).for_each(|met| *met = false);
    }

    /// Forgets what the round did not meet.
    pub fn end_round(&mut self) {
        self.scopes.retain(|_, met| *met);
        self.short.retain(|_, met| *met);
    }

    /// A scope whose export is under way: it becomes known when the export has been read to its end.
    pub fn insert_pending(&mut self, scope: &str) {
        self.insert(&pending(scope));
    }

    /// The export that held the scope has been read.
    pub fn complete_pending(&mut self, scope: &str) {
        let pending = pending(scope);
        if self.contains(&pending) {
            self.remove(&pending);
            self.insert(scope);
        }
    }

    pub fn remove(&mut self, scope: &str) {
        let hash = hash(scope);
        self.scopes.remove(&hash);
        self.short.remove(&(hash as u32));
    }

    pub fn len(&self) -> usize {
        self.scopes.len() + self.short.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the scopes whose turn it is on one of the days given: each scope has its turn once in `cycle` days.
    pub fn forget_due(&mut self, days: std::ops::Range<i64>, cycle: u32) {
        let cycle = i64::from(cycle.max(1));
        if days.end - days.start >= cycle {
            *self = Self::default();
            return;
        }
        let is_due = |hash: u32| days.clone().any(|day| i64::from(hash) % cycle == day.rem_euclid(cycle));
        self.scopes.retain(|hash, _| !is_due(*hash as u32));
        self.short.retain(|hash, _| !is_due(*hash));
    }

    pub fn encode(&self) -> String {
        let mut text = String::new();
        if !self.scopes.is_empty() {
            text.push(LONG);
            let numbers: Vec<_> = self.scopes.iter().map(|(hash, met)| (*hash, *met)).collect();
            STANDARD_NO_PAD.encode_string(rice::encode(numbers.iter().copied()), &mut text);
        }
        if !self.short.is_empty() {
            if !text.is_empty() {
                text.push(THEN_SHORT);
            }
            encode_short(&self.short, &mut text);
        }
        text
    }

    /// `None` for text that [`ScopeSet::encode`] did not write.
    pub fn decode(text: &str) -> Option<Self> {
        let Some(text) = text.strip_prefix(LONG) else {
            return Some(Self { scopes: BTreeMap::new(), short: decode_short(text)? });
        };
        let (long, short) = text.split_once(THEN_SHORT).unwrap_or((text, ""));
        let scopes = rice::decode(&STANDARD_NO_PAD.decode(long).ok()?)?;
        Some(Self { scopes: scopes.into_iter().collect(), short: decode_short(short)? })
    }
}

/// Varint gaps between sorted hashes, the mark in the lowest bit.
fn encode_short(short: &BTreeMap<u32, bool>, text: &mut String) {
    let mut bytes = Vec::with_capacity(short.len() * 4);
    let mut last = 0;
    for (hash, met) in short {
        let mut gap = u64::from(hash - last) << 1 | u64::from(*met);
        last = *hash;
        while gap >= 0x80 {
            bytes.push(gap as u8 | 0x80);
            gap >>= 7;
        }
        bytes.push(gap as u8);
    }
    STANDARD_NO_PAD.encode_string(bytes, text);
}

fn decode_short(text: &str) -> Option<BTreeMap<u32, bool>> {
    let mut short = BTreeMap::new();
    let (mut last, mut gap, mut shift) = (0_u32, 0_u64, 0);
    for byte in STANDARD_NO_PAD.decode(text).ok()? {
        gap |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift <= 28)?;
        if byte & 0x80 == 0 {
            last = last.checked_add(u32::try_from(gap >> 1).ok()?)?;
            short.insert(last, gap & 1 == 1);
            (gap, shift) = (0, 0);
        } else {
            shift += 7;
        }
    }
    (shift == 0).then_some(short)
}

/// No id begins with this, so that a pending name is never a scope's.
fn pending(scope: &str) -> String {
    format!("\0{scope}")
}

fn hash(scope: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(scope.as_bytes()) & ((1 << rice::WIDTH) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> ScopeSet {
        let mut known = ScopeSet::default();
        (0..count).for_each(|n| known.insert(&format!("team-{}/19:channel-{n}@thread.tacv2", n / 5)));
        known
    }

    #[test]
    fn a_set_survives_its_text() {
        for count in [0, 1, 2, 1000] {
            let known = many(count);
            assert_eq!(ScopeSet::decode(&known.encode()), Some(known));
        }
    }

    #[test]
    fn ten_thousand_scopes_stay_small() {
        let ten = many(10_000).encode().len();
        let twenty = many(20_000).encode().len();
        assert!(ten < 49_000, "{ten}");
        assert!(twenty - ten < 6 * 10_000, "{}", twenty - ten);
    }

    #[test]
    fn scopes_whose_short_hashes_are_equal_are_told_apart() {
        // Found by trying: the low 32 bits of their hashes are equal.
        let mut seen = std::collections::HashMap::new();
        let (one, other) = (0..)
            .find_map(|n: u32| {
                let name = format!("team/{n}");
                seen.insert(hash(&name) as u32, name.clone()).map(|earlier| (earlier, name))
            })
            .unwrap();
        let mut known = ScopeSet::default();
        known.insert(&one);
        assert!(known.contains(&one) && !known.contains(&other));
        assert!(!ScopeSet::decode(&known.encode()).unwrap().contains(&other));
    }

    #[test]
    fn an_offset_of_before_is_understood_and_renewed_scope_by_scope() {
        let name = |n: u32| format!("team/{n}");
        let short = (0..50).map(|n| (hash(&name(n)) as u32, true)).collect();
        let before = ScopeSet { scopes: BTreeMap::new(), short };
        let text = before.encode();
        assert!(!text.starts_with(LONG), "as it was written");
        let mut known = ScopeSet::decode(&text).unwrap();
        assert_eq!(known, before);
        assert!((0..50).all(|n| known.contains(&name(n))) && !known.contains(&name(50)));
        known.begin_round();
        (0..20).for_each(|n| known.insert(&name(n)));
        (20..30).for_each(|n| known.confirm(&name(n)));
        known.remove(&name(0));
        let mut known = ScopeSet::decode(&known.encode()).unwrap();
        assert_eq!((known.scopes.len(), known.short.len()), (29, 20), "in the middle of a round");
        known.end_round();
        assert_eq!((known.len(), known.short.len()), (29, 0));
        assert!(!known.contains(&name(0)) && known.contains(&name(29)) && !known.contains(&name(30)));
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for text in ["!", "gICAgICAgICA", "/////////w", "gA", "~", "~!", "~AAAAAAA.!", "~/////////w"] {
            assert_eq!(ScopeSet::decode(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_round_did_not_meet_is_forgotten_at_its_end() {
        let mut known = many(3);
        known.begin_round();
        known.insert("team-0/19:channel-0@thread.tacv2");
        known.confirm("team-0/19:channel-1@thread.tacv2");
        known.confirm("never seen");
        let mut known = ScopeSet::decode(&known.encode()).unwrap();
        assert_eq!(known.len(), 3);
        known.end_round();
        assert_eq!(known.len(), 2);
        assert!(!known.contains("team-0/19:channel-2@thread.tacv2"));
    }

    #[test]
    fn a_pending_scope_is_known_only_when_it_is_complete() {
        let mut known = ScopeSet::default();
        known.insert_pending("a/b");
        known.complete_pending("a/c");
        assert!(!known.contains("a/b") && !known.contains("a/c"));
        known.complete_pending("a/b");
        assert!(known.contains("a/b") && known.len() == 1);
    }

    #[test]
    fn a_cycle_of_days_forgets_each_scope_once() {
        let all = many(700);
        let forgotten: usize = (20_000..20_007)
            .map(|day| {
                let mut known = all.clone();
                known.forget_due(day..day + 1, 7);
                let count = all.len() - known.len();
                assert!((40..=160).contains(&count), "{count}");
                count
            })
            .sum();
        assert_eq!(forgotten, all.len());
        let mut known = all.clone();
        known.forget_due(20_000..20_009, 7);
        assert!(known.is_empty());
    }
}
