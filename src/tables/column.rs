//! How a column is declared, and what it is in Arrow and in Spark.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use serde_json::{Value, json};

/// The shape of a column's values. Every column and every nested field is nullable: Graph leaves out or nulls anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Int,
    /// A whole number of 64 bits: counts and sizes.
    Long,
    Binary,
    /// Any JSON value as a string, byte for byte as Graph sent it: for open and polymorphic objects.
    Json,
    Struct(&'static [Column]),
    List(&'static Kind),
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The property of the same name.
    Property,
    /// The timestamp that orders versions: padded to milliseconds so that text sorts as time, and where it is null
    /// the creation time.
    Cursor,
    /// A property of another name, such as an annotation whose name SQL could not take.
    Named(&'static str),
    Derived(Derived),
    /// Taken from a message that has been read.
    Detail(Part),
}

/// What a column takes from a message, or from the part of it that became a row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The message's id.
    Message,
    /// The id of the thread's first message: of a root its own.
    Root,
    /// Where the item stands in the message's list, from 0.
    Position,
    /// How many items the message has in this version.
    SetSize,
    /// A column of the message, of this name.
    Of(&'static str),
    /// A nested field of the item.
    Nested(&'static [&'static str]),
    /// Which identity of an identity set is there, and its id.
    IdentityKind(&'static str),
    IdentityId(&'static str),
    /// The event's `@odata.type`, without what all of them share.
    EventType,
    /// `callDuration` in whole seconds.
    CallSeconds,
    /// The body without markup.
    BodyText,
    /// A hosted content's address, and the id in it.
    HostedUrl,
    HostedId,
    /// Which part of the message shows the hosted content.
    HostedSource,
    /// What only the hosted content itself tells.
    HostedValue,
}

/// Columns that the item itself does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    Team,
    Channel,
    Chat,
    Parent,
    User,
    /// What was said in a meeting, where it is asked for.
    Transcript,
    Group,
    /// The item of another list that this list belongs to.
    Item,
    /// When the connector saw this version, by Graph's clock.
    ObservedAt,
    /// The whole item as sent (`include_raw`).
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub source: Source,
}

impl Column {
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, source: Source::Property }
    }

    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    pub const fn bool(name: &'static str) -> Self {
        Self::new(name, Kind::Bool)
    }

    pub const fn json(name: &'static str) -> Self {
        Self::new(name, Kind::Json)
    }

    pub const fn cursor(name: &'static str) -> Self {
        Self { name, kind: Kind::Text, source: Source::Cursor }
    }

    pub const fn named(name: &'static str, property: &'static str) -> Self {
        Self { name, kind: Kind::Text, source: Source::Named(property) }
    }

    pub const fn derived(name: &'static str, derived: Derived) -> Self {
        Self { name, kind: Kind::Text, source: Source::Derived(derived) }
    }

    pub const fn detail(name: &'static str, kind: Kind, part: Part) -> Self {
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

impl Kind {
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
