//! The scopes that have been read whole, small enough to live in an offset.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A set of scopes by 32-bit hash, each with whether the current round has met it. A scope that a round did not meet
/// (deleted, skipped, not permitted) is forgotten at its end, so that it is read whole when it comes back.
///
/// Written as base64 of the varint gaps between sorted hashes, the mark in the lowest bit: about four characters a scope
/// at 10,000 scopes, and never more than six.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<u32, bool>);

impl Known {
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains_key(&hash(scope))
    }

    pub fn insert(&mut self, scope: &str) {
        self.0.insert(hash(scope), true);
    }

    /// The scope was met and needs no reading; it stays known if it was.
    pub fn confirm(&mut self, scope: &str) {
        if let Some(met) = self.0.get_mut(&hash(scope)) {
            *met = true;
        }
    }

    /// A new round has met nothing yet.
    pub fn begin_round(&mut self) {
        self.0.values_mut().for_each(|met| *met = false);
    }

    /// Forgets what the round did not meet.
    pub fn end_round(&mut self) {
        self.0.retain(|_, met| *met);
    }

    /// A scope whose export is under way: it becomes known when the export has been read to its end.
    pub fn insert_pending(&mut self, scope: &str) {
        self.insert(&pending(scope));
    }

    /// The export that held the scope has been read.
    pub fn settle_pending(&mut self, scope: &str) {
        if self.0.remove(&hash(&pending(scope))).is_some() {
            self.insert(scope);
        }
    }

    pub fn remove(&mut self, scope: &str) {
        self.0.remove(&hash(scope));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the scopes whose turn it is on one of the days given: each scope has its turn once in `cycle` days.
    pub fn forget_due(&mut self, days: std::ops::Range<i64>, cycle: u32) {
        let cycle = i64::from(cycle.max(1));
        if days.end - days.start >= cycle {
            self.0.clear();
            return;
        }
        self.0.retain(|scope, _| !days.clone().any(|day| i64::from(*scope) % cycle == day.rem_euclid(cycle)));
    }

    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len() * 3);
        let mut last = 0;
        for (scope, met) in &self.0 {
            let mut gap = u64::from(scope - last) << 1 | u64::from(*met);
            last = *scope;
            while gap >= 0x80 {
                bytes.push(gap as u8 | 0x80);
                gap >>= 7;
            }
            bytes.push(gap as u8);
        }
        STANDARD_NO_PAD.encode(bytes)
    }

    /// `None` for text that [`Known::encode`] did not write.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let mut scopes = BTreeMap::new();
        let (mut last, mut gap, mut shift) = (0_u32, 0_u64, 0);
        for byte in bytes {
            gap |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift <= 28)?;
            if byte & 0x80 == 0 {
                last = last.checked_add(u32::try_from(gap >> 1).ok()?)?;
                scopes.insert(last, gap & 1 == 1);
                (gap, shift) = (0, 0);
            } else {
                shift += 7;
            }
        }
        (shift == 0).then_some(Self(scopes))
    }
}

/// No id begins with this, so that a pending name is never a scope's.
fn pending(scope: &str) -> String {
    format!("\0{scope}")
}

fn hash(scope: &str) -> u32 {
    xxhash_rust::xxh3::xxh3_64(scope.as_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Known {
        let mut known = Known::default();
        (0..count).for_each(|n| known.insert(&format!("team-{}/19:channel-{n}@thread.tacv2", n / 5)));
        known
    }

    #[test]
    fn a_set_survives_its_text() {
        for count in [0, 1, 2, 1000] {
            let known = many(count);
            assert_eq!(Known::decode(&known.encode()), Some(known));
        }
    }

    #[test]
    fn ten_thousand_scopes_stay_small() {
        let ten = many(10_000).encode().len();
        let twenty = many(20_000).encode().len();
        assert!(ten < 48 * 1024, "{ten}");
        assert!(twenty - ten < 6 * 10_000, "{}", twenty - ten);
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for text in ["!", "gICAgICAgICA", "/////////w", "gA"] {
            assert_eq!(Known::decode(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_round_did_not_meet_is_forgotten_at_its_end() {
        let mut known = many(3);
        known.begin_round();
        known.insert("team-0/19:channel-0@thread.tacv2");
        known.confirm("team-0/19:channel-1@thread.tacv2");
        known.confirm("never seen");
        let mut known = Known::decode(&known.encode()).unwrap();
        assert_eq!(known.len(), 3);
        known.end_round();
        assert_eq!(known.len(), 2);
        assert!(!known.contains("team-0/19:channel-2@thread.tacv2"));
    }

    #[test]
    fn a_pending_scope_is_known_only_when_it_is_settled() {
        let mut known = Known::default();
        known.insert_pending("a/b");
        known.settle_pending("a/c");
        assert!(!known.contains("a/b") && !known.contains("a/c"));
        known.settle_pending("a/b");
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
