//! One POST of Graph: proven, and what is ours on disk before the answer.
//!
//! What is refused by its content is answered with 202 like everything else: Graph would send it again for four hours, and who
//! forges learns nothing. 503 says that something could not be kept, or not be proven yet
//! (<https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use url::form_urlencoded;

use super::item::{Collection, Item, Subject};
use super::outcome::{Counts, Outcome};
use super::registry::Registry;
use super::spool::{Record, Spool};
use super::token::Publisher;
use crate::token::Refusal;
use teams_base::text::without_mark;

/// Graph's handshake tokens have some 150 characters.
const LONGEST_HANDSHAKE: usize = 4 << 10;
/// There is a token for each app and tenant of a POST.
const MOST_TOKENS: usize = 100;
const RETRY_AFTER_SECONDS: u32 = 10;

/// Which of the two addresses was called. Graph checks both, and sends each its kind of items; either takes both kinds.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'p> {
    pub query: &'p [u8],
    pub content_type: Option<&'p str>,
    pub content_encoding: Option<&'p str>,
    pub body: &'p [u8],
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// The handshake's token, as it is. It is text, and nothing else must be made of it.
    Token(String),
    Accepted,
    Malformed,
    TooLarge,
    Unsupported,
    /// Not kept: to be sent again.
    Later,
}

impl Reply {
    pub fn status(&self) -> u16 {
        match self {
            Self::Token(_) => 200,
            Self::Accepted => 202,
            Self::Malformed => 400,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::Later => 503,
        }
    }

    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Token(_) => vec![
                ("content-type", "text/plain; charset=utf-8".to_owned()),
                ("x-content-type-options", "nosniff".to_owned()),
                ("cache-control", "no-store".to_owned()),
            ],
            Self::Later => vec![("retry-after", RETRY_AFTER_SECONDS.to_string())],
            _ => Vec::new(),
        }
    }

    pub fn body(&self) -> &str {
        match self {
            Self::Token(token) => token,
            _ => "",
        }
    }
}

/// How much one POST may bring.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub body_bytes: usize,
    pub items: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { body_bytes: 8 << 20, items: 10_000 }
    }
}

pub struct Receiver {
    pub registry: Arc<Registry>,
    pub spool: Arc<Spool>,
    publisher: Publisher,
    /// Tenants whose items are taken, in lower case; none where only their names are known.
    tenants: BTreeSet<String>,
    caps: Caps,
    counts: Mutex<Counts>,
}

impl Receiver {
    pub fn new(
        registry: Arc<Registry>,
        spool: Arc<Spool>,
        publisher: Publisher,
        tenants: &[String],
        caps: Caps,
    ) -> Self {
        let is_id = |tenant: &&String| uuid::Uuid::try_parse(tenant).is_ok();
        let tenants = if tenants.iter().all(|tenant| is_id(&tenant)) { tenants } else { &[] };
        let tenants = tenants.iter().map(|tenant| tenant.to_ascii_lowercase()).collect();
        Self { registry, spool, publisher, tenants, caps, counts: Mutex::default() }
    }

    /// What became of all items so far.
    pub fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    pub async fn receive(&self, posted: Posted<'_>, now: Timestamp) -> Reply {
        if let Some(token) = handshake(posted.query) {
            return if token.len() <= LONGEST_HANDSHAKE { Reply::Token(token) } else { Reply::Malformed };
        }
        if !is_plain_json(posted.content_type, posted.content_encoding) {
            return Reply::Unsupported;
        }
        if posted.body.len() > self.caps.body_bytes {
            return Reply::TooLarge;
        }
        let Ok(text) = std::str::from_utf8(without_mark(posted.body)) else { return Reply::Malformed };
        let Some(collection) = Collection::read(text) else { return Reply::Malformed };
        if collection.items.len() > self.caps.items || collection.tokens.len() > MOST_TOKENS {
            return Reply::TooLarge;
        }
        let proof = match self.prove(&collection.tokens).await {
            Ok(proof) => proof,
            Err(Unproven) => return Reply::Later,
        };
        let (records, counts) = self.sift(&collection, &proof, now);
        if !records.is_empty()
            && let Err(why) = self.spool.append(&records).await
        {
            log::warn!("{} notifications were not kept ({why:?}), and will be sent again", records.len());
            return Reply::Later;
        }
        for (outcome, count) in counts.iter().filter(|(name, _)| *name != Outcome::Accepted.name()) {
            log::warn!("{count} notifications were refused: {outcome}");
        }
        self.counts.lock().merge(&counts);
        Reply::Accepted
    }

    async fn prove(&self, tokens: &[Cow<'_, str>]) -> Result<Proof, Unproven> {
        let mut tenants = BTreeSet::new();
        for token in tokens {
            match self.publisher.tenant(token).await {
                Ok(tenant) => drop(tenants.insert(tenant)),
                Err(Refusal::Unreachable(why)) => {
                    log::warn!("the login service's keys cannot be fetched ({why}): notifications wait");
                    return Err(Unproven);
                }
                Err(refusal) => {
                    log::warn!("a validation token was refused, and all that came with it: {}", refusal.name());
                    return Ok(Proof::Forged);
                }
            }
        }
        Ok(Proof::Covers(tenants))
    }

    /// Each item by itself: a bad one costs nobody else.
    fn sift(&self, collection: &Collection<'_>, proof: &Proof, now: Timestamp) -> (Vec<Record>, Counts) {
        let mut counts = Counts::default();
        let mut records = Vec::new();
        for raw in &collection.items {
            match self.judge(raw.get(), proof) {
                Ok(item) => {
                    counts.add(Outcome::Accepted);
                    records.push(Record { arrived: now, item: item.into_bytes() });
                }
                Err(refused) => counts.add(refused),
            }
        }
        (records, counts)
    }

    /// An item as it is kept: without its secret.
    fn judge(&self, text: &str, proof: &Proof) -> Result<String, Outcome> {
        let Proof::Covers(covered) = proof else { return Err(Outcome::Token) };
        let item = Item::read(text).ok_or(Outcome::Malformed)?;
        self.registry.check(&item.subscription, item.client_state.as_deref())?;
        let tenant = item.tenant.as_deref().map(str::to_ascii_lowercase);
        if !self.tenants.is_empty() && tenant.as_ref().is_some_and(|tenant| !self.tenants.contains(tenant)) {
            return Err(Outcome::Tenant);
        }
        match item.subject {
            // Only content comes with tokens; what has none is proven by its clientState.
            _ if item.encrypted.is_some() && !tenant.is_some_and(|tenant| covered.contains(&tenant)) => {
                return Err(Outcome::Tenant);
            }
            Subject::Unknown | Subject::Validation => return Err(Outcome::UnknownKind),
            Subject::Change(kind) if item.is_without_content(kind) => return Err(Outcome::Unencrypted),
            Subject::Change(_) | Subject::Lifecycle(_) => {}
        }
        Ok(item.members.without(&["clientState"]))
    }
}

enum Proof {
    /// The tenants that tokens speak for.
    Covers(BTreeSet<String>),
    /// One was forged: nothing that came with it is believed.
    Forged,
}

struct Unproven;

/// The token of a handshake, decoded.
fn handshake(query: &[u8]) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query);
    pairs.find(|(name, _)| name == "validationToken").map(|(_, token)| token.into_owned())
}

/// JSON that is not compressed: Graph sends no other, and a small bomb would be a large body.
fn is_plain_json(content_type: Option<&str>, encoding: Option<&str>) -> bool {
    let is_json = content_type.is_none_or(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    is_json && encoding.is_none_or(|encoding| encoding.trim().eq_ignore_ascii_case("identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_handshake_comes_back_decoded() {
        let seen = b"x=1&validationToken=Validation%3a+Testing+client+application+reachability+Request-Id%3a+6f%2B";
        let token = handshake(seen).unwrap();
        assert_eq!(token, "Validation: Testing client application reachability Request-Id: 6f+");
        let reply = Reply::Token("<script>".to_owned());
        assert_eq!((reply.status(), reply.body()), (200, "<script>"));
        let headers = reply.headers();
        assert!(headers.contains(&("content-type", "text/plain; charset=utf-8".to_owned())));
        assert!(headers.contains(&("x-content-type-options", "nosniff".to_owned())));
        assert_eq!(handshake(b"validationtoken=x&other"), None);
    }

    #[test]
    fn only_plain_json_is_taken() {
        for (kind, encoding, expected) in [
            (Some("application/json; charset=utf-8"), None, true),
            (Some("Application/JSON"), Some("identity"), true),
            (None, None, true),
            (Some("application/json"), Some("gzip"), false),
            (Some("text/plain"), None, false),
            (Some("application/jsonp"), None, false),
        ] {
            assert_eq!(is_plain_json(kind, encoding), expected, "{kind:?} {encoding:?}");
        }
    }
}
