//! PEM (RFC 7468): certificates, and RSA keys in the open or encrypted as PKCS#8.

use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

use super::key_error::{not_rsa, refuse};
use teams_base::error::Result;
use teams_base::secret::Secret;

/// How OpenSSL marks a key that it encrypted in its form before PKCS#8.
const OLD_FORM: &str = "Proc-Type: 4,ENCRYPTED";

/// The key of PEM text, and all its certificates.
pub(super) fn read(text: &str, password: Option<&Secret>) -> Result<(RsaKeyPair, Vec<CertificateDer<'static>>)> {
    if text.contains(OLD_FORM) {
        return Err(refuse("holds a key in OpenSSL's old encrypted form: convert it with openssl pkcs8 -topk8"));
    }
    let text = unfold(text);
    let mut certificates = Vec::new();
    let mut key = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        let (kind, der) = section.map_err(|_| refuse("holds a damaged PEM section"))?;
        let der = Zeroizing::new(der);
        match kind {
            SectionKind::Certificate => certificates.push(CertificateDer::from(der.to_vec())),
            SectionKind::PrivateKey => key = Some(RsaKeyPair::from_pkcs8(&der).map_err(|why| not_rsa(&why))?),
            SectionKind::RsaPrivateKey => key = Some(RsaKeyPair::from_der(&der).map_err(|why| not_rsa(&why))?),
            SectionKind::EcPrivateKey => return Err(refuse("holds an EC key, and Entra ID takes RSA keys only")),
            _ => {}
        }
    }
    if key.is_none() {
        key = encrypted(&text, password)?;
    }
    let key = key.ok_or_else(|| refuse("holds no private key (-----BEGIN PRIVATE KEY-----)"))?;
    Ok((key, certificates))
}

/// The key of an `ENCRYPTED PRIVATE KEY` section, if there is one.
fn encrypted(text: &str, password: Option<&Secret>) -> Result<Option<RsaKeyPair>> {
    let (begin, end) = ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----");
    let Some(start) = text.find(begin) else { return Ok(None) };
    let password = password.ok_or_else(|| refuse("holds an encrypted key: set client_certificate_password"))?;
    let body = text[start + begin.len()..].split(end).next().unwrap_or_default();
    let der = decode_base64(body).map_err(|_| refuse("holds a damaged PEM section"))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(der.as_slice())
        .map_err(|_| refuse("holds an encrypted key of an unknown form: convert it with openssl pkcs8 -topk8"))?;
    let key = info
        .decrypt(password.expose())
        .map_err(|_| refuse("cannot be decrypted: client_certificate_password is wrong, or the cipher is not AES"))?;
    RsaKeyPair::from_pkcs8(key.as_bytes()).map(Some).map_err(|why| not_rsa(&why))
}

/// Base64 with line breaks.
pub(super) fn decode_base64(text: &str) -> Result<Zeroizing<Vec<u8>>, base64::DecodeError> {
    let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    STANDARD.decode(text.as_bytes()).map(Zeroizing::new)
}

/// PEM text with the line breaks that it lost in a form, a shell or a vault: they are blanks there, or `\n` in two characters.
fn unfold(text: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 256));
    let mut rest = text.as_str();
    while let Some((before, label, body, after)) = section(rest) {
        // Comments, and the attributes that `openssl pkcs12` writes.
        out.push_str(before);
        out.push_str("\n-----BEGIN ");
        out.push_str(label);
        out.push_str("-----\n");
        out.extend(body.split_whitespace());
        out.push_str("\n-----END ");
        out.push_str(label);
        out.push_str("-----\n");
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What stands before the first section, its label, its body, and what stands behind it.
fn section(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, after) = rest.split_once(&format!("-----END {label}-----"))?;
    Some((before, label, body, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_come_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        let two = format!("{pem}{}", pem.replace("CERTIFICATE", "RSA PRIVATE KEY"));
        let lines = |text: &str| unfold(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = lines(&two);
        assert!(expected.starts_with("-----BEGIN CERTIFICATE----- AAAABBBB -----END CERTIFICATE-----"), "{expected}");
        for text in [
            two.replace('\n', "\r\n"),
            two.replace('\n', "\\n"),
            two.replace('\n', "\\r\\n"),
            two.replace('\n', " "),
            two.replace('\n', ""),
            // Each section on a line of its own.
            two.replace('\n', " ").replace("----- -----", "-----\n-----"),
        ] {
            assert_eq!(lines(&text), expected, "{text:?}");
        }
        let commented = format!("# ----- mine -----\nBag Attributes: 01\n{pem}");
        assert!(unfold(&commented).contains("\n-----BEGIN CERTIFICATE-----\nAAAABBBB\n"));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA";
        assert_eq!(unfold(damaged).as_str(), damaged);
    }
}
