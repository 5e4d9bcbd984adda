//! Notifications as Graph makes them, for tests.

use std::sync::Arc;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use teams_client::auth::Certificate;

use super::keys::{KeyRing, PrivateKey};

/// Encrypts for a key as Graph does.
pub struct Sealer {
    pub ring: KeyRing,
    pub label: String,
    public: OaepPublicEncryptingKey,
}

/// Making a key takes a tenth of a second and more, so all tests share one.
fn pem() -> &'static str {
    static PEM: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| super::keys::generate("tests", jiff::Timestamp::now()).unwrap().to_string());
    &PEM
}

impl Sealer {
    pub fn new() -> Self {
        let certificate = Certificate::read(pem().as_bytes(), None).unwrap();
        let der: PublicKeyX509Der<'_> = certificate.key.public_key().as_der().unwrap();
        let public = PublicEncryptingKey::from_der(der.as_ref()).unwrap();
        let key = PrivateKey::given(pem().as_bytes(), None, Some("tests")).unwrap();
        Self {
            label: key.label.clone(),
            ring: KeyRing::given(vec![key]),
            public: OaepPublicEncryptingKey::new(public).unwrap(),
        }
    }

    pub fn key(&self) -> Arc<PrivateKey> {
        self.ring.current().unwrap()
    }

    /// `encryptedContent` of a payload, with a secret of any length.
    pub fn seal_with(&self, secret: &[u8], payload: &str) -> Value {
        let mut room = vec![0; self.public.ciphertext_size()];
        let wrapped = self.public.encrypt(&OAEP_SHA1_MGF1SHA1, secret, &mut room, None).unwrap().to_vec();
        let mut key = secret.to_vec();
        key.resize(32, 0);
        let mut data = payload.as_bytes().to_vec();
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key).unwrap()).unwrap();
        let vector = FixedLength::<16>::try_from(&key[..16]).unwrap();
        cipher.less_safe_encrypt(&mut data, EncryptionContext::Iv128(vector)).unwrap();
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &data);
        json!({
            "data": STANDARD.encode(&data), "dataSignature": STANDARD.encode(signature.as_ref()),
            "dataKey": STANDARD.encode(wrapped), "encryptionCertificateId": self.label,
            "encryptionCertificateThumbprint": self.key().thumbprint,
        })
    }

    pub fn seal(&self, payload: &Value) -> Value {
        let mut secret = [7; 32];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        self.seal_with(&secret, &payload.to_string())
    }

    /// An item.
    pub fn item(&self, kind: &str, resource: &str, payload: &Value) -> Value {
        json!({
            "subscriptionId": "s", "changeType": kind, "clientState": "hush", "tenantId": "9a", "resource": resource,
            "encryptedContent": if payload.is_null() { Value::Null } else { self.seal(payload) },
        })
    }
}
