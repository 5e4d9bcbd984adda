//! The keys that sign what comes from the Bot Connector, and the tokens made with them.
//!
//! The keys are made for tests and lie open in the sources: nothing trusts them but a bot that is told to.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// RSA, 2048 bits, PKCS #8 in DER.
const KEYS: [&[u8]; 3] = [include_bytes!("keys/0.der"), include_bytes!("keys/1.der"), include_bytes!("keys/2.der")];

pub fn count() -> usize {
    KEYS.len()
}

fn pair(key: usize) -> Option<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(KEYS.get(key)?).ok()
}

pub fn id(key: usize) -> String {
    format!("emulated-key-{key}")
}

/// The public part, as a JSON Web Key; its endorsements name the channels that it signs for.
pub fn public(key: usize, endorsements: Option<&[&str]>) -> Option<Value> {
    let pair = pair(key)?;
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let mut shown = json!({
        "kty": "RSA", "use": "sig", "kid": id(key), "x5t": id(key),
        "n": URL_SAFE_NO_PAD.encode(n.big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(e.big_endian_without_leading_zero()),
    });
    if let Some(channels) = endorsements {
        shown["endorsements"] = json!(channels);
    }
    Some(shown)
}

/// A JSON Web Token. `header` is as it is to be; the signature is RS256 by the key, whatever the header says.
pub fn token(header: &Value, claims: &Value, key: usize) -> Option<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let pair = pair(key)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
