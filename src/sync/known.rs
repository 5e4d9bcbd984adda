//! The scopes that have been read whole, small enough to live in an offset.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A set of scopes by 32-bit hash. Written as base64 of the varint gaps between sorted hashes: about four characters a
/// scope at 10,000 scopes, and never more than six.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeSet<u32>);

impl Known {
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(&hash(scope))
    }

    pub fn insert(&mut self, scope: &str) {
        self.0.insert(hash(scope));
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
        self.0.retain(|scope| !days.clone().any(|day| i64::from(*scope) % cycle == day.rem_euclid(cycle)));
    }

    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len() * 3);
        let mut last = 0;
        for scope in &self.0 {
            let mut gap = scope - last;
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
        let mut scopes = BTreeSet::new();
        let (mut last, mut gap, mut shift) = (0_u32, 0_u32, 0);
        for byte in bytes {
            gap |= u32::from(byte & 0x7f).checked_shl(shift).filter(|_| shift <= 28)?;
            if byte & 0x80 == 0 {
                last = last.checked_add(gap)?;
                scopes.insert(last);
                (gap, shift) = (0, 0);
            } else {
                shift += 7;
            }
        }
        (shift == 0).then_some(Self(scopes))
    }
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
        for text in ["!", "gICAgICAgICA", "/////w", "gA"] {
            assert_eq!(Known::decode(text), None, "{text}");
        }
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
