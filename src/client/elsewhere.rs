//! Requests to an address that is itself the secret, such as that of a workflow: no token of ours travels with them.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
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
    match client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body).send().await {
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
