//! The access tokens that were issued.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::tenant::config::EmulatorConfig;
use crate::tenant::knobs::Knobs;

/// The service that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Graph,
    BotConnector,
}

struct Issued {
    client: String,
    audience: Audience,
    /// Real time: clients measure a token's life by their own clock.
    end: Instant,
}

#[derive(Default)]
pub struct Tokens {
    issued: HashMap<String, Issued>,
    count: u64,
}

impl Tokens {
    /// The client that a token is good for, at this service.
    pub fn client(&self, token: &str, audience: Audience) -> Option<&str> {
        let issued = self.issued.get(token)?;
        let is_good = issued.audience == audience && Instant::now() < issued.end;
        is_good.then_some(issued.client.as_str())
    }

    pub fn expire_all(&mut self) {
        self.issued.clear();
    }

    pub fn issue(
        &mut self,
        config: &EmulatorConfig,
        knobs: &Knobs,
        client: &str,
        audience: Audience,
        now_ms: i64,
    ) -> String {
        self.count += 1;
        let header = json!({"typ": "JWT", "alg": "none"});
        let now = now_ms / 1000;
        let payload = json!({
            "aud": match audience {
                Audience::Graph => "https://graph.microsoft.com",
                Audience::BotConnector => "https://api.botframework.com",
            },
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
        self.issued.insert(token.clone(), Issued { client: client.to_owned(), audience, end });
        token
    }
}
