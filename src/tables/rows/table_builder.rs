//! The rows of one table on their way to a record batch.

use std::ops::Range;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::context::Context;
use super::properties::Properties;
use crate::columns::ColumnBuilder;
use crate::schema::{Derived, Projection, Source};

/// The `channelIdentity` that a channel was read from: items next to each other are mostly of one channel.
#[derive(Default)]
pub(crate) struct LastChannel {
    pub(super) identity: String,
    /// Where in it the `channelId` stands.
    pub(super) id: Range<usize>,
}

/// Columns that grow row by row, of one projection of a table.
pub struct TableBuilder {
    projection: Projection,
    pub(crate) properties: Properties,
    pub(crate) columns: Vec<ColumnBuilder>,
    pub(crate) last_channel: LastChannel,
    /// Columns that are not filled from properties of their own.
    derived: Vec<(usize, Source)>,
    /// Values of the wrong type, per column.
    pub(crate) wrong: Vec<u64>,
    wants_raw: bool,
    schema: SchemaRef,
    rows: usize,
}

impl TableBuilder {
    pub fn new(projection: Projection) -> Self {
        let columns: Vec<_> = projection.columns.iter().map(|column| ColumnBuilder::new(&column.kind)).collect();
        let sources = projection.columns.iter().map(|column| column.source).enumerate();
        Self {
            schema: projection.schema(),
            properties: Properties::new(&projection),
            derived: sources.filter(|(_, source)| matches!(source, Source::Cursor | Source::Derived(_))).collect(),
            wrong: vec![0; columns.len()],
            wants_raw: projection.columns.iter().any(|column| column.source == Source::Derived(Derived::Raw)),
            columns,
            last_channel: LastChannel::default(),
            rows: 0,
            projection,
        }
    }

    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes of values held.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(ColumnBuilder::bytes).sum()
    }

    pub(crate) fn wants_raw(&self) -> bool {
        self.wants_raw
    }

    /// Ends the row in progress: fills the cursor and the derived columns.
    pub(crate) fn end_row(&mut self, cursor: Option<&str>, context: &Context<'_>) {
        for (index, source) in &self.derived {
            let value = match source {
                Source::Property | Source::Named(_) | Source::Detail(_) => None,
                Source::Cursor => cursor,
                Source::Derived(derived) => context.value(*derived),
            };
            if let Some(value) = value {
                self.columns[*index].append_text(self.rows, value);
            }
        }
        self.rows += 1;
    }

    /// A row of which only the id is known: a tombstone.
    pub(crate) fn append_tombstone(&mut self, id: &str, context: &Context<'_>) {
        self.fill_empty("id", id);
        self.end_row(None, context);
    }

    /// Fills a property's column of the row in progress, where there is one and it has no value yet.
    pub(super) fn fill_empty(&mut self, property: &str, value: &str) {
        if let Some(index) = self
            .projection
            .columns
            .iter()
            .position(|column| column.name == property && column.source == Source::Property)
            && !self.columns[index].is_filled(self.rows)
        {
            self.columns[index].append_text(self.rows, value);
        }
    }

    /// Takes over all rows of a builder of the same projection.
    pub fn append(&mut self, from: &mut Self) {
        for (to, column) in self.columns.iter_mut().zip(&from.columns) {
            (0..from.rows).for_each(|row| to.copy(self.rows + row, column, row));
        }
        self.rows += from.rows;
        self.wrong.iter_mut().zip(&mut from.wrong).for_each(|(to, from)| *to += std::mem::take(from));
        from.truncate(0);
    }

    /// Keeps of the last rows, as many as `kept` is long, those that it says.
    pub(crate) fn keep_of_last(&mut self, kept: &[bool]) {
        if kept.iter().all(|is_kept| *is_kept) {
            return;
        }
        let first = self.rows - kept.len();
        let mut rest = Self::new(self.projection.clone());
        for (row, _) in (first..).zip(kept).filter(|(_, is_kept)| **is_kept) {
            for (to, column) in rest.columns.iter_mut().zip(&self.columns) {
                to.copy(rest.rows, column, row);
            }
            rest.rows += 1;
        }
        self.truncate(first);
        self.append(&mut rest);
    }

    /// Takes back every row from `rows` on, and the row in progress.
    pub fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    /// The rows so far as a batch; the builder starts anew.
    pub fn finish(&mut self) -> RecordBatch {
        let columns = self.columns.iter_mut().zip(&mut self.wrong).zip(self.schema.fields());
        let arrays = columns
            .map(|((column, wrong), field)| column.finish(self.rows, field.data_type(), wrong))
            .collect::<Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        arrays
            .and_then(|arrays| RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options))
            .expect("columns are built from the schema's own declaration")
    }

    /// Takes the counts of values of the wrong type, by column name.
    pub fn take_wrong_types(&mut self) -> Vec<(&'static str, u64)> {
        let columns = &self.projection.columns;
        self.wrong
            .iter_mut()
            .zip(columns)
            .filter(|(count, _)| **count > 0)
            .map(|(count, column)| (column.name, std::mem::take(count)))
            .collect()
    }
}
