//! Subscriptions to change notifications, and how their delivery behaves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Which version the validation tokens are of; users saw both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenVersion {
    V1,
    V2,
    /// One and the other in turn.
    Mixed,
}

/// How notifications are made and delivered. Shares are of one; each is drawn by a generator of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushKnobs {
    /// Notifications that are never sent, and of which no event tells.
    pub lost: f64,
    /// Notifications that come again.
    pub doubled: f64,
    /// Notifications that come up to `late_ms` later than others, which overtake them.
    pub overtaken: f64,
    pub late_ms: i64,
    /// How late all of them come.
    pub delay_ms: i64,
    /// Notifications whose `dataSignature` is of other bytes.
    pub wrongly_signed: f64,
    /// POSTs of which one token is not Graph's.
    pub forged_tokens: f64,
    /// POSTs that hold an item of another tenant too, with a token of that tenant.
    pub foreign_items: f64,
    /// Payloads that hold a part of the properties only.
    pub subset_payloads: f64,
    /// Whether items of kind `deleted` have content; no page says.
    pub deleted_content: bool,
    pub token_version: TokenVersion,
    /// `validationTokens: null`, as for an application that requires assignments.
    pub no_tokens: bool,
    /// Which key signs the tokens, and which ones login publishes.
    pub signing_key: usize,
    pub published_keys: BTreeSet<usize>,
    pub items_per_post: usize,
    /// What takes longer is slow, and comes again.
    pub timeout_ms: u64,
    /// How long an answer is waited for.
    pub patience_ms: u64,
    pub handshake_ms: u64,
    /// Subscriptions of one family in the organisation.
    pub quota: usize,
    /// Bytes of an item that goes to Event Hubs.
    pub hub_item_bytes: usize,
}

impl Default for PushKnobs {
    fn default() -> Self {
        Self {
            lost: 0.0,
            doubled: 0.0,
            overtaken: 0.0,
            late_ms: 2_000,
            delay_ms: 0,
            wrongly_signed: 0.0,
            forged_tokens: 0.0,
            foreign_items: 0.0,
            subset_payloads: 0.0,
            deleted_content: true,
            token_version: TokenVersion::V2,
            no_tokens: false,
            signing_key: 0,
            published_keys: BTreeSet::from([0]),
            items_per_post: 20,
            timeout_ms: 3_000,
            patience_ms: 10_000,
            handshake_ms: 10_000,
            quota: 10_000,
            hub_item_bytes: 1 << 20,
        }
    }
}

/// The certificate that a subscription's content is encrypted with.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// SHA-1 of the certificate, in hexadecimal digits.
    pub thumbprint: String,
    pub id: String,
}

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    pub app: String,
    /// As it was asked for.
    pub resource: String,
    pub change_types: Vec<String>,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub blob_store_url: Option<String>,
    pub client_state: Option<String>,
    pub expires_ms: i64,
    /// Content comes with the notifications, encrypted for this.
    pub certificate: Option<Certificate>,
    pub known_enums: bool,
    pub tls: String,
    pub patched_ms: Option<i64>,
    pub reauthorized_ms: Option<i64>,
    /// Renewed in two ways within ten minutes: it looks alive and delivers nothing.
    pub inconsistent: bool,
}

/// The live ones, by id.
#[derive(Default)]
pub struct Subscriptions(BTreeMap<String, Subscription>);

impl Subscriptions {
    pub fn live(&self, now_ms: i64) -> impl Iterator<Item = &Subscription> {
        self.0.values().filter(move |subscription| subscription.expires_ms > now_ms)
    }

    pub fn get(&self, id: &str, now_ms: i64) -> Option<&Subscription> {
        self.0.get(id).filter(|subscription| subscription.expires_ms > now_ms)
    }

    pub fn get_mut(&mut self, id: &str, now_ms: i64) -> Option<&mut Subscription> {
        self.0.get_mut(id).filter(|subscription| subscription.expires_ms > now_ms)
    }

    pub fn put(&mut self, subscription: Subscription) {
        self.0.insert(subscription.id.clone(), subscription);
    }

    pub fn remove(&mut self, id: &str) -> Option<Subscription> {
        self.0.remove(id)
    }
}
