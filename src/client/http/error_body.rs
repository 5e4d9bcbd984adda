//! Graph's error body (<https://learn.microsoft.com/graph/errors>), as it is really sent: an empty code, an empty message,
//! JSON text inside the message, `innerError` in two spellings, or no JSON at all.

use serde_json::Value;

use teams_base::redact;

/// No error body is larger; a page of data that was cut short may be, and is not worth a tree of values.
const LARGEST: usize = 256 << 10;

/// What an error body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
}

impl ErrorBody {
    pub fn parse(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::default();
        }
        let parsed = if body.len() <= LARGEST { serde_json::from_slice::<Value>(body).ok() } else { None };
        let Some(value) = parsed else {
            return Self { message: redact::snippet(body), ..Self::default() };
        };
        let Some(error) = value.get("error") else { return Self::default() };
        let inner = ["innerError", "innererror"].iter().find_map(|key| error.get(key));
        let of = |key: &str| error.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let inner_of =
            |key: &str| inner.and_then(|inner| inner.get(key)?.as_str()).filter(|text| !text.trim().is_empty());
        Self {
            code: redact::clean(of("code").or(inner_of("code")).unwrap_or_default()),
            message: redact::clean(&unwrap(of("message").or(inner_of("message")).unwrap_or_default())),
            request_id: inner_of("request-id").map(redact::clean),
        }
    }

    /// Whether a body is an error though its status says otherwise.
    pub fn is_error(body: &[u8]) -> bool {
        body.len() <= LARGEST
            && serde_json::from_slice::<Value>(body).is_ok_and(|value| value.get("error").is_some_and(Value::is_object))
    }
}

/// The Teams backend's own answer arrives as JSON text within the message, sometimes several levels deep.
fn unwrap(message: &str) -> String {
    let mut message = message.to_owned();
    for _ in 0..4 {
        if !message.trim_start().starts_with('{') {
            break;
        }
        let Ok(value) = serde_json::from_str::<Value>(&message) else { break };
        let candidates = [value.pointer("/error/message"), value.get("message"), value.get("value")];
        match candidates.into_iter().flatten().find_map(Value::as_str) {
            Some(inner) => message = String::from(inner),
            None => break,
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, String) {
        let body = ErrorBody::parse(text.as_bytes());
        (body.code, body.message)
    }

    #[test]
    fn every_published_shape_is_read() {
        for (body, code, message) in [
            (r#"{"error":{"code":"NotFound","message":"No team found."}}"#, "NotFound", "No team found."),
            (r#"{"error":{"code":"","message":"","innerError":{"code":"429","message":"wait"}}}"#, "429", "wait"),
            (r#"{"error":{"code":"A","message":"m","innererror":{"code":"B"}}}"#, "A", "m"),
            (
                r#"{"error":{"code":"UnknownError","message":"{\"value\":\"{\\r\\n \\\"error\\\": {\\\"code\\\": \\\"\\\", \\\"message\\\": \\\"This request is forbidden.\\\"}}\"}"}}"#,
                "UnknownError",
                "This request is forbidden.",
            ),
            (r#"{"error":{"code":"A","message":"{not json"}}"#, "A", "{not json"),
            (r#"{"error":{"code":7,"message":null}}"#, "", ""),
            (r#"{"error":"text"}"#, "", ""),
            ("[]", "", ""),
            ("null", "", ""),
            ("", "", ""),
            ("<html><title>502</title>", "", "an HTML page: 502"),
            ("upstream  failed", "", "upstream failed"),
        ] {
            assert_eq!(parse(body), (code.to_owned(), message.to_owned()), "{body}");
        }
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let deep = "[".repeat(100_000);
        assert!(ErrorBody::parse(deep.as_bytes()).message.len() < 400);
        assert!(!ErrorBody::is_error(deep.as_bytes()));
    }

    #[test]
    fn the_request_id_of_the_body_is_kept() {
        let body = ErrorBody::parse(br#"{"error":{"innerError":{"request-id":"abc"}}}"#);
        assert_eq!(body.request_id.as_deref(), Some("abc"));
    }
}
