//! Which faults a request gets: rules are matched against it in order and used up as they say.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::faults::rule::{FaultKind, FaultRule};

/// What the code that builds a page does differently.
#[derive(Default, Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one flag per independent fault
pub struct PageFaults {
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
    /// Different for every affected request.
    pub nonce: u64,
}

/// The faults of one request.
#[derive(Default, Clone, Debug)]
pub struct Injected {
    pub page: PageFaults,
    /// The first rule that matched and is not about the page.
    pub rule: Option<FaultRule>,
    pub no_date: bool,
}

/// A rule, and how often it matched and was used.
struct Armed {
    rule: FaultRule,
    seen: u32,
    used: u32,
    rng: StdRng,
}

#[derive(Default)]
pub struct Injector {
    armed: Vec<Armed>,
    used: u64,
}

impl Injector {
    pub fn add(&mut self, rule: FaultRule) {
        let rng = StdRng::seed_from_u64(rule.seed);
        self.armed.push(Armed { rule, seen: 0, used: 0, rng });
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// The faults of this request; each rule that applies is used once.
    pub fn take(&mut self, method: &str, target: &str, template: &str) -> Injected {
        let mut injected = Injected::default();
        for armed in &mut self.armed {
            if !armed.matches(method, target, template) {
                continue;
            }
            // Of two rules that replace the response only the first is used up.
            if armed.rule.kind.changes_page() || injected.rule.is_none() {
                if !armed.fires() {
                    continue;
                }
                self.used += 1;
                injected.page.nonce = self.used;
                apply(&armed.rule, &mut injected);
            }
        }
        injected
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

fn apply(rule: &FaultRule, injected: &mut Injected) {
    use FaultKind as K;
    let page = &mut injected.page;
    match rule.kind {
        K::Loop => page.loops = true,
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
        _ => injected.rule = Some(rule.clone()),
    }
}
