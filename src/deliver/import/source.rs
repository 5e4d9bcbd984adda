//! Rows of a source out of Arrow batches: the columns of `sources/model.py`, of which only three must be there.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray, StructArray};

use teams_base::error::{Error, Result};

/// A message as its source gives it. The texts are borrowed from the batch.
pub struct Message<'a> {
    pub source_id: &'a str,
    pub parent: Option<&'a str>,
    pub author: Option<&'a str>,
    pub author_name: Option<&'a str>,
    /// Microseconds since 1970.
    pub created_us: i64,
    pub subject: Option<&'a str>,
    pub importance: Option<&'a str>,
    pub html: &'a str,
    pub mentions: Vec<Mention<'a>>,
    pub images: Vec<Image<'a>>,
    pub attachments: Vec<Attachment<'a>>,
    pub reactions: Vec<Reaction<'a>>,
    pub edited: bool,
    pub skip: Option<&'a str>,
    pub notes: Vec<&'a str>,
}

pub struct Mention<'a> {
    pub id: i32,
    pub text: &'a str,
    pub user: Option<&'a str>,
}

pub struct Image<'a> {
    pub id: &'a str,
    pub key: Option<&'a str>,
    pub name: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub size: Option<i64>,
    pub url: Option<&'a str>,
}

pub struct Attachment<'a> {
    pub name: Option<&'a str>,
    pub url: Option<&'a str>,
}

pub struct Reaction<'a> {
    pub kind: &'a str,
    pub user: Option<&'a str>,
    pub created_us: Option<i64>,
}

/// The rows of one batch, all of one container.
pub struct Rows<'a> {
    batch: &'a RecordBatch,
    source_id: &'a StringArray,
    created: &'a arrow_array::TimestampMicrosecondArray,
    html: &'a StringArray,
}

impl<'a> Rows<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        Ok(Self {
            batch,
            source_id: required(batch, "source_id")?,
            created: batch
                .column_by_name("created")
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
                .ok_or_else(|| wrong("created"))?,
            html: required(batch, "html")?,
        })
    }

    /// The container that the batch is of.
    pub fn container(&self) -> Result<&'a str> {
        let column: &StringArray = required(self.batch, "container")?;
        Ok(if column.is_empty() { "" } else { column.value(0) })
    }

    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn message(&self, row: usize) -> Message<'a> {
        let text = |name: &str| text_at(self.batch.column_by_name(name), row);
        Message {
            source_id: self.source_id.value(row),
            parent: text("parent"),
            author: text("author"),
            author_name: text("author_name"),
            created_us: self.created.value(row),
            subject: text("subject"),
            importance: text("importance"),
            html: self.html.value(row),
            mentions: self.structs("mentions", row, |item, at| Mention {
                id: int(item, "id", at).unwrap_or_default() as i32,
                text: field(item, "text", at).unwrap_or_default(),
                user: field(item, "user", at),
            }),
            images: self.structs("images", row, |item, at| Image {
                id: field(item, "id", at).unwrap_or_default(),
                key: field(item, "key", at),
                name: field(item, "name", at),
                content_type: field(item, "content_type", at),
                size: int(item, "size", at),
                url: field(item, "url", at),
            }),
            attachments: self.structs("attachments", row, |item, at| Attachment {
                name: field(item, "name", at),
                url: field(item, "url", at),
            }),
            reactions: self.structs("reactions", row, |item, at| Reaction {
                kind: field(item, "reaction", at).unwrap_or_default(),
                user: field(item, "user", at),
                created_us: int(item, "created", at),
            }),
            edited: self.batch.column_by_name("edited").is_some_and(|column| column.is_valid(row)),
            skip: text("skip"),
            notes: self.texts("notes", row),
        }
    }

    fn list(&self, name: &str, row: usize) -> Option<(&'a ListArray, usize, usize)> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i32>()?;
        if list.is_null(row) {
            return None;
        }
        let offsets = list.value_offsets();
        Some((list, offsets[row] as usize, offsets[row + 1] as usize))
    }

    fn structs<T>(&self, name: &str, row: usize, read: impl Fn(&'a StructArray, usize) -> T) -> Vec<T> {
        let Some((list, start, end)) = self.list(name, row) else { return Vec::new() };
        let Some(items) = list.values().as_struct_opt() else { return Vec::new() };
        (start..end).filter(|at| items.is_valid(*at)).map(|at| read(items, at)).collect()
    }

    fn texts(&self, name: &str, row: usize) -> Vec<&'a str> {
        let Some((list, start, end)) = self.list(name, row) else { return Vec::new() };
        (start..end).filter_map(|at| text_at(Some(list.values()), at)).collect()
    }
}

fn wrong(name: &str) -> Error {
    Error::Configuration(format!("The source's column {name} is missing or of another type than its reader promises"))
}

fn required<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| wrong(name))
}

fn text_at(column: Option<&ArrayRef>, row: usize) -> Option<&str> {
    let column = column?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row))
}

fn field<'a>(item: &'a StructArray, name: &str, at: usize) -> Option<&'a str> {
    text_at(item.column_by_name(name), at)
}

fn int(item: &StructArray, name: &str, at: usize) -> Option<i64> {
    let column = item.column_by_name(name)?;
    if column.is_null(at) {
        return None;
    }
    if let Some(column) = column.as_primitive_opt::<Int64Type>() {
        return Some(column.value(at));
    }
    if let Some(column) = column.as_primitive_opt::<Int32Type>() {
        return Some(i64::from(column.value(at)));
    }
    column.as_primitive_opt::<TimestampMicrosecondType>().map(|column| column.value(at))
}
