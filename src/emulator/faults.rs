//! Faults on demand: a list of rules, each matched against requests and used up as told.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Answer with `status` (and `code`, `message`, `retry_after`, `body`) instead.
    Status,
    /// Drop the connection before the answer.
    Reset,
    /// Declare the full length, send half, drop the connection.
    Truncate,
    /// Wait `delay_ms` before the answer.
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
    /// How many requests it strikes; `None`: all of them.
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

/// What the page-building code has to do differently.
#[derive(Default, Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one flag per independent fault
pub struct Shape {
    pub loops: bool,
    pub repeat: bool,
    pub empty_page: bool,
    pub endless: bool,
    pub foreign_link: bool,
    pub ignore_expand: bool,
    pub ignore_filter: bool,
    pub ignore_top: bool,
    pub no_links: bool,
    pub replytoid_on_roots: bool,
    /// Different for every struck request.
    pub nonce: u64,
}

/// What happens to one request.
#[derive(Default, Clone, Debug)]
pub struct Strike {
    pub shape: Shape,
    /// Everything that is not about a page's shape; the first rule that matched.
    pub other: Option<FaultRule>,
    pub no_date: bool,
}

struct Armed {
    rule: FaultRule,
    seen: u32,
    struck: u32,
    rng: StdRng,
}

#[derive(Default)]
pub struct Faults {
    armed: Vec<Armed>,
    struck: u64,
}

impl Faults {
    pub fn add(&mut self, rule: FaultRule) {
        let rng = StdRng::seed_from_u64(rule.seed);
        self.armed.push(Armed { rule, seen: 0, struck: 0, rng });
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }

    pub fn take(&mut self, method: &str, target: &str, template: &str) -> Strike {
        let mut strike = Strike::default();
        for armed in &mut self.armed {
            if !armed.matches(method, target, template) {
                continue;
            }
            // Of two rules that replace the answer only the first is used up.
            if is_shape(armed.rule.kind) || strike.other.is_none() {
                if !armed.fires() {
                    continue;
                }
                self.struck += 1;
                strike.shape.nonce = self.struck;
                apply(&armed.rule, &mut strike);
            }
        }
        strike
    }
}

impl Armed {
    fn matches(&self, method: &str, target: &str, template: &str) -> bool {
        let rule = &self.rule;
        rule.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && (rule.path == template
                || rule.path.strip_prefix(method).is_some_and(|rest| rest.trim_start() == template)
                || wildcard(&rule.path, target))
    }

    fn fires(&mut self) -> bool {
        if self.rule.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        self.seen += 1;
        if self.seen <= self.rule.skip || !self.rng.random_bool(self.rule.probability.clamp(0.0, 1.0)) {
            return false;
        }
        self.struck += 1;
        true
    }
}

fn wildcard(pattern: &str, target: &str) -> bool {
    let mut rest = target;
    pattern.split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn is_shape(kind: FaultKind) -> bool {
    use FaultKind as K;
    matches!(
        kind,
        K::Loop
            | K::Repeat
            | K::EmptyPage
            | K::Endless
            | K::ForeignLink
            | K::IgnoreExpand
            | K::IgnoreFilter
            | K::IgnoreTop
            | K::NoDate
            | K::NoLinks
            | K::ReplytoidOnRoots
    )
}

fn apply(rule: &FaultRule, strike: &mut Strike) {
    use FaultKind as K;
    let shape = &mut strike.shape;
    match rule.kind {
        K::Loop => shape.loops = true,
        K::Repeat => shape.repeat = true,
        K::EmptyPage => shape.empty_page = true,
        K::Endless => shape.endless = true,
        K::ForeignLink => shape.foreign_link = true,
        K::IgnoreExpand => shape.ignore_expand = true,
        K::IgnoreFilter => shape.ignore_filter = true,
        K::IgnoreTop => shape.ignore_top = true,
        K::NoLinks => shape.no_links = true,
        K::ReplytoidOnRoots => shape.replytoid_on_roots = true,
        K::NoDate => strike.no_date = true,
        _ => strike.other = Some(rule.clone()),
    }
}
