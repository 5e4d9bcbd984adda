//! What is told of each row beside its columns: what happened, when, and which columns the payload carried.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};

use jiff::Timestamp;

use super::open::Change;
use teams_base::options::Timestamps;
use teams_tables::{Column, ColumnType};

pub static COLUMNS: &[Column] = &[
    Column::text("_change_type", "What happened: created, updated or deleted."),
    Column::time(
        "_version",
        "When the object changed, as far as it tells; what has no version is as new as its arrival.",
    ),
    Column::text("_etag", "The object's version as Graph names it; it decides between equal times."),
    Column::time("_arrived_at", "When the notification came."),
    Column::new(
        "_carried",
        ColumnType::List(&ColumnType::Text),
        "The columns that the payload carried, which alone may be written to a row that is there; null for all.",
    ),
    Column::text("_subscription_id", "The subscription that it came by."),
    Column::text("_resource", "The path of the object, as Graph writes it."),
];

pub fn schema() -> SchemaRef {
    let fields = COLUMNS.iter().map(|column| column.field(Timestamps::Timestamp));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Rows of [`COLUMNS`].
pub struct Changes {
    kind: StringBuilder,
    version: TimestampMicrosecondBuilder,
    etag: StringBuilder,
    arrived: TimestampMicrosecondBuilder,
    carried: ListBuilder<StringBuilder>,
    subscription: StringBuilder,
    resource: StringBuilder,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            kind: StringBuilder::new(),
            version: utc(),
            etag: StringBuilder::new(),
            arrived: utc(),
            carried: ListBuilder::new(StringBuilder::new()).with_field(element()),
            subscription: StringBuilder::new(),
            resource: StringBuilder::new(),
        }
    }
}

impl Changes {
    /// `carried`: `None` for all columns.
    pub fn push(&mut self, change: &Change, carried: Option<&[&str]>) {
        self.kind.append_value(change.kind.as_str());
        self.version.append_option(change.version.map(Timestamp::as_microsecond));
        self.etag.append_option(change.etag.as_deref());
        self.arrived.append_value(change.arrived.as_microsecond());
        for name in carried.into_iter().flatten() {
            self.carried.values().append_value(name);
        }
        self.carried.append(carried.is_some());
        self.subscription.append_value(&change.subscription);
        self.resource.append_value(&change.path);
    }

    pub fn finish(mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.kind.finish()),
            Arc::new(self.version.finish()),
            Arc::new(self.etag.finish()),
            Arc::new(self.arrived.finish()),
            Arc::new(self.carried.finish()),
            Arc::new(self.subscription.finish()),
            Arc::new(self.resource.finish()),
        ];
        RecordBatch::try_new(schema(), columns).expect("the columns are those of the schema")
    }
}

pub fn utc() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("UTC")
}

fn element() -> Arc<arrow_schema::Field> {
    Arc::new(arrow_schema::Field::new("element", arrow_schema::DataType::Utf8, true))
}
