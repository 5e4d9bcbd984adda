//! A pass: the tables that are read together, and which columns of them.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::attach::details::{self, Details};
use crate::doubts::Doubts;
use crate::output::Output;
use crate::requirements;
use crate::state::round_kind::{Family, RoundKind};
use teams_base::error::{Error, Result};
use teams_base::options::TableOptions;
use teams_tables::{Derived, Ingestion, Projection, Reading, Table, find};

#[derive(Debug, Clone)]
pub struct Pass {
    pub tables: Vec<&'static Table>,
    pub options: TableOptions,
    /// Only for a single table.
    pub columns: Option<Vec<String>>,
    /// A share of the scopes that the options discover.
    pub scopes: Option<Vec<String>>,
    /// Where a snapshot notes the scopes that it leaves out: only for a reader that keeps their rows.
    pub left_out: Option<LeftOut>,
    /// Where the teams are noted whose stored rows the caller keeps. Without it a snapshot fails where rows of a team are
    /// missing that can't be gone.
    pub doubts: Option<Doubts>,
}

/// The scopes of a snapshot that refused to be read, each by the columns that name it.
pub type LeftOut = Arc<Mutex<Vec<Vec<(Derived, String)>>>>;

impl Pass {
    /// Checks that the tables come from one pass and that the options say what is to be read.
    pub fn new(tables: &[String], options: TableOptions, columns: Option<Vec<String>>) -> Result<Self> {
        let tables = tables.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
        let Some(first) = tables.first() else {
            return Err(Error::configuration("no table was asked for"));
        };
        if let Some(other) = tables.iter().find(|table| table.reading != first.reading) {
            return Err(Error::configuration(format!(
                "tables '{}' and '{}' do not come from one pass; read them one after the other",
                first.name, other.name
            )));
        }
        for table in &tables {
            requirements::check(table, &options)?;
        }
        let pass = Self { tables, options, columns, scopes: None, left_out: None, doubts: None };
        pass.outputs(false)?;
        Ok(pass)
    }

    pub fn reading(&self) -> Reading {
        self.tables[0].reading
    }

    pub fn is_snapshot(&self) -> bool {
        self.tables[0].ingestion == Ingestion::Snapshot
    }

    /// What the pass reads in rounds; `None` for what is read whole or by delta.
    pub fn round_kind(&self) -> Option<RoundKind> {
        match self.reading() {
            Reading::ChannelMessages => Some(RoundKind::Messages(Family::Channels)),
            Reading::ChatMessages => Some(RoundKind::Messages(Family::Chats)),
            Reading::Chats => Some(RoundKind::Chats),
            Reading::Teams
            | Reading::List(_)
            | Reading::Archive(_)
            | Reading::Meetings(_)
            | Reading::Report(_)
            | Reading::DirectoryDelta(_) => None,
        }
    }

    /// The projection of each table asked for, in that order.
    pub fn projections(&self) -> Result<Vec<Projection>> {
        let columns = self.columns.as_deref();
        self.tables.iter().map(|table| Projection::with(table, columns, self.options.extras())).collect()
    }

    /// The table that an output's batches belong to.
    pub fn table_of(&self, output: usize) -> &'static str {
        details::table_of(self.reading(), &self.tables, output).unwrap_or(self.tables[0].name)
    }

    /// The outputs, and what fills those of details. An unwanted table has one too, where other rows depend on its rows.
    /// `keeps_empty`: older versions of a message may have been read before.
    pub(crate) fn outputs(&self, keeps_empty: bool) -> Result<(Vec<Output>, Details)> {
        let mut wanted = self.projections()?;
        let parents = details::parents(self.reading());
        if !parents.is_empty() {
            let mut outputs =
                parents.iter().map(|name| self.message_output(name, &wanted)).collect::<Result<Vec<_>>>()?;
            let details = details::add(&mut outputs, &wanted, keeps_empty)?;
            return Ok((outputs, details));
        }
        let rows = wanted.remove(0);
        let deletes = matches!(self.reading(), Reading::DirectoryDelta(_))
            .then(|| Output::wanted(Projection::keys_and_cursor(rows.table, rows.timestamps)));
        let outputs = [Output::wanted(rows)].into_iter().chain(deletes).collect();
        Ok((outputs, Details::default()))
    }

    fn message_output(&self, name: &str, wanted: &[Projection]) -> Result<Output> {
        if let Some(projection) = wanted.iter().find(|projection| projection.table.name == name) {
            return Ok(Output::wanted(projection.clone()));
        }
        let table = find(name)?;
        // An export's rows are read as roots first, so that a reply's columns have to be there too.
        let replies = wanted.iter().find(|projection| projection.table.name == "message_replies");
        let columns = if let (Some(replies), "messages") = (replies, name) {
            let names: Vec<_> = replies.columns.iter().map(|column| column.name).collect();
            let all = Projection::with(table, None, self.options.extras())?.columns;
            all.into_iter().filter(|column| names.contains(&column.name)).collect()
        } else {
            Vec::new()
        };
        Ok(Output::unwanted(Projection { table, columns, timestamps: self.options.timestamps }))
    }
}
