//! A subscription that is being made or changed, once its request is checked and before its addresses are.

use serde_json::{Value, json};
use url::Url;

use crate::http::error::{GraphError, Outcome};
use crate::push::family::{Resource, identity};
use crate::push::hub;
use crate::tenant::clock::iso;
use crate::tenant::knobs::Knobs;
use crate::tenant::push::{Subscription, Subscriptions};
use crate::write::request::answer;

pub struct Proposal {
    pub subscription: Subscription,
    pub is_new: bool,
    /// The addresses to be called before it stands, each one even when they are equal.
    pub to_validate: Vec<Url>,
    /// The hub that gets a test item.
    pub hub: Option<String>,
    pub base: String,
}

impl Proposal {
    /// Lets it stand, unless another one came first.
    pub fn settle(self, subscriptions: &mut Subscriptions, now_ms: i64) -> Outcome {
        if self.is_new {
            check_room(&self.subscription, subscriptions, now_ms)?;
        } else if subscriptions.get(&self.subscription.id, now_ms).is_none() {
            return Err(gone());
        }
        let mut body = shown(&self.subscription);
        if self.is_new {
            // Told once; later readings show none.
            body["clientState"] = json!(self.subscription.client_state);
        }
        body["@odata.context"] = json!(format!("{}/v1.0/$metadata#subscriptions/$entity", self.base));
        subscriptions.put(self.subscription);
        Ok(answer(if self.is_new { 201 } else { 200 }, &body))
    }
}

pub fn gone() -> GraphError {
    GraphError::new(404, "ResourceNotFound", "The object was not found.")
}

pub fn invalid(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "InvalidRequest", message)
}

pub fn forbidden(reason: &str) -> GraphError {
    let message = format!("Operation: Create; Exception: [Status Code: Forbidden; Reason: {reason}]");
    GraphError::new(403, "ExtensionError", message)
}

fn check_room(subscription: &Subscription, subscriptions: &Subscriptions, now_ms: i64) -> Result<(), GraphError> {
    let own = identity(&subscription.resource, &subscription.change_types);
    let twin = subscriptions.live(now_ms).filter(|other| other.app == subscription.app);
    let twin = twin.into_iter().find(|other| identity(&other.resource, &other.change_types) == own);
    match twin {
        Some(twin) => {
            let message = format!("Subscription Id {} already exists for the requested combination", twin.id);
            Err(GraphError::new(409, "Conflict", message))
        }
        None => Ok(()),
    }
}

/// How many subscriptions a resource and its family may have.
///
/// Source: "Change notifications for Teams resources": one per application and conversation, ten per user, 10,000 in the
/// organisation.
pub fn check_quota(
    resource: &Resource,
    subscription: &Subscription,
    subscriptions: &Subscriptions,
    knobs: &Knobs,
    now_ms: i64,
) -> Result<(), GraphError> {
    check_room(subscription, subscriptions, now_ms)?;
    let path = |text: &str| identity(text, &[]).0;
    let (mut of_family, mut of_resource) = (0, 0);
    for other in subscriptions.live(now_ms) {
        let is_same_kind =
            Resource::parse(&other.resource).is_some_and(|other| other.family.kind == resource.family.kind);
        of_family += usize::from(is_same_kind);
        of_resource +=
            usize::from(other.app == subscription.app && path(&other.resource) == path(&subscription.resource));
    }
    let most_of_resource = if resource.id("user").is_some() { 10 } else { 1 };
    let limits = [(of_family, knobs.push.quota, "organization"), (of_resource, most_of_resource, "resource")];
    for (count, limit, scope) in limits {
        if count >= limit {
            return Err(forbidden(&format!("Maximum number of subscriptions per {scope} reached: '{limit}'")));
        }
    }
    Ok(())
}

/// How a subscription is shown. Neither its state nor its certificate are.
pub fn shown(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.app,
        "changeType": subscription.change_types.join(","),
        "clientState": null,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": null,
        "notificationContentType": "application/json",
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": iso(subscription.expires_ms),
        "creatorId": subscription.app,
        "includeResourceData": subscription.certificate.is_some(),
        "latestSupportedTlsVersion": subscription.tls,
        "encryptionCertificate": null,
        "encryptionCertificateId": subscription.certificate.as_ref().map(|certificate| &certificate.id),
        "notificationUrlAppId": null,
    })
}

/// An address of notifications: of a hub, or of a server. Plain HTTP is taken for this machine only, where tests listen.
pub fn address(text: &str) -> Result<Option<Url>, GraphError> {
    if hub::is_hub(text) {
        let message = format!("Invalid event hub notification url='{text}'");
        return hub::name(text).map(|_| None).ok_or_else(|| invalid(message));
    }
    let parsed = Url::parse(text).ok();
    let is_local = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
    let parsed = parsed.filter(|url| url.scheme() == "http" && is_local(url));
    parsed.map(Some).ok_or_else(|| {
        GraphError::new(400, "ValidationError", "Notification URL must be an HTTPS address that can be reached.")
    })
}
