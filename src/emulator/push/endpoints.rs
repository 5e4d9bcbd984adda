//! The endpoints of subscriptions.
//!
//! Source: "Create subscription", "Update subscription", "Reauthorize subscription", "subscription resource type".

use serde_json::{Value, json};

use crate::handlers::call::{Call, WriteCall};
use crate::handlers::list::pages;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::push::family::{Family, Resource};
use crate::push::proposal::{Proposal, address, check_quota, forbidden, gone, invalid, shown};
use crate::push::{hub, seal};
use crate::tenant::clock::{iso, stamp};
use crate::tenant::ids::id_of;
use crate::tenant::model::Tenant;
use crate::tenant::push::{Certificate, Subscription};
use crate::write::request::{no_content, time};

const MINUTE_MS: i64 = 60_000;
/// Of all Teams resources: three days.
const LONGEST_MS: i64 = 4_320 * MINUTE_MS;
/// What is shorter is made this long.
const SHORTEST_MS: i64 = 45 * MINUTE_MS;
/// Beyond it there has to be an address for lifecycle events.
const WITHOUT_LIFECYCLE_MS: i64 = 60 * MINUTE_MS;
/// A renewal and a reauthorization closer than this leave a subscription in a state of no use.
const CLASH_MS: i64 = 10 * MINUTE_MS;
const LONGEST_TEXT: usize = 128;
const TLS: [&str; 4] = ["v1_0", "v1_1", "v1_2", "v1_3"];

fn body<T>(call: &Call<'_, T>) -> Result<Value, GraphError> {
    serde_json::from_slice(&call.request.body).map_err(|_| invalid("Unable to read JSON request payload."))
}

fn text<'v>(body: &'v Value, name: &str) -> Result<&'v str, GraphError> {
    let found = body[name].as_str().filter(|text| !text.is_empty());
    found.ok_or_else(|| invalid(format!("{name} is a required property for subscription creation.")))
}

fn short<'v>(body: &'v Value, name: &str) -> Result<Option<&'v str>, GraphError> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) if text.len() <= LONGEST_TEXT => Ok(Some(text)),
        _ => Err(invalid(format!("{name} must be a text of at most {LONGEST_TEXT} characters."))),
    }
}

/// When it ends: at least 45 minutes from now, at most three days.
fn expiry(body: &Value, operation: &str, now_ms: i64) -> Result<i64, GraphError> {
    text(body, "expirationDateTime")?;
    let at_ms = time(&body["expirationDateTime"], "expirationDateTime")?;
    let left_ms = at_ms - now_ms;
    if left_ms > LONGEST_MS {
        let over = left_ms - LONGEST_MS;
        let message = format!(
            "Operation: {operation}; Exception: [Status Code: BadRequest; Reason: Expiration time '{}' ('-3.00:{:02}:{:02}.{:03}' \
             from now) is beyond allowed max '3.00:00:00'.",
            stamp(at_ms).strftime("%-m/%-d/%Y %-I:%M:%S %p"),
            over / MINUTE_MS % 60,
            over / 1_000 % 60,
            over % 1_000,
        );
        return Err(GraphError::new(400, "ExtensionError", message));
    }
    if left_ms <= 0 {
        return Err(invalid("Subscription expiration can only be set to a time in the future."));
    }
    Ok(now_ms + left_ms.max(SHORTEST_MS))
}

fn certificate(body: &Value) -> Result<Certificate, GraphError> {
    let id = short(body, "encryptionCertificateId")?;
    let id =
        id.ok_or_else(|| invalid("encryptionCertificateId is required when includeResourceData is set to true."))?;
    let encoded = body["encryptionCertificate"].as_str();
    let encoded =
        encoded.ok_or_else(|| invalid("encryptionCertificate is required when includeResourceData is set to true."))?;
    seal::certificate(encoded, id).ok_or_else(|| {
        GraphError::new(400, "ValidationError", "Certificate validation error: Cannot find the requested object.")
    })
}

fn change_types(body: &Value, family: &Family) -> Result<Vec<String>, GraphError> {
    let types: Vec<String> = text(body, "changeType")?.split(',').map(|each| each.trim().to_lowercase()).collect();
    match types.iter().find(|each| !family.changes.contains(&each.as_str())) {
        Some(unknown) => Err(invalid(format!("changeType '{unknown}' is not supported for this resource."))),
        None => Ok(types),
    }
}

/// Checks a new subscription, up to its addresses.
pub fn propose(call: &Call<'_>) -> Result<Proposal, GraphError> {
    let body = body(call)?;
    let asked = text(&body, "resource")?;
    let resource = Resource::parse(asked)
        .ok_or_else(|| invalid(format!("Invalid resource: '{asked}' cannot be subscribed to.")))?;
    let change_types = change_types(&body, resource.family)?;
    let notification_url = text(&body, "notificationUrl")?.to_owned();
    let lifecycle_url = body["lifecycleNotificationUrl"].as_str().map(str::to_owned);
    let mut to_validate: Vec<_> = address(&notification_url)?.into_iter().collect();
    if let Some(url) = &lifecycle_url {
        to_validate.extend(address(url)?);
    }
    let expires_ms = expiry(&body, "Create", call.now_ms)?;
    if lifecycle_url.is_none() && expires_ms - call.now_ms > WITHOUT_LIFECYCLE_MS {
        return Err(invalid(
            "lifecycleNotificationUrl is a required property for subscription creation on this resource when the \
             expirationDateTime value is set to greater than 1 hour",
        ));
    }
    let is_rich = body["includeResourceData"] == json!(true);
    let tls = body["latestSupportedTlsVersion"].as_str().unwrap_or("v1_2");
    if !TLS.contains(&tls) {
        return Err(invalid("latestSupportedTlsVersion is not one of v1_0, v1_1, v1_2, v1_3."));
    }
    let consents = resource.id("team").is_some_and(|team| call.knobs.rsc_team_ids.contains(team));
    if !consents && !resource.family.permissions.iter().any(|role| call.knobs.roles.contains(*role)) {
        return Err(forbidden(""));
    }
    let subscription = Subscription {
        id: id_of(&format!("{asked} {notification_url}"), &format!("{}", call.now_ms)),
        app: call.app.to_owned(),
        resource: asked.to_owned(),
        change_types,
        notification_url,
        lifecycle_url,
        blob_store_url: body["blobStoreUrl"].as_str().map(str::to_owned),
        client_state: short(&body, "clientState")?.map(str::to_owned),
        expires_ms,
        certificate: if is_rich { Some(certificate(&body)?) } else { None },
        known_enums: call.known_enums,
        tls: tls.to_owned(),
        patched_ms: None,
        reauthorized_ms: None,
        inconsistent: false,
    };
    check_quota(&resource, &subscription, &call.tenant.subscriptions, call.knobs, call.now_ms)?;
    let hub = hub::is_hub(&subscription.notification_url).then(|| subscription.notification_url.clone());
    Ok(Proposal { subscription, is_new: true, to_validate, hub, base: call.request.base.clone() })
}

fn own<'a>(tenant: &'a Tenant, id: &str, app: &str, now_ms: i64) -> Result<&'a Subscription, GraphError> {
    tenant.subscriptions.get(id, now_ms).filter(|found| found.app == app).ok_or_else(gone)
}

/// Checks a change of a subscription, up to its address.
pub fn propose_change(call: &Call<'_>) -> Result<Proposal, GraphError> {
    let mut subscription = own(call.tenant, call.id(0), call.app, call.now_ms)?.clone();
    let body = body(call)?;
    let mut to_validate = Vec::new();
    if !body["expirationDateTime"].is_null() {
        subscription.expires_ms = expiry(&body, "Update", call.now_ms)?;
    }
    if !body["lifecycleNotificationUrl"].is_null() {
        return Err(invalid("lifecycleNotificationUrl cannot be changed."));
    }
    if body["encryptionCertificate"].is_string() || body["encryptionCertificateId"].is_string() {
        subscription.certificate = Some(certificate(&body)?);
    }
    if let Some(url) = body["notificationUrl"].as_str() {
        to_validate.extend(address(url)?);
        url.clone_into(&mut subscription.notification_url);
    }
    subscription.patched_ms = Some(call.now_ms);
    clash(&mut subscription, call.now_ms);
    Ok(Proposal { subscription, is_new: false, to_validate, hub: None, base: call.request.base.clone() })
}

fn clash(subscription: &mut Subscription, now_ms: i64) {
    let is_recent = |at: Option<i64>| at.is_some_and(|at| now_ms - at < CLASH_MS);
    subscription.inconsistent |= is_recent(subscription.patched_ms) && is_recent(subscription.reauthorized_ms);
}

pub fn list(call: &Call<'_>) -> Outcome {
    call.query.only(&["$skiptoken"])?;
    let own = call.tenant.subscriptions.live(call.now_ms).filter(|found| found.app == call.app);
    let rows: Vec<Value> = own.map(shown).collect();
    pages(call, "subscriptions", false, rows.into_iter())
}

pub fn get(call: &Call<'_>) -> Outcome {
    let mut row = shown(own(call.tenant, call.id(0), call.app, call.now_ms)?);
    row["@odata.context"] = json!(call.context("subscriptions/$entity"));
    Ok(Response::ok(row.to_string()))
}

pub fn delete(call: &mut WriteCall<'_>) -> Outcome {
    own(call.tenant, call.id(0), call.app, call.now_ms)?;
    call.tenant.subscriptions.remove(call.id(0));
    Ok(no_content())
}

pub fn reauthorize(call: &mut WriteCall<'_>) -> Outcome {
    own(call.tenant, call.id(0), call.app, call.now_ms)?;
    let subscription = call.tenant.subscriptions.get_mut(call.id(0), call.now_ms).ok_or_else(gone)?;
    subscription.reauthorized_ms = Some(call.now_ms);
    clash(subscription, call.now_ms);
    Ok(no_content())
}

/// What the owner of the tenant sees of a subscription.
pub fn held(subscription: &Subscription) -> Value {
    let mut row = shown(subscription);
    row["clientState"] = json!(subscription.client_state);
    row["inconsistent"] = json!(subscription.inconsistent);
    row["patchedDateTime"] = json!(subscription.patched_ms.map(iso));
    row
}
