//! Why a server's certificate is not trusted, and what helps. `ca_bundle` adds an authority, so it is named only where one
//! is missing.

use jiff::Timestamp;
use rustls::CertificateError;
use rustls_pki_types::UnixTime;

use teams_base::redact;

/// A refused certificate.
pub(super) struct Untrusted {
    pub what: String,
    pub remedy: &'static str,
}

const CLOCK: &str = "Check this machine's clock. If it is right, the certificate is to be replaced by whoever runs the server, \
                     or the proxy that stands for it";
const NAME: &str = "Check that the address is right, and that neither DNS nor a proxy leads to another server";
const ISSUER: &str = "Add the root certificate of your network with ca_bundle: that of the authority which issued this one, \
                      not the server's own";
const AUTHORITY: &str = "Have whoever runs the server, or the proxy that stands for it, give it a certificate for its name \
                         that an authority issued: one of an authority (CA:TRUE) is for issuing others only";
const NO_AUTHORITY: &str = "Have whoever runs the server, or the proxy that stands for it, send the chain of its certificate, \
                            in which only authorities (CA:TRUE) issue";
const DAMAGED: &str = "Whoever runs the server, or the proxy that stands for it, has to repair its certificate or its chain: \
                       look there, and at what inspects traffic on the way";
const REVOKED: &str =
    "Whoever runs the server, or the proxy that stands for it, has to replace its certificate: do not trust it";
const PURPOSE: &str = "Have whoever runs the server, or the proxy that stands for it, give it a certificate for servers \
                       (extended key usage serverAuth)";

impl Untrusted {
    pub fn because(why: &CertificateError) -> Self {
        use CertificateError as E;
        let (what, remedy) = match why {
            E::Expired => ("it has expired".to_owned(), CLOCK),
            E::ExpiredContext { time, not_after } => {
                (format!("it expired at {}, and this machine's clock says {}", at(*not_after), at(*time)), CLOCK)
            }
            E::NotValidYet => ("it is not valid yet".to_owned(), CLOCK),
            E::NotValidYetContext { time, not_before } => {
                let (begins, now) = (at(*not_before), at(*time));
                (format!("it is valid from {begins} on, and this machine's clock says {now}"), CLOCK)
            }
            E::NotValidForName => ("it is for another name".to_owned(), NAME),
            E::NotValidForNameContext { expected, presented } => {
                let names = presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
                let names = if names.is_empty() { "no name at all" } else { names.as_str() };
                (format!("it is for {names}, and not for {}", expected.to_str()), NAME)
            }
            E::UnknownIssuer => {
                ("no authority that this machine knows has issued it (UnknownIssuer)".to_owned(), ISSUER)
            }
            E::Revoked => ("it has been revoked".to_owned(), REVOKED),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => ("it is not for servers".to_owned(), PURPOSE),
            E::BadSignature => ("its signature is wrong".to_owned(), DAMAGED),
            E::BadEncoding => ("it is damaged".to_owned(), DAMAGED),
            E::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(webpki::Error::CaUsedAsEndEntity) => {
                    ("it is that of an authority, and not a server's".to_owned(), AUTHORITY)
                }
                Some(webpki::Error::EndEntityUsedAsCa) => ("its issuer is no authority".to_owned(), NO_AUTHORITY),
                // The verifier of the platform says this where rustls says `InvalidPurpose`.
                None if other.to_string().contains("extensions") => ("it is not for servers".to_owned(), PURPOSE),
                _ => (redact::clean(&other.to_string()), DAMAGED),
            },
            other => (redact::clean(&other.to_string()), DAMAGED),
        };
        Self { what: format!("the server's certificate is not trusted: {what}"), remedy }
    }
}

fn at(time: UnixTime) -> String {
    Timestamp::from_second(time.as_secs() as i64).map_or_else(|_| "an unknown time".to_owned(), |time| time.to_string())
}

/// A name as webpki shows it: `DnsName("graph.example")`, `IpAddress(127.0.0.1)`.
fn plain(shown: &str) -> String {
    let inner = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(shown);
    redact::clean(inner.trim_matches('"'))
}
