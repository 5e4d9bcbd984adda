//! From a method and a path to an endpoint and the ids in the path. Built from a table of endpoints.

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use crate::graph::endpoint::Endpoint;
use crate::http::method::Method;

/// One segment of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    /// A function with arguments: `name({id})`. The whole call is the id.
    Function(&'static str),
    Id,
    /// Matches as an id does, and is not handed on.
    Ignored,
}

impl Segment {
    fn parse(template: &'static str) -> Vec<Self> {
        let segment = |text: &'static str| match (text, text.strip_suffix("({id})")) {
            ("{id}", _) => Self::Id,
            ("{_}", _) => Self::Ignored,
            (_, Some(name)) => Self::Function(name),
            (literal, None) => Self::Literal(literal),
        };
        template.split('/').skip(1).map(segment).collect()
    }

    /// Names are matched without regard to case: Graph's own links write `getallMessages`.
    fn matches(self, text: &str) -> bool {
        match self {
            Self::Literal(name) => name.eq_ignore_ascii_case(text),
            Self::Function(name) => text.split_once('(').is_some_and(|(called, _)| called.eq_ignore_ascii_case(name)),
            Self::Id | Self::Ignored => true,
        }
    }

    /// What tells segments apart, the more specific first. Both kinds of id are the same.
    fn rank(self) -> (u8, &'static str) {
        match self {
            Self::Literal(name) => (0, name),
            Self::Function(name) => (1, name),
            Self::Id | Self::Ignored => (2, ""),
        }
    }
}

struct Pattern {
    segments: Vec<Segment>,
    endpoint: &'static Endpoint,
}

impl Pattern {
    fn matches(&self, parts: &[String]) -> bool {
        self.segments.len() == parts.len()
            && self.segments.iter().zip(parts).all(|(segment, part)| segment.matches(part))
    }

    /// Names go before ids, from the left.
    fn compare(&self, other: &Self) -> Ordering {
        let rank = |pattern: &Self| pattern.segments.iter().map(|segment| segment.rank()).collect::<Vec<_>>();
        rank(self).cmp(&rank(other))
    }

    fn ids(&self, parts: &[String]) -> Vec<String> {
        let taken = self.segments.iter().zip(parts);
        let taken = taken.filter(|(segment, _)| matches!(segment, Segment::Id | Segment::Function(_)));
        taken.map(|(_, part)| part.clone()).collect()
    }
}

/// Where a request leads.
pub enum Route {
    Found {
        endpoint: &'static Endpoint,
        /// The ids of the path, in order.
        ids: Vec<String>,
    },
    /// The path is known, and has other methods.
    MethodNotAllowed(&'static Endpoint),
    Unknown,
}

impl Route {
    /// The endpoint's name in logs and counts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Found { endpoint, .. } | Self::MethodNotAllowed(endpoint) => endpoint.name(),
            Self::Unknown => "(unknown)",
        }
    }
}

pub struct Router {
    /// The most specific first.
    patterns: Vec<Pattern>,
}

impl Router {
    pub fn new(endpoints: &'static [Endpoint]) -> Self {
        let mut patterns = Vec::new();
        for endpoint in endpoints {
            for template in endpoint.aliases.iter().chain([&endpoint.template]) {
                patterns.push(Pattern { segments: Segment::parse(template), endpoint });
            }
        }
        patterns.sort_by(Pattern::compare);
        Self { patterns }
    }

    /// `path` is what follows `/v1.0`; `method` is `None` for one that no endpoint has.
    pub fn route(&self, method: Option<Method>, path: &str) -> Route {
        let parts = segments(path);
        let Some(first) = self.patterns.iter().position(|pattern| pattern.matches(&parts)) else {
            return Route::Unknown;
        };
        // The methods of a path are neighbours; a less specific path is not searched for one.
        let best = &self.patterns[first];
        let same_path = self.patterns[first..].iter().take_while(|other| other.compare(best).is_eq());
        match same_path.into_iter().find(|pattern| Some(pattern.endpoint.method) == method) {
            Some(pattern) => Route::Found { endpoint: pattern.endpoint, ids: pattern.ids(&parts) },
            None => Route::MethodNotAllowed(best.endpoint),
        }
    }
}

/// Splits a path into decoded segments. Graph's own links also use the key form `teams('id')`.
fn segments(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for raw in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decode_str(raw).decode_utf8_lossy().into_owned();
        match part.split_once("('") {
            Some((name, key)) if key.ends_with("')") => {
                parts.push(name.to_owned());
                parts.push(key.trim_end_matches("')").to_owned());
            }
            _ => parts.push(part),
        }
    }
    parts
}
