//! A piece of work: a scope, and how far it has been read.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::offset::Open;
use super::trail::Trail;
use super::window::Window;
use teams_client::link::Link;
use teams_tables::KeySet;

/// Keys given out so far, where each may come only once.
pub type Seen = Arc<Mutex<KeySet>>;

/// Something to read, resumable at its page.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each was learned on its own")]
pub struct Item {
    /// `team`, `team/channel`, `user`, `user/chat`.
    pub scope: String,
    pub stage: Stage,
    /// The next page; `None` for the first.
    pub link: Option<Link>,
    /// On a parent: the last child started. On a child: the one started before it.
    pub after_child: Option<String>,
    /// The children, once they have been listed.
    pub children: Option<Arc<[Child]>>,
    /// The parent's history was exported in this round, so that its children are read from before the export's lag.
    pub exported: bool,
    /// The parent's export was refused, so that its children are read one by one.
    pub refused: bool,
    pub seen: Option<Seen>,
    /// Rows on the pages read so far.
    pub rows: usize,
    pub oldest: Option<jiff::Timestamp>,
    pub newest: Option<jiff::Timestamp>,
    /// The server answered with rows outside the window.
    pub filter_ignored: bool,
    /// Whether pages were linked by plain `$skip`, which drops a row when another leaves the window.
    pub skip_paging: bool,
    /// When the window was last begun.
    pub checked: Option<jiff::Timestamp>,
    /// The server leaves replies out: they are listed for each root.
    pub unexpanded: bool,
    /// Delta is refused: the channel is listed.
    pub listed: bool,
    pub(super) trail: Trail,
    pub(super) tries: Tries,
}

/// A channel of a team, or a chat of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    pub id: String,
    /// The export may not hold it: a channel that is not standard.
    pub is_special: bool,
    /// When something was last said in it, where the listing tells.
    pub active: Option<jiff::Timestamp>,
}

/// What an item is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Look at a parent: list its children, and decide.
    #[default]
    Parent,
    /// Read a window of a parent's export.
    Export(Window),
    /// Read one child.
    Child,
}

/// Second chances that were taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    pub(super) restarted: bool,
    pub(super) confirmed: bool,
    pub(super) window_reads: u8,
    /// The first window of a cut.
    pub(super) first_of_cut: bool,
}

impl Item {
    pub fn parent(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), ..Self::default() }
    }

    pub fn child(&self, id: &str) -> Self {
        Self {
            scope: format!("{}/{id}", self.scope),
            stage: Stage::Child,
            exported: self.exported,
            after_child: self.after_child.clone(),
            seen: self.seen.clone(),
            ..Self::default()
        }
    }

    pub fn window(&self, window: Window) -> Self {
        Self { scope: self.scope.clone(), stage: Stage::Export(window), seen: self.seen.clone(), ..Self::default() }
    }

    /// The parent's id and the child's; ids hold no slash.
    pub fn ids(&self) -> (&str, &str) {
        self.scope.split_once('/').unwrap_or((&self.scope, ""))
    }

    /// Nothing of its scope has been read.
    pub fn is_fresh(&self) -> bool {
        self.stage == Stage::Parent
            && self.link.is_none()
            && self.rows == 0
            && self.after_child.is_none()
            && !self.exported
            && !self.refused
    }

    /// A scope whose link died in a pause is read to its end now: its next link might not outlive the next pause. Nor
    /// is there a pause before the second question where a scope was not found, or where a page links to itself.
    pub fn outlasts_caps(&self) -> bool {
        let tries = &self.tries;
        tries.restarted || tries.confirmed || self.trail.reread || tries.first_of_cut
    }

    /// Begins again at the first page.
    pub(super) fn restart(&mut self) {
        self.link = None;
        self.trail.begin_anew();
        self.rows = 0;
        self.checked = None;
    }

    pub fn to_open(&self) -> Open {
        let window = match self.stage {
            Stage::Export(window) => window,
            Stage::Parent | Stage::Child => Window::default(),
        };
        Open {
            scope: self.scope.clone(),
            link: self.link.as_ref().map(|link| link.as_str().to_owned()),
            from: window.from,
            to: window.to,
            after: self.after_child.clone(),
            exported: self.exported,
            rereads: self.tries.window_reads,
            begun: self.checked.filter(|_| self.link.is_some()),
            empty: self.trail.empty,
            resync: false,
        }
    }

    /// The item that an open scope of an offset stands for; a link that fails the check restarts its scope.
    pub fn from_open(open: &Open, link: impl Fn(&str) -> Option<Link>) -> Self {
        let stage = match open.to {
            Some(_) => Stage::Export(Window { from: open.from, to: open.to }),
            None if open.scope.contains('/') => Stage::Child,
            None => Stage::Parent,
        };
        let link = open.link.as_deref().and_then(link);
        Self {
            scope: open.scope.clone(),
            stage,
            trail: Trail::resumed(link.as_ref(), if link.is_some() { open.empty } else { 0 }),
            checked: open.begun.filter(|_| link.is_some()),
            tries: Tries { window_reads: open.rereads, ..Tries::default() },
            link,
            after_child: open.after.clone(),
            exported: open.exported,
            ..Self::default()
        }
    }
}
