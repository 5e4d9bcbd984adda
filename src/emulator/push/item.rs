//! Items of a collection of notifications, as Graph writes them.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::push::event::{Change, Event};
use crate::push::seal::seal;
use crate::tenant::clock::iso;
use crate::tenant::push::{PushKnobs, Subscription};

/// The parts of a payload that a subset holds.
const SUBSET: [&str; 8] = [
    "id",
    "etag",
    "createdDateTime",
    "lastModifiedDateTime",
    "lastUpdatedDateTime",
    "deletedDateTime",
    "replyToId",
    "messageType",
];

pub struct Item {
    pub json: Value,
    /// What was done to it on purpose.
    pub spoiled: Option<&'static str>,
}

/// The item that a subscription gets of an event.
pub fn notification(
    subscription: &Subscription,
    event: &Event,
    tenant: &str,
    knobs: &PushKnobs,
    rng: &mut StdRng,
) -> Item {
    let mut json = json!({
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": iso(subscription.expires_ms),
        "changeType": event.change.as_str(),
        "clientState": subscription.client_state,
        "tenantId": tenant,
        "resource": event.resource,
        "resourceData": {"@odata.type": event.odata_type, "@odata.id": event.resource, "id": event.id},
    });
    let mut spoiled = None;
    json["encryptedContent"] = match &subscription.certificate {
        Some(certificate) if event.change != Change::Deleted || knobs.deleted_content => {
            let wrong = rng.random_bool(knobs.wrongly_signed.clamp(0.0, 1.0));
            spoiled = wrong.then_some("signature");
            let subset = event.change == Change::Updated && rng.random_bool(knobs.subset_payloads.clamp(0.0, 1.0));
            let payload = payload(subscription, event, subset);
            seal(certificate, rng.random(), payload.to_string().as_bytes(), wrong).unwrap_or_default()
        }
        _ => Value::Null,
    };
    Item { json, spoiled }
}

fn payload(subscription: &Subscription, event: &Event, subset: bool) -> Value {
    let plain = event.plain_payload.as_ref().filter(|_| !subscription.known_enums);
    let mut payload = plain.unwrap_or(&event.payload).clone();
    if let (true, Some(object)) = (subset, payload.as_object_mut()) {
        object.retain(|name, _| SUBSET.contains(&name.as_str()));
    }
    payload["@odata.type"] = json!(event.odata_type);
    payload
}

/// An item of another tenant, which a subscription of the same application there would get.
pub fn foreign(item: &Value, tenant: &str, subscription: &str) -> Value {
    let mut foreign = item.clone();
    foreign["tenantId"] = json!(tenant);
    foreign["subscriptionId"] = json!(subscription);
    foreign["clientState"] = json!("another tenant's");
    foreign
}

/// What is told of a subscription itself.
pub fn lifecycle(subscription: &Subscription, event: &str, tenant: &str) -> Value {
    json!({
        "lifecycleEvent": event,
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": iso(subscription.expires_ms),
        "clientState": subscription.client_state,
        "tenantId": tenant,
        "organizationId": tenant,
    })
}

/// The item that Event Hubs get when a subscription is made.
pub fn hub_test(request: &str, tenant: &str) -> Value {
    json!({
        "subscriptionId": "NA",
        "subscriptionExpirationDateTime": "9999-12-31T23:59:59.9999999+00:00",
        "changeType": format!(
            "Validation: Testing client application reachability for subscription Request-Id: {request}"
        ),
        "clientState": null,
        "tenantId": tenant,
        "resource": "",
        "resourceData": null,
    })
}

/// An item that is too large for Event Hubs: its content went to a storage account.
pub fn oversized(item: &Value, storage: &str) -> Value {
    let mut kept = item.clone();
    if let Some(kept) = kept.as_object_mut() {
        for name in ["resource", "resourceData", "encryptedContent"] {
            kept.remove(name);
        }
        kept.insert("additionalPayloadStorageId".to_owned(), json!(storage));
    }
    kept
}
