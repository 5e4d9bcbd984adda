//! The columns that a read gives.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde_json::Value;
use teams_base::error::{Error, Result};
use teams_base::options::{Extras, Timestamps};

use super::column::{self, Column, ColumnType};
use super::source::{Derived, Part, Source};
use super::table::Table;

/// The `include_raw` column.
static RAW: Column = Column::derived("_raw", Derived::Raw, "The whole item as Graph sent it.");

/// The `body_text` column.
static BODY_TEXT: Column = Column::detail(
    "body_text",
    ColumnType::Text,
    Part::BodyText,
    "The body without markup: mentions read @Name, attachments and images stand in brackets.",
);

/// A table with what the caller chose of it.
#[derive(Debug, Clone)]
pub struct Projection {
    pub table: &'static Table,
    pub columns: Vec<&'static Column>,
    pub timestamps: Timestamps,
}

impl Projection {
    /// All columns, or the named ones in the order of `names`.
    pub fn new(table: &'static Table, names: Option<&[String]>, include_raw: bool) -> Result<Self> {
        Self::with(table, names, Extras { raw: include_raw, ..Extras::default() })
    }

    /// The same with what options change of the columns.
    pub fn with(table: &'static Table, names: Option<&[String]>, extras: Extras) -> Result<Self> {
        let has_body = table.columns.iter().any(|column| column.name == "body" && column.source == Source::Property);
        let body_text = (extras.body_text && has_body).then_some(&BODY_TEXT);
        let all = || table.columns.iter().chain(body_text).chain(extras.raw.then_some(&RAW));
        let columns = match names {
            None => all().collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    all().find(|column| column.name == name).ok_or_else(|| {
                        Error::configuration(format!(
                            "column '{name}' is not in table '{}': its columns are {}",
                            table.name,
                            all().map(|column| column.name).collect::<Vec<_>>().join(", ")
                        ))
                    })
                })
                .collect::<Result<_>>()?,
        };
        Ok(Self { table, columns, timestamps: extras.timestamps })
    }

    /// The keys and the cursor: what is known of a deleted row.
    pub fn keys_and_cursor(table: &'static Table, timestamps: Timestamps) -> Self {
        let wanted = |column: &&Column| table.keys.contains(&column.name) || table.cursor == Some(column.name);
        Self { table, columns: table.columns.iter().filter(wanted).collect(), timestamps }
    }

    /// No column of a table whose rows are not wanted.
    pub fn nothing(table: &'static Table) -> Self {
        Self { table, columns: Vec::new(), timestamps: Timestamps::Text }
    }

    pub fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|column| column.field(self.timestamps));
        let about = HashMap::from([("description".to_owned(), self.table.description.to_owned())]);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()).with_metadata(about))
    }

    /// The schema in the format of Spark's `StructType.fromJson`.
    pub fn spark(&self) -> Value {
        column::spark_struct(self.columns.iter().copied(), self.timestamps)
    }
}
