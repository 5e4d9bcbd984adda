//! Microsoft Graph over HTTP: polite, patient and suspicious.

mod address;
pub mod auth;
mod batch;
mod body;
mod breaker;
mod bucket;
pub mod classify;
mod clock;
mod download;
mod exchange;
mod inflate;
mod limiter;
pub mod link;
mod pace;
pub mod report;
pub mod request;
mod retry;
pub mod scopes;
mod transport;
mod trouble;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use serde_json::value::RawValue;

pub use body::ErrorBody;
pub use link::Link;
pub use report::{Report, Skipped, Snapshot};
pub use request::{Answer, Request};

use auth::{Roles, TokenCache, TokenProvider};
use exchange::{Accepted, Call, Engine};
use teams_base::error::Result;
use teams_base::options::ConnectionConfig;
use trouble::Trouble;

/// A body that its reader cannot use, and why. It counts as a passing fault: pages are at times cut short, or an error
/// page in disguise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// serde's own text quotes the value it stumbled over, and that may be what somebody wrote in a chat.
impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let what = match error.classify() {
            Category::Eof => "the JSON ends too soon",
            Category::Syntax => "not JSON",
            Category::Data => "JSON of another shape",
            Category::Io => "unreadable",
        };
        Self(format!("{what} (line {}, column {})", error.line(), error.column()))
    }
}

/// One tenant's Graph. Clones share connections, token, budgets and report.
#[derive(Clone)]
pub struct GraphClient(Arc<Engine>);

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
        Ok(Self(Arc::new(Engine {
            base: config.graph.clone(),
            tokens: TokenCache::new(provider),
            transport: transport::Transport::new(config)?,
            limiter: limiter::Limiter::new(config),
            breaker: breaker::Breaker::new(config.retry_timeout),
            clock: clock::Clock::default(),
            report,
            retry_timeout: config.retry_timeout,
            reached: AtomicBool::new(false),
        })))
    }

    /// Sends one request until `read` accepts the whole inflated body. What `read` refuses is asked for again, so each call
    /// of `read` starts afresh, with whatever an earlier one kept thrown away.
    pub async fn get<T>(
        &self,
        request: &Request,
        read: impl FnMut(&[u8]) -> Result<T, Malformed>,
    ) -> Result<Answer<T>> {
        let url = address::absolute(request, &self.0.base).map_err(|why| Trouble::refused(request, why))?;
        let counts_as = [request];
        let call = Call {
            endpoint: request.endpoint,
            scope: &request.scope,
            url,
            payload: None,
            redirects: false,
            counts_as: &counts_as,
        };
        let Accepted { answer, .. } = self.0.exchange(&call, read).await?;
        Ok(answer)
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

    /// Checks a link of a response to `request`. The error names the endpoint, never the link.
    pub fn link(&self, text: &str, request: &Request) -> Result<Link> {
        Link::check(text, &self.0.base).map_err(|why| Trouble::refused(request, why))
    }

    /// What the token allows.
    pub async fn roles(&self) -> Result<Roles> {
        Ok(self.0.tokens.get().await?.roles())
    }

    /// The server's clock; nothing before its first answer.
    pub fn now(&self) -> Option<Timestamp> {
        self.0.clock.now()
    }

    pub fn report(&self) -> &Arc<Report> {
        &self.0.report
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphClient").field("graph", &self.0.base.as_str()).finish_non_exhaustive()
    }
}
