//! Compression of bodies.

use std::collections::HashMap;

use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};
use xxhash_rust::xxh3::xxh3_128;

/// Compressed bodies by their content's hash: hashing is many times cheaper than compressing.
#[derive(Default)]
pub struct Gzip {
    cache: HashMap<u128, Bytes>,
    held: usize,
}

const CACHE_LIMIT: usize = 128 << 20;
/// A shorter body is sent uncompressed.
const MIN_BYTES: usize = 512;

impl Gzip {
    pub fn find(&self, body: &Bytes) -> Option<Bytes> {
        self.cache.get(&xxh3_128(body)).cloned()
    }

    pub fn keep(&mut self, body: &Bytes, packed: &Bytes) {
        if self.held + packed.len() > CACHE_LIMIT {
            self.cache.clear();
            self.held = 0;
        }
        self.held += packed.len();
        self.cache.insert(xxh3_128(body), packed.clone());
    }
}

pub fn pack(body: &Bytes) -> Option<Bytes> {
    if body.len() < MIN_BYTES {
        return None;
    }
    // Level 0, which the library calls its fastest, does not compress at all.
    let mut compressor = Compressor::new(CompressionLvl::new(1).unwrap_or_default());
    let mut packed = vec![0; compressor.gzip_compress_bound(body.len())];
    let length = compressor.gzip_compress(body, &mut packed).ok()?;
    packed.truncate(length);
    Some(packed.into())
}
