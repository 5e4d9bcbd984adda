//! What a token allows: the application permissions in its `roles` claim.
//! <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use teams_base::secret::Secret;

/// Read to tell people what is missing, never to decide what is allowed: that is Graph's to do, so the signature does
/// not matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roles {
    Granted(BTreeSet<String>),
    /// The token is opaque, or carries no roles: those of some managed identities, and of users.
    Unknown,
}

impl Roles {
    pub fn of(token: &Secret) -> Self {
        #[derive(Deserialize)]
        struct Claims {
            roles: Option<BTreeSet<String>>,
        }
        let mut parts = token.expose().split('.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Self::Unknown;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok();
        let claims = claims.and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
        claims.and_then(|claims| claims.roles).map_or(Self::Unknown, Self::Granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn the_roles_of_a_token_are_read() {
        let roles = Roles::of(&token(r#"{"aud":"graph","roles":["B","A"]}"#));
        assert_eq!(roles, Roles::Granted(["A".to_owned(), "B".to_owned()].into()));
        assert_eq!(Roles::of(&token(r#"{"roles":[]}"#)), Roles::Granted(BTreeSet::new()));
    }

    #[test]
    fn what_tells_nothing_is_unknown() {
        let five_parts = Secret::new("a.b.c.d.e");
        let opaque = Secret::new("EwBwA8l6BAAU");
        for token in [opaque, five_parts, token("{}"), token("[1]"), token("not json"), Secret::new("a.%%.c")] {
            assert_eq!(Roles::of(&token), Roles::Unknown);
        }
    }
}
