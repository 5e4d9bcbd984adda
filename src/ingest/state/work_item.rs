//! A work item: a scope, and how far it has been read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::offset::{Open, OpenStage};
use super::window::Window;
use crate::dedup::SeenKeys;
use crate::pagination::Pagination;
use teams_client::link::Link;

/// Something to read, resumable at its page.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each was learned on its own")]
pub struct WorkItem {
    /// `team`, `team/channel`, `user`, `user/chat`.
    pub scope: String,
    pub stage: Stage,
    /// The next page; `None` for the first.
    pub link: Option<Link>,
    /// On a parent: the last child started. On a child: the one started before it.
    pub after_child: Option<String>,
    /// The children, once they have been listed.
    pub children: Option<Arc<[Child]>>,
    /// They were just listed, and there seemed to be none at first.
    pub is_doubtful: bool,
    /// The parent's history was exported in this round, so that its children are read from before the export's lag.
    pub exported: bool,
    /// The parent's export was refused, so that its children are read one by one.
    pub refused: bool,
    /// Of a first history that failed in an earlier round: when that round began.
    pub history_until: Option<jiff::Timestamp>,
    /// The keys of the rows read so far, where each may come only once.
    pub seen_keys: Option<SeenKeys>,
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
    /// Channel delta is refused for this channel: it is listed.
    pub delta_refused: bool,
    pub pagination: Pagination,
    pub tries: Tries,
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

/// What is read next of an item's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// A parent: its children are listed, and it is decided how they are read.
    #[default]
    Parent,
    /// A window of a parent's export.
    Export(Window),
    /// One child.
    Child,
}

/// What has been tried once more.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each was tried on its own")]
pub struct Tries {
    /// The scope was read again from its first page, because its link had died.
    pub restarted: bool,
    /// The scope was not found, and is asked for a second time.
    pub confirmed: bool,
    /// It is asked for small pages, because larger ones failed.
    pub small_pages: bool,
    /// How often the window was read again.
    pub window_reads: u8,
    /// The first window of a cut.
    pub first_of_cut: bool,
    /// How often a round has gone on from here in vain.
    pub stalls: u8,
}

impl WorkItem {
    pub fn parent(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), ..Self::default() }
    }

    pub fn child(&self, id: &str) -> Self {
        Self {
            scope: format!("{}/{id}", self.scope),
            stage: Stage::Child,
            exported: self.exported,
            after_child: self.after_child.clone(),
            seen_keys: self.seen_keys.clone(),
            ..Self::default()
        }
    }

    pub fn window(&self, window: Window) -> Self {
        Self {
            scope: self.scope.clone(),
            stage: Stage::Export(window),
            history_until: self.history_until,
            seen_keys: self.seen_keys.clone(),
            ..Self::default()
        }
    }

    /// The children that have been listed.
    pub fn listed_children(&self) -> impl Iterator<Item = &Child> {
        self.children.iter().flat_map(|children| children.iter())
    }

    /// A child's scope.
    pub fn child_scope(&self, child: &Child) -> String {
        format!("{}/{}", self.scope, child.id)
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

    /// Whether the item is read on although the caps are reached: a link that died in one pause would not outlive the
    /// next, and a scope that was not found, or a page that links to itself, is asked for again without a pause.
    pub fn outlasts_caps(&self) -> bool {
        let tries = &self.tries;
        tries.restarted || tries.confirmed || self.pagination.reread || tries.first_of_cut
    }

    /// Begins again at the first page.
    pub fn restart(&mut self) {
        self.link = None;
        self.pagination.begin_anew();
        self.rows = 0;
        self.checked = None;
    }

    #[must_use]
    pub fn begun_anew(mut self) -> Self {
        self.restart();
        self.tries = Tries::default();
        self
    }

    pub fn to_open(&self) -> Open {
        let (stage, window) = match self.stage {
            Stage::Parent => (OpenStage::Parent, Window::default()),
            Stage::Export(window) => (OpenStage::Export, window),
            Stage::Child => (OpenStage::Child, Window::default()),
        };
        Open {
            scope: self.scope.clone(),
            stage: Some(stage),
            link: self.link.as_ref().map(|link| link.as_str().to_owned()),
            from: window.from,
            to: window.to,
            after: self.after_child.clone(),
            exported: self.exported,
            rereads: self.tries.window_reads,
            begun: self.checked.filter(|_| self.link.is_some()),
            trail: self.pagination.trail,
            refused: self.refused,
            history_until: self.history_until,
            stalls: self.tries.stalls,
            resync: false,
        }
    }

    /// The item that an open scope of an offset stands for; a link that fails the check restarts its scope.
    pub fn from_open(open: &Open, link: impl Fn(&str) -> Option<Link>) -> Self {
        let stage = match open.stage() {
            OpenStage::Parent => Stage::Parent,
            OpenStage::Export => Stage::Export(Window { from: open.from, to: open.to }),
            OpenStage::Child => Stage::Child,
        };
        let link = open.link.as_deref().and_then(link);
        Self {
            scope: open.scope.clone(),
            stage,
            pagination: Pagination::resumed(link.as_ref(), open.trail),
            checked: open.begun.filter(|_| link.is_some()),
            tries: Tries { window_reads: open.rereads, stalls: open.stalls, ..Tries::default() },
            link,
            after_child: open.after.clone(),
            exported: open.exported,
            refused: open.refused,
            history_until: open.history_until,
            ..Self::default()
        }
    }
}
