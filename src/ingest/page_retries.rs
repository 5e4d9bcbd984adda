//! Pages that are too heavy for their server: it fails each time it is asked for that many rows, and gives fewer.
//!
//! | turn | asked for | how often |
//! |---|---|---|
//! | 1 | the page as it is | twice |
//! | 2 | the first page, in the small size | twice |
//! | 3 | the page as it is: what failed twice was not its size | as long as retries go |
//!
//! A link is never changed to another size: where its token counts pages, rows would be left out. So a scope that fails
//! behind a link is read again from its first page.

use crate::context::ReadContext;
use crate::error_policy::{may_be_too_heavy, may_be_too_large, with_smaller_top};
use crate::state::work_item::WorkItem;
use teams_base::error::{Error, Result};
use teams_client::link::Link;
use teams_client::request::Request;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Usual,
    Small,
    Last,
}

/// The turns of one page.
pub struct PageRetries {
    first: Request,
    link: Option<Link>,
    top: u32,
    small: u32,
    turn: Turn,
    can_shrink: bool,
    why: String,
}

impl PageRetries {
    /// The page that `item` is at. `first` asks for the first page and names no size.
    pub fn new(first: Request, item: &WorkItem, top: u32, small: u32) -> Self {
        let asked = item.link.as_ref().and_then(top_of).unwrap_or(top);
        let can_shrink = asked > small && !item.tries.small_pages;
        Self { first, link: item.link.clone(), top: asked, small, turn: Turn::Usual, can_shrink, why: String::new() }
    }

    /// What to send now.
    pub fn request(&self) -> Request {
        let usual = || match &self.link {
            Some(link) => self.first.follow(link.clone()),
            None => self.first.clone().query("$top", self.top),
        };
        match self.turn {
            Turn::Usual if self.can_shrink => usual().briefly(),
            Turn::Usual | Turn::Last => usual(),
            Turn::Small => self.first.clone().query("$top", self.small).briefly(),
        }
    }

    /// Moves on to the next turn; the error where there is none.
    pub fn failed(&mut self, error: Error) -> Result<()> {
        let is_first_page = self.link.is_none();
        let is_size = may_be_too_heavy(&error) || is_first_page && may_be_too_large(&error);
        self.turn = match self.turn {
            Turn::Usual if self.can_shrink && is_size => Turn::Small,
            // A refusal is the same in every size.
            Turn::Small if may_be_too_heavy(&error) && !error.ends_run() => Turn::Last,
            _ if may_be_too_heavy(&error) => return Err(with_smaller_top(error, self.top.min(self.small))),
            _ => return Err(error),
        };
        if self.turn == Turn::Small {
            self.why = error.status().map_or("no answer in time".to_owned(), |status| format!("status {status}"));
        }
        Ok(())
    }

    /// A turn succeeded: the item goes on behind its page. `true` where that took the small size.
    pub fn succeeded(&self, context: &ReadContext, item: &mut WorkItem) -> bool {
        if self.turn != Turn::Small {
            return false;
        }
        if item.link.is_some() {
            item.restart();
        }
        item.tries.small_pages = true;
        let (endpoint, top, small, why) = (self.first.endpoint.template, self.top, self.small, &self.why);
        context.report().note(format!(
            "the slow way: {endpoint} gives no page of {top} rows ({why}), so it is asked for {small} at a time; \
             top={small} does so from the start"
        ));
        true
    }
}

/// The size that a link asks for, where it says so.
fn top_of(link: &Link) -> Option<u32> {
    link.url().query_pairs().find(|(name, _)| name == "$top")?.1.parse().ok()
}
