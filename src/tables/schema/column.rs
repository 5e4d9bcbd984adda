//! How a column is declared, and what it is in Arrow and in Spark.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};
use serde_json::{Value, json};
use teams_base::options::Timestamps;

use super::source::{Derived, Part, Source};

/// The type of a column's values. Every column and every nested field is nullable: Graph leaves out or nulls anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    /// What Graph types as `DateTimeOffset`: text as it was sent, or a timestamp, as the option `timestamps` says.
    Time,
    Bool,
    Int,
    /// A whole number of 64 bits: counts and sizes.
    Long,
    Binary,
    /// Any JSON value as a string, byte for byte as Graph sent it: for open and polymorphic objects.
    Json,
    Struct(&'static [Column]),
    List(&'static ColumnType),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
    pub source: Source,
    /// A sentence for people who query the table.
    pub description: &'static str,
    pub(crate) unit: Option<&'static str>,
}

impl Column {
    pub const fn new(name: &'static str, kind: ColumnType, description: &'static str) -> Self {
        Self { name, kind, source: Source::Property, description, unit: None }
    }

    pub const fn text(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Text, description)
    }

    pub const fn texts(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::List(&ColumnType::Text), description)
    }

    pub const fn time(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Time, description)
    }

    pub const fn bool(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Bool, description)
    }

    pub const fn int(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Int, description)
    }

    pub const fn long(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Long, description)
    }

    pub const fn json(name: &'static str, description: &'static str) -> Self {
        Self::new(name, ColumnType::Json, description)
    }

    pub const fn cursor(name: &'static str, description: &'static str) -> Self {
        Self { source: Source::Cursor, ..Self::time(name, description) }
    }

    pub const fn named(name: &'static str, property: &'static str, description: &'static str) -> Self {
        Self { source: Source::Named(property), ..Self::text(name, description) }
    }

    pub const fn derived(name: &'static str, derived: Derived, description: &'static str) -> Self {
        Self { source: Source::Derived(derived), ..Self::text(name, description) }
    }

    pub const fn detail(name: &'static str, kind: ColumnType, part: Part, description: &'static str) -> Self {
        Self { source: Source::Detail(part), ..Self::new(name, kind, description) }
    }

    /// What its numbers or texts count.
    #[must_use]
    pub const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// What the values are measured in; times are always UTC.
    pub fn unit(&self) -> Option<&'static str> {
        self.unit.or((self.kind == ColumnType::Time).then_some("UTC"))
    }

    /// The description and the unit, as catalogues show it beside a column.
    pub fn comment(&self) -> Cow<'static, str> {
        let Some(unit) = self.unit() else { return self.description.into() };
        format!("{} ({unit}).", self.description.trim_end_matches('.')).into()
    }

    pub fn field(&self, timestamps: Timestamps) -> Field {
        let mut about = HashMap::from([
            ("comment".to_owned(), self.comment().into_owned()),
            ("source".to_owned(), self.source.documented(self.name).into_owned()),
        ]);
        about.extend(self.unit().map(|unit| ("unit".to_owned(), unit.to_owned())));
        Field::new(self.name, self.kind.data_type(timestamps), true).with_metadata(about)
    }

    /// The field in the format of Spark's `StructField.fromJson`. Spark and Unity Catalog know the comment by this name.
    fn spark(&self, timestamps: Timestamps) -> Value {
        let kind = self.kind.spark(timestamps);
        json!({"name": self.name, "type": kind, "nullable": true, "metadata": {"comment": self.comment()}})
    }
}

impl ColumnType {
    pub fn data_type(&self, timestamps: Timestamps) -> DataType {
        match self {
            Self::Time if timestamps == Timestamps::Timestamp => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            Self::Text | Self::Json | Self::Time => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Binary => DataType::Binary,
            Self::Struct(columns) => {
                DataType::Struct(columns.iter().map(|column| column.field(timestamps)).collect::<Fields>())
            }
            // Spark names list items "element"; with any other name the schemas would still be equal to it.
            Self::List(item) => DataType::List(Arc::new(Field::new("element", item.data_type(timestamps), true))),
        }
    }

    fn spark(&self, timestamps: Timestamps) -> Value {
        match self {
            Self::Time if timestamps == Timestamps::Timestamp => json!("timestamp"),
            Self::Text | Self::Json | Self::Time => json!("string"),
            Self::Bool => json!("boolean"),
            Self::Int => json!("integer"),
            Self::Long => json!("long"),
            Self::Binary => json!("binary"),
            Self::Struct(columns) => spark_struct(columns.iter(), timestamps),
            Self::List(item) => {
                json!({"type": "array", "elementType": item.spark(timestamps), "containsNull": true})
            }
        }
    }
}

/// A row type in the format of Spark's `StructType.fromJson`.
pub fn spark_struct<'a>(columns: impl Iterator<Item = &'a Column>, timestamps: Timestamps) -> Value {
    json!({"type": "struct", "fields": columns.map(|column| column.spark(timestamps)).collect::<Vec<_>>()})
}
