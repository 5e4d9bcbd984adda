//! The certificates of `ca_bundle`, which are trusted beside those of the machine.

use std::path::Path;

use reqwest::Certificate;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use teams_base::error::{Error, Result};
use teams_base::text;

/// Reads a PEM file. What cannot make a server trusted is refused now, before anything is sent.
pub(super) fn read(path: &Path) -> Result<Vec<Certificate>> {
    let refuse = |why: String| Error::Configuration(format!("Option ca_bundle: {} {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refuse(format!("cannot be read ({})", error.kind())))?;
    if bytes.starts_with(&[0x30]) {
        return Err(refuse(format!("{NO_PEM}; openssl x509 -inform der converts it")));
    }
    let pem = text::decode(&bytes).map_err(|why| refuse(format!("cannot be read, because {why}")))?;
    let certificates =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    let roots: Result<Vec<_>, _> = certificates.iter().map(|der| Certificate::from_der(der)).collect();
    let roots = roots.unwrap_or_default();
    if roots.is_empty() {
        return Err(refuse(NO_PEM.into()));
    }
    if certificates.iter().all(|der| is_of_a_server(der)) {
        return Err(refuse(
            "holds a server's own certificate, which does not make it trusted: add the root certificate of the authority \
             that issued it"
                .into(),
        ));
    }
    Ok(roots)
}

const NO_PEM: &str = "holds no certificate: it must be a PEM file (-----BEGIN CERTIFICATE-----)";

/// Whether it neither is an authority's nor issued itself, which is how one server alone is trusted.
fn is_of_a_server(der: &[u8]) -> bool {
    let Ok(certificate) = x509_cert::Certificate::from_der(der) else { return false };
    let inner = certificate.tbs_certificate();
    let is_authority = match inner.get_extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => constraints.ca,
        Ok(None) => false,
        Err(_) => true,
    };
    !is_authority && inner.subject() != inner.issuer()
}
