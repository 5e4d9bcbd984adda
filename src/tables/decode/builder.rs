//! The rows of one table on their way to a record batch.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::column::ColumnBuilder;
use super::fields::Fields;
use super::keys::Keys;
use super::row::{LastChannel, USES, Use};
use crate::{Derived, Projection, Source};

/// What an item's surroundings say of it: the values of the derived columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    pub team: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub chat: Option<&'a str>,
    pub parent: Option<&'a str>,
    pub user: Option<&'a str>,
    pub transcript: Option<&'a str>,
    pub group: Option<&'a str>,
    pub item: Option<&'a str>,
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
            Derived::User => self.user,
            Derived::Transcript => self.transcript,
            Derived::Group => self.group,
            Derived::Item => self.item,
            Derived::ObservedAt => self.observed_at,
            Derived::Raw => self.raw,
        }
    }
}

/// What each property of an item is read for, and the column it fills.
pub(super) struct Properties {
    pub(super) keys: Keys,
    uses: Vec<(Use, Option<usize>)>,
}

impl Properties {
    fn new(projection: &Projection) -> Self {
        let mut names: Vec<_> = USES.iter().map(|(name, _)| *name).collect();
        let mut uses: Vec<_> = USES.iter().map(|(_, usage)| (*usage, None)).collect();
        for (index, column) in projection.columns.iter().enumerate() {
            // The cursor is filled when the row ends, because it may fall back on another property.
            let property = match column.source {
                Source::Property => column.name,
                Source::Named(property) => property,
                Source::Cursor | Source::Derived(_) | Source::Detail(_) => continue,
            };
            if let Some(place) = names.iter().position(|name| *name == property) {
                uses[place].1 = Some(index);
            } else {
                names.push(property);
                uses.push((Use::Column, Some(index)));
            }
        }
        Self { keys: Keys::new(names.into_iter()), uses }
    }

    /// What a key is read for, and its column.
    pub(super) fn get(&self, key: usize) -> (Use, Option<usize>) {
        self.uses.get(key).copied().unwrap_or((Use::Column, None))
    }
}

pub struct TableBuilder {
    projection: Projection,
    pub(super) properties: Properties,
    pub(super) columns: Vec<ColumnBuilder>,
    pub(super) last_channel: LastChannel,
    /// Columns that are not filled from properties of their own.
    derived: Vec<(usize, Source)>,
    /// Values of the wrong type, per column.
    pub(super) wrong: Vec<u64>,
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

    pub(super) fn wants_raw(&self) -> bool {
        self.wants_raw
    }

    /// Ends the row in progress: fills the cursor and the derived columns.
    pub(super) fn end_row(&mut self, cursor: Option<&str>, context: &Context<'_>) {
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
    pub(super) fn append_tombstone(&mut self, id: &str, context: &Context<'_>) {
        if let Some(index) = self.projection.columns.iter().position(|column| column.name == "id") {
            self.columns[index].append_text(self.rows, id);
        }
        self.end_row(None, context);
    }

    /// A deleted item of which the text is at hand.
    pub fn append_deleted(&mut self, item: &str, observed_at: &str) {
        if let Some(id) = Fields::of(item).and_then(|fields| fields.id("id")) {
            let context = Context { observed_at: Some(observed_at), ..Context::default() };
            self.append_tombstone(&id, &context);
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

    /// Takes back every row from `rows` on, and the row in progress.
    pub fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    /// The rows so far as a batch; the builder starts anew.
    pub fn finish(&mut self) -> RecordBatch {
        let arrays = self
            .columns
            .iter_mut()
            .zip(self.schema.fields())
            .map(|(column, field)| column.finish(self.rows, field.data_type()))
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
