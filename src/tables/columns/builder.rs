//! Column buffers that can take a row back: whether a thread is kept is known only when its last reply has been read.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, ListArray, StructArray};
use arrow_schema::{ArrowError, DataType};

use super::sparse::SparseColumn;
use super::text::TextColumn;
use crate::json::ObjectKeys;
use crate::schema::ColumnType;

pub(crate) struct StructColumn {
    pub(crate) keys: ObjectKeys,
    pub(crate) fields: Vec<ColumnBuilder>,
    rows: SparseColumn<()>,
    /// A value is being read, so that fields may hold something of a row that the struct does not have yet.
    is_open: bool,
}

pub(crate) struct ListColumn {
    ends: SparseColumn<u32>,
    items: Box<ColumnBuilder>,
    /// A value is being read, so that there may be items behind the last end.
    is_open: bool,
}

pub(crate) enum ColumnBuilder {
    Text(TextColumn),
    /// Text that holds a JSON value as it was sent.
    Json(TextColumn),
    Bool(SparseColumn<bool>),
    Int(SparseColumn<i32>),
    Long(SparseColumn<i64>),
    Struct(StructColumn),
    List(ListColumn),
}

impl StructColumn {
    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.rows.has(row)
    }

    /// Begins a struct whose fields are read next.
    pub(crate) fn open(&mut self) {
        self.is_open = true;
    }

    /// Closes a struct whose fields have all been read.
    pub(crate) fn close(&mut self, row: usize) {
        self.rows.push(row, ());
        self.is_open = false;
    }

    fn truncate(&mut self, rows: usize) {
        if self.is_open || self.rows.reaches(rows) {
            self.fields.iter_mut().for_each(|field| field.truncate(rows));
            self.rows.truncate(rows);
            self.is_open = false;
        }
    }
}

impl ListColumn {
    /// Where the items of a row are in the column of items.
    pub(crate) fn items(&self, row: usize) -> Option<(std::ops::Range<usize>, &ColumnBuilder)> {
        Some((self.ends.range(row)?, &self.items))
    }

    pub(crate) fn items_mut(&mut self) -> &mut ColumnBuilder {
        &mut self.items
    }

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.ends.has(row)
    }

    /// The row of the next item in the column of items.
    pub(crate) fn end(&self) -> usize {
        self.ends.end()
    }

    /// Begins a list whose items are read next.
    pub(crate) fn open(&mut self) {
        self.is_open = true;
    }

    /// Closes a list whose items have all been read.
    pub(crate) fn close(&mut self, row: usize, end: usize) {
        self.ends.push(row, end as u32);
        self.is_open = false;
    }

    fn truncate(&mut self, rows: usize) {
        if self.is_open || self.ends.reaches(rows) {
            self.ends.truncate(rows);
            self.items.truncate(self.ends.end());
            self.is_open = false;
        }
    }
}

impl ColumnBuilder {
    pub(crate) fn new(kind: &ColumnType) -> Self {
        match kind {
            // Times are text until the batch is closed: whether and where a row belongs is decided by what was sent.
            ColumnType::Text | ColumnType::Time | ColumnType::Binary => Self::Text(TextColumn::new()),
            ColumnType::Json => Self::Json(TextColumn::new()),
            ColumnType::Bool => Self::Bool(SparseColumn::new()),
            ColumnType::Int => Self::Int(SparseColumn::new()),
            ColumnType::Long => Self::Long(SparseColumn::new()),
            ColumnType::Struct(columns) => Self::Struct(StructColumn {
                keys: ObjectKeys::new(columns.iter().map(|column| column.name)),
                fields: columns.iter().map(|column| Self::new(&column.kind)).collect(),
                rows: SparseColumn::new(),
                is_open: false,
            }),
            ColumnType::List(item) => {
                Self::List(ListColumn { ends: SparseColumn::new(), items: Box::new(Self::new(item)), is_open: false })
            }
        }
    }

    /// Whether the row has a value.
    pub(crate) fn is_filled(&self, row: usize) -> bool {
        match self {
            Self::Text(text) | Self::Json(text) => text.has(row),
            Self::Bool(bool) => bool.has(row),
            Self::Int(int) => int.has(row),
            Self::Long(long) => long.has(row),
            Self::Struct(item) => item.has(row),
            Self::List(list) => list.has(row),
        }
    }

    /// Bytes of values, which limit the size of a batch.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.bytes(),
            Self::Bool(bool) => bool.len(),
            Self::Int(int) => size_of::<i32>() * int.len(),
            Self::Long(long) => size_of::<i64>() * long.len(),
            // Most structs have no row, so that there is nothing to add up.
            Self::Struct(item) if item.rows.last().is_none() => 0,
            Self::Struct(item) => item.fields.iter().map(Self::bytes).sum(),
            Self::List(list) => size_of::<u32>() * list.ends.len() + list.items.bytes(),
        }
    }

    /// The text of a row that has one.
    pub(crate) fn text_at(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Json(text) => text.get(row),
            _ => None,
        }
    }

    /// Appends text; other columns stay null.
    pub(crate) fn append_text(&mut self, row: usize, value: &str) {
        if let Self::Text(text) | Self::Json(text) = self {
            text.append(row, value);
        }
    }

    /// Takes back every row from `rows` on, and what was begun of the next.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(text) | Self::Json(text) => text.truncate(rows),
            Self::Bool(bool) => bool.truncate(rows),
            Self::Int(int) => int.truncate(rows),
            Self::Long(long) => long.truncate(rows),
            Self::Struct(item) => item.truncate(rows),
            Self::List(list) => list.truncate(rows),
        }
    }

    /// Appends a row of another builder of the same kind.
    pub(crate) fn copy(&mut self, row: usize, from: &Self, at: usize) {
        match (self, from) {
            (Self::Text(to), Self::Text(from)) | (Self::Json(to), Self::Json(from)) => {
                from.get(at).into_iter().for_each(|value| to.append(row, value));
            }
            (Self::Bool(to), Self::Bool(from)) => from.get(at).into_iter().for_each(|value| to.push(row, value)),
            (Self::Int(to), Self::Int(from)) => from.get(at).into_iter().for_each(|value| to.push(row, value)),
            (Self::Long(to), Self::Long(from)) => from.get(at).into_iter().for_each(|value| to.push(row, value)),
            (Self::Struct(to), Self::Struct(from)) if from.has(at) => {
                to.fields.iter_mut().zip(&from.fields).for_each(|(to, from)| to.copy(row, from, at));
                to.close(row);
            }
            (Self::List(to), Self::List(from)) => {
                let Some((range, items)) = from.items(at) else { return };
                let mut end = to.end();
                for item in range {
                    to.items.copy(end, items, item);
                    end += 1;
                }
                to.close(row, end);
            }
            _ => {}
        }
    }

    /// The first `rows` rows as an array; the builder starts anew. Texts that should be times and are none are counted.
    pub(crate) fn finish(
        &mut self,
        rows: usize,
        data_type: &DataType,
        wrong: &mut u64,
    ) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match (&mut *self, data_type) {
            // Bytes are filled in afterwards, batch by batch.
            (Self::Text(_), DataType::Binary) => Arc::new(BinaryArray::new_null(rows)),
            (Self::Text(text), DataType::Timestamp(..)) => {
                let (times, others) = text.timestamps(rows);
                *wrong += others;
                Arc::new(times.with_data_type(data_type.clone()))
            }
            (Self::Text(text) | Self::Json(text), _) => text.finish(rows),
            (Self::Bool(bool), _) => Arc::new(BooleanArray::new(bool.trues(rows), bool.nulls(rows))),
            (Self::Int(int), _) => Arc::new(Int32Array::try_new(int.values(rows), int.nulls(rows))?),
            (Self::Long(long), _) => Arc::new(Int64Array::try_new(long.values(rows), long.nulls(rows))?),
            (Self::Struct(item), DataType::Struct(fields)) => {
                let columns = item.fields.iter_mut().zip(fields);
                let arrays = columns.map(|(column, field)| column.finish(rows, field.data_type(), wrong));
                let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(fields.clone(), arrays, item.rows.nulls(rows))?)
            }
            (Self::List(list), DataType::List(field)) => {
                let items = list.items.finish(list.ends.end(), field.data_type(), wrong)?;
                let (ends, nulls) = (list.ends.offsets(rows), list.ends.nulls(rows));
                Arc::new(ListArray::try_new(Arc::clone(field), ends, items, nulls)?)
            }
            (_, other) => return Err(ArrowError::SchemaError(format!("a column was declared as {other}"))),
        };
        self.truncate(0);
        Ok(array)
    }
}
