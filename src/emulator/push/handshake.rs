//! The handshake: an address proves that it wants notifications by giving a token back.
//!
//! Source: "Receive change notifications through webhooks", notificationUrl validation.

use std::time::Duration;

use url::Url;

use crate::http::client;
use crate::http::error::GraphError;

fn refused(message: &str) -> GraphError {
    GraphError::new(400, "ValidationError", message)
}

const NO_OK: &str =
    "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.";

/// Calls one address; the error says what it did wrong.
pub async fn validate(url: &Url, request_id: &str, patience: Duration) -> Result<(), GraphError> {
    let token =
        format!("Validation: Testing client application reachability for subscription Request-Id: {request_id}");
    let mut called = url.clone();
    // Form-encoded: a space is a plus.
    called.query_pairs_mut().append_pair("validationToken", &token);
    let headers = [("content-type", "text/plain; charset=utf-8")];
    let answer = tokio::time::timeout(patience, client::post(&called, &headers, bytes::Bytes::new())).await;
    let answer =
        answer.map_err(|_| refused("Subscription validation request timed out."))?.map_err(|_| refused(NO_OK))?;
    if answer.status != 200 {
        let status = http_name(answer.status);
        return Err(refused(&format!("Subscription validation request failed. HTTP status code is '{status}'.")));
    }
    let is_plain =
        answer.content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"));
    if is_plain && answer.body == token.as_bytes() { Ok(()) } else { Err(refused(NO_OK)) }
}

/// The status as .NET names it.
fn http_name(status: u16) -> String {
    let reason = hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| reason.replace([' ', '-'], ""))
}
