//! PKCS#12 (RFC 7292), also called PFX: what Windows, Azure Key Vault and `openssl pkcs12 -export` write.

use aws_lc_rs::signature::RsaKeyPair;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12;
use rustls_pki_types::CertificateDer;

use super::key_error::{not_rsa, refuse};
use teams_base::error::{Error, Result};
use teams_base::secret::Secret;

/// The first RSA key of a file, and all its certificates.
pub(super) fn read(der: &[u8], password: Option<&Secret>) -> Result<(RsaKeyPair, Vec<CertificateDer<'static>>)> {
    let opened = Pkcs12Archive::from_pkcs12(der, password.map_or("", Secret::expose));
    let archive = opened.map_err(|why| explain(&why, password.is_some()))?;
    let mut keys = archive.keys.iter().map(|bag| RsaKeyPair::from_pkcs8(bag.key.as_der()));
    let first = keys.next().ok_or_else(|| refuse("is a PFX file without a private key: export it with its key"))?;
    let key = first.or_else(|why| keys.find_map(Result::ok).ok_or(why)).map_err(|why| not_rsa(&why))?;
    let certificates = archive.certs.iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()));
    Ok((key, certificates.collect()))
}

fn explain(why: &Pkcs12, has_password: bool) -> Error {
    match why {
        Pkcs12::MacError(_) | Pkcs12::UnpadError | Pkcs12::Pkcs5Error(_) if has_password => {
            refuse("is a PFX file that client_certificate_password does not open, or that is damaged")
        }
        Pkcs12::MacError(_) | Pkcs12::UnpadError | Pkcs12::Pkcs5Error(_) => {
            refuse("is a PFX file with a password: set client_certificate_password")
        }
        Pkcs12::UnsupportedEncryptionScheme | Pkcs12::UnsupportedMacAlgorithm | Pkcs12::InvalidParameters => refuse(
            "is a PFX file encrypted in a way that is not supported: export it anew with AES-256, or convert it with \
             openssl pkcs12 -in app.pfx -out app.pem -noenc",
        ),
        _ => refuse("is a binary file, and no undamaged PFX: export the certificate anew, with its key, as PFX or PEM"),
    }
}
