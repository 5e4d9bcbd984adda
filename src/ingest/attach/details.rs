//! The tables that are taken from messages while these are read: which of them are filled, and from what.

use crate::output::Output;
use teams_base::error::Result;
use teams_tables::{Archive, Column, Projection, Reading, Table, Takes, find};
use teams_tables::{BodyText, Exploder, TableBuilder};

/// What is made of messages as soon as a page of them has been read.
#[derive(Default)]
pub struct Details {
    /// By output: how many of its columns were asked for. The others are read only because something is derived from them.
    shown: Vec<usize>,
    texts: Vec<(usize, BodyText)>,
    /// From one output to another, by their positions.
    exploders: Vec<(usize, usize, Exploder)>,
}

/// The message tables of a pass, in the order of their outputs; none where nothing is taken from messages.
pub fn parents(reading: Reading) -> &'static [&'static str] {
    match reading {
        Reading::ChannelMessages => &["messages", "message_replies"],
        Reading::ChatMessages => &["chat_messages"],
        Reading::Archive(Archive::Retained) => &["retained_messages"],
        Reading::Archive(Archive::DeletedTeams) => &["deleted_team_messages"],
        _ => &[],
    }
}

/// Adds what is derived to the outputs of a pass of messages. `outputs` are those of its message tables.
pub fn add(outputs: &mut Vec<Output>, wanted: &[Projection], keeps_empty: bool) -> Result<Details> {
    let count = outputs.len();
    let mut details =
        Details { shown: outputs.iter().map(|output| output.projection.columns.len()).collect(), ..Details::default() };
    let tables = wanted.iter().filter(|projection| projection.table.takes.is_some());
    for projection in tables {
        details.shown.push(projection.columns.len());
        outputs.push(Output::wanted(projection.clone()));
        if let Some(output) = outputs.last_mut().filter(|output| is_hosted(output.projection.table)) {
            // Where the bytes are is told by columns that need not be asked for.
            let missing = |column: &&Column| !output.projection.columns.iter().any(|own| own.name == column.name);
            let missing: Vec<_> = output.projection.table.columns.iter().filter(missing).collect();
            output.projection.columns.extend(missing);
        }
    }
    for parent in 0..count {
        let is_source = outputs.len() > count;
        let needs_text = BodyText::is_in(&outputs[parent].projection);
        let include_raw = wanted.iter().any(|projection| projection.columns.iter().any(|column| column.name == "_raw"));
        if is_source || needs_text {
            complete(&mut outputs[parent].projection, include_raw && is_source)?;
        }
        details.texts.extend(BodyText::new(&outputs[parent].projection).map(|text| (parent, text)));
        for at in count..outputs.len() {
            let Some(takes) = outputs[at].projection.table.takes else { continue };
            let exploder = Exploder::new(takes, &outputs[parent].projection, &outputs[at].projection, keeps_empty);
            details.exploders.push((parent, at, exploder));
        }
    }
    Ok(details)
}

/// Whether a table's rows stand for bytes that have to be fetched.
pub fn is_hosted(table: &Table) -> bool {
    table.takes == Some(Takes::HostedContents)
}

/// Adds the columns that are read only because something is derived from them.
fn complete(projection: &mut Projection, include_raw: bool) -> Result<()> {
    let all = Projection::new(find(projection.table.name)?, None, include_raw)?;
    for column in all.columns {
        if Exploder::needs(column) && !projection.columns.iter().any(|present| present.name == column.name) {
            projection.columns.push(column);
        }
    }
    Ok(())
}

impl Details {
    /// Whether details are taken from an output's rows.
    pub fn are_made_of(&self, output: usize) -> bool {
        self.exploders.iter().any(|(parent, ..)| *parent == output)
    }

    /// The columns of an output that were asked for; `None` for all of them.
    pub fn shown(&self, output: usize) -> Option<usize> {
        self.shown.get(output).copied()
    }

    /// Derives from the rows that came after `before`.
    pub fn derive(&mut self, builders: &mut [TableBuilder], before: &[usize]) {
        for (parent, text) in &self.texts {
            let rows = before[*parent]..builders[*parent].len();
            text.fill(&mut builders[*parent], rows);
        }
        for (parent, at, exploder) in &mut self.exploders {
            let rows = before[*parent]..builders[*parent].len();
            let (parents, others) = builders.split_at_mut(*at);
            exploder.explode(&parents[*parent], rows, &mut others[0]);
        }
    }
}

/// The table of an output of a pass of messages.
pub fn table_of(reading: Reading, tables: &[&'static Table], output: usize) -> Option<&'static str> {
    let parents = parents(reading);
    let mut details = tables.iter().filter(|table| table.takes.is_some()).map(|table| table.name);
    parents.get(output).copied().or_else(|| details.nth(output.checked_sub(parents.len())?))
}
