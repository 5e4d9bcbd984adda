//! The issuer's keys: fetched once however many ask, kept for a day, and fetched again for an unknown key, though not often:
//! anybody can send a token with a made-up key id.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

/// Gets a document; the text of an error says why not.
pub trait Fetch: Send + Sync {
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// Keys are good for a day (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>).
const LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Keys that are older are fetched at once for an unknown key, younger ones at most this often.
const OLD: Duration = Duration::from_secs(3_600);
const PAUSE: Duration = Duration::from_secs(300);
const SHORT_PAUSE: Duration = Duration::from_secs(5);

/// A key, and the channels that it may sign for; none where the issuer does not say.
pub struct Key {
    pub decoding: DecodingKey,
    pub endorsements: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    kid: String,
    n: Option<String>,
    e: Option<String>,
    endorsements: Option<Vec<String>>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, Arc<Key>>,
    fetched: Option<Instant>,
    /// The last attempt, whether it succeeded or not.
    tried: Option<Instant>,
}

pub struct Keys {
    fetch: Arc<dyn Fetch>,
    metadata: Url,
    state: Mutex<State>,
    /// Held while they are fetched.
    fetching: tokio::sync::Mutex<()>,
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer has none of this id.
    Unknown,
    /// The keys cannot be fetched, so that nothing is known.
    Unreachable(String),
}

impl Keys {
    pub fn new(metadata: Url, fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, metadata, state: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    pub async fn find(&self, id: &str) -> Result<Arc<Key>, NoKey> {
        if let Some(key) = self.known(id) {
            return Ok(key);
        }
        let _turn = self.fetching.lock().await;
        // Another one may have fetched them meanwhile.
        if let Some(key) = self.known(id) {
            return Ok(key);
        }
        let failed = if self.may_fetch() { self.refresh().await.err() } else { None };
        let state = self.state.lock();
        match (state.keys.get(id), failed) {
            // Old keys are better than none while the issuer cannot be reached.
            (Some(key), _) => Ok(Arc::clone(key)),
            (None, Some(why)) => Err(NoKey::Unreachable(why)),
            (None, None) if state.fetched.is_none() => {
                Err(NoKey::Unreachable("they were asked for a moment ago".into()))
            }
            (None, None) => Err(NoKey::Unknown),
        }
    }

    /// A key that is known and young enough.
    fn known(&self, id: &str) -> Option<Arc<Key>> {
        let state = self.state.lock();
        let is_young = state.fetched.is_some_and(|at| at.elapsed() < LIFE);
        state.keys.get(id).filter(|_| is_young).cloned()
    }

    fn may_fetch(&self) -> bool {
        let state = self.state.lock();
        let is_old = state.fetched.is_some_and(|at| at.elapsed() >= OLD);
        // An issuer that has not answered yet, or long ago, is asked again sooner.
        let pause = if is_old || state.fetched.is_none() { SHORT_PAUSE } else { PAUSE };
        state.tried.is_none_or(|at| at.elapsed() >= pause)
    }

    async fn refresh(&self) -> Result<(), String> {
        self.state.lock().tried = Some(Instant::now());
        let metadata: Metadata = self.read(&self.metadata).await?;
        let place = Url::parse(&metadata.jwks_uri).map_err(|_| "the metadata names no address of keys".to_owned())?;
        // Who can change the metadata must not lead to keys of somebody else.
        if place.origin() != self.metadata.origin() {
            return Err("the metadata leads to keys on another host".to_owned());
        }
        let set: KeySet = self.read(&place).await?;
        let keys: HashMap<String, Arc<Key>> = set.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err("the issuer publishes no usable key".to_owned());
        }
        let mut state = self.state.lock();
        state.keys = keys;
        state.fetched = Some(Instant::now());
        Ok(())
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, url: &Url) -> Result<T, String> {
        let body = self.fetch.get(url).await?;
        serde_json::from_slice(&body).map_err(|_| "the issuer's answer is not what it should be".to_owned())
    }
}

fn usable(key: PublishedKey) -> Option<(String, Arc<Key>)> {
    let (n, e) = (key.n?, key.e?);
    if key.kty != "RSA" {
        return None;
    }
    let decoding = DecodingKey::from_rsa_components(&n, &e).ok()?;
    Some((key.kid, Arc::new(Key { decoding, endorsements: key.endorsements })))
}
