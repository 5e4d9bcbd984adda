//! A partition: all that a reader elsewhere needs to read one scope of a planned micro-batch, as JSON text.

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::offset::Offset;
use super::round_state::{Phase, RoundState};
use super::scope_set::ScopeSet;
use super::work_item::{Child, WorkItem};
use teams_base::error::{Error, Result};

#[derive(Debug, Serialize, Deserialize)]
pub struct Partition {
    scope: String,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    pub(crate) until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<Timestamp>,
    /// The children as the planner listed them, and which of them, and whether the parent, have been read whole before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    children: Option<Vec<Child>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    /// Where a directory delta starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
}

impl Partition {
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| Error::configuration("partition: it was not made by plan()"))
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and times always serialise")
    }

    /// One parent of a round, with those of its scopes that have been read whole. Where one of them is late, all are read
    /// from where it stood.
    pub(crate) fn of_round(offset: &Offset, item: WorkItem, known: Vec<String>) -> Self {
        let late = known.iter().find_map(|name| offset.known.late(name));
        Self {
            phase: offset.phase,
            since: late.or(offset.since),
            until: offset.until,
            swept: offset.known.owed_sweep(&item.scope).or(offset.swept),
            children: item.children.as_ref().map(|children| children.to_vec()),
            scope: item.scope,
            known,
            link: None,
        }
    }

    /// A directory's changes from a link on, or all of it.
    pub(crate) fn of_directory(until: Timestamp, link: Option<String>) -> Self {
        Self {
            scope: String::new(),
            phase: Phase::Read,
            since: None,
            until,
            swept: None,
            children: None,
            known: Vec::new(),
            link,
        }
    }

    pub(crate) fn item(&self) -> WorkItem {
        WorkItem { children: self.children.clone().map(Into::into), ..WorkItem::parent(&self.scope) }
    }

    pub(crate) fn round(&self) -> RoundState {
        let mut known = ScopeSet::default();
        self.known.iter().for_each(|name| known.insert(name));
        RoundState {
            phase: self.phase,
            since: self.since,
            swept: self.swept,
            known: Mutex::new(known),
            ..RoundState::first(self.until)
        }
    }
}
