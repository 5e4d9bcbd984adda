//! The body of an answer: collected, inflated, and text without the byte order mark that some gateways put before it.

use bytes::{Bytes, BytesMut};

use super::broken::Broken;
use super::gzip;
use teams_base::text;

/// A whole body.
pub(crate) struct Body {
    /// How many bytes it was on the wire.
    pub on_wire: usize,
    /// Inflated; or why it cannot be.
    content: Result<Bytes, &'static str>,
}

impl Body {
    /// Bytes that are anyone's, such as an image.
    pub fn file(self) -> Result<Bytes, &'static str> {
        self.content
    }

    /// What the service itself wrote: a page, a batch, a token, an error.
    pub fn text(self) -> Result<Bytes, &'static str> {
        self.content.map(|bytes| bytes.slice_ref(text::without_mark(&bytes)))
    }
}

/// Waits for the whole body. A length that is known to be too large is not even started.
pub(crate) async fn read(response: reqwest::Response) -> Result<Body, Broken> {
    let raw = collect(response).await?;
    Ok(Body { on_wire: raw.len(), content: gzip::inflate(raw) })
}

async fn collect(mut response: reqwest::Response) -> Result<Bytes, Broken> {
    let too_large = || Broken { what: "the body is too large".into(), ..Broken::default() };
    let length = response.content_length().unwrap_or(0) as usize;
    if length > gzip::CAP {
        return Err(too_large());
    }
    let Some(first) = response.chunk().await.map_err(Broken::from)? else { return Ok(Bytes::new()) };
    if first.len() == length {
        return Ok(first);
    }
    // The promised length is only trusted as far as it costs little.
    let mut body = BytesMut::with_capacity(length.clamp(first.len(), 16 << 20));
    body.extend_from_slice(&first);
    while let Some(chunk) = response.chunk().await.map_err(Broken::from)? {
        if body.len() + chunk.len() > gzip::CAP {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_loses_its_mark() {
        let marked = || Body { on_wire: 5, content: Ok(Bytes::from_static(b"\xef\xbb\xbf{}")) };
        assert_eq!(marked().text().as_deref(), Ok(b"{}".as_slice()));
        assert_eq!(marked().file().unwrap().len(), 5);
    }
}
