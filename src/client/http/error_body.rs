//! Graph's error body (<https://learn.microsoft.com/graph/errors>), as it is really sent: an empty code, an empty message,
//! JSON text inside the message, the reason in `innerError` (in two spellings) alone, or no JSON at all.

use serde_json::{Map, Value};

use teams_base::redact;
use teams_base::text;

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
        let mut said = Said::default();
        said.value(&value, DEEPEST);
        said.into_body()
    }

    /// Whether a body is an error though its status says otherwise.
    pub fn is_error(body: &[u8]) -> bool {
        body.len() <= LARGEST
            && serde_json::from_slice::<Value>(body).is_ok_and(|value| value.get("error").is_some_and(Value::is_object))
    }
}

/// The Teams backend's own answer arrives as JSON text within the message, sometimes several levels deep.
const DEEPEST: usize = 8;
/// How many of the braces of a text may begin JSON. A text of nothing but braces is not worth the time.
const BRACES: usize = 4;
/// What is kept of a text that leads to another one: the innermost says most, and all of them share one short message.
const LEAD: usize = 140;

/// `subCode` is how the Bot Connector tells why a personal chat takes no message.
const CODES: [&str; 4] = ["code", "errorCode", "Code", "subCode"];
const MESSAGES: [&str; 6] = ["message", "Message", "errorMessage", "ErrorMessage", "error_description", "value"];
const NESTED: [&str; 6] = ["error", "innerError", "innererror", "errors", "details", "Error"];

/// The codes and messages of all levels, the outermost first.
#[derive(Default)]
struct Said {
    codes: Vec<String>,
    messages: Vec<String>,
    request_id: Option<String>,
}

impl Said {
    fn value(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Object(object) => {
                for code in texts(object, &CODES) {
                    push(&mut self.codes, redact::clean(code));
                }
                for message in texts(object, &MESSAGES) {
                    self.text(message, depth);
                }
                if self.request_id.is_none() {
                    self.request_id = texts(object, &["request-id"]).map(redact::clean).find(|id| !id.is_empty());
                }
                for nested in NESTED.iter().filter_map(|key| object.get(*key)) {
                    self.value(nested, depth);
                }
            }
            Value::Array(items) => {
                for item in items.iter().filter(|item| item.is_object()).take(4) {
                    self.value(item, depth);
                }
            }
            Value::String(text) => self.text(text, depth),
            _ => {}
        }
    }

    /// A message, or JSON in it: alone, or behind words that lead to it.
    fn text(&mut self, text: &str, depth: usize) {
        for (start, _) in text.match_indices('{').take(BRACES) {
            let Some(Ok(value)) = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>().next() else {
                continue;
            };
            let (codes, messages) = (self.codes.len(), self.messages.len());
            self.value(&value, depth);
            if (self.codes.len(), self.messages.len()) == (codes, messages) {
                break;
            }
            let lead = redact::clean(text::word(&text[..start]).trim_end_matches([':', ' ']));
            if !lead.is_empty() {
                self.messages.insert(messages, shortened(lead));
            }
            return;
        }
        push(&mut self.messages, redact::clean(text));
    }

    fn into_body(self) -> ErrorBody {
        let mut codes = self.codes.into_iter();
        let code = codes.next().unwrap_or_default();
        let mut message = self.messages.join("; ");
        // Numbers are the back end's own, and say nothing to anyone else.
        let more = codes.filter(|code| code.parse::<i64>().is_err() && !message.contains(code.as_str()));
        let more = more.collect::<Vec<_>>().join(", ");
        if !more.is_empty() {
            message = if message.is_empty() { format!("({more})") } else { format!("{message} ({more})") };
        }
        ErrorBody { code, message: redact::clean(&message), request_id: self.request_id }
    }
}

fn texts<'a>(object: &'a Map<String, Value>, keys: &'a [&str]) -> impl Iterator<Item = &'a str> {
    keys.iter().filter_map(|key| object.get(*key)?.as_str())
}

fn push(texts: &mut Vec<String>, text: String) {
    if !text.is_empty() && !texts.iter().any(|other| other.contains(&text)) {
        texts.push(text);
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LEAD) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
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
            (r#"{"error":{"code":"A","message":"m","innererror":{"code":"B"}}}"#, "A", "m (B)"),
            (
                r#"{"error":{"code":"Forbidden","message":"InsufficientPrivileges","innerError":{"code":"1","message":"AclCheckFailed. Tenant Id mismatch."}}}"#,
                "Forbidden",
                "InsufficientPrivileges; AclCheckFailed. Tenant Id mismatch.",
            ),
            (
                r#"{"error":{"code":"Forbidden","message":"{\"error\":{\"code\":\"Forbidden\",\"message\":\"A header is missing.\",\"details\":[],\"innererror\":{\"code\":\"MissingHeader\"}}}"}}"#,
                "Forbidden",
                "A header is missing. (MissingHeader)",
            ),
            (
                r#"{"error":{"code":"Forbidden","message":"The request failed. ErrorMessage : {\"errors\":[{\"message\":\"not allowed\",\"errorCode\":\"GuestAccessDenied\"}]}"}}"#,
                "Forbidden",
                "The request failed. ErrorMessage; not allowed (GuestAccessDenied)",
            ),
            (r#"{"error":{"code":"A","message":"set {\"a\":1} first"}}"#, "A", "set {\"a\":1} first"),
            (r#"{"error":{"code":"A","message":"m","innerError":{"message":"m"}}}"#, "A", "m"),
            (r#"{"error":"invalid_request","error_description":"why"}"#, "", "why; invalid_request"),
            (r#"{"code":"A","message":"m"}"#, "A", "m"),
            (
                r#"{"error":{"code":"UnknownError","message":"{\"value\":\"{\\r\\n \\\"error\\\": {\\\"code\\\": \\\"\\\", \\\"message\\\": \\\"This request is forbidden.\\\"}}\"}"}}"#,
                "UnknownError",
                "This request is forbidden.",
            ),
            (r#"{"error":{"code":"A","message":"{not json"}}"#, "A", "{not json"),
            ("{\"error\":{\"code\":\"A\",\"message\":\"\u{feff}{\\\"message\\\":\\\"why\\\"}\"}}", "A", "why"),
            (r#"{"error":{"code":7,"message":null}}"#, "", ""),
            (r#"{"error":"text"}"#, "", "text"),
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
