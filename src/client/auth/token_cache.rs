//! One token for all requests: fetched once however many ask at the same time, and renewed before it ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::provider::{AccessToken, TokenProvider};
use super::roles::Roles;
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::secret::Secret;

/// A token is renewed when less than this, or less than a tenth of its life, is left.
const EARLY: Duration = Duration::from_secs(300);
/// A token this near its end may expire on the way, so it is not used any more.
const UNUSABLE: Duration = Duration::from_secs(10);
/// After a renewal failed while the old token still served, the next one is tried this much later.
const RENEWAL_PAUSE: Duration = Duration::from_secs(20);

/// A token in use.
pub struct Token {
    /// `Bearer ...`, marked sensitive so that no HTTP library shows it.
    pub header: HeaderValue,
    pub obtained_at: Instant,
    secret: Secret,
    expires_at: Instant,
    renew_at: Instant,
}

impl Token {
    pub fn roles(&self) -> Roles {
        Roles::of(&self.secret)
    }

    fn new(token: &AccessToken) -> Result<Self> {
        let obtained_at = Instant::now();
        let expires_at = Instant::from_std(token.expires_at);
        let life = expires_at.saturating_duration_since(obtained_at);
        // A token that lives no longer than `EARLY` would be renewed at every use, so there half of its life is the mark.
        let early = if life > EARLY * 2 { EARLY.max(life / 10) } else { life / 2 };
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose())).map_err(|_| {
            Error::Authentication(Box::new(AuthFailure {
                message: "the token holds characters that cannot be sent".into(),
                ..AuthFailure::default()
            }))
        })?;
        header.set_sensitive(true);
        Ok(Self { header, obtained_at, secret: token.secret.clone(), expires_at, renew_at: expires_at - early })
    }

    /// An answer without the token, which it may quote.
    pub fn cut_out_of(&self, body: &[u8]) -> Bytes {
        self.secret.cut_out(body).into()
    }

    fn usable(&self, now: Instant) -> bool {
        // Half of a short life, so that tests and odd providers with short tokens still get to use them.
        let margin = UNUSABLE.min(self.expires_at.saturating_duration_since(self.obtained_at) / 2);
        self.expires_at.saturating_duration_since(now) > margin
    }
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The last fetch that failed, and when: all that waited for it share its error instead of repeating it.
    failure: Option<(Instant, Error)>,
    /// The last token that was refused, until another has taken its place.
    refused: Option<Secret>,
}

pub struct TokenCache {
    provider: Arc<dyn TokenProvider>,
    state: Mutex<State>,
    /// Held while a token is fetched.
    fetching: tokio::sync::Mutex<()>,
}

impl TokenCache {
    pub fn new(provider: Arc<dyn TokenProvider>) -> Self {
        Self { provider, state: Mutex::default(), fetching: tokio::sync::Mutex::new(()) }
    }

    /// A token that will still be valid when it arrives.
    pub async fn get(&self) -> Result<Arc<Token>> {
        let asked_at = Instant::now();
        match self.current(asked_at) {
            Some(token) if asked_at < token.renew_at => Ok(token),
            Some(token) => Ok(self.renew(token).await),
            None => self.fetch(asked_at).await,
        }
    }

    /// Drops a token that was refused, unless another one has taken its place already.
    pub fn invalidate(&self, token: &Arc<Token>) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| Arc::ptr_eq(current, token)) {
            state.token = None;
            state.refused = Some(token.secret.clone());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn current(&self, now: Instant) -> Option<Arc<Token>> {
        self.state().token.as_ref().filter(|token| token.usable(now)).cloned()
    }

    /// Renews a token that still serves. Only one caller waits for it, and a failure is no harm yet.
    async fn renew(&self, old: Arc<Token>) -> Arc<Token> {
        let Ok(_guard) = self.fetching.try_lock() else { return old };
        let now = Instant::now();
        if let Some(token) = self.current(now).filter(|token| now < token.renew_at) {
            return token;
        }
        if self.state().failure.as_ref().is_some_and(|(at, _)| now < *at + RENEWAL_PAUSE) {
            return old;
        }
        match self.store().await {
            Ok(token) => token,
            Err(error) => {
                log::warn!("The token could not be renewed yet: {error}");
                old
            }
        }
    }

    async fn fetch(&self, asked_at: Instant) -> Result<Arc<Token>> {
        let _guard = self.fetching.lock().await;
        if let Some(token) = self.current(Instant::now()) {
            return Ok(token);
        }
        if let Some((at, error)) = &self.state().failure
            && *at >= asked_at
        {
            return Err(error.clone());
        }
        self.store().await
    }

    /// Asks the provider. Only called while `fetching` is held.
    async fn store(&self) -> Result<Arc<Token>> {
        let refused = self.state().refused.clone();
        let fetched = match &refused {
            Some(refused) => self.provider.replace(refused).await,
            None => self.provider.fetch().await,
        };
        let result = fetched.and_then(|token| Token::new(&token)).map(Arc::new);
        let mut state = self.state();
        match &result {
            Ok(token) => {
                let refused = refused.filter(|refused| *refused == token.secret);
                *state = State { token: Some(Arc::clone(token)), failure: None, refused };
            }
            Err(error) => state.failure = Some((Instant::now(), error.clone())),
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::{BoxFuture, join_all};

    use super::*;
    use teams_base::secret::Secret;

    /// Hands out `token-1`, `token-2`, ... after a moment, or refuses.
    struct Counting {
        calls: AtomicU32,
        life: Duration,
        refuse_from: u32,
    }

    impl Counting {
        fn cache(life: u64, refuse_from: u32) -> (Arc<Self>, TokenCache) {
            let provider = Arc::new(Self { calls: AtomicU32::new(0), life: Duration::from_secs(life), refuse_from });
            (Arc::clone(&provider), TokenCache::new(provider))
        }

        fn calls(&self) -> u32 {
            self.calls.load(Ordering::SeqCst)
        }
    }

    impl TokenProvider for Counting {
        fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
            Box::pin(async {
                let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if call >= self.refuse_from {
                    return Err(Error::Authentication(Box::default()));
                }
                let expires_at = (Instant::now() + self.life).into_std();
                Ok(AccessToken { secret: Secret::new(format!("token-{call}")), expires_at })
            })
        }
    }

    fn text(token: &Token) -> &str {
        token.header.to_str().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_callers_share_one_fetch() {
        let (provider, cache) = Counting::cache(3_600, u32::MAX);
        let tokens = join_all((0..50).map(|_| cache.get())).await;
        assert!(tokens.iter().all(|token| text(token.as_ref().unwrap()) == "Bearer token-1"));
        assert_eq!(provider.calls(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_callers_share_one_refusal_and_the_next_tries_again() {
        let (provider, cache) = Counting::cache(3_600, 1);
        assert!(join_all((0..50).map(|_| cache.get())).await.iter().all(Result::is_err));
        assert_eq!(provider.calls(), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cache.get().await.is_err());
        assert_eq!(provider.calls(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_token_serves_while_one_caller_renews() {
        let (provider, cache) = Counting::cache(3_600, u32::MAX);
        cache.get().await.unwrap();
        tokio::time::advance(Duration::from_secs(3_200)).await;
        cache.get().await.unwrap();
        assert_eq!(provider.calls(), 1);
        tokio::time::advance(Duration::from_secs(50 + 60)).await;
        let tokens = join_all((0..10).map(|_| cache.get())).await;
        let texts: Vec<_> = tokens.iter().map(|token| text(token.as_ref().unwrap()).to_owned()).collect();
        assert_eq!(texts.iter().filter(|text| *text == "Bearer token-2").count(), 1);
        assert_eq!(provider.calls(), 2);
        assert_eq!(text(&cache.get().await.unwrap()), "Bearer token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_renewal_waits_until_the_token_ends() {
        let (provider, cache) = Counting::cache(3_600, 2);
        cache.get().await.unwrap();
        tokio::time::advance(Duration::from_secs(3_400)).await;
        for _ in 0..5 {
            assert_eq!(text(&cache.get().await.unwrap()), "Bearer token-1");
        }
        assert_eq!(provider.calls(), 2);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert!(cache.get().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_refused_token_is_dropped() {
        let (provider, cache) = Counting::cache(3_600, u32::MAX);
        let first = cache.get().await.unwrap();
        cache.invalidate(&first);
        let second = cache.get().await.unwrap();
        cache.invalidate(&first);
        assert!(Arc::ptr_eq(&second, &cache.get().await.unwrap()));
        assert_eq!(provider.calls(), 2);
    }
}
