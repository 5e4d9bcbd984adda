//! Every answer becomes an action, here and nowhere else: a pure function of the request's promise, status, headers and body.

use std::time::Duration;

use crate::http::error_body::ErrorBody;
use crate::http::headers::Headers;
use crate::request::Idempotency;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The reader, or the caller of a request with an effect, judges it.
    Accept,
    Retry {
        /// How long the server asks to wait.
        after: Option<Duration>,
        /// Whether the limit of a budget was met, so that others who share it must wait too.
        throttled: bool,
        /// Whether the next attempt should go to another front end.
        new_connection: bool,
    },
    /// The token was refused: try again with a newer one. The error it is where that does not help.
    Reauthenticate(Kind),
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

pub fn classify(idempotency: Idempotency, status: u16, headers: &Headers, body: &[u8]) -> Action {
    let retry = |throttled, new_connection| Action::Retry { after: headers.wait(), throttled, new_connection };
    match status {
        200 => Action::Accept,
        // Made, under way, done, done in part, and there already: each says what became of the effect.
        201 | 202 | 204 | 207 | 409 if idempotency != Idempotency::Safe => Action::Accept,
        // Following would carry the token to wherever the answer points.
        201..=399 => Action::Fail(Kind::Protocol),
        401 => Action::Reauthenticate(Kind::Authentication),
        403 if says_token_expired(body) => Action::Reauthenticate(Kind::PermissionDenied),
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

/// Whether a request that was refused with this status certainly had no effect. A message has been delivered and its answer
/// a 408 or 5xx nevertheless, with and without `Retry-After`; only the other 4xx are refusals before the effect.
pub fn rules_out_effect(status: u16) -> bool {
    (400..=499).contains(&status) && status != 408
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
            (&[201, 202, 204, 206, 207, 301, 302, 304, 307, 308], Action::Fail(Kind::Protocol)),
            (&[401], Action::Reauthenticate(Kind::Authentication)),
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
                assert_eq!(classify(Idempotency::Safe, *status, &Headers::default(), b""), *action, "{status}");
            }
        }
    }

    #[test]
    fn an_effect_is_judged_by_its_caller_and_all_else_is_as_for_a_read() {
        for idempotency in [Idempotency::Idempotent, Idempotency::NotIdempotent] {
            for status in 100..=600 {
                let action = classify(idempotency, status, &Headers::default(), b"");
                match status {
                    201 | 202 | 204 | 207 | 409 => assert_eq!(action, Action::Accept, "{status}"),
                    _ => assert_eq!(action, classify(Idempotency::Safe, status, &Headers::default(), b"")),
                }
            }
        }
    }

    #[test]
    fn only_a_refusal_rules_an_effect_out() {
        for (statuses, expected) in [
            (&[400, 401, 403, 404, 412, 413, 423, 429, 499][..], true),
            (&[200, 203, 206, 302, 307, 408, 500, 501, 502, 503, 504, 509, 522, 600], false),
        ] {
            for status in statuses {
                assert_eq!(rules_out_effect(*status), expected, "{status}");
            }
        }
    }

    #[test]
    fn a_403_for_an_expired_token_is_a_401() {
        let body = br#"{"error":{"code":"UnknownError","message":"{\"message\":\"No authorization information present on the request.\"}"}}"#;
        let classify = |status| classify(Idempotency::Safe, status, &Headers::default(), body);
        assert_eq!(classify(403), Action::Reauthenticate(Kind::PermissionDenied));
        assert_eq!(classify(404), Action::Fail(Kind::NotFound));
    }
}
