//! Column buffers that can take a row back: a chain of messages is judged only when its last reply has been read.
//!
//! A null costs nothing: a column that gets no value in a row is not touched, and catches up with its next value or when
//! the batch is closed. Most columns of most messages are null, so this is worth more than any cleverness elsewhere.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, ListArray, StringArray, StructArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use super::json::{Json, Read};
use super::keys::Keys;
use crate::tables::Kind;

/// One bit per row; rows behind the last word are unset.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn get(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    #[inline]
    fn set(&mut self, row: usize) {
        let word = row / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (row % 64);
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows.div_ceil(64));
        if let (Some(last), true) = (self.0.get_mut(rows / 64), !rows.is_multiple_of(64)) {
            *last &= (1 << (rows % 64)) - 1;
        }
    }

    fn finish(&mut self, rows: usize) -> BooleanBuffer {
        self.0.resize(rows.div_ceil(64), 0);
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.0.clear();
        BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows)
    }

    fn nulls(&mut self, rows: usize) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.finish(rows))).filter(|nulls| nulls.null_count() > 0)
    }
}

/// Where each row's values end. Rows behind the last end have none.
struct Ends(Vec<i32>);

impl Ends {
    fn new() -> Self {
        Self(vec![0])
    }

    fn last(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }

    /// Gives all rows before `row` their ends.
    #[inline]
    fn pad(&mut self, row: usize) {
        if self.0.len() <= row {
            self.0.resize(row + 1, self.last() as i32);
        }
    }

    #[inline]
    fn push(&mut self, row: usize, end: usize) {
        self.pad(row);
        self.0.push(end as i32);
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.0[row] as usize..self.0[row + 1] as usize
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows + 1);
    }

    fn finish(&mut self, rows: usize) -> OffsetBuffer<i32> {
        self.pad(rows);
        // The next batch will be about as long.
        let mut next = Vec::with_capacity(self.0.len());
        next.push(0);
        OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.0, next)))
    }
}

pub(super) struct Text {
    ends: Ends,
    data: Vec<u8>,
    valid: Bits,
}

pub(super) struct Bool {
    values: Bits,
    valid: Bits,
}

pub(super) struct Number<T> {
    values: Vec<T>,
    valid: Bits,
}

pub(super) struct Struct {
    pub(super) keys: Keys,
    pub(super) fields: Vec<ColumnBuilder>,
    valid: Bits,
}

pub(super) struct List {
    ends: Ends,
    items: Box<ColumnBuilder>,
    valid: Bits,
}

pub(super) enum ColumnBuilder {
    Text(Text),
    /// Text that holds a JSON value as it was sent.
    Json(Text),
    Bool(Bool),
    Int(Number<i32>),
    Long(Number<i64>),
    Struct(Struct),
    List(List),
}

impl Text {
    fn new() -> Self {
        Self { ends: Ends::new(), data: Vec::new(), valid: Bits::default() }
    }

    pub(super) fn append(&mut self, row: usize, value: &str) {
        self.data.extend_from_slice(value.as_bytes());
        self.close(row);
    }

    /// Writes a JSON string, unescaped, where it stays.
    pub(super) fn read(&mut self, row: usize, json: &mut Json<'_>) -> Read<()> {
        json.string_into(&mut self.data)?;
        self.close(row);
        Ok(())
    }

    #[inline]
    fn close(&mut self, row: usize) {
        self.ends.push(row, self.data.len());
        self.valid.set(row);
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last());
        self.valid.truncate(rows);
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let next = Vec::with_capacity(self.data.len());
        let data = Buffer::from_vec(std::mem::replace(&mut self.data, next));
        Ok(Arc::new(StringArray::try_new(self.ends.finish(rows), data, self.valid.nulls(rows))?))
    }
}

impl Bool {
    pub(super) fn append(&mut self, row: usize, value: bool) {
        if value {
            self.values.set(row);
        }
        self.valid.set(row);
    }
}

impl<T: ArrowNativeType> Number<T> {
    pub(super) fn append(&mut self, row: usize, value: T) {
        self.values.resize(row, T::default());
        self.values.push(value);
        self.valid.set(row);
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.valid.truncate(rows);
    }

    fn finish(&mut self, rows: usize) -> ScalarBuffer<T> {
        self.values.resize(rows, T::default());
        ScalarBuffer::from(std::mem::take(&mut self.values))
    }
}

impl Struct {
    /// Whether there is such a field, and the row has none of it yet.
    pub(super) fn is_open(&self, field: usize, row: usize) -> bool {
        self.fields.get(field).is_some_and(|field| !field.is_filled(row))
    }

    /// Closes a struct whose fields have all been read.
    pub(super) fn close(&mut self, row: usize) {
        self.valid.set(row);
    }
}

impl List {
    /// Where the items of a row are in the column of items.
    pub(super) fn items(&self, row: usize) -> (std::ops::Range<usize>, &ColumnBuilder) {
        (self.ends.range(row), &self.items)
    }

    pub(super) fn items_mut(&mut self) -> &mut ColumnBuilder {
        &mut self.items
    }

    /// Reads a list; `read` reads one item into the column of items, at the row it is given.
    pub(super) fn read(
        &mut self,
        row: usize,
        json: &mut Json<'_>,
        mut read: impl FnMut(&mut ColumnBuilder, usize, &mut Json<'_>) -> Read<()>,
    ) -> Read<()> {
        let mut end = self.ends.last();
        json.array(|json| {
            read(&mut self.items, end, json)?;
            end += 1;
            Ok(())
        })?;
        self.ends.push(row, end);
        self.valid.set(row);
        Ok(())
    }
}

impl ColumnBuilder {
    pub(super) fn new(kind: &Kind) -> Self {
        let valid = Bits::default();
        match kind {
            Kind::Text | Kind::Binary => Self::Text(Text::new()),
            Kind::Json => Self::Json(Text::new()),
            Kind::Bool => Self::Bool(Bool { values: Bits::default(), valid }),
            Kind::Int => Self::Int(Number { values: Vec::new(), valid }),
            Kind::Long => Self::Long(Number { values: Vec::new(), valid }),
            Kind::Struct(columns) => Self::Struct(Struct {
                keys: Keys::new(columns.iter().map(|column| column.name)),
                fields: columns.iter().map(|column| Self::new(&column.kind)).collect(),
                valid,
            }),
            Kind::List(item) => Self::List(List { ends: Ends::new(), items: Box::new(Self::new(item)), valid }),
        }
    }

    /// Whether the row has a value.
    pub(super) fn is_filled(&self, row: usize) -> bool {
        match self {
            Self::Text(text) | Self::Json(text) => text.valid.get(row),
            Self::Bool(bool) => bool.valid.get(row),
            Self::Int(int) => int.valid.get(row),
            Self::Long(long) => long.valid.get(row),
            Self::Struct(item) => item.valid.get(row),
            Self::List(list) => list.valid.get(row),
        }
    }

    /// Bytes of values, which is what the size of a batch is judged by.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.data.len() + 4 * text.ends.0.len(),
            Self::Bool(bool) => 8 * bool.values.0.len(),
            Self::Int(int) => 4 * int.values.len(),
            Self::Long(long) => 8 * long.values.len(),
            Self::Struct(item) => item.fields.iter().map(Self::bytes).sum(),
            Self::List(list) => 4 * list.ends.0.len() + list.items.bytes(),
        }
    }

    /// The text of a row that has one.
    pub(super) fn text_at(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Json(text) if text.valid.get(row) => {
                std::str::from_utf8(&text.data[text.ends.range(row)]).ok()
            }
            _ => None,
        }
    }

    /// Appends text; other columns stay null.
    pub(super) fn append_text(&mut self, row: usize, value: &str) {
        if let Self::Text(text) | Self::Json(text) = self {
            text.append(row, value);
        }
    }

    /// Takes back every row from `rows` on, and what was begun of the next.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Text(text) | Self::Json(text) => text.truncate(rows),
            Self::Bool(bool) => {
                bool.values.truncate(rows);
                bool.valid.truncate(rows);
            }
            Self::Int(int) => int.truncate(rows),
            Self::Long(long) => long.truncate(rows),
            Self::Struct(item) => {
                item.fields.iter_mut().for_each(|field| field.truncate(rows));
                item.valid.truncate(rows);
            }
            Self::List(list) => {
                list.ends.truncate(rows);
                list.items.truncate(list.ends.last());
                list.valid.truncate(rows);
            }
        }
    }

    /// Appends a row of another builder of the same kind.
    pub(super) fn copy(&mut self, row: usize, from: &Self, at: usize) {
        if !from.is_filled(at) {
            return;
        }
        match (self, from) {
            (Self::Text(to), Self::Text(from)) | (Self::Json(to), Self::Json(from)) => {
                to.data.extend_from_slice(&from.data[from.ends.range(at)]);
                to.close(row);
            }
            (Self::Bool(to), Self::Bool(from)) => to.append(row, from.values.get(at)),
            (Self::Int(to), Self::Int(from)) => to.append(row, from.values[at]),
            (Self::Long(to), Self::Long(from)) => to.append(row, from.values[at]),
            (Self::Struct(to), Self::Struct(from)) => {
                to.fields.iter_mut().zip(&from.fields).for_each(|(to, from)| to.copy(row, from, at));
                to.close(row);
            }
            (Self::List(to), Self::List(from)) => {
                let mut end = to.ends.last();
                for item in from.ends.range(at) {
                    to.items.copy(end, &from.items, item);
                    end += 1;
                }
                to.ends.push(row, end);
                to.valid.set(row);
            }
            _ => {}
        }
    }

    /// The first `rows` rows as an array; the builder starts anew.
    pub(super) fn finish(&mut self, rows: usize, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match (self, data_type) {
            // Bytes are filled in afterwards, batch by batch.
            (Self::Text(_), DataType::Binary) => Arc::new(BinaryArray::new_null(rows)),
            (Self::Text(text) | Self::Json(text), _) => text.finish(rows)?,
            (Self::Bool(bool), _) => Arc::new(BooleanArray::new(bool.values.finish(rows), bool.valid.nulls(rows))),
            (Self::Int(int), _) => Arc::new(Int32Array::try_new(int.finish(rows), int.valid.nulls(rows))?),
            (Self::Long(long), _) => Arc::new(Int64Array::try_new(long.finish(rows), long.valid.nulls(rows))?),
            (Self::Struct(item), DataType::Struct(fields)) => {
                let columns = item.fields.iter_mut().zip(fields);
                let arrays = columns.map(|(column, field)| column.finish(rows, field.data_type()));
                let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(fields.clone(), arrays, item.valid.nulls(rows))?)
            }
            (Self::List(list), DataType::List(field)) => {
                let items = list.items.finish(list.ends.last(), field.data_type())?;
                let ends = list.ends.finish(rows);
                Arc::new(ListArray::try_new(Arc::clone(field), ends, items, list.valid.nulls(rows))?)
            }
            (_, other) => return Err(ArrowError::SchemaError(format!("a column was declared as {other}"))),
        })
    }
}
