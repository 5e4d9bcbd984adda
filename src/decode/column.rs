//! Column buffers that can take a row back: a chain of messages is judged only when its last reply has been read.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int32Array, ListArray, StringArray, StructArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use crate::tables::Kind;

pub(super) struct Text {
    offsets: Vec<i32>,
    data: Vec<u8>,
    valid: NullBufferBuilder,
}

pub(super) struct Bool {
    values: BooleanBufferBuilder,
    valid: NullBufferBuilder,
}

pub(super) struct Int {
    values: Vec<i32>,
    valid: NullBufferBuilder,
}

pub(super) struct Struct {
    pub(super) names: Vec<&'static str>,
    pub(super) fields: Vec<ColumnBuilder>,
    valid: NullBufferBuilder,
}

pub(super) struct List {
    offsets: Vec<i32>,
    pub(super) items: Box<ColumnBuilder>,
    valid: NullBufferBuilder,
}

pub(super) enum ColumnBuilder {
    Text(Text),
    /// Text that holds a JSON value as it was sent.
    Json(Text),
    Bool(Bool),
    Int(Int),
    Struct(Struct),
    List(List),
}

impl Text {
    fn new() -> Self {
        Self { offsets: vec![0], data: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    pub(super) fn append(&mut self, value: &str) {
        self.data.extend_from_slice(value.as_bytes());
        self.offsets.push(self.data.len() as i32);
        self.valid.append_non_null();
    }

    fn append_null(&mut self) {
        self.offsets.push(self.data.len() as i32);
        self.valid.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.data.truncate(self.offsets[len] as usize);
        self.valid.truncate(len);
    }

    fn extend(&mut self, from: &Self, range: Range<usize>) {
        for row in range {
            let bytes = &from.data[from.offsets[row] as usize..from.offsets[row + 1] as usize];
            self.data.extend_from_slice(bytes);
            self.offsets.push(self.data.len() as i32);
            self.valid.append(from.valid.is_valid(row));
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let data = std::mem::take(&mut self.data);
        let array = StringArray::try_new(
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Buffer::from_vec(data),
            self.valid.finish(),
        )?;
        Ok(Arc::new(array))
    }
}

impl Bool {
    pub(super) fn append(&mut self, value: bool) {
        self.values.append(value);
        self.valid.append_non_null();
    }
}

impl Int {
    pub(super) fn append(&mut self, value: i32) {
        self.values.push(value);
        self.valid.append_non_null();
    }
}

impl Struct {
    /// Closes a struct whose fields have all been appended.
    pub(super) fn append_valid(&mut self) {
        self.valid.append_non_null();
    }
}

impl List {
    /// Closes a list whose items have all been appended.
    pub(super) fn append_valid(&mut self) {
        self.offsets.push(self.items.len() as i32);
        self.valid.append_non_null();
    }
}

impl ColumnBuilder {
    pub(super) fn new(kind: &Kind) -> Self {
        let valid = || NullBufferBuilder::new(0);
        match kind {
            Kind::Text => Self::Text(Text::new()),
            Kind::Json => Self::Json(Text::new()),
            Kind::Bool => Self::Bool(Bool { values: BooleanBufferBuilder::new(0), valid: valid() }),
            Kind::Int => Self::Int(Int { values: Vec::new(), valid: valid() }),
            Kind::Struct(columns) => Self::Struct(Struct {
                names: columns.iter().map(|column| column.name).collect(),
                fields: columns.iter().map(|column| Self::new(&column.kind)).collect(),
                valid: valid(),
            }),
            Kind::List(item) => Self::List(List { offsets: vec![0], items: Box::new(Self::new(item)), valid: valid() }),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.valid.len(),
            Self::Bool(bool) => bool.valid.len(),
            Self::Int(int) => int.valid.len(),
            Self::Struct(item) => item.valid.len(),
            Self::List(list) => list.valid.len(),
        }
    }

    /// Bytes of values, which is what the size of a batch is judged by.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.data.len() + 4 * text.offsets.len(),
            Self::Bool(bool) => bool.values.len() / 8,
            Self::Int(int) => 4 * int.values.len(),
            Self::Struct(item) => item.fields.iter().map(Self::bytes).sum(),
            Self::List(list) => 4 * list.offsets.len() + list.items.bytes(),
        }
    }

    pub(super) fn append_text(&mut self, value: &str) {
        if let Self::Text(text) | Self::Json(text) = self {
            text.append(value);
        } else {
            self.append_null();
        }
    }

    pub(super) fn append_null(&mut self) {
        match self {
            Self::Text(text) | Self::Json(text) => text.append_null(),
            Self::Bool(bool) => {
                bool.values.append(false);
                bool.valid.append_null();
            }
            Self::Int(int) => {
                int.values.push(0);
                int.valid.append_null();
            }
            Self::Struct(item) => {
                item.fields.iter_mut().for_each(Self::append_null);
                item.valid.append_null();
            }
            Self::List(list) => {
                list.offsets.push(list.items.len() as i32);
                list.valid.append_null();
            }
        }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Text(text) | Self::Json(text) => text.truncate(len),
            Self::Bool(bool) => {
                bool.values.truncate(len);
                bool.valid.truncate(len);
            }
            Self::Int(int) => {
                int.values.truncate(len);
                int.valid.truncate(len);
            }
            Self::Struct(item) => {
                item.fields.iter_mut().for_each(|field| field.truncate(len));
                item.valid.truncate(len);
            }
            Self::List(list) => {
                list.offsets.truncate(len + 1);
                list.items.truncate(list.offsets[len] as usize);
                list.valid.truncate(len);
            }
        }
    }

    /// Appends a range of another builder of the same kind.
    pub(super) fn extend(&mut self, from: &Self, range: Range<usize>) {
        match (self, from) {
            (Self::Text(to), Self::Text(from)) | (Self::Json(to), Self::Json(from)) => to.extend(from, range),
            (Self::Bool(to), Self::Bool(from)) => {
                for row in range {
                    to.values.append(from.values.get_bit(row));
                    to.valid.append(from.valid.is_valid(row));
                }
            }
            (Self::Int(to), Self::Int(from)) => {
                for row in range {
                    to.values.push(from.values[row]);
                    to.valid.append(from.valid.is_valid(row));
                }
            }
            (Self::Struct(to), Self::Struct(from)) => {
                for (to, from) in to.fields.iter_mut().zip(&from.fields) {
                    to.extend(from, range.clone());
                }
                range.for_each(|row| to.valid.append(from.valid.is_valid(row)));
            }
            (Self::List(to), Self::List(from)) => {
                for row in range {
                    to.items.extend(&from.items, from.offsets[row] as usize..from.offsets[row + 1] as usize);
                    to.offsets.push(to.items.len() as i32);
                    to.valid.append(from.valid.is_valid(row));
                }
            }
            (to, _) => range.for_each(|_| to.append_null()),
        }
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(match (self, data_type) {
            (Self::Text(text) | Self::Json(text), _) => text.finish()?,
            (Self::Bool(bool), _) => Arc::new(BooleanArray::new(bool.values.finish(), bool.valid.finish())),
            (Self::Int(int), _) => {
                let values = ScalarBuffer::from(std::mem::take(&mut int.values));
                Arc::new(Int32Array::try_new(values, int.valid.finish())?)
            }
            (Self::Struct(item), DataType::Struct(fields)) => {
                let arrays = item
                    .fields
                    .iter_mut()
                    .zip(fields)
                    .map(|(column, field)| column.finish(field.data_type()))
                    .collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(fields.clone(), arrays, item.valid.finish())?)
            }
            (Self::List(list), DataType::List(field)) => {
                let items = list.items.finish(field.data_type())?;
                let offsets = std::mem::replace(&mut list.offsets, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(ListArray::try_new(Arc::clone(field), offsets, items, list.valid.finish())?)
            }
            (_, other) => return Err(ArrowError::SchemaError(format!("a column was declared as {other}"))),
        })
    }
}
