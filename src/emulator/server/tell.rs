//! Sends the bot what people do, as Teams does: what gets no answer comes again.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::bot::people::Said;
use crate::http::client::{self, Failed};

/// How often an activity comes at most.
const TIMES: usize = 3;

/// What the bot answered.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Of each time that the activity was sent; 0 where there was no answer.
    pub statuses: Vec<u16>,
    /// The last answer, null where it is no JSON.
    pub body: Value,
    pub activity: Value,
}

/// Posts one activity to `http://host:port/path`.
pub async fn tell(url: &Url, said: Said, resend: Duration) -> Told {
    let mut told = Told { statuses: Vec::new(), body: Value::Null, activity: said.activity.clone() };
    for _ in 0..TIMES {
        match tokio::time::timeout(resend, post(url, &said)).await {
            Ok(Ok((status, body))) => {
                told.statuses.push(status);
                told.body = body;
                return told;
            }
            Ok(Err(_)) | Err(_) => told.statuses.push(0),
        }
    }
    told
}

async fn post(url: &Url, said: &Said) -> Result<(u16, Value), Failed> {
    let headers = [("content-type", "application/json; charset=utf-8"), ("authorization", &*said.authorization)];
    let answer = client::post(url, &headers, said.activity.to_string().into()).await?;
    Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
}
