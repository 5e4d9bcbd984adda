//! The client as the other rooms see it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use crate::audience::Audience;
use crate::auth::{Roles, TokenProvider};
use crate::elsewhere::{self, Posted};
use crate::exchange::{Accepted, Call, Engine};
use crate::limits::Limiter;
use crate::link::Link;
use crate::malformed::Malformed;
use crate::metrics::Report;
use crate::request::{Answer, Request};
use crate::service::Service;
use crate::trouble::Trouble;
use teams_base::error::Result;
use teams_base::options::ConnectionConfig;

/// One tenant's Graph, and its Bot Connector where one was added. Clones share connections, tokens, budgets and report.
#[derive(Clone)]
pub struct GraphClient(Engine);

impl GraphClient {
    pub fn new(config: &ConnectionConfig, provider: Arc<dyn TokenProvider>, report: Arc<Report>) -> Result<Self> {
        if let Some(origin) = provider.describe() {
            log::info!("{origin}");
            report.note(origin);
        }
        if let Some(warning) = provider.warning() {
            log::warn!("{warning}");
            report.warn(warning);
        }
        Ok(Self(Engine {
            graph: Arc::new(Service::new(config, Audience::graph(config.graph.clone()), provider)?),
            connector: None,
            limiter: Arc::new(Limiter::new(config)),
            report,
            retry_timeout: config.retry_timeout,
        }))
    }

    /// The same client, which also sends requests to the Bot Connector, with tokens of its own. `base` is the address of a
    /// first contact.
    pub fn with_connector(
        mut self,
        config: &ConnectionConfig,
        base: Url,
        provider: Arc<dyn TokenProvider>,
    ) -> Result<Self> {
        let audience = Audience::bot_connector(base, config.cloud);
        self.0.connector = Some(Arc::new(Service::new(config, audience, provider)?));
        Ok(self)
    }

    /// Sends one read until `read` accepts the whole inflated body. What `read` refuses is asked for again, so each call of
    /// `read` starts afresh, with whatever an earlier one kept thrown away.
    pub async fn get<T>(
        &self,
        request: &Request,
        read: impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Answer<T>> {
        let call = Call { request, items: &[], redirects: false };
        let Accepted { answer, .. } = self.0.exchange(&call, read).await?;
        Ok(answer)
    }

    /// Sends a request with an effect, and repeats it as its [idempotency](crate::request::Idempotency) allows. An answer
    /// is one of 200, 201, 202, 204, 207 and 409, for the caller to judge; anything else is an error, which tells whether
    /// the effect is [unknown](teams_base::error::Error::effect_is_unknown).
    pub async fn send(&self, request: &Request) -> Result<Answer<Bytes>> {
        self.get(request, |body| Ok(Bytes::copy_from_slice(body))).await
    }

    /// Reads many small resources, up to twenty in a round trip; results are in the order of the requests. Where the server
    /// refuses batches as a whole, that is the error, and single reads are the way to go on.
    pub async fn batch(&self, requests: &[Request]) -> Result<Vec<Result<Box<RawValue>>>> {
        self.0.batch(requests).await
    }

    /// Fetches a file that Graph answers with a redirect to; the token does not travel there. `read` is as in [`Self::get`].
    pub async fn download<T>(&self, request: &Request, read: impl FnMut(&[u8]) -> Result<T, Malformed>) -> Result<T> {
        self.0.download(request, read).await
    }

    /// Whether Graph gives a link to such a file; the file is not fetched.
    pub async fn offers(&self, request: &Request) -> Result<()> {
        self.0.offers(request).await
    }

    /// Sends JSON once to an address that is a secret of its own; no token travels there.
    pub async fn post_elsewhere(&self, url: &Url, body: String) -> Result<Posted> {
        let client = self.0.graph.transport.elsewhere(url)?;
        Ok(elsewhere::post(&client, url, body).await)
    }

    /// Reads a public document, such as an issuer's keys, once; the text of an error says why not. No token travels there.
    pub async fn read_elsewhere(&self, url: &Url) -> Result<Vec<u8>, String> {
        let client = self.0.graph.transport.elsewhere(url).map_err(|error| error.to_string())?;
        elsewhere::read(&client, url).await
    }

    /// Puts a piece of a file to an address that is a secret of its own, once; no token travels there.
    pub async fn put_elsewhere(&self, url: &Url, range: &str, piece: Vec<u8>) -> Result<Posted> {
        let client = self.0.graph.transport.elsewhere(url)?;
        Ok(elsewhere::put(&client, url, range, piece).await)
    }

    /// Checks a link of a response to `request`. The error names the endpoint, never the link.
    pub fn link(&self, text: &str, request: &Request) -> Result<Link> {
        Link::check(text, self.0.graph.base()).map_err(|why| Trouble::refused(request, why))
    }

    /// What the token for Graph allows.
    pub async fn roles(&self) -> Result<Roles> {
        Ok(self.0.graph.tokens.get().await?.roles())
    }

    /// Graph's clock; nothing before its first answer.
    pub fn now(&self) -> Option<Timestamp> {
        self.0.graph.clock.now()
    }

    pub fn report(&self) -> &Arc<Report> {
        &self.0.report
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient").field("graph", &self.0.graph.base().as_str()).finish_non_exhaustive()
    }
}
