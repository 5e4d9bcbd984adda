//! From page to page by `@odata.nextLink`: which links have been followed, and when a list has no end.

use std::collections::HashSet;

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
    /// Pages in a row that held nothing, up to the one to be read.
    pub empty: u32,
}

pub enum Next {
    End,
    Follow(Link),
    /// The link repeats: the same page is read once more, because a passing fault may have caused it.
    Again,
}

impl Pagination {
    /// Goes on at a link that was kept over a pause, so that a page that links to itself is found in the next step too.
    pub fn resumed(link: Option<&Link>, empty: u32) -> Self {
        Self { visited: link.map(Link::digest).into_iter().collect(), reread: false, empty }
    }

    /// The list is read again from its first page.
    pub fn begin_anew(&mut self) {
        self.visited.clear();
        self.empty = 0;
    }

    /// Where to go from a page. After an error the page stands as if it had not been read.
    pub fn next(&mut self, client: &GraphClient, request: &Request, page: &Page) -> Result<Next> {
        let Some(text) = page.next_link.as_deref() else { return Ok(Next::End) };
        let empty = if page.items == 0 { self.empty + 1 } else { 0 };
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
            self.empty = empty;
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
