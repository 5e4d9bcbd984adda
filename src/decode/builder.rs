//! The rows of one table on their way to a record batch.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::column::ColumnBuilder;
use crate::tables::{Derived, Projection, Source};

/// What an item's surroundings say of it: the values of the derived columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    pub team: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub chat: Option<&'a str>,
    pub parent: Option<&'a str>,
    pub observed_at: Option<&'a str>,
    pub raw: Option<&'a str>,
}

impl<'a> Context<'a> {
    pub(super) fn value(&self, derived: Derived) -> Option<&'a str> {
        match derived {
            Derived::Team => self.team,
            Derived::Channel => self.channel,
            Derived::Chat => self.chat,
            Derived::Parent => self.parent,
            Derived::ObservedAt => self.observed_at,
            Derived::Raw => self.raw,
        }
    }
}

pub struct TableBuilder {
    pub(super) projection: Projection,
    pub(super) columns: Vec<ColumnBuilder>,
    /// Values of the wrong type, per column.
    pub(super) wrong: Vec<u64>,
    schema: SchemaRef,
    rows: usize,
}

impl TableBuilder {
    pub fn new(projection: Projection) -> Self {
        let columns: Vec<_> = projection.columns.iter().map(|column| ColumnBuilder::new(&column.kind)).collect();
        Self { schema: projection.schema(), wrong: vec![0; columns.len()], columns, rows: 0, projection }
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

    pub(super) fn wants_raw(&self) -> bool {
        self.projection.columns.iter().any(|column| column.source == Source::Derived(Derived::Raw))
    }

    /// Whether the row in progress has a value for this column already.
    pub(super) fn is_filled(&self, index: usize) -> bool {
        self.columns[index].len() > self.rows
    }

    /// Ends the row in progress: fills the cursor, the derived columns and what the item did not have.
    pub(super) fn end_row(&mut self, cursor: Option<&str>, context: &Context<'_>) {
        for (column, builder) in self.projection.columns.iter().zip(&mut self.columns) {
            if builder.len() > self.rows {
                continue;
            }
            let value = match column.source {
                Source::Property => None,
                Source::Cursor => cursor,
                Source::Derived(derived) => context.value(derived),
            };
            match value {
                Some(value) => builder.append_text(value),
                None => builder.append_null(),
            }
        }
        self.rows += 1;
    }

    /// A row of which only the id is known: a tombstone.
    pub(super) fn append_tombstone(&mut self, id: &str, context: &Context<'_>) {
        if let Some(index) = self.projection.columns.iter().position(|column| column.name == "id") {
            self.columns[index].append_text(id);
        }
        self.end_row(None, context);
    }

    /// A deleted item of which the text is at hand.
    pub fn append_deleted(&mut self, item: &str, observed_at: &str) {
        #[derive(serde::Deserialize)]
        struct Deleted {
            id: String,
        }
        if let Ok(deleted) = serde_json::from_str::<Deleted>(item) {
            let context = Context { observed_at: Some(observed_at), ..Context::default() };
            self.append_tombstone(&deleted.id, &context);
        }
    }

    /// Takes over all rows of a builder of the same projection.
    pub fn append(&mut self, from: &mut Self) {
        for (to, from) in self.columns.iter_mut().zip(&from.columns) {
            to.extend(from, 0..from.len());
        }
        self.rows += from.rows;
        self.wrong.iter_mut().zip(&mut from.wrong).for_each(|(to, from)| *to += std::mem::take(from));
        from.truncate(0);
    }

    /// Takes back every row from `rows` on, and the row in progress.
    pub fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    /// Moves the last row to a builder of another table of the same shape: columns are matched by name, and what
    /// the other table derives comes from `context`.
    pub(super) fn move_last_row(&mut self, to: &mut Self, context: &Context<'_>) {
        let last = self.rows - 1;
        for (index, column) in to.projection.columns.iter().enumerate() {
            if matches!(column.source, Source::Derived(_)) {
                continue;
            }
            if let Some(from) = self.projection.columns.iter().position(|other| other.name == column.name) {
                to.columns[index].extend(&self.columns[from], last..last + 1);
            }
        }
        to.end_row(None, context);
        self.truncate(last);
    }

    /// The rows so far as a batch; the builder starts anew.
    pub fn finish(&mut self) -> RecordBatch {
        let arrays = self
            .columns
            .iter_mut()
            .zip(self.schema.fields())
            .map(|(column, field)| column.finish(field.data_type()))
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
