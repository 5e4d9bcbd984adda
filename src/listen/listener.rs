//! Everything that listening for a lakehouse takes, in one folder: keys, subscriptions, and the spool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use crate::notify::decode::{Decoded, Decoder, Gate, Received, Wanted, kept};
use crate::notify::item::{Item, Members};
use crate::notify::keys::{KeyRing, PrivateKey};
use crate::notify::outcome::Outcome;
use crate::notify::receive::{Caps, Posted, Receiver, Reply};
use crate::notify::registry::Registry;
use crate::notify::spool::{Record, Spool, Waiting};
use crate::notify::token::Publisher;
use crate::subscriptions::engine::{Engine, Settings as Subscribing};
use crate::subscriptions::plan::{Plan, plan};
use crate::subscriptions::report::Turn;
use crate::subscriptions::requests::Addresses;
use crate::subscriptions::state::State;
use crate::token::Fetch;
use teams_base::cloud::is_loopback;
use teams_base::error::{Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::secret::Secret;
use teams_client::GraphClient;

/// What of a listener's folder is whose.
pub const KEYS: &str = "keys";
pub const SPOOL: &str = "spool";
pub const ASIDE: &str = "aside";
pub const SUBSCRIPTIONS: &str = "subscriptions.json";

/// Items that wait for their key are few, or something is wrong for good.
const ASIDE_SHARE: u64 = 16;

/// How a listener listens. Times are seconds, sizes bytes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub url: Option<String>,
    pub lifecycle_url: Option<String>,
    pub event_hub: Option<String>,
    pub blob_store_url: Option<String>,
    pub certificate: Option<PathBuf>,
    pub certificate_password: Option<String>,
    pub certificate_label: Option<String>,
    pub allowed_tenants: Option<Vec<String>>,
    pub replace: bool,
    pub renew_margin_seconds: u32,
    pub lifetime_seconds: Option<u32>,
    pub max_body_bytes: usize,
    pub max_items: usize,
    pub spool_bytes: u64,
    pub keep_notifications: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let Caps { body_bytes, items } = Caps::default();
        Self {
            url: None,
            lifecycle_url: None,
            event_hub: None,
            blob_store_url: None,
            certificate: None,
            certificate_password: None,
            certificate_label: None,
            allowed_tenants: None,
            replace: true,
            renew_margin_seconds: 120,
            lifetime_seconds: None,
            max_body_bytes: body_bytes,
            max_items: items,
            spool_bytes: 4 << 30,
            keep_notifications: false,
        }
    }
}

impl Settings {
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::configuration(format!("The settings of listen: {error}")))
    }

    fn addresses(&self) -> Result<Addresses> {
        let (notifications, is_hub) = match (&self.url, &self.event_hub) {
            (Some(url), None) => (url.clone(), false),
            (None, Some(hub)) => (hub.clone(), true),
            _ => {
                return Err(Error::configuration(
                    "Exactly one of url and event_hub says where Graph sends notifications",
                ));
            }
        };
        if is_hub {
            if !notifications.starts_with("EventHub:https://") {
                return Err(Error::configuration(
                    "Option event_hub: it must be EventHub:https://NAMESPACE.servicebus.windows.net/eventhubname/HUB?tenantId=DOMAIN",
                ));
            }
        } else {
            public_address("url", &notifications)?;
        }
        let lifecycle = match &self.lifecycle_url {
            Some(url) => url.clone(),
            None if is_hub => notifications.clone(),
            None => below(&notifications, "lifecycle")?,
        };
        if !is_hub {
            public_address("lifecycle_url", &lifecycle)?;
        }
        Ok(Addresses { notifications, lifecycle, blob_store: self.blob_store_url.clone() })
    }

    /// How long a subscription is asked to live.
    fn life(&self) -> SignedDuration {
        let most = SignedDuration::from_mins(i64::from(crate::subscriptions::offer::MOST_MINUTES));
        let life = most - SignedDuration::from_secs(i64::from(self.renew_margin_seconds));
        let asked = self.lifetime_seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
        asked.map_or(life, |asked| asked.min(life))
    }

    fn given_key(&self) -> Result<Option<PrivateKey>> {
        let Some(path) = &self.certificate else { return Ok(None) };
        let bytes = std::fs::read(path).map_err(|error| {
            Error::configuration(format!("Option certificate: the file cannot be read ({})", error.kind()))
        })?;
        let bytes = zeroize::Zeroizing::new(bytes);
        let password = self.certificate_password.clone().map(Secret::new);
        PrivateKey::given(&bytes, password.as_ref(), self.certificate_label.as_deref()).map(Some)
    }
}

/// An address that Graph can be given.
fn public_address(option: &str, text: &str) -> Result<()> {
    let refuse = |why: &str| Error::configuration(format!("Option {option}: it {why}"));
    let url = Url::parse(text).map_err(|_| refuse("is no address such as https://listen.example.org/teams"))?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err(refuse("must begin with https://, because Graph calls no other")),
    }
}

/// The same address one step deeper; its query stays.
fn below(text: &str, step: &str) -> Result<String> {
    let mut url = Url::parse(text).map_err(|_| Error::configuration("Option url: it is no address"))?;
    let path = format!("{}/{step}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url.into())
}

/// Rows, and where they stand in the spool.
pub struct Notifications {
    pub decoded: Decoded,
    /// Negative for items that were set aside.
    pub position: Option<i64>,
    pub kept: RecordBatch,
    /// The tables that each subscription of an oversized item feeds.
    pub oversized_tables: Vec<Vec<String>>,
}

pub struct Listener {
    engine: Engine,
    receiver: Receiver,
    decoder: Decoder,
    keys: Arc<KeyRing>,
    registry: Arc<Registry>,
    spool: Arc<Spool>,
    aside: Spool,
    caps: Caps,
    keeps: bool,
}

impl Listener {
    pub fn new(
        folder: &Path,
        config: &ConnectionConfig,
        client: GraphClient,
        wanted: &[Wanted],
        settings: &Settings,
    ) -> Result<Self> {
        let plan = plan(wanted)?;
        if plan.subscriptions.is_empty() {
            return Err(Error::configuration(
                "Graph sends notifications of none of the tables: those that it pushes are messages, message_replies, \
                 chat_messages, what is taken from them, chats, teams, channels and members",
            ));
        }
        let app = config.client_id.as_deref().ok_or_else(|| {
            Error::configuration("Option client_id is required to listen: tokens of notifications are made out to it")
        })?;
        let addresses = settings.addresses()?;
        let keys = match settings.given_key()? {
            Some(key) => KeyRing::given(vec![key]),
            None => KeyRing::open(&folder.join(KEYS))?,
        };
        let (keys, registry) = (Arc::new(keys), Arc::new(Registry::default()));
        let spool = Arc::new(Spool::open(&folder.join(SPOOL), settings.spool_bytes)?);
        let aside = Spool::open(&folder.join(ASIDE), settings.spool_bytes / ASIDE_SHARE)?;
        let fetch: Arc<dyn Fetch> = Arc::new(client.clone());
        let publisher = Publisher::new(app, &config.authority, config.cloud, &fetch)
            .map_err(|_| Error::configuration("Option authority_host: it leads to no address of keys"))?;
        let own: Vec<String> = config.tenant_id.iter().cloned().collect();
        let tenants = settings.allowed_tenants.as_ref().unwrap_or(&own);
        let caps = Caps { body_bytes: settings.max_body_bytes, items: settings.max_items };
        let is_pushed = |one: &&Wanted| !plan.not_pushed.iter().any(|other| other.table == one.table);
        let decoder = Decoder::new(&wanted.iter().filter(is_pushed).cloned().collect::<Vec<_>>())?;
        let subscribing = Subscribing { plan, addresses, life: settings.life(), replaces: settings.replace };
        let state = State::open(&folder.join(SUBSCRIPTIONS))?;
        let engine = Engine::new(client, subscribing, Arc::clone(&keys), Arc::clone(&registry), state);
        let receiver = Receiver::new(Arc::clone(&registry), Arc::clone(&spool), publisher, tenants, caps);
        let keeps = settings.keep_notifications;
        Ok(Self { engine, receiver, decoder, keys, registry, spool, aside, caps, keeps })
    }

    pub fn plan_of(wanted: &[Wanted]) -> Result<Plan> {
        plan(wanted)
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// What became of the items of all POSTs since the start.
    pub fn received(&self) -> Vec<(&'static str, u64)> {
        self.receiver.counts().iter().collect()
    }

    pub fn waiting(&self) -> (Waiting, u64) {
        (self.spool.waiting(), self.aside.waiting().items)
    }

    /// Takes one POST. Arrivals are dated by Graph's clock, as versions are: what was deleted without a date is ordered by them.
    pub async fn receive(&self, posted: Posted<'_>) -> Reply {
        self.receiver.receive(posted, self.engine.now()).await
    }

    pub async fn turn(&self) -> Result<Turn> {
        self.engine.turn().await
    }

    /// The next stretch of the spool.
    pub fn next(&self, most: usize, wait: Duration) -> Result<Option<Notifications>> {
        let Some(stretch) = self.spool.next(most, wait)? else { return Ok(None) };
        let notifications = self.open(&stretch.records, stretch.position as i64)?;
        self.set_aside(&unread_of(stretch.records, &notifications.decoded));
        Ok(Some(notifications))
    }

    /// Items that were set aside, as far as their keys are here now.
    pub fn retry_aside(&self, most: usize) -> Result<Option<Notifications>> {
        self.keys.reload()?;
        self.aside.rewind();
        let mut unread = Vec::new();
        while let Some(stretch) = self.aside.next(most, Duration::ZERO)? {
            let notifications = self.open(&stretch.records, -(stretch.position as i64))?;
            unread.extend(unread_of(stretch.records, &notifications.decoded));
            if notifications.decoded.outcomes.iter().any(|outcome| *outcome != Outcome::UnknownKey) {
                self.set_aside(&unread);
                return Ok(Some(notifications));
            }
        }
        Ok(None)
    }

    /// Values of a hub, past the spool.
    pub fn decode(&self, values: &[(&[u8], Timestamp)]) -> Result<Notifications> {
        let items: Vec<_> = values.iter().flat_map(|(value, arrived)| Received::of_value(value, *arrived)).collect();
        let notifications = self.decode_items(&items, None, Gate::Registry(&self.registry))?;
        let record = |item: &Received<'_>| {
            let members = Members::of(item.text).unwrap_or_default();
            Record { arrived: item.arrived, item: members.without(&["clientState"]).into_bytes() }
        };
        self.set_aside(&unread_of(items.iter().map(record).collect(), &notifications.decoded));
        Ok(notifications)
    }

    fn open(&self, records: &[Record], position: i64) -> Result<Notifications> {
        let mut items = Vec::with_capacity(records.len());
        for Record { arrived, item } in records {
            items.push(Received { text: std::str::from_utf8(item).unwrap_or_default(), arrived: *arrived });
        }
        self.decode_items(&items, Some(position), Gate::Proven)
    }

    fn decode_items(&self, items: &[Received<'_>], position: Option<i64>, gate: Gate<'_>) -> Result<Notifications> {
        let mut decoded = self.decoder.decode(items, &self.keys, gate);
        if decoded.outcomes.contains(&Outcome::UnknownKey) {
            // Another process may have made a key meanwhile.
            self.keys.reload()?;
            decoded = self.decoder.decode(items, &self.keys, gate);
        }
        if !decoded.lifecycle.is_empty() {
            self.engine.hear(&decoded.lifecycle)?;
        }
        self.engine.heard_of(subscriptions(items));
        let kept = if self.keeps { decoded.kept(items, position) } else { kept::empty() };
        let oversized_tables = decoded.oversized.iter().map(|one| self.registry.tables(&one.subscription)).collect();
        Ok(Notifications { decoded, position, kept, oversized_tables })
    }

    /// Keeps what cannot be decrypted yet. Where that cannot be kept either, polling finds what it was.
    fn set_aside(&self, unread: &[Record]) {
        if unread.is_empty() {
            return;
        }
        log::warn!("{} notifications name keys that are not here: they are set aside", unread.len());
        if let Err(why) = futures::executor::block_on(self.aside.append(unread)) {
            log::error!("{} notifications could not be set aside ({why:?}), and are dropped", unread.len());
        }
    }

    pub fn rewind(&self) {
        self.spool.rewind();
    }

    /// Everything up to a position is kept elsewhere.
    pub fn done(&self, position: i64) -> Result<()> {
        if position < 0 { self.aside.done(position.unsigned_abs()) } else { self.spool.done(position as u64) }
    }
}

/// Those whose keys are not here.
fn unread_of(records: Vec<Record>, decoded: &Decoded) -> Vec<Record> {
    let of_each = records.into_iter().zip(&decoded.outcomes);
    of_each.filter(|(_, outcome)| **outcome == Outcome::UnknownKey).map(|(record, _)| record).collect()
}

/// Which subscriptions brought items, and when.
fn subscriptions(items: &[Received<'_>]) -> impl Iterator<Item = (String, Timestamp)> {
    let mut newest = std::collections::HashMap::<String, Timestamp>::new();
    for received in items {
        if let Some(item) = Item::read(received.text) {
            let at = newest.entry(item.subscription.into_owned()).or_insert(received.arrived);
            *at = (*at).max(received.arrived);
        }
    }
    newest.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Result<Addresses> {
        Settings::parse(text)?.addresses()
    }

    #[test]
    fn addresses_are_checked_before_anything_is_asked() {
        let both = addresses(r#"{"url":"https://in.example.org/teams?k=1"}"#).unwrap();
        assert_eq!(both.lifecycle, "https://in.example.org/teams/lifecycle?k=1");
        assert!(addresses(r#"{"url":"http://127.0.0.1:8443/x"}"#).is_ok());
        let hub = "EventHub:https://n.servicebus.windows.net/eventhubname/h?tenantId=x.org";
        assert_eq!(addresses(&format!(r#"{{"event_hub":"{hub}"}}"#)).unwrap().lifecycle, hub);
        for (text, why) in [
            ("{}", "Exactly one"),
            (r#"{"url":"http://in.example.org/"}"#, "https://"),
            (r#"{"url":"in.example.org"}"#, "no address"),
            (r#"{"url":"https://a.org","lifecycle_url":"ftp://x"}"#, "lifecycle_url"),
            (r#"{"event_hub":"n/h"}"#, "EventHub:https://"),
            (r#"{"urll":"x"}"#, "urll"),
        ] {
            let error = addresses(text).err().unwrap().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_subscription_is_asked_to_live_less_than_it_may() {
        let settings = |text: &str| Settings::parse(text).unwrap().life().as_secs();
        assert_eq!(settings("{}"), 4_320 * 60 - 120);
        assert_eq!(settings(r#"{"lifetime_seconds":3600}"#), 3_600);
        assert_eq!(settings(r#"{"lifetime_seconds":999999,"renew_margin_seconds":300}"#), 4_320 * 60 - 300);
    }
}
