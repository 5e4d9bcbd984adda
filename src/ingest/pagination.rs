//! From page to page by `@odata.nextLink`: which links have been followed, and when a list has no end.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use teams_base::error::{Error, GraphFailure, Result};
use teams_client::GraphClient;
use teams_client::link::Link;
use teams_client::request::Request;
use teams_tables::Page;

/// A page may be empty and still link to another: Graph filters after it has cut its pages. This many of them in a row
/// are half a million items without one that is wanted; a list that links on after them is taken to have no end.
pub const EMPTY_PAGES: u32 = 10_000;

/// The links followed so far.
#[derive(Debug, Clone, Default)]
pub struct Pagination {
    visited: HashSet<u64>,
    /// The page is being read once more, because it linked to one that was read before.
    pub reread: bool,
    pub trail: Trail,
}

/// What of a pagination outlives a pause. An offset has no room for all links, so that circles are found over pauses by
/// Brent's method: each link is compared with the one that was followed last at a power of two. A circle of any length is
/// met before its pages were read three times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// Pages in a row that held nothing, up to the one to be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty: u32,
    /// Links followed.
    #[serde(default, rename = "n", skip_serializing_if = "is_zero")]
    pub followed: u32,
    /// Digest of the link that others are compared with.
    #[serde(default, rename = "m", skip_serializing_if = "is_zero")]
    pub mark: u64,
}

impl Trail {
    fn follow(&mut self, digest: u64, empty: u32) {
        self.empty = empty;
        self.followed = self.followed.saturating_add(1);
        if self.followed.is_power_of_two() {
            self.mark = digest;
        }
    }
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub enum Next {
    End,
    Follow(Link),
    /// The link repeats: the same page is read once more, because a passing fault may have caused it.
    Again,
}

impl Pagination {
    /// Goes on at a link that was kept over a pause; without one the list is read from its first page.
    pub fn resumed(link: Option<&Link>, trail: Trail) -> Self {
        let Some(link) = link else { return Self::default() };
        let mark = (trail.followed > 0).then_some(trail.mark);
        Self { visited: mark.into_iter().chain([link.digest()]).collect(), reread: false, trail }
    }

    /// The list is read again from its first page.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Where to go from a page. After an error the page stands as if it had not been read.
    pub fn next(&mut self, client: &GraphClient, request: &Request, page: &Page) -> Result<Next> {
        let Some(text) = page.next_link.as_deref() else { return Ok(Next::End) };
        let empty = if page.items == 0 { self.trail.empty + 1 } else { 0 };
        if empty > EMPTY_PAGES {
            return Err(protocol_error(
                request,
                format!(
                    "{EMPTY_PAGES} pages in a row are empty, and each links to another, so that the list has no end"
                ),
                "Nothing is lost: the next run asks for the same page again. If it stays, a full refresh of this table \
                 begins the list anew; report it to Microsoft with the scope",
            ));
        }
        let link = client.link(text, request)?;
        if self.visited.insert(link.digest()) {
            self.reread = false;
            self.trail.follow(link.digest(), empty);
            return Ok(Next::Follow(link));
        }
        if !self.reread {
            self.reread = true;
            return Ok(Next::Again);
        }
        Err(protocol_error(
            request,
            "the pages link in a circle, so what comes after them can't be read".to_owned(),
            "Try again later; if it stays, report it to Microsoft with the scope",
        ))
    }
}

/// An answer that can't be what Graph means.
pub fn protocol_error(request: &Request, message: String, remedy: &str) -> Error {
    Error::Protocol(Box::new(GraphFailure {
        endpoint: request.endpoint.template,
        scope: request.scope.clone(),
        message,
        remedy: remedy.to_owned(),
        ..GraphFailure::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_pauses_a_circle_of_any_length_is_met_in_time() {
        for (tail, length) in [(0, 1), (0, 2), (1, 2), (5, 3), (2, 64), (1_000, 7), (3, 1_000)] {
            let page = |at: u64| if at < tail { at } else { tail + (at - tail) % length };
            let mut trail = Trail::default();
            let met = (0..10_000).find(|at| {
                let is_met = trail.followed > 0 && page(*at) == trail.mark;
                trail.follow(page(*at), 0);
                is_met
            });
            assert!(met.unwrap() < 3 * (tail + length) + 3, "{tail} {length}: {met:?}");
        }
    }
}
