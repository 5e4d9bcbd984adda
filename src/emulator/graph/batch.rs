//! `$batch`: up to twenty requests, each answered and throttled on its own, in no particular order.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::http::error::GraphError;
use crate::http::request::Request;
use crate::http::response::Response;

const MAX_PARTS: usize = 20;

fn parts(body: &[u8]) -> Result<Vec<Value>, GraphError> {
    let invalid = || GraphError::bad_request("Invalid batch payload format.");
    let mut document: Value = serde_json::from_slice(body).map_err(|_| invalid())?;
    let Value::Array(parts) = document["requests"].take() else {
        return Err(invalid());
    };
    if parts.len() > MAX_PARTS {
        let message = format!("Number of batch request steps exceeds the maximum value of {MAX_PARTS}.");
        return Err(GraphError::bad_request(message));
    }
    let mut seen = HashSet::new();
    for part in &parts {
        let Some(id) = part["id"].as_str() else {
            return Err(GraphError::bad_request("Write request id : property 'id' is missing or not a string."));
        };
        if !seen.insert(id) {
            return Err(GraphError::bad_request(format!("Request Id {id} has to be unique in a batch.")));
        }
    }
    Ok(parts)
}

/// A part as a request of its own. Headers such as Prefer are the part's; the token is the batch's.
fn request_of(batch: &Request, part: &Value) -> Request {
    let url = part["url"].as_str().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let header = |name: &str| {
        let headers = part["headers"].as_object()?;
        let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    Request {
        method: part["method"].as_str().unwrap_or("GET").to_ascii_uppercase(),
        path: format!("/v1.0/{}", path.trim_start_matches('/')),
        raw_query: query.to_owned(),
        prefer: header("prefer"),
        client_request_id: header("client-request-id").or_else(|| batch.client_request_id.clone()),
        body: body_of(&part["body"]),
        batched: true,
        ..batch.clone()
    }
}

/// JSON comes as it is; what is not JSON comes as base64 text.
fn body_of(body: &Value) -> Bytes {
    match body {
        Value::Null => Bytes::new(),
        Value::String(text) => STANDARD.decode(text).unwrap_or_else(|_| text.clone().into_bytes()).into(),
        json => json.to_string().into(),
    }
}

fn rendered(id: &str, response: &Response) -> Value {
    let mut headers: Map<String, Value> =
        response.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    headers.entry("Content-Type").or_insert_with(|| json!("application/json"));
    let body = serde_json::from_slice(&response.body).unwrap_or_else(|_| json!(STANDARD.encode(&response.body)));
    json!({"id": id, "status": response.status, "headers": headers, "body": body})
}

/// The responses of the parts, in the order of the parts. `respond` answers one part; its second argument says whether
/// a part that this one depends on failed.
pub fn run(batch: &Request, mut respond: impl FnMut(&Request, bool) -> Response) -> Result<Vec<Value>, GraphError> {
    let mut failed = HashSet::new();
    let mut responses = Vec::new();
    for part in parts(&batch.body)? {
        let depends_on = part["dependsOn"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let is_blocked = depends_on.into_iter().any(|other| failed.contains(other));
        let response = respond(&request_of(batch, &part), is_blocked);
        let id = part["id"].as_str().unwrap_or_default();
        if response.status >= 400 {
            failed.insert(id.to_owned());
        }
        responses.push(rendered(id, &response));
    }
    Ok(responses)
}
