//! The set of scopes that have been read whole, small enough to be part of an offset.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;

use crate::state::rice;

/// A set of scopes by 40-bit hash, each with what the current round did with it. A scope that a round did not meet
/// (deleted, skipped) is forgotten at its end, so that it is read whole when it comes back.
///
/// A scope that failed for good is *late*: it stays known, and when it can be read again it is read from where the first
/// of the late ones stood ([`ScopeSet::late_since`]), so that nothing is lost and no place in the offset is taken.
///
/// A new scope whose hash is that of another would be taken for known, and its history never be read: of 10,000 channels
/// that happens to one tenant in 20,000. More bits would not fit: an offset has less than five characters for a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet {
    scopes: BTreeMap<u64, Mark>,
    /// 32-bit hashes, from an offset of an earlier release. A scope moves to `scopes` when it is met.
    short: BTreeMap<u32, bool>,
    /// Every late scope has been read up to here.
    late_since: Option<Timestamp>,
    /// A scope has failed for good in this round.
    has_failures: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    /// The current round has dealt with it.
    is_met: bool,
    is_late: bool,
}

/// What the written form begins with, without late scopes and with them. Earlier releases wrote base64 alone, with 32-bit
/// hashes.
const LONG: char = '~';
const WITH_LATE: char = '*';
const THEN_SHORT: char = '.';

impl ScopeSet {
    pub fn contains(&self, scope: &str) -> bool {
        let hash = hash(scope);
        self.scopes.contains_key(&hash) || self.short.contains_key(&(hash as u32))
    }

    pub fn insert(&mut self, scope: &str) {
        self.mark(scope, false);
    }

    fn mark(&mut self, scope: &str, is_late: bool) {
        let hash = hash(scope);
        self.short.remove(&(hash as u32));
        self.scopes.insert(hash, Mark { is_met: true, is_late });
    }

    /// The scope was met and needs no reading; it stays known if it was.
    pub fn confirm(&mut self, scope: &str) {
        if self.contains(scope) {
            self.insert(scope);
        }
    }

    /// The scope failed for good in this round. Where it was known it stays so, and late: it has been read up to `stood`.
    /// Where it was not it stays unknown, and is read whole when it can be read.
    pub fn fail(&mut self, scope: &str, stood: Option<Timestamp>) {
        self.has_failures = true;
        if let Some(stood) = stood.filter(|_| self.contains(scope)) {
            self.mark(scope, true);
            self.stood(stood);
        }
    }

    fn stood(&mut self, at: Timestamp) {
        self.late_since = Some(self.late_since.map_or(at, |late| late.min(at)));
    }

    /// Up to where a late scope has been read at least; `None` for any other.
    pub fn late(&self, scope: &str) -> Option<Timestamp> {
        self.late_since.filter(|_| self.scopes.get(&hash(scope)).is_some_and(|mark| mark.is_late))
    }

    /// The least that any late scope has been read up to.
    pub fn late_since(&self) -> Option<Timestamp> {
        self.late_since
    }

    /// Whether a scope has failed for good in this round, so that its end is an error.
    pub fn has_failures(&self) -> bool {
        self.has_failures
    }

    /// The sweep of a parent failed for good: the next one goes back to where this one began.
    pub fn owe_sweep(&mut self, parent: &str, from: Option<Timestamp>) {
        self.has_failures = true;
        if let Some(from) = from {
            self.mark(&owed(parent), true);
            self.stood(from);
        }
    }

    /// From where the sweep of a parent is owed, if it is.
    pub fn owed_sweep(&self, parent: &str) -> Option<Timestamp> {
        self.late(&owed(parent))
    }

    /// The parent was met; what is owed stays so until the next sweep.
    pub fn keep_owed_sweep(&mut self, parent: &str) {
        if self.owed_sweep(parent).is_some() {
            self.mark(&owed(parent), true);
        }
    }

    pub fn sweep_done(&mut self, parent: &str) {
        self.remove(&owed(parent));
    }

    /// What the export holds of a parent's history will not be all of it: it is begun anew, or lists stand in for it.
    pub fn spoil(&mut self, parent: &str) {
        self.insert(&spoiled(parent));
    }

    pub fn is_spoiled(&self, parent: &str) -> bool {
        self.contains(&spoiled(parent))
    }

    pub fn begin_anew(&mut self, parent: &str) {
        self.remove(&spoiled(parent));
    }

    /// The scope has been read whole, up to a time before this round.
    pub fn insert_late(&mut self, scope: &str, stood: Timestamp) {
        self.mark(scope, true);
        self.stood(stood);
    }

    /// What the server tells of a parent in this round is not to be relied on.
    pub fn doubt(&mut self, parent: &str) {
        self.insert(&doubted(parent));
    }

    /// The parent has been read. If it was in doubt it is forgotten, and with it what is below it, so that the next round
    /// reads it whole; else it is known if `is_known`.
    pub fn parent_done(&mut self, parent: &str, is_known: bool) {
        if self.contains(&doubted(parent)) {
            self.remove(&doubted(parent));
            self.remove(parent);
        } else if is_known {
            self.insert(parent);
        }
    }

    /// A new round has met nothing yet.
    pub fn begin_round(&mut self) {
        self.has_failures = false;
        self.scopes.values_mut().for_each(|mark| mark.is_met = false);
        self.short.values_mut().for_each(|met| *met = false);
    }

    /// Forgets what the round did not meet. Where a scope failed, what was not met may hang below it: then it is late, and
    /// has been read up to `since`.
    pub fn end_round(&mut self, since: Option<Timestamp>) {
        if self.has_failures
            && let Some(since) = since
        {
            for mark in self.scopes.values_mut().filter(|mark| !mark.is_met) {
                *mark = Mark { is_met: true, is_late: true };
            }
            self.stood(since);
        }
        self.scopes.retain(|_, mark| mark.is_met);
        self.short.retain(|_, met| *met);
        self.forget_late_since();
    }

    /// Without late scopes there is no time to go back to.
    pub fn forget_late_since(&mut self) {
        if !self.scopes.values().any(|mark| mark.is_late) {
            self.late_since = None;
        }
    }

    /// A scope whose export is under way: it becomes known when the export has been read to its end.
    pub fn insert_pending(&mut self, scope: &str) {
        self.insert(&pending(scope));
    }

    /// The export that held the scope has been read, up to `stood` if that is before this round.
    pub fn complete_pending(&mut self, scope: &str, stood: Option<Timestamp>) {
        let pending = pending(scope);
        if self.contains(&pending) {
            self.remove(&pending);
            match stood {
                Some(stood) => self.insert_late(scope, stood),
                None => self.insert(scope),
            }
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
            self.scopes.clear();
            self.short.clear();
            return;
        }
        let is_due = |hash: u32| days.clone().any(|day| i64::from(hash) % cycle == day.rem_euclid(cycle));
        self.scopes.retain(|hash, _| !is_due(*hash as u32));
        self.short.retain(|hash, _| !is_due(*hash));
    }

    pub fn encode(&self) -> String {
        let mut text = String::new();
        if !self.scopes.is_empty() {
            let (prefix, bits) = if self.late_since.is_some() { (WITH_LATE, 2) } else { (LONG, 1) };
            text.push(prefix);
            let number = |(hash, mark): (&u64, &Mark)| (*hash, u64::from(mark.is_met) | u64::from(mark.is_late) << 1);
            let numbers: Vec<_> = self.scopes.iter().map(number).collect();
            STANDARD_NO_PAD.encode_string(rice::encode(numbers.iter().copied(), bits), &mut text);
        }
        if !self.short.is_empty() {
            if !text.is_empty() {
                text.push(THEN_SHORT);
            }
            encode_short(&self.short, &mut text);
        }
        text
    }

    /// `None` for text that [`ScopeSet::encode`] did not write. The rest stands beside it in an offset.
    pub fn decode(text: &str, late_since: Option<Timestamp>, has_failures: bool) -> Option<Self> {
        let (text, bits) = match (text.strip_prefix(LONG), text.strip_prefix(WITH_LATE)) {
            (Some(text), _) => (text, 1),
            (None, Some(text)) => (text, 2),
            (None, None) => {
                return Some(Self { short: decode_short(text)?, late_since, has_failures, ..Self::default() });
            }
        };
        let (long, short) = text.split_once(THEN_SHORT).unwrap_or((text, ""));
        let mark = |mark: u64| Mark { is_met: mark & 1 == 1, is_late: mark & 2 == 2 };
        let scopes = rice::decode(&STANDARD_NO_PAD.decode(long).ok()?, bits)?;
        let scopes = scopes.into_iter().map(|(hash, bits)| (hash, mark(bits))).collect();
        Some(Self { scopes, short: decode_short(short)?, late_since, has_failures })
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

/// No id begins with these, so that such a name is never a scope's.
fn pending(scope: &str) -> String {
    format!("\0{scope}")
}

fn owed(parent: &str) -> String {
    format!("\x01{parent}")
}

fn spoiled(parent: &str) -> String {
    format!("\x03{parent}")
}

fn doubted(parent: &str) -> String {
    format!("\x02{parent}")
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

    /// As an offset does it.
    fn decode(known: &ScopeSet) -> Option<ScopeSet> {
        ScopeSet::decode(&known.encode(), known.late_since(), known.has_failures())
    }

    fn at(hour: u32) -> Timestamp {
        format!("2026-01-01T{hour:02}:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_set_survives_its_text() {
        for count in [0, 1, 2, 1000] {
            let known = many(count);
            assert_eq!(decode(&known), Some(known));
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
        assert!(!decode(&known).unwrap().contains(&other));
    }

    #[test]
    fn an_offset_of_before_is_understood_and_renewed_scope_by_scope() {
        let name = |n: u32| format!("team/{n}");
        let short = (0..50).map(|n| (hash(&name(n)) as u32, true)).collect();
        let before = ScopeSet { short, ..ScopeSet::default() };
        let text = before.encode();
        assert!(!text.starts_with(LONG), "as it was written");
        let mut known = ScopeSet::decode(&text, None, false).unwrap();
        assert_eq!(known, before);
        assert!((0..50).all(|n| known.contains(&name(n))) && !known.contains(&name(50)));
        known.begin_round();
        (0..20).for_each(|n| known.insert(&name(n)));
        (20..30).for_each(|n| known.confirm(&name(n)));
        known.remove(&name(0));
        let mut known = decode(&known).unwrap();
        assert_eq!((known.scopes.len(), known.short.len()), (29, 20), "in the middle of a round");
        known.end_round(None);
        assert_eq!((known.len(), known.short.len()), (29, 0));
        assert!(!known.contains(&name(0)) && known.contains(&name(29)) && !known.contains(&name(30)));
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for text in ["!", "gICAgICAgICA", "/////////w", "gA", "~", "~!", "~AAAAAAA.!", "~/////////w"] {
            assert_eq!(ScopeSet::decode(text, None, false), None, "{text}");
        }
    }

    #[test]
    fn what_a_round_did_not_meet_is_forgotten_at_its_end() {
        let mut known = many(3);
        known.begin_round();
        known.insert("team-0/19:channel-0@thread.tacv2");
        known.confirm("team-0/19:channel-1@thread.tacv2");
        known.confirm("never seen");
        let mut known = decode(&known).unwrap();
        assert_eq!(known.len(), 3);
        known.end_round(None);
        assert_eq!(known.len(), 2);
        assert!(!known.contains("team-0/19:channel-2@thread.tacv2"));
    }

    #[test]
    fn what_fails_is_late_until_it_is_read_and_what_was_not_known_stays_unknown() {
        let name = |n: u32| format!("team-0/19:channel-{n}@thread.tacv2");
        let mut known = many(4);
        known.begin_round();
        known.insert(&name(0));
        known.fail(&name(1), Some(at(5)));
        known.fail("never read", None);
        known.remove(&name(2));
        let mut known = decode(&known).unwrap();
        known.end_round(Some(at(6)));
        let mut known = decode(&known).unwrap();
        assert!(known.has_failures() && !known.contains("never read") && !known.contains(&name(2)));
        let late = |known: &ScopeSet| (0..4).map(|n| known.late(&name(n)).is_some()).collect::<Vec<_>>();
        assert_eq!(late(&known), [false, true, false, true], "what was not met may hang below what failed");
        assert_eq!(known.late(&name(3)), Some(at(5)), "the least");
        known.begin_round();
        (0..2).for_each(|n| known.insert(&name(n)));
        known.end_round(Some(at(7)));
        assert_eq!((known.len(), known.late_since(), known.has_failures()), (2, None, false));
        assert!(known.encode().starts_with(LONG));
    }

    #[test]
    fn a_sweep_that_failed_is_owed_until_it_is_done() {
        let mut known = many(1);
        known.owe_sweep("team-0", Some(at(3)));
        known.begin_round();
        known.insert("team-0/19:channel-0@thread.tacv2");
        known.keep_owed_sweep("team-0");
        known.end_round(Some(at(9)));
        assert_eq!((known.owed_sweep("team-0"), known.owed_sweep("team-1")), (Some(at(3)), None));
        known.sweep_done("team-0");
        known.forget_late_since();
        assert_eq!((known.owed_sweep("team-0"), known.late_since()), (None, None));
    }

    #[test]
    fn a_pending_scope_is_known_only_when_it_is_complete() {
        let mut known = ScopeSet::default();
        known.insert_pending("a/b");
        known.complete_pending("a/c", None);
        assert!(!known.contains("a/b") && !known.contains("a/c"));
        known.complete_pending("a/b", None);
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
