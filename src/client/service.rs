//! A service as its requests see it: its hosts, its tokens and its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use crate::audience::Audience;
use crate::auth::{Token, TokenCache, TokenProvider};
use crate::circuit_breaker::CircuitBreaker;
use crate::http::clock::Clock;
use crate::http::retry::Trial;
use crate::http::transport::Transport;
use crate::request::Request;
use crate::trouble::Trouble;
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
    /// Whether it has ever accepted a token.
    accepted: AtomicBool,
}

impl Service {
    pub fn new(config: &ConnectionConfig, audience: Audience, provider: Arc<dyn TokenProvider>) -> Result<Self> {
        Ok(Self {
            tokens: TokenCache::new(provider),
            transport: Transport::new(config, audience.base.clone())?,
            breaker: CircuitBreaker::new(config.retry_timeout),
            clock: Clock::default(),
            reached: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
            audience,
        })
    }

    pub fn base(&self) -> &Url {
        &self.audience.base
    }

    /// A request succeeded, so the tokens of this application are good here.
    pub fn accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// A token was refused: drops it and says to try again with another, as long as that may help. Where the service has
    /// accepted the application's tokens before, or the answer says what the resource refuses, a refusal of a new one is
    /// about what was asked for, and the token is kept for all else.
    pub fn refused(&self, token: &Arc<Token>, trial: &mut Trial, trouble: &mut Trouble) -> bool {
        let again = trial.reauthenticate(token.obtained_at);
        if !again && (self.accepted.load(Ordering::Relaxed) || trouble.tells_why()) {
            trouble.refuses_scope();
        } else {
            self.tokens.invalidate(token);
        }
        again
    }

    /// Where a request goes. The one check of all that is sent with a token: no other host than the service's own gets it.
    pub fn url_of(&self, request: &Request) -> Result<Url, &'static str> {
        let url = absolute(request, self.base())?;
        self.audience.admit(&url)?;
        Ok(url)
    }
}
