//! Sends the bot what people do, as Teams does: what gets no answer comes again.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

use crate::bot::people::Said;

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

type Failed = Box<dyn std::error::Error + Send + Sync>;

async fn post(url: &Url, said: &Said) -> Result<(u16, Value), Failed> {
    let host = url.host_str().unwrap_or_default();
    let stream = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = hyper::Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header("host", &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header("content-type", "application/json; charset=utf-8")
        .header("authorization", &said.authorization)
        .body(Full::new(Bytes::from(said.activity.to_string())))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
