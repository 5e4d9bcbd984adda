//! The tokens that come with content: one for each app and tenant whose items are in the POST
//! (<https://learn.microsoft.com/graph/change-notifications-with-resource-data#validation-tokens-in-the-change-notification>).
//! Both versions occur, and they say who sent them in different claims.

use std::sync::Arc;

use jsonwebtoken::Validation;
use serde::Deserialize;
use url::Url;

use crate::token::verify::{claims, header, validation};
use crate::token::{Fetch, Keys, Refusal};
use teams_base::cloud::Cloud;

/// The application that sends change notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

#[derive(Clone, Deserialize)]
struct Claims {
    iss: String,
    tid: Option<String>,
    /// Of version 1.
    appid: Option<String>,
    /// Of version 2.
    azp: Option<String>,
}

/// Proves tokens for one application.
pub struct Publisher {
    /// Both versions' keys; they are mostly the same.
    keys: [Keys; 2],
    issuers: [(&'static str, &'static str); 2],
    validation: Validation,
}

impl Publisher {
    /// `authority` is the login host, whose metadata leads to the keys. The issuers are those of the cloud all the same.
    pub fn new(app_id: &str, authority: &Url, cloud: Cloud, fetch: &Arc<dyn Fetch>) -> Result<Self, url::ParseError> {
        let keys = |path: &str| authority.join(path).map(|metadata| Keys::new(metadata, Arc::clone(fetch)));
        Ok(Self {
            keys: [
                keys("/common/v2.0/.well-known/openid-configuration")?,
                keys("/common/.well-known/openid-configuration")?,
            ],
            issuers: cloud.token_issuers(),
            validation: validation(app_id),
        })
    }

    /// The tenant that a token speaks for, in lower case.
    pub async fn tenant(&self, token: &str) -> Result<String, Refusal> {
        let id = header(token)?.kid.ok_or(Refusal::UnknownKey)?;
        let key = match self.keys[0].find(&id).await {
            Ok(key) => key,
            Err(first) => match (self.keys[1].find(&id).await, Refusal::from(first)) {
                (Ok(key), _) => key,
                (Err(_), unreachable @ Refusal::Unreachable(_)) => return Err(unreachable),
                (Err(second), _) => return Err(second.into()),
            },
        };
        let claims: Claims = claims(token, &key, &self.validation)?;
        let tenant = self.issuing_tenant(&claims.iss).ok_or(Refusal::Issuer)?;
        if claims.tid.is_some_and(|claimed| !claimed.eq_ignore_ascii_case(tenant)) {
            return Err(Refusal::Issuer);
        }
        let sender = claims.azp.or(claims.appid);
        if !sender.is_some_and(|sender| sender.eq_ignore_ascii_case(PUBLISHER)) {
            return Err(Refusal::Publisher);
        }
        Ok(tenant.to_ascii_lowercase())
    }

    fn issuing_tenant<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        let tenant = self.issuers.iter().find_map(|(before, behind)| issuer.strip_prefix(before)?.strip_suffix(behind));
        tenant.filter(|tenant| uuid::Uuid::try_parse(tenant).is_ok())
    }
}
