//! The requests about subscriptions (<https://learn.microsoft.com/graph/api/resources/subscription>).

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Entry;
use crate::notify::keys::PrivateKey;
use teams_base::error::{Error, GraphFailure, Result, ServiceName};
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::{Answer, GraphClient, Idempotency, Malformed, Request};

/// Graph keeps notifications from TLS that it thinks too old.
const TLS: &str = "v1_3";
/// Pages of subscriptions: there are 10,000 at most, and no page is that small.
const MOST_PAGES: usize = 1_000;

/// A subscription as Graph shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    pub id: String,
    #[serde(default)]
    pub resource: String,
    #[serde(default)]
    pub change_type: String,
    #[serde(default)]
    pub notification_url: String,
    pub expiration_date_time: Option<String>,
    pub encryption_certificate_id: Option<String>,
}

impl Shown {
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expiration_date_time.as_deref().and_then(timestamp::known)
    }

    /// Whether it is of the same: Graph may drop the slash in front, and the order of the kinds does not count.
    pub fn is_of(&self, resource: &str, change_type: &str) -> bool {
        let kinds = |text: &str| {
            let mut kinds: Vec<_> = text.split(',').map(|kind| kind.trim().to_ascii_lowercase()).collect();
            kinds.sort_unstable();
            kinds
        };
        let path = |text: &str| text.trim_start_matches('/').to_ascii_lowercase();
        path(&self.resource) == path(resource) && kinds(&self.change_type) == kinds(change_type)
    }
}

/// Where notifications are sent.
#[derive(Debug, Clone)]
pub struct Addresses {
    pub notifications: String,
    pub lifecycle: String,
    pub blob_store: Option<String>,
}

pub async fn list(client: &GraphClient) -> Result<Vec<Shown>> {
    #[derive(Deserialize)]
    struct Page {
        value: Vec<Shown>,
        #[serde(rename = "@odata.nextLink")]
        next: Option<String>,
    }

    let mut request = Request::new(&endpoint::SUBSCRIPTIONS, &["subscriptions"], "").briefly();
    let mut all = Vec::new();
    for _ in 0..MOST_PAGES {
        let page: Page = client.get(&request, read).await?.body;
        all.extend(page.value);
        match page.next {
            Some(next) => request = request.follow(client.link(&next, &request)?),
            None => break,
        }
    }
    Ok(all)
}

pub async fn show(client: &GraphClient, id: &str) -> Result<Shown> {
    let request = Request::new(&endpoint::SUBSCRIPTION, &["subscriptions", id], "").briefly();
    Ok(client.get(&request, read).await?.body)
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|error| Malformed(format!("no subscription at line {}", error.line())))
}

/// What came of asking for one.
pub enum Made {
    Created(Shown),
    /// There is one of the same already; its id, where the answer names it.
    Exists(Option<String>),
}

pub async fn create(
    client: &GraphClient,
    entry: &Entry,
    addresses: &Addresses,
    key: &PrivateKey,
    expires: Timestamp,
) -> Result<Made> {
    let mut body = json!({
        "changeType": entry.change_type, "resource": entry.resource,
        "notificationUrl": addresses.notifications, "lifecycleNotificationUrl": addresses.lifecycle,
        "expirationDateTime": timestamp::to_text(expires), "clientState": entry.client_state().expose(),
        "includeResourceData": true, "latestSupportedTlsVersion": TLS,
    });
    certify(&mut body, key);
    if let Some(store) = &addresses.blob_store {
        body["blobStoreUrl"] = store.as_str().into();
    }
    let request = Request::new(&endpoint::SUBSCRIBE, &["subscriptions"], scope(entry)).json(body.to_string());
    let answer = client.send(&request).await?;
    if answer.status == 409 {
        return Ok(Made::Exists(id_in(&answer.body)));
    }
    shown(&answer).map(Made::Created)
}

pub async fn renew(
    client: &GraphClient,
    entry: &Entry,
    id: &str,
    key: &PrivateKey,
    expires: Timestamp,
) -> Result<Shown> {
    let mut body = json!({"expirationDateTime": timestamp::to_text(expires)});
    if entry.key != key.label {
        certify(&mut body, key);
    }
    let request = Request::new(&endpoint::RENEW_SUBSCRIPTION, &["subscriptions", id], scope(entry))
        .json(body.to_string())
        .idempotency(Idempotency::Idempotent)
        .briefly();
    shown(&client.send(&request).await?)
}

/// Removes a subscription; whether it was there.
pub async fn remove(client: &GraphClient, id: &str) -> Result<bool> {
    let request =
        Request::new(&endpoint::UNSUBSCRIBE, &["subscriptions", id], "").idempotency(Idempotency::Idempotent).briefly();
    match client.send(&request).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn certify(body: &mut Value, key: &PrivateKey) {
    body["encryptionCertificate"] =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key.certificate).into();
    body["encryptionCertificateId"] = key.label.as_str().into();
}

fn scope(entry: &Entry) -> String {
    format!("subscription to {}", entry.resource)
}

fn shown(answer: &Answer<Bytes>) -> Result<Shown> {
    serde_json::from_slice(&answer.body).map_err(|_| {
        Error::Protocol(Box::new(GraphFailure {
            service: ServiceName::Graph,
            endpoint: endpoint::SUBSCRIBE.template,
            status: Some(answer.status),
            message: "the answer shows no subscription".to_owned(),
            // It may be there: the next turn looks for it.
            effect_unknown: true,
            ..GraphFailure::default()
        }))
    })
}

/// "Subscription Id <id> already exists for the requested combination".
fn id_in(body: &[u8]) -> Option<String> {
    // The error has ids of requests too.
    let error = serde_json::from_slice::<Value>(body).ok()?;
    let text = error["error"]["message"].as_str()?;
    let mut words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    words.find(|word| word.len() == 36 && uuid::Uuid::try_parse(word).is_ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_a_conflict() {
        let body = br#"{"error":{"innerError":{"request-id":"00000000-0c1b-4a5e-9f1e-aaaaaaaaaaaa"},"code":"Conflict","message":"Subscription Id 6fd3e2a1-0c1b-4a5e-9f1e-aaaaaaaaaaaa already exists for the requested combination"}}"#;
        assert_eq!(id_in(body).as_deref(), Some("6fd3e2a1-0c1b-4a5e-9f1e-aaaaaaaaaaaa"));
        assert_eq!(id_in(b"Conflict"), None);
    }

    #[test]
    fn the_same_resource_is_known_in_any_spelling() {
        let shown = Shown {
            id: String::new(),
            resource: "teams/getAllMessages".to_owned(),
            change_type: "Deleted,created, updated".to_owned(),
            notification_url: String::new(),
            expiration_date_time: None,
            encryption_certificate_id: None,
        };
        assert!(shown.is_of("/teams/getAllMessages", "created,updated,deleted"));
        assert!(!shown.is_of("/teams/getAllMessages", "created") && !shown.is_of("/teams", "created,updated,deleted"));
    }
}
