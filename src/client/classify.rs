//! Every answer becomes an action, here and nowhere else: a pure function of status, headers and body.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::body::ErrorBody;

/// The headers that matter, from an answer or from an item of a batch.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    pub retry_after: Option<String>,
    pub date: Option<Timestamp>,
    pub request_id: Option<String>,
}

impl Headers {
    pub fn of(map: &HeaderMap) -> Self {
        Self::pick(|name| map.get(name)?.to_str().ok().map(str::to_owned))
    }

    /// `get` finds a header by its name in lower case.
    pub fn pick(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            retry_after: get("retry-after"),
            date: get("date").and_then(|text| http_date(&text)),
            request_id: get("request-id").map(|id| teams_base::redact::clean(&id)),
        }
    }

    /// `Retry-After` as seconds, as a fraction of seconds or as a date. A date counts from the answer's own `Date`,
    /// because this machine's clock may be wrong; one in the past is no wait.
    pub fn wait(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let until = http_date(text)?;
        let since = self.date.unwrap_or_else(Timestamp::now);
        Some(Duration::try_from(until.duration_since(since)).unwrap_or_default())
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Accept,
    Retry {
        /// How long the server asks to wait.
        after: Option<Duration>,
        /// Whether the limit of a budget was met, so that others who share it must wait too.
        throttled: bool,
        /// Whether the next attempt should go to another front end.
        new_connection: bool,
    },
    /// The token was refused: try again with a newer one.
    Reauthenticate,
    Fail(Kind),
}

/// Which error an answer is, once no retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Authentication,
    PermissionDenied,
    NotFound,
    Throttled,
    Service,
    Protocol,
}

pub fn classify(status: u16, headers: &Headers, body: &[u8]) -> Action {
    let retry = |throttled, new_connection| Action::Retry { after: headers.wait(), throttled, new_connection };
    match status {
        200 => Action::Accept,
        // Following would carry the token to wherever the answer points.
        201..=399 => Action::Fail(Kind::Protocol),
        401 => Action::Reauthenticate,
        403 if says_token_expired(body) => Action::Reauthenticate,
        403 => Action::Fail(Kind::PermissionDenied),
        404 => Action::Fail(Kind::NotFound),
        // 509 is a bandwidth cap, which holds for everyone as a 429 does.
        429 | 509 => retry(true, false),
        // "Retry on a new connection" (https://learn.microsoft.com/graph/best-practices-concept).
        503 => retry(false, true),
        // 520 to 530 are the same failures, as proxies report them.
        408 | 500 | 502 | 504 | 520..=530 => retry(false, false),
        _ => Action::Fail(Kind::Service),
    }
}

/// Which error it becomes when the retries are used up.
pub fn exhausted(throttled: bool) -> Kind {
    if throttled { Kind::Throttled } else { Kind::Service }
}

/// An expired token has been seen answered with 403 and this message instead of a 401. Nothing else may depend on a message.
fn says_token_expired(body: &[u8]) -> bool {
    ErrorBody::parse(body).message.contains("No authorization information")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Action = Action::Retry { after: None, throttled: false, new_connection: false };

    #[test]
    fn every_status_has_its_action() {
        let throttled = Action::Retry { after: None, throttled: true, new_connection: false };
        let elsewhere = Action::Retry { after: None, throttled: false, new_connection: true };
        let table: &[(&[u16], Action)] = &[
            (&[200], Action::Accept),
            (&[201, 202, 204, 206, 301, 302, 304, 307, 308], Action::Fail(Kind::Protocol)),
            (&[401], Action::Reauthenticate),
            (&[403], Action::Fail(Kind::PermissionDenied)),
            (&[404], Action::Fail(Kind::NotFound)),
            (&[429, 509], throttled),
            (&[503], elsewhere),
            (&[408, 500, 502, 504, 522], RETRY),
            (&[400, 402, 405, 406, 407, 409, 410, 411, 412, 413, 415, 416, 422, 423, 424], Action::Fail(Kind::Service)),
            (&[501, 505, 507, 511, 600], Action::Fail(Kind::Service)),
        ];
        for (statuses, action) in table {
            for status in *statuses {
                assert_eq!(classify(*status, &Headers::default(), b""), *action, "{status}");
            }
        }
    }

    #[test]
    fn a_403_for_an_expired_token_is_a_401() {
        let body = br#"{"error":{"code":"UnknownError","message":"{\"message\":\"No authorization information present on the request.\"}"}}"#;
        assert_eq!(classify(403, &Headers::default(), body), Action::Reauthenticate);
        assert_eq!(classify(404, &Headers::default(), body), Action::Fail(Kind::NotFound));
    }

    #[test]
    fn retry_after_in_every_form() {
        let date = "Sun, 06 Nov 1994 08:49:30 GMT";
        for (text, expected) in [
            ("7", Some(7.0)),
            (" 2.5 ", Some(2.5)),
            ("0", Some(0.0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7.0)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0.0)),
            ("-3", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = Headers { retry_after: Some(text.into()), date: http_date(date), ..Headers::default() };
            assert_eq!(headers.wait(), expected.map(Duration::from_secs_f64), "{text}");
        }
        assert_eq!(Headers::default().wait(), None);
    }
}
