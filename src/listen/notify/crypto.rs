//! What Graph does to encrypt a notification, backwards
//! (<https://learn.microsoft.com/graph/change-notifications-with-resource-data#decrypting-resource-data-from-change-notifications>):
//! the key is unwrapped, the signature of the ciphertext checked in constant time, and only then is anything decrypted.

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::item::Encrypted;
use super::outcome::Outcome;

/// Bytes of an AES-256 key; its first half is the initialization vector too.
const KEY_BYTES: usize = 32;
const VECTOR_BYTES: usize = 16;

/// The text of a content, wiped when dropped.
pub fn decrypt(key: &OaepPrivateDecryptingKey, content: &Encrypted<'_>) -> Result<Zeroizing<String>, Outcome> {
    let signature = content.signature.as_deref().and_then(bytes).ok_or(Outcome::Signature)?;
    let wrapped = bytes(&content.key).ok_or(Outcome::Undecryptable)?;
    let mut data = Zeroizing::new(bytes(&content.data).ok_or(Outcome::Undecryptable)?);

    let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
    let secret = key.decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut room, None).map_err(|_| Outcome::Undecryptable)?;
    if secret.len() != KEY_BYTES {
        return Err(Outcome::Undecryptable);
    }
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), &data, &signature).map_err(|_| Outcome::Signature)?;

    let vector = FixedLength::<VECTOR_BYTES>::try_from(&secret[..VECTOR_BYTES]).map_err(|_| Outcome::Undecryptable)?;
    let cipher = UnboundCipherKey::new(&AES_256, secret).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let cipher = cipher.map_err(|_| Outcome::Undecryptable)?;
    let plain = cipher.decrypt(&mut data, DecryptionContext::Iv128(vector)).map_err(|_| Outcome::Undecryptable)?;
    let length = plain.len();
    data.truncate(length);
    text(data)
}

/// The bytes as text, without another copy that would have to be wiped.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, Outcome> {
    let bytes = std::mem::take(&mut *bytes);
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        Outcome::Content
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::PrivateDecryptingKey;

    use super::*;

    /// A key of two primes, made up for these tests, as PKCS#8. Made with OpenSSL and Python's `cryptography` of the vector's p and q.
    const KEY: &str = include_str!("testing/vector_key.txt");
    const DATA_KEY: &str = "AQeoHiipSraxV6wrikDIHqfn8klUhLxSGIInxy1LYW9l70Xh5kJSp2Q/32jXzeNka8w6Rum2uYadV/Qym/RrRH3+0lfZ6kgdI4VdOHHbOBrAwR9zVMfpnFtmMzfandrjrJlzFiH/ojfHaG1zKMdE4/xFEsQReglUIlwWZ8eyQuxApgl2O4jccnW80rCSpSplugKrtnD5lE7i75YpPquWh2dseI3y5UyASYnbP6xnviYRfGk8AClzCLQhWq0+YQPERYYET85wYTexu8cWrj8Aw8zQewi4DDlVqUKCkeDqpXVLFGgRjYwO8xVq05qLq9n/Moymnbmu0vyle2MxJxcE1Q==";
    const DATA: &str = "nQbLWtQjuhGaJUhdfcIsro7+g7s1jgm3yUD//wCIAzkQgqjSDmkbZIhIxGfaywNnmP9NIgQ0+prqIbM+L7JTXPxeUp+S1zQilPOH9hoEyVImJgUno8Ny3cmovnXVSaxx";
    const SIGNATURE: &str = "ChH1sYuk5zA2JiMgO6pOvp8wh77xCcJ6yd0JYJQUhVQ=";
    const PLAIN: &str = r#"{"id":"1616990032035","body":{"contentType":"text","content":"hé"},"deletedDateTime":null}"#;

    fn key() -> OaepPrivateDecryptingKey {
        let der = bytes(&KEY.split_whitespace().collect::<String>()).unwrap();
        OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&der).unwrap()).unwrap()
    }

    fn content<'t>(data: &'t str, signature: Option<&'t str>, key: &'t str) -> Encrypted<'t> {
        Encrypted {
            data: data.into(),
            signature: signature.map(Into::into),
            key: key.into(),
            label: None,
            thumbprint: None,
        }
    }

    #[test]
    fn the_known_content_is_decrypted() {
        let plain = decrypt(&key(), &content(DATA, Some(SIGNATURE), DATA_KEY)).unwrap();
        assert_eq!(plain.as_str(), PLAIN);
    }

    #[test]
    fn the_signature_is_checked_first() {
        let flipped = format!("o{}", &DATA[1..]);
        for (data, signature) in [
            (flipped.as_str(), Some(SIGNATURE)),
            (DATA, Some("Ch")),
            (DATA, Some("")),
            (DATA, None),
            (&DATA[..4], Some(SIGNATURE)),
        ] {
            assert_eq!(decrypt(&key(), &content(data, signature, DATA_KEY)).err(), Some(Outcome::Signature));
        }
    }

    #[test]
    fn a_key_that_is_wrapped_otherwise_is_refused() {
        use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey};

        let der = bytes(&KEY.split_whitespace().collect::<String>()).unwrap();
        let public =
            OaepPublicEncryptingKey::new(PrivateDecryptingKey::from_pkcs8(&der).unwrap().public_key()).unwrap();
        let mut room = vec![0; public.ciphertext_size()];
        let wrapped = public.encrypt(&OAEP_SHA256_MGF1SHA256, &[7; 32], &mut room, None).unwrap();
        let wrapped = STANDARD.encode(wrapped);
        for key_text in [wrapped.as_str(), "AAAA", ""] {
            let refused = decrypt(&key(), &content(DATA, Some(SIGNATURE), key_text)).err();
            assert_eq!(refused, Some(Outcome::Undecryptable));
        }
    }
}
