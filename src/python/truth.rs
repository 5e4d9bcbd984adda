//! What the emulated tenant holds, in the form in which reading gives it: the table's columns, and the times of its cursor.
//!
//! It follows the declaration of the table and nothing of what reads it, so that a comparison still tells something.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use teams_base::timestamp;
use teams_tables::{Column, ColumnType, Source, Table};

type Properties<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// One row of the table; `text` is the item as the tenant holds it, with the keys that readers derive. `now` stands for
/// when it was observed.
pub fn row(table: &Table, text: &str, now: &str) -> Value {
    let item = properties(text);
    let columns = table.columns.iter();
    Value::Object(columns.map(|column| (column.name.to_owned(), cell(column, &item, now))).collect())
}

fn properties(text: &str) -> Properties<'_> {
    serde_json::from_str(text).unwrap_or_default()
}

fn cell(column: &Column, item: &Properties<'_>, now: &str) -> Value {
    let named = |name: &str| item.get(name).map(|value| shaped(&column.kind, value.get()));
    match column.source {
        Source::Cursor => ["createdDateTime"]
            .iter()
            .fold(time(named(column.name)), |found, name| if found.is_null() { time(named(name)) } else { found }),
        Source::Named(name) => named(name).unwrap_or(Value::Null),
        Source::Derived(teams_tables::Derived::ObservedAt) => now.into(),
        Source::Property | Source::Derived(_) | Source::Detail(_) => named(column.name).unwrap_or(Value::Null),
    }
}

/// Padded to milliseconds, so that text sorts as time.
fn time(value: Option<Value>) -> Value {
    let Some(Value::String(text)) = value else { return Value::Null };
    let mut text = Cow::Owned(text);
    timestamp::pad(&mut text);
    text.into_owned().into()
}

fn shaped(kind: &ColumnType, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    match kind {
        _ if value.is_null() => Value::Null,
        ColumnType::Json => text.into(),
        ColumnType::Struct(fields) => {
            let item = properties(text);
            let field = |field: &Column| {
                let name = if let Source::Named(name) = field.source { name } else { field.name };
                item.get(name).map_or(Value::Null, |value| shaped(&field.kind, value.get()))
            };
            Value::Object(fields.iter().map(|column| (column.name.to_owned(), field(column))).collect())
        }
        ColumnType::List(item) => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            items.into_iter().map(|value| shaped(item, value.get())).collect()
        }
        ColumnType::Text
        | ColumnType::Time
        | ColumnType::Bool
        | ColumnType::Int
        | ColumnType::Long
        | ColumnType::Binary => value,
    }
}
