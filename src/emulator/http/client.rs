//! Sends one POST to a server on this machine: what the tenant sends by itself.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

pub type Failed = Box<dyn std::error::Error + Send + Sync>;

pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Bytes,
}

/// Posts to `http://host:port/path?query`, on a connection of its own.
pub async fn post(url: &Url, headers: &[(&str, &str)], body: Bytes) -> Result<Answer, Failed> {
    let host = url.host_str().unwrap_or_default();
    let stream = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = hyper::Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header("host", &url[url::Position::BeforeHost..url::Position::AfterPort]);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(body))?).await?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok(Answer { status, content_type, body })
}
