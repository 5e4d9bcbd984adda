//! A fault on demand, as a test asks for it.

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Response with `status` (and `code`, `message`, `inner_code`, `inner_message`, `retry_after`) instead; `body`
    /// replaces the whole error body.
    Status,
    /// Drop the connection before the response; with `after`, once the request had its effect.
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
    /// 401 `ServicePrincipalDisabledOnTenant`: the Teams service refuses what the path names, and the token stays good for
    /// everything else.
    ServicePrincipalDisabled,
    /// 403 "No authorization information", as also seen for an expired token.
    NoAuthorizationInformation,
    /// The nextLink points at the page itself.
    Loop,
    /// The nextLinks lead in a circle of `length` pages, from the first page that the rule is about. A list with fewer
    /// pages repeats its last one.
    LinkCircle,
    /// The last `items` items of a page come again as the first ones of the next page. The rule has to be about both.
    RepeatItems,
    /// No items and no nextLink.
    EmptyList,
    /// `"value": null`, and no nextLink.
    NullValue,
    /// No `value` and no nextLink.
    NoValue,
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
    /// A byte order mark before the body, whatever the response is: a page, a batch, a token, an error.
    ByteOrderMark,
    /// Neither nextLink nor deltaLink.
    NoLinks,
    /// Roots carry their own id as `replyToId`.
    ReplytoidOnRoots,
}

/// Which pages of a list a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    All,
    /// Those that are asked for without a `$skiptoken` or `$skip`.
    First,
    /// Those behind a nextLink.
    Linked,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRule {
    /// Found anywhere in the decoded path and query (`*` stands for anything); or exactly one endpoint, by its template
    /// or its name in the counts: `/teams/{id}/channels`, `GET /teams`.
    pub path: String,
    pub method: Option<String>,
    pub pages: Pages,
    /// Only requests whose `$top` is larger.
    pub top_above: Option<u32>,
    /// Only requests that expand this property.
    pub expands: Option<String>,
    pub kind: FaultKind,
    /// The request has its effect before the fault hits: what is lost is the answer. For `status`, `reset`, `slow` and the
    /// faults of a body.
    pub after: bool,
    /// How many requests it affects; `None`: all of them.
    pub times: Option<u32>,
    /// How many matching requests pass first.
    pub skip: u32,
    pub probability: f64,
    pub seed: u64,
    pub status: u16,
    pub code: Option<String>,
    /// May hold JSON as text, as the errors of back ends do.
    pub message: Option<String>,
    pub inner_code: Option<String>,
    pub inner_message: Option<String>,
    /// The value of `Retry-After`, as it is to be sent.
    pub retry_after: Option<String>,
    pub body: Option<String>,
    pub delay_ms: u64,
    pub length: u32,
    pub items: usize,
}

impl Default for FaultRule {
    fn default() -> Self {
        Self {
            path: String::new(),
            method: None,
            pages: Pages::All,
            top_above: None,
            expands: None,
            kind: FaultKind::Status,
            after: false,
            times: None,
            skip: 0,
            probability: 1.0,
            seed: 0,
            status: 503,
            code: None,
            message: None,
            inner_code: None,
            inner_message: None,
            retry_after: None,
            body: None,
            delay_ms: 1000,
            length: 2,
            items: 1,
        }
    }
}

impl FaultKind {
    /// Whether it leaves the response as it is but for one thing, and so goes together with other faults.
    pub fn is_additive(self) -> bool {
        matches!(
            self,
            Self::Loop
                | Self::LinkCircle
                | Self::RepeatItems
                | Self::EmptyList
                | Self::NullValue
                | Self::NoValue
                | Self::Repeat
                | Self::EmptyPage
                | Self::Endless
                | Self::ForeignLink
                | Self::IgnoreExpand
                | Self::IgnoreFilter
                | Self::IgnoreTop
                | Self::NoDate
                | Self::ByteOrderMark
                | Self::NoLinks
                | Self::ReplytoidOnRoots
        )
    }
}
