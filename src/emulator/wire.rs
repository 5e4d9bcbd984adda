//! From an answer to bytes on the wire: compression, standard headers, and bodies that break on purpose.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use libdeflater::{CompressionLvl, Compressor};
use xxhash_rust::xxh3::xxh3_128;

pub type Body = UnsyncBoxBody<Bytes, io::Error>;

pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Half of the body, then the end of the connection.
pub fn truncated(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let parts = vec![Ok(Frame::data(half)), Err(io::Error::other("cut"))];
    // The pause lets the first half leave before the connection ends.
    let paced = stream::iter(parts).then(|part| async {
        if part.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        part
    });
    StreamBody::new(paced).boxed_unsync()
}

/// Half of the body, a pause, and the rest.
pub fn slow(bytes: &Bytes, pause: Duration) -> Body {
    let middle = bytes.len() / 2;
    let parts = vec![(bytes.slice(..middle), Duration::ZERO), (bytes.slice(middle..), pause)];
    let paced = stream::iter(parts).then(|(part, wait)| async move {
        tokio::time::sleep(wait).await;
        Ok(Frame::data(part))
    });
    StreamBody::new(paced).boxed_unsync()
}

/// Compressed bodies by their content's hash: hashing is many times cheaper than compressing.
#[derive(Default)]
pub struct Gzip {
    cache: HashMap<u128, Bytes>,
    held: usize,
}

const CACHE_LIMIT: usize = 128 << 20;
/// Below this a body is sent as it is.
const WORTH_IT: usize = 512;

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
    if body.len() < WORTH_IT {
        return None;
    }
    // Level 0, which the library calls its fastest, does not compress at all.
    let mut compressor = Compressor::new(CompressionLvl::new(1).unwrap_or_default());
    let mut packed = vec![0; compressor.gzip_compress_bound(body.len())];
    let length = compressor.gzip_compress(body, &mut packed).ok()?;
    packed.truncate(length);
    Some(packed.into())
}
