//! The scan of a string for its end: how far it goes on without anything to unescape.

use memchr::memchr2;
use wide::u8x16;

/// Bytes that are looked at together.
const WIDE: usize = 32;
/// How many of them, before a search for long texts takes over.
const CHUNKS: usize = 2;

/// How many bytes at the start of a string's rest stand for themselves: neither quote nor backslash nor control
/// character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<WIDE>();
    for (at, chunk) in chunks.iter().take(CHUNKS).enumerate() {
        let length = plain_in_chunk(chunk);
        if length < WIDE {
            return at * WIDE + length;
        }
    }
    let done = WIDE * CHUNKS.min(chunks.len());
    done + plain_in_rest(&bytes[done..])
}

/// The same of many bytes, and of the few at a text's end.
#[inline(never)]
fn plain_in_rest(bytes: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let least = bytes[..end].iter().fold(u8::MAX, |least, byte| least.min(*byte));
    if least >= 0x20 { end } else { bytes.iter().position(|byte| *byte < 0x20).unwrap_or(end) }
}

/// The same of a few bytes, compared all at once.
#[inline]
fn plain_in_chunk(chunk: &[u8; WIDE]) -> usize {
    let (halves, _) = chunk.as_chunks::<16>();
    let special = |half: [u8; 16]| {
        let bytes = u8x16::new(half);
        let backslash = bytes.cmp_eq(u8x16::splat(b'\\'));
        // With this bit turned the quote comes right behind the control characters, and the blank leaves them.
        let turned = bytes ^ u8x16::splat(b'"' ^ b' ');
        let quote_or_control = turned.min(u8x16::splat(b' ')).cmp_eq(turned);
        (backslash | quote_or_control).move_mask() as u32
    };
    (special(halves[0]) | special(halves[1]) << 16).trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_at_the_first_byte_that_does_not_stand_for_itself() {
        for length in 0..150 {
            assert_eq!(plain_length(&vec![b'x'; length]), length);
            for at in 0..length {
                for special in (0..0x20).chain([b'"', b'\\']) {
                    let mut bytes = vec![b' '; length];
                    bytes[at] = special;
                    // What follows makes no difference.
                    bytes[at + 1..].iter_mut().step_by(3).for_each(|byte| *byte = b'"');
                    assert_eq!(plain_length(&bytes), at, "{special:#x} of {length}");
                }
            }
        }
    }

    #[test]
    fn every_other_byte_stands_for_itself() {
        for byte in (0x20..=0xFF).filter(|byte| !matches!(byte, b'"' | b'\\')) {
            for length in [1, 31, 32, 63, 64, 65, 100] {
                assert_eq!(plain_length(&vec![byte; length]), length, "{byte:#x}");
            }
        }
    }
}
