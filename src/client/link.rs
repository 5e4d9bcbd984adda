//! Links found in responses. A [`Link`] can only be made by checking it, so that a bearer token never follows one to another host.

use url::Url;

/// A `nextLink` or `deltaLink` that points to the configured Graph host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Link(Url);

impl Link {
    /// Checks a link from a response, or from an offset, against Graph's base URL: same scheme, host and port, and no user info.
    pub fn check(text: &str, base: &Url) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "the link is not a URL")?;
        stays_at(&url, base)?;
        Ok(Self(url))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Tells links apart without keeping them.
    pub fn digest(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(self.as_str().as_bytes())
    }
}

/// Whether a URL leads to the host of `base`, by its scheme and port.
pub fn stays_at(url: &Url, base: &Url) -> Result<(), &'static str> {
    if url.scheme() != base.scheme() {
        return Err("the link changes the scheme");
    }
    if has_user_info(url) {
        return Err("the link carries user info");
    }
    if url.host_str() != base.host_str() || url.port_or_known_default() != base.port_or_known_default() {
        return Err("the link points to another host");
    }
    Ok(())
}

/// Such a URL reads as another host to people, and sends a password along.
pub fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Links hold opaque tokens, so they never show in logs.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({}?..)", self.0.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_graph_host_is_followed() {
        let base = Url::parse("https://graph.microsoft.com").unwrap();
        assert!(Link::check("https://graph.microsoft.com/v1.0/teams?$skiptoken=a", &base).is_ok());
        assert!(Link::check("https://graph.microsoft.com:443/v1.0/teams", &base).is_ok());
        for bad in [
            "http://graph.microsoft.com/v1.0/teams",
            "https://graph.microsoft.com.evil.example/v1.0",
            "https://graph.microsoft.com@evil.example/v1.0",
            "https://user:pw@graph.microsoft.com/v1.0",
            "https://graph.microsoft.com:8443/v1.0",
            "/v1.0/teams",
            "",
        ] {
            assert!(Link::check(bad, &base).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_query() {
        let base = Url::parse("https://graph.microsoft.com").unwrap();
        let link = Link::check("https://graph.microsoft.com/v1.0/teams?$skiptoken=secret", &base).unwrap();
        assert!(!format!("{link:?}").contains("secret"));
    }
}
