//! How a column is declared, and what it is in Arrow and in Spark.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use serde_json::{Value, json};

use super::source::{Derived, Part, Source};

/// The type of a column's values. Every column and every nested field is nullable: Graph leaves out or nulls anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Text,
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
}

impl Column {
    pub const fn new(name: &'static str, kind: ColumnType) -> Self {
        Self { name, kind, source: Source::Property }
    }

    pub const fn text(name: &'static str) -> Self {
        Self::new(name, ColumnType::Text)
    }

    pub const fn bool(name: &'static str) -> Self {
        Self::new(name, ColumnType::Bool)
    }

    pub const fn json(name: &'static str) -> Self {
        Self::new(name, ColumnType::Json)
    }

    pub const fn cursor(name: &'static str) -> Self {
        Self { name, kind: ColumnType::Text, source: Source::Cursor }
    }

    pub const fn named(name: &'static str, property: &'static str) -> Self {
        Self { name, kind: ColumnType::Text, source: Source::Named(property) }
    }

    pub const fn derived(name: &'static str, derived: Derived) -> Self {
        Self { name, kind: ColumnType::Text, source: Source::Derived(derived) }
    }

    pub const fn detail(name: &'static str, kind: ColumnType, part: Part) -> Self {
        Self { name, kind, source: Source::Detail(part) }
    }

    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), true)
    }

    /// The field in the format of Spark's `StructField.fromJson`.
    fn spark(&self) -> Value {
        json!({"name": self.name, "type": self.kind.spark(), "nullable": true, "metadata": {}})
    }
}

impl ColumnType {
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Binary => DataType::Binary,
            Self::Struct(columns) => DataType::Struct(columns.iter().map(Column::field).collect::<Fields>()),
            // Spark names list items "element"; with any other name the schemas would still be equal to it.
            Self::List(item) => DataType::List(Arc::new(Field::new("element", item.data_type(), true))),
        }
    }

    fn spark(&self) -> Value {
        match self {
            Self::Text | Self::Json => json!("string"),
            Self::Bool => json!("boolean"),
            Self::Int => json!("integer"),
            Self::Long => json!("long"),
            Self::Binary => json!("binary"),
            Self::Struct(columns) => spark_struct(columns.iter()),
            Self::List(item) => json!({"type": "array", "elementType": item.spark(), "containsNull": true}),
        }
    }
}

/// A row type in the format of Spark's `StructType.fromJson`.
pub fn spark_struct<'a>(columns: impl Iterator<Item = &'a Column>) -> Value {
    json!({"type": "struct", "fields": columns.map(Column::spark).collect::<Vec<_>>()})
}
