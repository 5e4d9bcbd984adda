//! The OpenID metadata of the Bot Connector's tokens, and its keys.

use serde_json::{Value, json};

use crate::bot::signing;
use crate::http::response::Response;
use crate::tenant::knobs::Knobs;

/// Two spellings are in use; and the login service has its own, of the tokens that the Bot Framework Emulator sends.
const METADATA: [&str; 3] = [
    "/v1/.well-known/openidconfiguration",
    "/v1/.well-known/openid-configuration",
    "/botframework.com/v2.0/.well-known/openid-configuration",
];
const KEYS: &str = "/v1/.well-known/keys";
/// What Teams' keys are good for, beside others.
const ENDORSED: [&str; 3] = ["msteams", "webchat", "directline"];

/// The endpoint's name in logs and counts; nothing for a path of something else.
pub fn name(path: &str) -> Option<&'static str> {
    METADATA.iter().chain([&KEYS]).find(|known| **known == path).copied()
}

pub fn answer(path: &str, base: &str, knobs: &Knobs) -> Response {
    if path == KEYS {
        let keys = knobs.published_keys.iter().filter_map(|&key| {
            let endorsed = !knobs.unendorsed_keys.contains(&key);
            signing::public(key, endorsed.then_some(&ENDORSED[..]))
        });
        return Response::ok(json!({"keys": keys.collect::<Vec<Value>>()}).to_string());
    }
    let metadata = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": format!("{base}{KEYS}"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    });
    Response::ok(metadata.to_string())
}

pub const ISSUER: &str = "https://api.botframework.com";
