//! The opaque tokens inside `@odata.nextLink` and `@odata.deltaLink`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xxhash_rust::xxh3::xxh3_64;

use crate::http::error::GraphError;

/// What a token holds: when it was made (0 when that does not matter) and a position.
#[derive(Debug, PartialEq, Eq)]
pub struct Token {
    pub issued_ms: i64,
    pub position: String,
}

/// A token belongs to the collection it was made for, and cannot be altered.
pub fn seal(scope: &str, issued_ms: i64, position: &str) -> String {
    let body = format!("{issued_ms}|{position}");
    let check = xxh3_64(format!("{scope}|{body}").as_bytes());
    URL_SAFE_NO_PAD.encode(format!("{check:016x}{body}"))
}

pub fn unseal(scope: &str, token: &str) -> Result<Token, GraphError> {
    let broken = || GraphError::bad_request("Invalid token: the skip or delta token is malformed.");
    let token = token.split_once('=').map_or(token, |(token, _)| token);
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| broken())?;
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    let (check, body) = text.split_at_checked(16).ok_or_else(broken)?;
    if check != format!("{:016x}", xxh3_64(format!("{scope}|{body}").as_bytes())) {
        return Err(broken());
    }
    let (issued, position) = body.split_once('|').ok_or_else(broken)?;
    Ok(Token { issued_ms: issued.parse().map_err(|_| broken())?, position: position.to_owned() })
}

/// The same token in one of `ways` spellings: what comes after the `=` is ignored when it is read.
pub fn respell(token: &str, nonce: u64, ways: u64) -> String {
    format!("{token}={}", nonce % ways)
}
