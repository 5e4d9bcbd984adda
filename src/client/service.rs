//! A service as its requests see it: its hosts, its tokens and its state.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use url::Url;

use crate::audience::Audience;
use crate::auth::{TokenCache, TokenProvider};
use crate::circuit_breaker::CircuitBreaker;
use crate::http::clock::Clock;
use crate::http::transport::Transport;
use crate::request::Request;
use crate::url::absolute;
use teams_base::error::Result;
use teams_base::options::ConnectionConfig;

pub struct Service {
    audience: Audience,
    pub tokens: TokenCache,
    pub transport: Transport,
    pub breaker: CircuitBreaker,
    pub clock: Clock,
    /// Whether it has ever answered.
    pub reached: AtomicBool,
}

impl Service {
    pub fn new(config: &ConnectionConfig, audience: Audience, provider: Arc<dyn TokenProvider>) -> Result<Self> {
        Ok(Self {
            tokens: TokenCache::new(provider),
            transport: Transport::new(config, audience.base.clone())?,
            breaker: CircuitBreaker::new(config.retry_timeout),
            clock: Clock::default(),
            reached: AtomicBool::new(false),
            audience,
        })
    }

    pub fn base(&self) -> &Url {
        &self.audience.base
    }

    /// Where a request goes. The one check of all that is sent with a token: no other host than the service's own gets it.
    pub fn url_of(&self, request: &Request) -> Result<Url, &'static str> {
        let url = absolute(request, self.base())?;
        self.audience.admit(&url)?;
        Ok(url)
    }
}
