//! The access tokens that were issued.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::tenant::config::EmulatorConfig;
use crate::tenant::knobs::Knobs;

#[derive(Default)]
pub struct Tokens {
    /// Token to its client and the real time at which it ends: clients measure a token's life by their own clock.
    issued: HashMap<String, (String, Instant)>,
    count: u64,
}

impl Tokens {
    /// The client that a token is good for.
    pub fn client(&self, token: &str) -> Option<&str> {
        self.issued.get(token).filter(|(_, end)| Instant::now() < *end).map(|(client, _)| client.as_str())
    }

    pub fn expire_all(&mut self) {
        self.issued.clear();
    }

    pub fn issue(&mut self, config: &EmulatorConfig, knobs: &Knobs, client: &str, now_ms: i64) -> String {
        self.count += 1;
        let header = json!({"typ": "JWT", "alg": "none"});
        let now = now_ms / 1000;
        let payload = json!({
            "aud": "https://graph.microsoft.com",
            "iss": format!("https://sts.windows.net/{}/", config.tenant_id),
            "iat": now, "nbf": now, "exp": now + knobs.token_lifetime_seconds as i64,
            "appid": client, "idtyp": "app", "tid": config.tenant_id,
            "roles": knobs.roles, "uti": self.count.to_string(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}.{}", part(&header), part(&payload), URL_SAFE_NO_PAD.encode("emulated"));
        if knobs.opaque_tokens {
            token = URL_SAFE_NO_PAD.encode(format!("opaque {} {now}", self.count));
        }
        let end = Instant::now() + Duration::from_secs(knobs.token_lifetime_seconds);
        self.issued.insert(token.clone(), (client.to_owned(), end));
        token
    }
}
