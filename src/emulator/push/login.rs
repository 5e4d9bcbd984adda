//! Validation tokens, which prove that a notification is Graph's, and where login publishes their keys.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bot::signing;
use crate::http::response::Response;
use crate::tenant::push::{PushKnobs, TokenVersion};

/// The application that publishes change notifications.
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

const METADATA: [&str; 2] =
    ["/common/.well-known/openid-configuration", "/common/v2.0/.well-known/openid-configuration"];
const KEYS: [&str; 2] = ["/common/discovery/keys", "/common/discovery/v2.0/keys"];
const TOKEN_SECONDS: i64 = 3_600;

/// The endpoint's name in logs and counts; nothing for a path of something else.
pub fn name(path: &str) -> Option<&'static str> {
    METADATA.iter().chain(&KEYS).find(|known| **known == path).copied()
}

pub fn answer(path: &str, base: &str, knobs: &PushKnobs) -> Response {
    if KEYS.contains(&path) {
        let keys = knobs.published_keys.iter().filter_map(|&key| signing::public(key, None));
        return Response::ok(json!({"keys": keys.collect::<Vec<Value>>()}).to_string());
    }
    let is_second = path == METADATA[1];
    let issuer = if is_second {
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    } else {
        "https://sts.windows.net/{tenantid}/"
    };
    let metadata = json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}/common/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}{}", KEYS[usize::from(is_second)]),
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["pairwise"],
    });
    Response::ok(metadata.to_string())
}

/// What is wrong with a forged token.
#[derive(Clone, Copy)]
pub enum Forgery {
    /// A key that login does not publish, under the name of one that it does.
    Key,
    Publisher,
    Audience,
    Issuer,
    Expired,
}

pub const FORGERIES: [Forgery; 5] =
    [Forgery::Key, Forgery::Publisher, Forgery::Audience, Forgery::Issuer, Forgery::Expired];

/// A token for an application in a tenant; `turn` chooses the version where both occur. Its times are real: receivers
/// measure by their own clocks.
pub fn token(knobs: &PushKnobs, app: &str, tenant: &str, turn: usize, forgery: Option<Forgery>) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let is_second = match knobs.token_version {
        TokenVersion::V1 => false,
        TokenVersion::V2 => true,
        TokenVersion::Mixed => turn % 2 == 1,
    };
    let mut claims = json!({
        "aud": app, "iat": now, "nbf": now, "exp": now + TOKEN_SECONDS, "tid": tenant, "sub": PUBLISHER, "uti": turn.to_string(),
    });
    let publisher = if is_second { "azp" } else { "appid" };
    claims[publisher] = json!(PUBLISHER);
    claims["ver"] = json!(if is_second { "2.0" } else { "1.0" });
    claims["iss"] = json!(if is_second {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    } else {
        format!("https://sts.windows.net/{tenant}/")
    });
    let mut key = knobs.signing_key;
    let named = signing::id(key);
    match forgery {
        Some(Forgery::Key) => key = (key + 1) % signing::count(),
        Some(Forgery::Publisher) => claims[publisher] = json!("0bf30f3b-4a52-48df-9a82-234910c4dd15"),
        Some(Forgery::Audience) => claims["aud"] = json!("00000003-0000-0000-c000-000000000000"),
        Some(Forgery::Issuer) => claims["iss"] = json!("https://login.attacker.example/"),
        Some(Forgery::Expired) => {
            claims["nbf"] = json!(now - 2 * TOKEN_SECONDS);
            claims["exp"] = json!(now - TOKEN_SECONDS);
        }
        None => {}
    }
    signing::token(&json!({"typ": "JWT", "alg": "RS256", "kid": named, "x5t": named}), &claims, key)
}
