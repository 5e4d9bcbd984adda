//! What a request with a body says, and the answers that writes give.

use jiff::Timestamp;
use serde_json::Value;

use crate::handlers::call::WriteCall;
use crate::http::error::GraphError;
use crate::http::response::Response;

/// The body as JSON; an empty one is `null`.
pub fn body(call: &WriteCall<'_>) -> Result<Value, GraphError> {
    if call.request.body.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = |_| GraphError::bad_request("Unable to read JSON request payload. Please ensure it is valid JSON.");
    serde_json::from_slice(&call.request.body).map_err(wrong)
}

/// Milliseconds of a time as Graph takes it: any offset, and digits beyond the third are cut off.
pub fn time(value: &Value, name: &str) -> Result<i64, GraphError> {
    let parsed = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let parsed = parsed.ok_or_else(|| GraphError::bad_request(format!("Invalid value for '{name}'.")))?;
    Ok(parsed.as_millisecond())
}

/// The id of the user that `user@odata.bind` names.
pub fn bound_user(member: &Value) -> Option<&str> {
    let bind = member["user@odata.bind"].as_str()?;
    let (_, key) = bind.split_once("/users")?;
    let key = key.trim_start_matches('/').trim_start_matches("('").trim_end_matches("')");
    (!key.is_empty()).then_some(key)
}

pub fn text<'v>(body: &'v Value, name: &str) -> Result<&'v str, GraphError> {
    body[name]
        .as_str()
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| GraphError::bad_request(format!("Bind requests not expected for action; '{name}' is required.")))
}

pub fn answer(status: u16, body: &Value) -> Response {
    Response { status, headers: Vec::new(), body: if body.is_null() { "".into() } else { body.to_string().into() } }
}

pub fn no_content() -> Response {
    answer(204, &Value::Null)
}
