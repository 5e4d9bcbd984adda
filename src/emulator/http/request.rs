//! The parts of a request that decide its response.

use bytes::Bytes;

#[derive(Clone, Default)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// With `/v1.0`, undecoded.
    pub path: String,
    pub raw_query: String,
    /// `http://host:port`, as the caller named it: Graph's links come back on the host that was asked.
    pub base: String,
    pub authorization: Option<String>,
    pub prefer: Option<String>,
    pub client_request_id: Option<String>,
    pub user_agent: Option<String>,
    pub content_range: Option<String>,
    pub body: Bytes,
    pub connection: u64,
    /// Whether it came as a part of a `$batch`.
    pub batched: bool,
}

impl Request {
    /// The token of `Authorization: Bearer ...`.
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.authorization.as_deref()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether `Prefer` names this preference.
    pub fn prefers(&self, wanted: &str) -> bool {
        self.prefer
            .as_deref()
            .is_some_and(|values| values.split([',', ';']).any(|value| value.trim().eq_ignore_ascii_case(wanted)))
    }
}
