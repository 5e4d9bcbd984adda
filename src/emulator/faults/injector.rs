//! Which faults a request gets: rules are matched against it in order and used up as they say.

use percent_encoding::percent_decode_str;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::faults::rule::{FaultKind, FaultRule, Pages};
use crate::faults::tails::Tails;
use crate::http::request::Request;
use crate::odata::query::Query;

/// What a page has in place of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoItems {
    Empty,
    Null,
    Absent,
}

/// What the code that builds a page does differently.
#[derive(Default, Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one flag per independent fault
pub struct PageFaults {
    /// How many pages the links lead around in.
    pub circle: Option<u32>,
    pub tails: Option<Tails>,
    pub no_items: Option<NoItems>,
    pub repeat: bool,
    pub empty_page: bool,
    pub endless: bool,
    pub foreign_link: bool,
    pub ignore_expand: bool,
    pub ignore_filter: bool,
    pub ignore_top: bool,
    pub no_links: bool,
    pub replytoid_on_roots: bool,
    /// Different for every affected request.
    pub nonce: u64,
}

/// The faults of one request.
#[derive(Default, Clone, Debug)]
pub struct Injected {
    pub page: PageFaults,
    /// The first rule that matched and replaces the response.
    pub rule: Option<FaultRule>,
    pub no_date: bool,
    pub byte_order_mark: bool,
}

/// A rule, and how often it matched and was used.
struct Armed {
    rule: FaultRule,
    seen: u32,
    used: u32,
    rng: StdRng,
    tails: Tails,
}

#[derive(Default)]
pub struct Injector {
    armed: Vec<Armed>,
    used: u64,
}

impl Injector {
    pub fn add(&mut self, rule: FaultRule) {
        let rng = StdRng::seed_from_u64(rule.seed);
        let tails = Tails::new(rule.items);
        self.armed.push(Armed { rule, seen: 0, used: 0, rng, tails });
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// The faults of this request; each rule that applies is used once. `name` is that of its endpoint.
    pub fn take(&mut self, request: &Request, name: &str) -> Injected {
        let mut injected = Injected::default();
        if self.armed.is_empty() {
            return injected;
        }
        let query = Query::parse(&request.raw_query);
        let target = decoded(request);
        for armed in &mut self.armed {
            if !armed.rule.is_about(request, name, &target) || !armed.rule.is_about_query(&query) {
                continue;
            }
            // Of two rules that replace the response only the first is used up.
            if armed.rule.kind.is_additive() || injected.rule.is_none() {
                if !armed.fires() {
                    continue;
                }
                self.used += 1;
                injected.page.nonce = self.used;
                armed.apply(&mut injected);
            }
        }
        injected
    }
}

/// Path and query as a test writes them.
fn decoded(request: &Request) -> String {
    let mark = if request.raw_query.is_empty() { "" } else { "?" };
    let target = format!("{}{mark}{}", request.path, request.raw_query);
    percent_decode_str(&target).decode_utf8_lossy().into_owned()
}

impl FaultRule {
    fn is_about(&self, request: &Request, name: &str, target: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&request.method))
            && (self.path == name
                || self.path.strip_prefix(request.method.as_str()).is_some_and(|rest| rest.trim_start() == name)
                || wildcard(&self.path, target))
    }

    fn is_about_query(&self, query: &Query) -> bool {
        let top = || query.get("$top").and_then(|top| top.parse::<u32>().ok());
        let is_linked = query.get("$skiptoken").or_else(|| query.get("$skip")).is_some();
        let is_on_page = match self.pages {
            Pages::All => true,
            Pages::First => !is_linked,
            Pages::Linked => is_linked,
        };
        is_on_page
            && self.top_above.is_none_or(|bound| top().is_some_and(|top| top > bound))
            && self.expands.as_deref().is_none_or(|name| query.expands(name))
    }
}

impl Armed {
    fn fires(&mut self) -> bool {
        if self.rule.times.is_some_and(|times| self.used >= times) {
            return false;
        }
        self.seen += 1;
        if self.seen <= self.rule.skip || !self.rng.random_bool(self.rule.probability.clamp(0.0, 1.0)) {
            return false;
        }
        self.used += 1;
        true
    }

    fn apply(&self, injected: &mut Injected) {
        use FaultKind as K;
        let rule = &self.rule;
        let page = &mut injected.page;
        match rule.kind {
            K::Loop => page.circle = Some(1),
            K::LinkCircle => page.circle = Some(rule.length),
            K::RepeatItems => page.tails = Some(self.tails.clone()),
            K::EmptyList => page.no_items = Some(NoItems::Empty),
            K::NullValue => page.no_items = Some(NoItems::Null),
            K::NoValue => page.no_items = Some(NoItems::Absent),
            K::Repeat => page.repeat = true,
            K::EmptyPage => page.empty_page = true,
            K::Endless => page.endless = true,
            K::ForeignLink => page.foreign_link = true,
            K::IgnoreExpand => page.ignore_expand = true,
            K::IgnoreFilter => page.ignore_filter = true,
            K::IgnoreTop => page.ignore_top = true,
            K::NoLinks => page.no_links = true,
            K::ReplytoidOnRoots => page.replytoid_on_roots = true,
            K::NoDate => injected.no_date = true,
            K::ByteOrderMark => injected.byte_order_mark = true,
            _ => injected.rule = Some(rule.clone()),
        }
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
