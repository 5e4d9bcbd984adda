//! Connections: how they are made.

use std::sync::Once;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};
use url::Url;

use super::broken::deepest;
use super::ca_bundle;
use teams_base::cloud::is_loopback;
use teams_base::error::{Error, Result};
use teams_base::options::ConnectionConfig;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("lakeflow-teams/", env!("CARGO_PKG_VERSION"));

/// A pooled client for a host. It follows no redirects, because the token must not travel, and retries nothing by itself.
pub(crate) fn build(config: &ConnectionConfig, host: &Url) -> Result<Client> {
    // The environment's proxy knows nothing of this machine's loopback.
    let is_direct = config.proxy.is_none() && is_loopback(host);
    let mut builder = builder(config, is_direct)?;
    if is_direct && host.scheme() == "http" {
        // There is nothing to verify, and to read the system's certificates takes longer than a small table.
        builder = builder.tls_certs_only([]);
    }
    finished(builder)
}

/// The same for a service on this machine, which no proxy can reach.
pub(crate) fn build_direct(config: &ConnectionConfig) -> Result<Client> {
    finished(builder(config, true)?)
}

fn builder(config: &ConnectionConfig, is_direct: bool) -> Result<ClientBuilder> {
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
        builder = builder.tls_certs_merge(ca_bundle::read(path)?);
    }
    if is_direct {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &config.proxy {
        let proxy = Proxy::all(proxy.expose()).map_err(|_| {
            Error::configuration("Option proxy: its value is not an address such as http://proxy.example:3128")
        })?;
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

fn finished(builder: ClientBuilder) -> Result<Client> {
    builder
        .build()
        .map_err(|error| Error::Configuration(format!("The HTTP client cannot be set up: {}", deepest(&error))))
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another one is installed already, which serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
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
