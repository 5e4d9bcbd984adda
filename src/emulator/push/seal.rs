//! Content as notifications carry it: encrypted with a key of its own, which is encrypted for the subscriber.
//!
//! Source: "Set up change notifications that include resource data", decrypting resource data.

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x509_cert::der::{Decode, Encode};

use crate::tenant::push::Certificate;

const IV_BYTES: usize = 16;

/// The certificate of a subscription, from base64 of its DER; nothing for what is none, or has no RSA key of 2,048 to 4,096
/// bits.
pub fn certificate(text: &str, id: &str) -> Option<Certificate> {
    let der = STANDARD.decode(text).ok()?;
    let parsed = x509_cert::Certificate::from_der(&der).ok()?;
    let public_key = parsed.tbs_certificate().subject_public_key_info().to_der().ok()?;
    let bits = PublicEncryptingKey::from_der(&public_key).ok()?.key_size_bits();
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
    let thumbprint = digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
    (2_048..=4_096).contains(&bits).then(|| Certificate { public_key, thumbprint, id: id.to_owned() })
}

/// `encryptedContent` of a payload. `key` is drawn for this item alone.
pub fn seal(certificate: &Certificate, key: [u8; 32], payload: &[u8], is_signed_wrongly: bool) -> Option<Value> {
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&certificate.public_key).ok()?).ok()?;
    let mut sealed_key = vec![0; public.key_size_bytes()];
    let sealed_key = public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut sealed_key, None).ok()?.to_vec();
    let mut data = payload.to_vec();
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
    let iv: [u8; IV_BYTES] = key[..IV_BYTES].try_into().ok()?;
    cipher.less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(&iv))).ok()?;
    let mut signed = data.clone();
    if is_signed_wrongly {
        signed[0] ^= 1;
    }
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
    Some(json!({
        "data": STANDARD.encode(&data),
        "dataSignature": STANDARD.encode(signature.as_ref()),
        "dataKey": STANDARD.encode(sealed_key),
        "encryptionCertificateId": certificate.id,
        "encryptionCertificateThumbprint": certificate.thumbprint,
    }))
}
