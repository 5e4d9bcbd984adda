//! Whole gzip bodies. A page arrives whole anyway, and inflating it in one call is several times faster than streaming.

use std::io::Read;

use bytes::Bytes;
use libdeflater::{Crc, DecompressionError, Decompressor};

/// The largest body that is accepted, on the wire and inflated.
pub const CAP: usize = 512 << 20;
/// Deflate cannot shrink by more than this (<https://www.zlib.net/zlib_tech.html>), so a larger promise is a lie.
const HIGHEST_RATIO: usize = 1032;
const TRAILER: usize = 8;

/// Inflates a body if it is gzip, whatever its headers say: JSON cannot begin with gzip's magic number.
pub fn inflate(body: Bytes) -> Result<Bytes, &'static str> {
    inflate_within(body, CAP)
}

fn inflate_within(body: Bytes, cap: usize) -> Result<Bytes, &'static str> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return if body.len() > cap { Err("the body is too large") } else { Ok(body) };
    }
    if body.len() < TRAILER {
        return Err("the gzip body is truncated");
    }
    let (crc, size) = trailer(&body);
    let highest = body.len().saturating_mul(HIGHEST_RATIO).min(cap);
    // One byte more than promised, so that a right promise needs one call and an empty body has room too.
    let mut capacity = (size as usize + 1).clamp(1, highest.max(1));
    let mut decompressor = Decompressor::new();
    loop {
        let mut out = vec![0; capacity];
        match decompressor.gzip_decompress(&body, &mut out) {
            Ok(length) => {
                out.truncate(length);
                let mut found = Crc::new();
                found.update(&out);
                // Only the first member is read; if it is not also the last, the trailer is another member's.
                return if (found.sum(), length as u32) == (crc, size) { Ok(out.into()) } else { members(&body, cap) };
            }
            Err(DecompressionError::InsufficientSpace) if capacity < highest => {
                capacity = capacity.saturating_mul(2).max(body.len() * 4).min(highest);
            }
            Err(DecompressionError::InsufficientSpace) => return Err("the inflated body is too large"),
            Err(DecompressionError::BadData) => return Err("the gzip body is truncated or corrupt"),
        }
    }
}

/// Checksum and size (modulo 2^32) at the end of a gzip member (RFC 1952, section 2.3.1).
fn trailer(body: &[u8]) -> (u32, u32) {
    let word = |from: usize| {
        let at = body.len() - from;
        u32::from_le_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]])
    };
    (word(8), word(4))
}

fn members(body: &[u8], cap: usize) -> Result<Bytes, &'static str> {
    let mut out = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(body).take(cap as u64 + 1);
    reader.read_to_end(&mut out).map_err(|_| "the gzip body is truncated or corrupt")?;
    if out.len() > cap { Err("the inflated body is too large") } else { Ok(out.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn run(body: Vec<u8>) -> Result<Bytes, &'static str> {
        inflate_within(body.into(), 1 << 20)
    }

    #[test]
    fn whole_bodies_of_any_size() {
        for size in [0, 1, 100, 100_000, 1 << 20] {
            let text = vec![b'x'; size];
            assert_eq!(run(gzip(&text)).as_deref(), Ok(text.as_slice()), "{size}");
        }
        assert_eq!(run(b"{}".to_vec()).as_deref(), Ok(b"{}".as_slice()));
        assert_eq!(run(Vec::new()).as_deref(), Ok(b"".as_slice()));
    }

    #[test]
    fn members_are_joined_whatever_their_sizes() {
        for (first, second) in [("{\"a\":", "1}"), ("longer than the next {", "}"), ("", "{}"), ("{", "}")] {
            let body = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
            assert_eq!(run(body).as_deref(), Ok(format!("{first}{second}").as_bytes()));
        }
    }

    #[test]
    fn lies_and_damage_are_refused() {
        let text: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
        let whole = gzip(&text);
        for size in [0, 10, u32::MAX, 199_999, 200_001] {
            let mut lie = whole.clone();
            let at = lie.len() - 4;
            lie[at..].copy_from_slice(&u32::to_le_bytes(size));
            assert!(run(lie).is_err(), "{size}");
        }
        for length in [2, 7, 12, whole.len() / 2, whole.len() - 1] {
            assert!(run(whole[..length].to_vec()).is_err(), "{length}");
        }
        assert_eq!(run(gzip(&vec![0; 2 << 20])), Err("the inflated body is too large"));
        assert_eq!(run(vec![b'x'; 2 << 20]), Err("the body is too large"));
    }
}
