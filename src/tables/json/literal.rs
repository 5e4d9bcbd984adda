//! A text that is expected, compared without a call and without a branch per byte.

use wide::u8x16;

/// Bytes that are compared all at once; what is longer has its rest compared as text.
const WIDE: usize = 32;

pub(super) struct Literal {
    start: [u8x16; 2],
    /// Which bytes of the start count.
    mask: [u8x16; 2],
    text: Box<[u8]>,
}

impl Literal {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut start = [0; WIDE];
        let mut mask = [0; WIDE];
        for ((place, mask), byte) in start.iter_mut().zip(&mut mask).zip(text) {
            (*place, *mask) = (*byte, 0xFF);
        }
        Self { start: wide(&start), mask: wide(&mask), text: text.into() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    #[inline]
    pub(super) fn starts(&self, text: &[u8]) -> bool {
        let Some(chunk) = text.first_chunk::<WIDE>() else { return text.starts_with(&self.text) };
        let [low, high] = wide(chunk);
        let same = (low & self.mask[0]).cmp_eq(self.start[0]) & (high & self.mask[1]).cmp_eq(self.start[1]);
        same.move_mask() == 0xFFFF && (self.len() <= WIDE || text.starts_with(&self.text))
    }
}

#[inline]
fn wide(bytes: &[u8; WIDE]) -> [u8x16; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    [u8x16::new(halves[0]), u8x16::new(halves[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_what_it_starts_and_nothing_else() {
        for length in [1, 7, 8, 9, 31, 32, 33, 100] {
            let text: String = ('!'..='~').cycle().take(length).collect();
            let literal = Literal::new(text.as_bytes());
            for behind in ["", "x", &"x".repeat(40)] {
                assert!(literal.starts(format!("{text}{behind}").as_bytes()), "{length}");
            }
            for wrong in 0..length {
                let mut other = format!("{text}{}", "x".repeat(40)).into_bytes();
                other[wrong] ^= 1;
                assert!(!literal.starts(&other), "{length} {wrong}");
                assert!(!literal.starts(&text.as_bytes()[..wrong]), "{length} {wrong}");
            }
        }
    }
}
