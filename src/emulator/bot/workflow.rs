//! Workflows that post cards to a channel: "When a Teams webhook request is received". What they take is asynchronous, and has
//! no id.

use serde_json::Value;

use crate::http::request::Request;
use crate::http::response::Response;
use crate::tenant::bot::Delivery;
use crate::tenant::model::Tenant;

/// `/workflows/NAME?sig=...`: the address is the secret.
pub const TRIGGERS: &str = "/workflows/";
/// Measured, the envelope included.
const MOST_BYTES: usize = 28_672;

pub fn trigger(tenant: &mut Tenant, now_ms: i64, request: &Request) -> Response {
    let answer = |status| Response { status, ..Response::ok("") };
    let name = request.path.trim_start_matches(TRIGGERS);
    if request.method != "POST" || !request.raw_query.contains("sig=") {
        return answer(401);
    }
    if request.body.len() > MOST_BYTES {
        return answer(413);
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if body["type"] != "message" || !body["attachments"][0]["content"].is_object() {
        return answer(400);
    }
    let delivery = Delivery {
        at_ms: now_ms,
        action: "workflow",
        recipient: name.to_owned(),
        conversation: String::new(),
        activity_id: String::new(),
        reply_to: None,
        activity: body,
    };
    tenant.bot.ledger.push(delivery);
    answer(202)
}
