//! A client certificate: the signed assertion that stands in for a secret
//! (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).

use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use pkcs8::der::Decode;
use rustls_pki_types::CertificateDer;
use serde_json::json;
use zeroize::Zeroizing;

use super::key_error::refuse;
use super::{pem, pkcs12};
use teams_base::error::{Error, Result};
use teams_base::secret::Secret;
use teams_base::text;

/// "5 to 10 minutes at most" is the documented life of an assertion.
const LIFE: i64 = 600;
/// How long before its end a certificate is worth a warning.
const ENDS_SOON: i64 = 30 * 86_400;

/// Where a certificate and its key are found. A file is read at each use, so that a rotated one is picked up.
pub(super) struct CertificateSource {
    place: Place,
    password: Option<Secret>,
}

enum Place {
    /// The option itself.
    Text(Secret),
    File(PathBuf),
}

/// A certificate with its private key.
pub struct Certificate {
    pub key: RsaKeyPair,
    pub der: CertificateDer<'static>,
    pub begins: Timestamp,
    pub ends: Timestamp,
}

impl CertificateSource {
    /// `text` is PEM, base64 of PFX, or the path of a PEM or PFX file. What cannot be read is refused now, before anything else is done.
    pub fn new(text: &Secret, password: Option<Secret>) -> Result<Self> {
        let is_content = text.expose().contains("-----BEGIN") || is_base64_of_der(text.expose());
        let place = if is_content { Place::Text(text.clone()) } else { Place::File(text::word(text.expose()).into()) };
        let source = Self { place, password };
        source.load()?;
        Ok(source)
    }

    /// Whether it is time for another certificate.
    pub fn warning(&self) -> Option<String> {
        warning(self.load().ok()?.ends, Timestamp::now())
    }

    /// An assertion for one token request.
    pub fn assertion(&self, client_id: &str, audience: &str) -> Result<Secret> {
        self.load()?.sign(client_id, audience, Timestamp::now().as_second())
    }

    fn load(&self) -> Result<Certificate> {
        let bytes = match &self.place {
            Place::Text(text) => Zeroizing::new(text.expose().as_bytes().to_vec()),
            // The path is not shown: it may be a certificate that was pasted without its first line.
            Place::File(path) => Zeroizing::new(std::fs::read(path).map_err(|error| {
                refuse(&format!(
                    "is neither PEM text, nor PFX in base64, nor the path of a readable file ({})",
                    error.kind()
                ))
            })?),
        };
        Certificate::read(&bytes, self.password.as_ref())
    }
}

impl Certificate {
    /// PEM or PFX, the latter also in base64, which is how Azure Key Vault hands a certificate out. Errors are of the option
    /// `client_certificate`; [`Self::of_option`] makes them another's.
    pub fn read(bytes: &[u8], password: Option<&Secret>) -> Result<Self> {
        let (key, certificates) = if bytes.starts_with(&[0x30]) {
            pkcs12::read(bytes, password)?
        } else {
            let text = text::decode(bytes).map_err(|why| refuse(&format!("cannot be read, because {why}")))?;
            if is_base64_of_der(text) {
                let der = pem::decode_base64(text).map_err(|_| refuse("is damaged base64"))?;
                pkcs12::read(&der, password)?
            } else {
                pem::read(text, password)?
            }
        };
        if certificates.is_empty() {
            return Err(refuse("holds no certificate (-----BEGIN CERTIFICATE-----)"));
        }
        // A file may hold the whole chain, in any order: ours is the one that has the key.
        certificates
            .into_iter()
            .find_map(|der| Self::life(&der, &key).map(|life| (der, life)))
            .map(|(der, (begins, ends))| Self { key, der, begins, ends })
            .ok_or_else(|| refuse("holds a certificate and a private key that do not belong together"))
    }

    /// The same for another option that holds a certificate.
    pub fn of_option(option: &str, bytes: &[u8], password: Option<&Secret>) -> Result<Self> {
        Self::read(bytes, password).map_err(|error| match error {
            Error::Configuration(text) => Error::Configuration(text.replace("client_certificate", option)),
            other => other,
        })
    }

    /// From when until when a certificate holds, if it is the key's.
    fn life(der: &[u8], key: &RsaKeyPair) -> Option<(Timestamp, Timestamp)> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let inner = certificate.tbs_certificate();
        let public = inner.subject_public_key_info().subject_public_key.raw_bytes();
        if public != key.public_key().as_ref() {
            return None;
        }
        let time = |time: x509_cert::time::Time, none| {
            Timestamp::from_second(time.to_unix_duration().as_secs() as i64).unwrap_or(none)
        };
        let validity = inner.validity();
        Some((time(validity.not_before, Timestamp::MIN), time(validity.not_after, Timestamp::MAX)))
    }

    /// `x5t#S256`: SHA-256 of the certificate.
    fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    fn sign(&self, client_id: &str, audience: &str, now: i64) -> Result<Secret> {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint() });
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": uuid::Uuid::new_v4().to_string(),
            "iat": now, "nbf": now, "exp": now + LIFE,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| refuse("holds a key that does not sign"))?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// A DER sequence of some size begins like this, and no path is as long.
fn is_base64_of_der(text: &str) -> bool {
    let text = text::word(text);
    text.starts_with("MI")
        && text.len() > 500
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=\r\n ".contains(&b))
}

fn warning(ends: Timestamp, now: Timestamp) -> Option<String> {
    let left = ends.as_second() - now.as_second();
    let when = if left < 0 { "has ended".to_owned() } else { format!("ends in {} days", left / 86_400) };
    (left < ENDS_SOON).then(|| format!("The client certificate {when} ({ends:.0}): register and configure a new one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_without_being_shown() {
        for (text, why) in [
            ("/nowhere/marked.pem", "neither PEM text"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no private key"),
            ("-----BEGIN CERTIFICATE-----\nmarked", "damaged"),
            ("-----BEGIN CERTIFICATE-----\\nmar!ked\\n-----END CERTIFICATE-----", "damaged"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "not an RSA key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
                "client_certificate_password",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----",
                "old encrypted form",
            ),
        ] {
            let error = CertificateSource::new(&Secret::new(text), None).err().unwrap().to_string();
            assert!(error.contains(why) && !error.contains("marked"), "{text}: {error}");
        }
    }
}
