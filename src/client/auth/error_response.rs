//! What Entra ID says when it refuses a token, and what to do about it
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).

use serde::Deserialize;

use teams_base::error::AuthFailure;
use teams_base::redact;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    error: String,
    error_description: String,
    error_codes: Vec<u32>,
}

/// Reads an error body. The number decides; the text is only shown.
pub(super) fn read(status: u16, body: &[u8]) -> AuthFailure {
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return AuthFailure {
            status: Some(status),
            message: redact::snippet(body),
            remedy: "check authority_host and the proxy".into(),
            ..AuthFailure::default()
        };
    };
    let aadsts = body.error_codes.first().copied();
    AuthFailure {
        status: Some(status),
        aadsts,
        remedy: aadsts.map_or("", remedy).into(),
        message: first_line(&body.error_description),
        code: redact::clean(&body.error),
        effect_unknown: false,
    }
}

/// Entra ID is busy, or was asked too often.
const TRANSIENT: [u32; 3] = [90_033, 90_055, 50_196];

/// Codes behind which a repeated request may succeed, beside the statuses 429 and 5xx.
pub(super) fn is_transient(failure: &AuthFailure) -> bool {
    failure.aadsts.is_some_and(|number| TRANSIENT.contains(&number)) || failure.code == "temporarily_unavailable"
}

/// The description goes on with trace and correlation ids and a time, and begins with the number that is shown already.
fn first_line(description: &str) -> String {
    let line = description.lines().next().unwrap_or_default();
    let line = line.split(" Trace ID:").next().unwrap_or(line);
    let line = match line.split_once(": ") {
        Some((number, rest)) if number.starts_with("AADSTS") => rest,
        _ => line,
    };
    redact::clean(line)
}

/// What to do about each number. `docs/reference/errors.md` is made from it.
pub static REMEDIES: &[(&[u32], &str)] = &[
    (&[7_000_215], "client_secret is wrong: copy the secret's Value, not its Secret ID, from the app registration"),
    (&[7_000_222], "client_secret has expired: create a new one in the app registration"),
    (
        &[700_016],
        "client_id is unknown in this tenant: check client_id and tenant_id, and that the app is consented there",
    ),
    (&[90_002], "tenant_id is unknown: check tenant_id and cloud"),
    (&[900_023], "tenant_id is malformed: use the Directory (tenant) ID"),
    (&[70_011, 1_002_012], "the scope is wrong: check graph_base_url and cloud"),
    (
        &[700_027],
        "the certificate is not registered at the app, has expired, or its key does not fit: check client_certificate",
    ),
    (&[700_024], "the signed assertion is outside its validity: check this machine's clock"),
    (
        &[70_021, 700_211, 700_212, 700_213],
        "no federated credential of the app matches this token: compare issuer, subject and audience",
    ),
    (&[53_003], "a conditional access policy blocks this app: ask the tenant's administrator"),
    (&[500_011], "this tenant does not know the Graph host: check cloud and graph_base_url"),
    (&[900_382], "the app belongs to another national cloud: check cloud"),
    (&[7_000_112], "the app is disabled in this tenant: ask its administrator"),
    (&[7_000_229], "the app has no service principal in this tenant: have its administrator consent to it"),
    (
        &[7_000_216, 7_000_218],
        "the app is registered as a public client, or no credential was sent: check the credential options",
    ),
];

fn remedy(number: u32) -> &'static str {
    REMEDIES.iter().find(|(numbers, _)| numbers.contains(&number)).map_or("", |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_kept_without_number_and_trace() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: t\r\nTimestamp: x","error_codes":[7000215]}"#;
        let failure = read(401, body);
        assert_eq!(failure.aadsts, Some(7_000_215));
        assert!(!is_transient(&failure));
        let shown = failure.to_string();
        assert!(
            shown.starts_with("401 AADSTS7000215 Invalid client secret provided. (client_secret is wrong"),
            "{shown}"
        );
        assert_eq!(first_line("AADSTS1: Wrong. Trace ID: abc Correlation ID: d"), "Wrong.");
    }

    #[test]
    fn what_is_no_entra_error_is_quoted_in_short() {
        let failure = read(502, b"<html><title>Bad gateway</title></html>");
        assert_eq!((failure.aadsts, failure.message.as_str()), (None, "an HTML page: Bad gateway"));
        assert_eq!(read(400, b"{}").message, "");
    }

    #[test]
    fn transient_codes_are_known() {
        let body = br#"{"error":"server_error","error_codes":[90033]}"#;
        assert!(is_transient(&read(400, body)));
        assert!(is_transient(&read(400, br#"{"error":"temporarily_unavailable"}"#)));
    }

    #[test]
    fn the_troubleshooting_page_holds_every_passing_number_and_class() {
        let page = include_str!("../../../docs/errors.md");
        for number in TRANSIENT {
            assert!(page.contains(&format!("AADSTS{number}")), "docs/errors.md lacks {number}");
        }
        for class in [
            "ConfigurationError",
            "AuthenticationError",
            "PermissionDeniedError",
            "NotFoundError",
            "ThrottledError",
            "ServiceError",
            "ProtocolError",
        ] {
            assert!(page.contains(&format!("## {class}\n")), "docs/errors.md lacks {class}");
        }
    }
}
