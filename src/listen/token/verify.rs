//! All that has to hold before an activity is looked into. Each miss has a name, and leaves no trace but it.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::keys::{Key, Keys, NoKey};

/// Clocks may differ by this, in seconds.
pub(crate) const SKEW: u64 = 300;
/// No token of the issuer is longer.
const LONGEST: usize = 16 << 10;

/// What an activity says of itself, as far as its token has to agree.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub channel: &'a str,
    pub service_url: &'a str,
}

/// Why an activity is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no `Authorization: Bearer ...`.
    NoToken,
    /// It is no JSON Web Token.
    Malformed,
    /// Another algorithm than RS256.
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    /// The key does not sign for the activity's channel, or does not say for which.
    Endorsement,
    /// Somebody else than the publisher of change notifications had it made.
    Publisher,
    /// The token is for another service URL than the activity names, or either names none.
    ServiceUrl,
    /// The keys cannot be fetched: nothing is known of the token.
    Unreachable(String),
}

impl Refusal {
    /// The HTTP status that it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoToken | Self::Malformed => 401,
            Self::Unreachable(_) => 503,
            _ => 403,
        }
    }

    /// Its name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoToken => "no token",
            Self::Malformed => "no JSON Web Token",
            Self::Algorithm => "another algorithm",
            Self::UnknownKey => "an unknown key",
            Self::Signature => "a wrong signature",
            Self::Issuer => "another issuer",
            Self::Audience => "another audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::Endorsement => "a key without endorsement",
            Self::Publisher => "another publisher",
            Self::ServiceUrl => "another service URL",
            Self::Unreachable(_) => "keys that cannot be fetched",
        }
    }
}

#[derive(Clone, Deserialize)]
struct Claims {
    #[serde(alias = "serviceUrl")]
    serviceurl: Option<String>,
}

pub struct Verifier {
    keys: Keys,
    validation: Validation,
}

impl Verifier {
    pub fn new(app_id: &str, issuer: &str, keys: Keys) -> Self {
        let mut validation = validation(app_id);
        validation.set_issuer(&[issuer]);
        Self { keys, validation }
    }

    /// Proves a token; `authorization` is the header as it came. What it is for is then asked of what it proves.
    pub async fn prove(&self, authorization: Option<&str>) -> Result<Proven, Refusal> {
        let (token, header) = read(authorization)?;
        let key = self.keys.find(&header.kid.ok_or(Refusal::UnknownKey)?).await?;
        let claims: Claims = claims(token, &key, &self.validation)?;
        Ok(Proven { key, service_url: claims.serviceurl })
    }

    /// The same, and that it is for what is asked.
    pub async fn verify(&self, authorization: Option<&str>, asked: Asked<'_>) -> Result<(), Refusal> {
        self.prove(authorization).await?.agrees(asked)
    }
}

/// The token of a header, and its own header, which says RS256.
pub(crate) fn read(authorization: Option<&str>) -> Result<(&str, Header), Refusal> {
    let token = authorization.and_then(|header| header.strip_prefix("Bearer ")).ok_or(Refusal::NoToken)?;
    Ok((token, header(token)?))
}

/// A token's own header, which says RS256; it proves nothing yet.
pub(crate) fn header(token: &str) -> Result<Header, Refusal> {
    if token.len() > LONGEST || token.contains(char::is_whitespace) {
        return Err(Refusal::Malformed);
    }
    let header = decode_header(token).map_err(|_| Refusal::Malformed)?;
    if header.alg == Algorithm::RS256 { Ok(header) } else { Err(Refusal::Algorithm) }
}

/// What a token says, once it is proven.
pub(crate) fn claims<C: DeserializeOwned + Clone>(
    token: &str,
    key: &Key,
    validation: &Validation,
) -> Result<C, Refusal> {
    decode::<C>(token, &key.decoding, validation).map(|token| token.claims).map_err(|error| refusal(&error))
}

/// What every token has to hold, whoever it is for.
pub(crate) fn validation(app_id: &str) -> Validation {
    // The algorithm is pinned: neither the token nor the metadata chooses it.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = SKEW;
    validation.validate_nbf = true;
    validation.set_audience(&[app_id]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    validation
}

impl From<NoKey> for Refusal {
    fn from(none: NoKey) -> Self {
        match none {
            NoKey::Unknown => Self::UnknownKey,
            NoKey::Unreachable(why) => Self::Unreachable(why),
        }
    }
}

/// A token of the issuer, for this bot and for now.
pub struct Proven {
    key: Arc<Key>,
    service_url: Option<String>,
}

impl Proven {
    /// Whether it is for what an activity says of itself.
    pub fn agrees(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        // A key that does not say for which channels it signs, signs for none.
        let endorsed = self.key.endorsements.as_ref().is_some_and(|all| all.iter().any(|one| one == asked.channel));
        if !endorsed || asked.channel.is_empty() {
            return Err(Refusal::Endorsement);
        }
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        let claimed = self.service_url.as_deref().map(plain).filter(|url| !url.is_empty());
        if claimed.is_none() || claimed != Some(plain(asked.service_url)) {
            return Err(Refusal::ServiceUrl);
        }
        Ok(())
    }
}

pub(crate) fn refusal(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind as Kind;

    match error.kind() {
        Kind::InvalidSignature => Refusal::Signature,
        Kind::InvalidIssuer => Refusal::Issuer,
        Kind::InvalidAudience => Refusal::Audience,
        Kind::ExpiredSignature => Refusal::Expired,
        Kind::ImmatureSignature => Refusal::NotYetValid,
        Kind::InvalidAlgorithm => Refusal::Algorithm,
        Kind::MissingRequiredClaim(claim) => match claim.as_str() {
            "iss" => Refusal::Issuer,
            "aud" => Refusal::Audience,
            "nbf" => Refusal::NotYetValid,
            _ => Refusal::Expired,
        },
        _ => Refusal::Malformed,
    }
}
