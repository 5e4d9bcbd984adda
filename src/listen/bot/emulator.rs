//! Tokens of the Bot Framework Emulator: Entra ID issues them to whoever knows the bot's secret, so that they prove no more than
//! that. They are taken in development only
//! (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>, "Emulator to Bot").

use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;

use crate::token::keys::{Keys, NoKey};
use crate::token::verify::{Refusal, SKEW, read, refusal};

/// The emulator's tenants.
const TENANTS: [&str; 3] = [
    "d6d49420-f39b-4df7-a1dc-d59a935871db",
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "cab8a31a-1906-4287-a0d8-4eef66b95f6e",
];

#[derive(Deserialize)]
struct Claims {
    appid: Option<String>,
    azp: Option<String>,
}

/// Proves tokens that Entra ID issued to the bot itself.
pub struct EmulatorTokens {
    keys: Keys,
    validation: Validation,
    app: String,
}

impl EmulatorTokens {
    /// `keys` are those of the login service `authority`; `tenant` is the bot's own.
    pub fn new(app: &str, tenant: Option<&str>, authority: &str, keys: Keys) -> Self {
        let authority = authority.trim_end_matches('/');
        let issuers: Vec<String> = TENANTS
            .into_iter()
            .chain(tenant)
            .flat_map(|tenant| [format!("https://sts.windows.net/{tenant}/"), format!("{authority}/{tenant}/v2.0")])
            .collect();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = SKEW;
        validation.validate_nbf = true;
        validation.set_issuer(&issuers);
        validation.set_audience(&[app]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        Self { keys, validation, app: app.to_owned() }
    }

    pub async fn prove(&self, authorization: Option<&str>) -> Result<(), Refusal> {
        let (token, header) = read(authorization)?;
        let id = header.kid.ok_or(Refusal::UnknownKey)?;
        let key = self.keys.find(&id).await.map_err(|none| match none {
            NoKey::Unknown => Refusal::UnknownKey,
            NoKey::Unreachable(why) => Refusal::Unreachable(why),
        })?;
        let claims = decode::<Claims>(token, &key.decoding, &self.validation).map_err(|error| refusal(&error))?.claims;
        let caller = claims.appid.or(claims.azp);
        if caller.as_deref() == Some(self.app.as_str()) { Ok(()) } else { Err(Refusal::Audience) }
    }
}
