//! Connections: how they are made, and how they fail.

use std::error::Error as StdError;
use std::iter::successors;
use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy};
use url::Url;

use super::gzip;
use teams_base::cloud::is_loopback;
use teams_base::error::{Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::redact;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("lakeflow-teams/", env!("CARGO_PKG_VERSION"));

/// A pooled client for a host. It follows no redirects, because the token must not travel, and retries nothing by itself.
pub(crate) fn build(config: &ConnectionConfig, host: &Url) -> Result<Client> {
    // The environment's proxy knows nothing of this machine's loopback.
    builder(config, config.proxy.is_none() && is_loopback(host))
}

/// The same for a service on this machine, which no proxy can reach.
pub(crate) fn build_direct(config: &ConnectionConfig) -> Result<Client> {
    builder(config, true)
}

fn builder(config: &ConnectionConfig, is_direct: bool) -> Result<Client> {
    install_crypto();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .timeout(config.request_timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(config.request_timeout))
        // Pages of megabytes arrive at the pace of the window.
        .http2_initial_stream_window_size(2 << 20)
        .http2_initial_connection_window_size(16 << 20);
    if let Some(path) = &config.ca_bundle {
        let refuse = |why: String| Error::Configuration(format!("Option ca_bundle: {} {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| refuse(format!("cannot be read ({error})")))?;
        let roots = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if roots.is_empty() {
            return Err(refuse("holds no certificate: it must be a PEM file".into()));
        }
        builder = builder.tls_certs_merge(roots);
    }
    if is_direct {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &config.proxy {
        let proxy = Proxy::all(proxy.expose()).map_err(|_| {
            Error::configuration("Option proxy: its value is not an address such as http://proxy.example:3128")
        })?;
        builder = builder.proxy(proxy);
    }
    builder
        .build()
        .map_err(|error| Error::Configuration(format!("The HTTP client cannot be set up: {}", deepest(&error))))
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The client in use, which can be exchanged for one with fresh connections.
pub(crate) struct Transport {
    config: ConnectionConfig,
    host: Url,
    current: Mutex<(u64, Client)>,
}

impl Transport {
    pub fn new(config: &ConnectionConfig, host: Url) -> Result<Self> {
        let client = build(config, &host)?;
        Ok(Self { config: config.clone(), host, current: Mutex::new((0, client)) })
    }

    /// The client and its generation.
    pub fn client(&self) -> (u64, Client) {
        self.current.lock().clone()
    }

    /// A client for a host that must not see the token: it shares nothing with the one that carries it.
    pub fn elsewhere(&self, host: &Url) -> Result<Client> {
        build(&self.config, host)
    }

    /// Leaves the connections of a generation behind: requests under way finish there, new ones connect anew.
    pub fn renew(&self, generation: u64) {
        let mut current = self.current.lock();
        if current.0 == generation
            && let Ok(client) = build(&self.config, &self.host)
        {
            *current = (generation + 1, client);
        }
    }
}

/// The whole body as it was on the wire. A length that is known to be too large is not even started.
pub(crate) async fn read_body(mut response: reqwest::Response) -> Result<Bytes, Broken> {
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

/// No answer, or half of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken {
    pub what: String,
    /// Whether no connection came about at all.
    pub connect: bool,
    /// Whether the server certainly did not see the request.
    pub unsent: bool,
    /// Whether the answer did not come, or did not come to its end, in time.
    pub stalled: bool,
    /// Set where trying again cannot help.
    pub remedy: Option<&'static str>,
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        // The error's own text would show the URL with its query.
        let error = error.without_url();
        if is_untrusted(&error) {
            return Self {
                what: format!("the server's certificate is not trusted: {}", deepest(&error)),
                connect: true,
                unsent: true,
                stalled: false,
                remedy: Some("Add the root certificate of your network with ca_bundle"),
            };
        }
        let what = match (error.is_timeout(), error.is_connect()) {
            (true, true) => "no connection in time".to_owned(),
            (true, false) => "no answer in time".to_owned(),
            (false, true) => format!("no connection: {}", deepest(&error)),
            (false, false) => format!("the connection broke: {}", deepest(&error)),
        };
        let connect = error.is_connect();
        let unsent = connect || is_unprocessed(&error);
        Self { what, connect, unsent, stalled: error.is_timeout() && !connect, remedy: None }
    }
}

/// The cause of an error. An `io::Error` skips the error it wraps, which for TLS is the very one that says what is wrong.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Innermost causes say what happened; the outer ones only where.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let innermost = successors(Some(error), |error| cause(*error)).last().unwrap_or(error);
    redact::clean(&innermost.to_string())
}

fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    successors(Some(error), |error| cause(*error))
        .any(|error| matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// Whether an HTTP/2 server says that it did not act on the request: a refused stream, or a connection that it closes in
/// good order (<https://www.rfc-editor.org/rfc/rfc9113#section-8.7>).
fn is_unprocessed(error: &(dyn StdError + 'static)) -> bool {
    successors(Some(error), |error| cause(*error)).filter_map(|error| error.downcast_ref::<h2::Error>()).any(|error| {
        error.is_remote()
            && (error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR))
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_refused_certificate_is_found_below_wrapped_errors() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert!(is_untrusted(&error));
        assert!(deepest(&error).contains("UnknownIssuer"));
        assert!(!is_untrusted(&io::Error::other("reset")));
    }
}
