//! A fault on demand, as a test asks for it.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Response with `status` (and `code`, `message`, `retry_after`, `body`) instead.
    Status,
    /// Drop the connection before the response.
    Reset,
    /// Declare the full length, send half, drop the connection.
    Truncate,
    /// Wait `delay_ms` before the response.
    Slow,
    /// Wait `delay_ms` in the middle of the body.
    SlowBody,
    /// 200 with an HTML page.
    GarbageHtml,
    /// 200 with bytes that are not UTF-8 inside a JSON string.
    GarbageUtf8,
    /// 200 with half a JSON document, correctly framed.
    GarbageJson,
    /// 401 as for an expired token.
    ExpiredToken,
    /// 403 "No authorization information", as also seen for an expired token.
    NoAuthorizationInformation,
    /// The nextLink points at the page itself.
    Loop,
    /// The page comes once more behind a different link.
    Repeat,
    /// An empty page with a nextLink comes before the real one.
    EmptyPage,
    /// Empty pages, each with a nextLink that was never given before.
    Endless,
    /// The nextLink points at another host.
    ForeignLink,
    IgnoreExpand,
    IgnoreFilter,
    IgnoreTop,
    NoDate,
    /// Neither nextLink nor deltaLink.
    NoLinks,
    /// Roots carry their own id as `replyToId`.
    ReplytoidOnRoots,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRule {
    /// Found anywhere in the decoded path and query (`*` stands for anything); or exactly one endpoint, by its template
    /// or its name in the counts: `/teams/{id}/channels`, `GET /teams`.
    pub path: String,
    pub method: Option<String>,
    pub kind: FaultKind,
    /// How many requests it affects; `None`: all of them.
    pub times: Option<u32>,
    /// How many matching requests pass first.
    pub skip: u32,
    pub probability: f64,
    pub seed: u64,
    pub status: u16,
    pub code: Option<String>,
    pub message: Option<String>,
    /// The value of `Retry-After`, as it is to be sent.
    pub retry_after: Option<String>,
    pub body: Option<String>,
    pub delay_ms: u64,
}

impl Default for FaultRule {
    fn default() -> Self {
        Self {
            path: String::new(),
            method: None,
            kind: FaultKind::Status,
            times: None,
            skip: 0,
            probability: 1.0,
            seed: 0,
            status: 503,
            code: None,
            message: None,
            retry_after: None,
            body: None,
            delay_ms: 1000,
        }
    }
}

impl FaultKind {
    /// Whether it changes the page that a handler builds, and leaves the rest of the response as it is.
    pub fn changes_page(self) -> bool {
        matches!(
            self,
            Self::Loop
                | Self::Repeat
                | Self::EmptyPage
                | Self::Endless
                | Self::ForeignLink
                | Self::IgnoreExpand
                | Self::IgnoreFilter
                | Self::IgnoreTop
                | Self::NoDate
                | Self::NoLinks
                | Self::ReplytoidOnRoots
        )
    }
}
