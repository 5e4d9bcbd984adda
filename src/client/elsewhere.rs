//! Requests that no token of ours travels with: to an address that is itself the secret, such as that of a workflow or of a file
//! that a person lets us upload, and for documents that are public, such as an issuer's keys.

use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};
use url::Url;

use crate::http::broken::Broken;
use crate::http::headers::Headers;

/// What came of one request; it is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    Answered {
        status: u16,
        wait: Option<Duration>,
    },
    /// It certainly had no effect.
    Unsent(String),
    /// It may have had one.
    Lost(String),
}

/// Sends JSON once. The text of a failure never shows the address.
pub async fn post(client: &reqwest::Client, url: &Url, body: String) -> Posted {
    posted(client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body)).await
}

async fn posted(request: reqwest::RequestBuilder) -> Posted {
    match request.send().await {
        Ok(answer) => {
            let wait = Headers::of(answer.headers()).wait();
            Posted::Answered { status: answer.status().as_u16(), wait }
        }
        Err(error) => {
            let broken = Broken::from(error);
            if broken.unsent { Posted::Unsent(broken.what) } else { Posted::Lost(broken.what) }
        }
    }
}

/// A public document is no longer.
const LONGEST: usize = 1 << 20;

/// Reads a public document once; the text of an error says why not.
pub async fn read(client: &reqwest::Client, url: &Url) -> Result<Vec<u8>, String> {
    let broken = |error: reqwest::Error| Broken::from(error).what;
    let mut answer = client.get(url.clone()).send().await.map_err(broken)?;
    if answer.status().as_u16() != 200 {
        return Err(format!("it answered {}", answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST {
            return Err("its answer is too long".to_owned());
        }
    }
    Ok(body)
}

/// Puts a piece of a file to an upload's address, once. `range` is that of the piece, such as `bytes 0-9/10`
/// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4>).
pub async fn put(client: &reqwest::Client, url: &Url, range: &str, piece: Vec<u8>) -> Posted {
    let request = client.put(url.clone()).header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_RANGE, range);
    posted(request.body(piece)).await
}
