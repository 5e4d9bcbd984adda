//! PEM (RFC 7468): certificates, and RSA keys in the open or encrypted as PKCS#8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use ring::signature::RsaKeyPair;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

use super::key_error::{not_rsa, refuse};
use teams_base::error::Result;
use teams_base::secret::Secret;

/// How OpenSSL marks a key that it encrypted in its form before PKCS#8.
const OLD_FORM: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// The key of PEM text, and all its certificates.
pub(super) fn read(text: &[u8], password: Option<&Secret>) -> Result<(RsaKeyPair, Vec<CertificateDer<'static>>)> {
    if text.windows(OLD_FORM.len()).any(|part| part == OLD_FORM) {
        return Err(refuse("holds a key in OpenSSL's old encrypted form: convert it with openssl pkcs8 -topk8"));
    }
    let mut certificates = Vec::new();
    let mut key = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
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
        key = encrypted(text, password)?;
    }
    let key = key.ok_or_else(|| refuse("holds no private key (-----BEGIN PRIVATE KEY-----)"))?;
    Ok((key, certificates))
}

/// The key of an `ENCRYPTED PRIVATE KEY` section, if there is one.
fn encrypted(text: &[u8], password: Option<&Secret>) -> Result<Option<RsaKeyPair>> {
    let text = std::str::from_utf8(text).map_err(|_| refuse("is not text"))?;
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

/// PEM text with the line breaks that it lost in a form or a shell.
pub(super) fn unfold(text: &str) -> String {
    let text = text.replace("\\r", "").replace("\\n", "\n");
    if text.trim().contains('\n') {
        return text;
    }
    text.split("-----")
        .enumerate()
        // Labels, at odd places, keep their spaces.
        .map(
            |(index, part)| {
                if index % 2 == 1 { format!("-----{part}-----") } else { part.split_whitespace().collect() }
            },
        )
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_come_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        assert_eq!(unfold(&pem.replace('\n', "\\n")), pem);
        assert_eq!(unfold(pem), pem);
        let flat = "-----BEGIN CERTIFICATE----- AAAA BBBB -----END CERTIFICATE-----";
        assert_eq!(unfold(flat), "-----BEGIN CERTIFICATE-----\nAAAABBBB\n-----END CERTIFICATE-----");
    }
}
