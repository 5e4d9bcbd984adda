//! Who gives tokens.

use std::time::Instant;

use futures::future::BoxFuture;

use teams_base::error::Result;
use teams_base::secret::Secret;

/// A token as it was granted.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub secret: Secret,
    pub expires_at: Instant,
}

/// Gets a new token each time it is asked. The token cache keeps it.
pub trait TokenProvider: Send + Sync {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>>;

    /// Gets a token after one was refused. A provider that keeps tokens itself must not give the refused one again.
    fn replace<'a>(&'a self, _refused: &'a Secret) -> BoxFuture<'a, Result<AccessToken>> {
        self.fetch()
    }

    /// Where the tokens come from, if the options leave that open.
    fn describe(&self) -> Option<String> {
        None
    }

    /// What will soon need attention, such as a certificate near its end.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A closure as provider, for credentials that live outside, such as an object of azure-identity.
impl<F> TokenProvider for F
where
    F: Fn() -> BoxFuture<'static, Result<AccessToken>> + Send + Sync,
{
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        self()
    }
}
