//! Published example bodies, decoded with the table that fits: nothing is dropped that the schema names.
//!
//! `GRAPH_EXAMPLES` is a folder of JSON files: pages, single resources, or answers of a batch. Without it the test is skipped.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use jiff::Timestamp;
use serde_json::{Map, Value};
use teams_tables::{
    Column, ColumnType, Context, Exploder, Filter, ListRows, Projection, Source, TableBuilder, Takes, find, read_page,
};

/// The table whose rows such a resource is; `None` for what no table holds, such as errors and tokens.
fn table_of(item: &Value) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().any(|name| item.get(name).is_some());
    let kind = item["@odata.type"].as_str().unwrap_or_default();
    Some(match () {
        () if has(&["error", "access_token"]) => return None,
        () if has(&["messageType", "eventDetail", "policyViolation", "replyToId", "from"]) => "messages",
        () if has(&["chatType"]) => "chats",
        () if has(&["membershipType"]) => "channels",
        () if has(&["memberSettings", "guestSettings", "specialization"]) => "teams",
        () if kind.ends_with("ConversationMember") || has(&["roles"]) => "members",
        () if has(&["groupTypes", "mailNickname"]) || kind == "#microsoft.graph.group" => "groups",
        () if has(&["userPrincipalName", "businessPhones"]) || kind == "#microsoft.graph.user" => "users",
        () => return None,
    })
}

/// Every resource in a body, replies and the answers of a batch among them.
fn resources(body: &Value, found: &mut Vec<(&'static str, Value)>) {
    for response in body["responses"].as_array().into_iter().flatten() {
        resources(&response["body"], found);
    }
    if let Some(items) = body["value"].as_array() {
        items.iter().for_each(|item| resources(item, found));
        return;
    }
    for reply in body["replies"].as_array().into_iter().flatten() {
        found.push(("message_replies", reply.clone()));
    }
    found.extend(table_of(body).map(|table| (table, body.clone())));
}

fn held(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            Value::Object(columns.map(|(field, column)| (field.name().clone(), held(column, row))).collect())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| held(&items, at)).collect()
        }
        other => panic!("no column of an example is {other}"),
    }
}

/// Compares what was sent with what was decoded, leaf by leaf; `leaves` counts those that were there.
fn compare(path: &str, kind: ColumnType, sent: &Value, found: &Value, leaves: &mut usize) -> Vec<String> {
    match (kind, sent) {
        (_, Value::Null) if found.is_null() => Vec::new(),
        (ColumnType::Json, _) => {
            *leaves += 1;
            let parsed = found.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            if parsed.as_ref() == Some(sent) { Vec::new() } else { vec![format!("{path}: {found} instead of {sent}")] }
        }
        (ColumnType::Struct(fields), Value::Object(object)) => {
            fields.iter().flat_map(|field| compare_field(path, field, object, found, leaves)).collect()
        }
        (ColumnType::List(item), Value::Array(items))
            if found.as_array().is_some_and(|list| list.len() == items.len()) =>
        {
            let pairs = items.iter().enumerate();
            pairs.flat_map(|(at, sent)| compare(&format!("{path}[{at}]"), *item, sent, &found[at], leaves)).collect()
        }
        (_, sent) => {
            *leaves += 1;
            if sent == found { Vec::new() } else { vec![format!("{path}: {found} instead of {sent}")] }
        }
    }
}

fn compare_field(
    path: &str,
    field: &Column,
    sent: &Map<String, Value>,
    found: &Value,
    leaves: &mut usize,
) -> Vec<String> {
    let path = format!("{path}.{}", field.name);
    let sent = sent.get(field.name).unwrap_or(&Value::Null);
    compare(&path, field.kind, sent, &found[field.name], leaves)
}

fn decode(table: &str, item: &Value) -> (RecordBatch, RecordBatch) {
    let messages = Projection::new(find(table).unwrap(), None, true).unwrap();
    let events = Projection::new(find("system_events").unwrap(), None, false).unwrap();
    let exploder = Exploder::new(Takes::Event, &messages, &events, false);
    let (mut rows, mut found) = (TableBuilder::new(messages), TableBuilder::new(events));
    let mut filter = Filter::default();
    let body = serde_json::json!({"value": [item]}).to_string();
    read_page(body.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
    if table.starts_with("message") {
        exploder.explode(&rows, 0..1, &mut found);
    }
    assert!(rows.take_wrong_types().is_empty(), "{table}: a value of another type than its column's");
    (rows.finish(), found.finish())
}

/// What of an item is not as it was sent.
fn wrong(table: &str, item: &Value, leaves: &mut usize) -> Vec<String> {
    let (batch, events) = decode(table, item);
    assert_eq!(batch.num_rows(), 1, "{table}: {item}");
    let mut wrong = Vec::new();
    for (column, array) in find(table).unwrap().columns.iter().zip(batch.columns()) {
        let property = if let Source::Named(property) = column.source { property } else { column.name };
        let (sent, found) = (&item[property], held(array, 0));
        match column.source {
            Source::Property | Source::Named(_) => {
                wrong.extend(compare(column.name, column.kind, sent, &found, leaves));
            }
            Source::Cursor if !sent.is_null() => {
                *leaves += 1;
                let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                if time(sent) != time(&found) || time(sent).is_none() {
                    wrong.push(format!("{}: {found} instead of {sent}", column.name));
                }
            }
            Source::Cursor | Source::Derived(_) | Source::Detail(_) => {}
        }
    }
    if item["eventDetail"].is_object() && table.starts_with("message") {
        assert_eq!(events.num_rows(), 1, "a system event without its row: {item}");
        for (column, array) in find("system_events").unwrap().columns.iter().zip(events.columns()) {
            if column.source == Source::Property {
                let sent = &item["eventDetail"][column.name];
                let path = format!("eventDetail.{}", column.name);
                wrong.extend(compare(&path, column.kind, sent, &held(array, 0), leaves));
            }
        }
    }
    wrong
}

#[test]
fn every_published_body_decodes_whole() {
    let Some(folder) = std::env::var_os("GRAPH_EXAMPLES") else {
        eprintln!("skipped: GRAPH_EXAMPLES names no folder");
        return;
    };
    let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut leaves, mut failures) = (0, Vec::new());
    for entry in std::fs::read_dir(Path::new(&folder)).expect("GRAPH_EXAMPLES is a folder") {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut found = Vec::new();
        resources(&body, &mut found);
        for (table, item) in found {
            *tables.entry(table).or_default() += 1;
            let problems = wrong(table, &item, &mut leaves);
            failures.extend(problems.into_iter().map(|problem| format!("{}: {table}.{problem}", path.display())));
        }
    }
    eprintln!("{leaves} values of {tables:?}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(leaves > 0, "no body in the folder belongs to a table");
}
