//! Rows against the truth, column by column, as the table declares them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use teams_emulator::{Emulator, EmulatorConfig, Mutation};
use teams_tables::{ColumnType, List, Parent, Reading, Source, TABLES, Table, find};

use crate::harness::*;

/// Every table that is one list per parent.
pub fn lists() -> impl Iterator<Item = (&'static Table, &'static List)> {
    TABLES.iter().filter_map(|table| match table.reading {
        Reading::List(list) => Some((*table, list)),
        _ => None,
    })
}

/// Options that discover everything.
pub fn options(parent: Parent) -> Vec<(&'static str, &'static str)> {
    match parent {
        Parent::Tenant => vec![],
        Parent::Team => vec![("fetch_all_teams", "true")],
        Parent::Channel | Parent::SharedChannel => ALL_MESSAGES.to_vec(),
        Parent::Chat | Parent::User => ALL_CHATS.to_vec(),
        Parent::Group | Parent::MailGroup => vec![("fetch_all_groups", "true")],
        Parent::Item(list) => options(list.parent),
    }
}

/// A tenant in which every table has rows: it has deleted teams too.
pub fn tenant() -> Emulator {
    let emulator = start(EmulatorConfig { teams: 9, ..small() });
    emulator.mutate(&Mutation { deleted_teams: 2, ..Mutation::default() });
    emulator
}

/// What a column of this kind holds of a value.
fn shaped(kind: &ColumnType, value: &Value) -> Value {
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        (ColumnType::Struct(columns), Value::Object(item)) => {
            let field = |name: &str| item.get(name).unwrap_or(&Value::Null);
            let pairs = columns.iter().map(|column| (column.name.to_owned(), shaped(&column.kind, field(column.name))));
            Value::Object(pairs.collect())
        }
        (ColumnType::List(kind), Value::Array(items)) => items.iter().map(|item| shaped(kind, item)).collect(),
        (_, value) => value.clone(),
    }
}

/// The same of a row that was read: JSON comes as text.
fn parsed(kind: &ColumnType, value: &Value) -> Value {
    match (kind, value) {
        (ColumnType::Json, Value::String(text)) => serde_json::from_str(text).unwrap(),
        (ColumnType::Struct(columns), Value::Object(item)) => {
            let pairs = columns.iter().map(|column| (column.name.to_owned(), parsed(&column.kind, &item[column.name])));
            Value::Object(pairs.collect())
        }
        _ => value.clone(),
    }
}

fn wanted(table: &Table, truth: &Value) -> Value {
    let columns = table.columns.iter().map(|column| {
        let property = match column.source {
            Source::Named(property) => property,
            _ => column.name,
        };
        (column.name.to_owned(), shaped(&column.kind, &truth[property]))
    });
    Value::Object(columns.collect())
}

fn found(table: &Table, row: &Value) -> Value {
    let columns = table.columns.iter().map(|column| (column.name.to_owned(), parsed(&column.kind, &row[column.name])));
    Value::Object(columns.collect::<Map<_, _>>())
}

fn by_key(table: &str, rows: impl Iterator<Item = (String, Value)>) -> BTreeMap<String, Value> {
    let mut map = BTreeMap::new();
    for (key, row) in rows {
        assert!(map.insert(key.clone(), row).is_none(), "{table}: two rows have the key {key}");
    }
    map
}

/// The truth by key; `odata_id` is a link, which no truth holds.
pub fn truth_of(emulator: &Emulator, name: &str) -> BTreeMap<String, Value> {
    let table = find(name).unwrap();
    by_key(name, emulator.truth(name).iter().map(|row| (key(name, row), wanted(table, row))))
}

pub fn rows_of(name: &'static str, rows: &[(&'static str, Value)]) -> BTreeMap<String, Value> {
    let table = find(name).unwrap();
    by_key(name, rows.iter().map(|(_, row)| (key(name, row), found(table, row))))
}

/// Links differ by server; the rest has to be equal.
fn without_links(mut rows: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    for row in rows.values_mut() {
        if let Value::Object(row) = row {
            row.remove("odata_id");
        }
    }
    rows
}

#[track_caller]
pub fn assert_rows(name: &str, found: BTreeMap<String, Value>, truth: BTreeMap<String, Value>) {
    let (found, truth) = (without_links(found), without_links(truth));
    assert!(!truth.is_empty(), "{name}: an empty table proves nothing");
    let keys = |rows: &BTreeMap<String, Value>| rows.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&found), keys(&truth), "{name}: the keys differ");
    for (key, row) in &truth {
        assert_eq!(&found[key], row, "{name} {key}");
    }
}

/// Reads a table whole and compares it with the truth.
pub async fn assert_whole_table(emulator: &Emulator, name: &'static str, options: &[(&str, &str)]) {
    let (rows, failure) = read_once(&session(emulator), &pass(&[name], options)).await;
    assert!(failure.is_none(), "{name}: {failure:?}");
    assert_rows(name, rows_of(name, &rows), truth_of(emulator, name));
}
