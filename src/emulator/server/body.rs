//! Bodies on the wire: whole, cut off, or slow.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

pub type Body = UnsyncBoxBody<Bytes, io::Error>;

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
