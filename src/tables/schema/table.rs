//! A table: its name, its columns, and how it is read.

use std::borrow::Cow;

use teams_base::graph::endpoint::Endpoint;
use teams_base::graph::permissions::alternatives;

use super::column::Column;
use super::list::List;
use super::reading::{Archive, Meetings, Reading};
use super::takes::Takes;

/// How a table's rows relate to the destination's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingestion {
    /// The whole table at each read: what is missing has been deleted.
    Snapshot,
    /// New versions of rows, to be merged by key.
    Cdc,
    /// The same, and deleted keys beside them.
    CdcWithDeletes,
}

impl Ingestion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Cdc => "cdc",
            Self::CdcWithDeletes => "cdc_with_deletes",
        }
    }
}

#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub description: &'static str,
    pub columns: &'static [Column],
    pub keys: &'static [&'static str],
    pub cursor: Option<&'static str>,
    pub ingestion: Ingestion,
    /// Which options name or discover what is read, for the documentation; the reader checks them.
    pub required_options: &'static str,
    pub reading: Reading,
    /// What the rows are taken from, where they are parts of the messages that are read.
    pub takes: Option<Takes>,
    /// How the documentation writes the endpoints, where it says more than their templates.
    pub(crate) endpoint_text: Option<&'static str>,
}

impl Table {
    /// A snapshot, with all that follows from the way it is read. Declarations add the name, the description and the columns.
    pub(crate) const fn of(reading: Reading) -> Self {
        Self {
            name: "",
            description: "",
            columns: &[],
            keys: reading.keys(),
            cursor: None,
            ingestion: Ingestion::Snapshot,
            required_options: reading.options(),
            reading,
            takes: None,
            endpoint_text: None,
        }
    }

    /// One list per parent.
    pub(crate) const fn list(list: &'static List) -> Self {
        Self::of(Reading::List(list))
    }

    /// The endpoints that its rows come from; where options choose between them, the preferred first.
    pub fn endpoints(&self) -> &'static [&'static Endpoint] {
        self.reading.endpoints()
    }

    /// Where the rows come from, for the documentation.
    pub fn documented_endpoint(&self) -> Cow<'static, str> {
        self.endpoint_text.map_or_else(
            || {
                let endpoints = self.endpoints().iter().map(|endpoint| format!("GET {}", endpoint.template));
                endpoints.collect::<Vec<_>>().join("; ").into()
            },
            Cow::Borrowed,
        )
    }

    /// The least privileged application permissions: those for discovering what is read, then those of the endpoints, so
    /// that the last is the table's own.
    pub fn permissions(&self) -> Vec<&'static str> {
        let own: Vec<_> = self.endpoints().iter().map(|endpoint| endpoint.permission).collect();
        let is_covered = |name: &&str| own.iter().any(|own| alternatives(name).contains(own));
        let mut discovery = self.reading.discovery_permissions();
        discovery.retain(|name| !is_covered(name));
        let mut all = Vec::new();
        for name in discovery.into_iter().chain(own) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// Whether it is usual that the whole table holds nothing: of every tenant there are teams, and not of every one shifts.
    pub fn may_be_empty(&self) -> bool {
        match self.reading {
            Reading::List(list) => list.empty == super::list::Empty::Usual,
            Reading::Archive(_) | Reading::Meetings(_) | Reading::Report(_) => true,
            _ => false,
        }
    }

    /// What the tenant must have beside permissions. Only a refusal shows that it is missing.
    pub fn prerequisite(&self) -> Option<&'static str> {
        match self.reading {
            Reading::List(list) => Some(list.prerequisites).filter(|text| !text.is_empty()),
            Reading::Archive(Archive::Retained) => Some("a Purview retention policy that covers Teams"),
            Reading::Meetings(Meetings::Transcripts | Meetings::Recordings) => {
                Some("an application access policy for online meetings, granted to this app by a Teams administrator")
            }
            _ => None,
        }
    }

    /// The key of the message whose items a table's rows are, where a version of it replaces all of them.
    pub fn set_keys(&self) -> Option<&'static [&'static str]> {
        let (last, message) = self.keys.split_last()?;
        (*last == "position" && self.takes.is_some()).then_some(message)
    }
}
