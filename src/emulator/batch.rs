//! `$batch`: up to twenty requests, each answered and throttled on its own, in no particular order.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::seq::SliceRandom;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome};
use super::dispatch::{self, Head};
use super::errors::Refusal;
use super::state::Shared;

const MAX_ITEMS: usize = 20;

fn items(body: &[u8]) -> Result<Vec<Value>, Refusal> {
    let mut document: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::bad_request("Invalid batch payload format."))?;
    let Value::Array(items) = document["requests"].take() else {
        return Err(Refusal::bad_request("Invalid batch payload format."));
    };
    if items.len() > MAX_ITEMS {
        let message = format!("Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.");
        return Err(Refusal::bad_request(message));
    }
    let mut seen = HashSet::new();
    for item in &items {
        let Some(id) = item["id"].as_str() else {
            return Err(Refusal::bad_request("Write request id : property 'id' is missing or not a string."));
        };
        if !seen.insert(id) {
            return Err(Refusal::bad_request(format!("Request Id {id} has to be unique in a batch.")));
        }
    }
    Ok(items)
}

fn head_of(outer: &Head, item: &Value) -> Head {
    let url = item["url"].as_str().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    // Headers such as Prefer are the item's own; the token is the batch's.
    let header = |name: &str| {
        let headers = item["headers"].as_object()?;
        let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    Head {
        method: item["method"].as_str().unwrap_or("GET").to_ascii_uppercase(),
        path: format!("/v1.0/{}", path.trim_start_matches('/')),
        raw_query: query.to_owned(),
        prefer: header("prefer"),
        client_request_id: header("client-request-id").or_else(|| outer.client_request_id.clone()),
        batched: true,
        ..outer.clone()
    }
}

fn one(shared: &Shared, outer: &Head, item: &Value, failed: &mut HashSet<String>) -> Value {
    let id = item["id"].as_str().unwrap_or_default();
    let head = head_of(outer, item);
    let route = dispatch::route_of(&head);
    let template = dispatch::template_of(route.as_ref());
    let blocked = item["dependsOn"]
        .as_array()
        .is_some_and(|others| others.iter().filter_map(Value::as_str).any(|other| failed.contains(other)));
    let strike = dispatch::strike(shared, &head, template);
    let outcome = if blocked {
        Err(Refusal::new(424, "FailedDependency", "A dependency of this request failed."))
    } else {
        dispatch::answer(shared, &head, route.as_ref(), &strike)
    };
    let request_id = outer.client_request_id.clone().unwrap_or_default();
    let answer = outcome.unwrap_or_else(|refusal| {
        let client_id = head.client_request_id.clone().unwrap_or_default();
        refusal.render(shared.clock.now_ms(), &request_id, &client_id)
    });
    if answer.status >= 400 {
        failed.insert(id.to_owned());
    }
    let retry_after = answer.headers.iter().find(|(name, _)| *name == "Retry-After").map(|(_, value)| value.clone());
    dispatch::log(shared, &head, template, answer.status, retry_after);
    let mut headers: Map<String, Value> =
        answer.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    headers.entry("Content-Type").or_insert_with(|| json!("application/json"));
    // What is not JSON comes as base64 text.
    let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(STANDARD.encode(&answer.body)));
    json!({"id": id, "status": answer.status, "headers": headers, "body": body})
}

pub fn answer(shared: &Shared, head: &Head, body: &[u8]) -> Outcome {
    if head.method != "POST" {
        return Err(Refusal::method_not_allowed());
    }
    let items = items(body)?;
    let mut failed = HashSet::new();
    let mut responses: Vec<Value> = items.iter().map(|item| one(shared, head, item, &mut failed)).collect();
    if shared.knobs().batch_shuffle {
        responses.shuffle(&mut *shared.rng());
    }
    Ok(Answer::ok(json!({"responses": responses}).to_string()))
}
