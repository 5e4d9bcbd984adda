//! Decoding whatever comes: it never panics, rows are never mixed up, and a page that is refused leaves nothing behind.
//! The fuzz targets' seeds are replayed here too; with `FUZZ_SECONDS` set, each target goes on with mutated seeds for so
//! long, on the stable toolchain.

mod examples;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::fuzz;
use teams_tables::{
    Column, ColumnType, Context, ExportRows, Filter, ListRows, Page, Projection, Source, TABLES, Table, TableBuilder,
    ThreadRows, find, read_page,
};

fn builder(table: &'static Table) -> TableBuilder {
    TableBuilder::new(Projection::new(table, None, true).unwrap())
}

fn list(table: &'static Table, page: &[u8]) -> (Result<Page, String>, RecordBatch) {
    let mut rows = builder(table);
    let mut filter = Filter::default();
    let result = read_page(page, &mut ListRows::new(&mut rows, Context::default(), &mut filter));
    (result, rows.finish())
}

/// Any JSON, biased towards what looks like a message.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["2026-01-15T12:00:00Z", "0001-01-01", "soon", "message", "\u{fffd}", ""])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 8, |inner| {
        let names = prop_oneof![
            prop::sample::select(vec![
                "id",
                "user",
                "from",
                "body",
                "content",
                "contentType",
                "error",
                "value",
                "replies"
            ])
            .prop_map(str::to_owned),
            ".{0,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn property_names(table: &'static Table) -> Vec<&'static str> {
    let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    names.extend(["replies", "replies@odata.nextLink", "@removed", "@odata.type", "unknown"]);
    names
}

/// The property that tells a table's rows apart: `id`, or what a report has instead.
fn key_of(table: &Table) -> &'static str {
    let has_id = table.columns.iter().any(|column| is_key(column, "id"));
    if has_id { "id" } else { table.keys.last().unwrap() }
}

fn is_key(column: &Column, name: &str) -> bool {
    column.name == name && column.kind == ColumnType::Text && column.source == Source::Property
}

/// An item with arbitrary values in some properties.
fn any_item(table: &'static Table) -> impl Strategy<Value = Map<String, Value>> {
    let is_free = |name: &&str| *name != key_of(table) && *name != "@removed";
    let names = property_names(table).into_iter().filter(is_free).collect::<Vec<_>>();
    prop::collection::vec((prop::sample::select(names), any_json()), 0..10)
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn any_table() -> impl Strategy<Value = &'static Table> {
    // Those that are taken from messages are not read by themselves.
    let tables = TABLES.iter().filter(|table| table.columns.iter().any(|column| is_key(column, key_of(table))));
    prop::sample::select(tables.copied().collect::<Vec<_>>())
}

/// A value that a column of this kind takes as it is, made of the item's number.
fn right_value(kind: &ColumnType, number: usize) -> Value {
    match kind {
        ColumnType::Text | ColumnType::Time | ColumnType::Json => json!(format!("{number}")),
        ColumnType::Bool => json!(number.is_multiple_of(2)),
        ColumnType::Int | ColumnType::Long => json!(number),
        ColumnType::Binary => Value::Null,
        ColumnType::Struct(columns) => Value::Object(
            columns.iter().map(|column| (column.name.into(), right_value(&column.kind, number))).collect(),
        ),
        ColumnType::List(item) => json!((0..number % 3).map(|_| right_value(item, number)).collect::<Vec<_>>()),
    }
}

/// Checks that whatever a row holds below a column is of its own item.
fn assert_own(array: &dyn Array, row: usize, column: &Column, number: usize) {
    if array.is_null(row) {
        return;
    }
    match column.kind {
        ColumnType::Text | ColumnType::Time => {
            assert_eq!(array.as_string::<i32>().value(row), format!("{number}"), "{}", column.name);
        }
        ColumnType::Json => assert_eq!(array.as_string::<i32>().value(row), format!("\"{number}\""), "{}", column.name),
        ColumnType::Binary => assert!(array.is_null(row), "{}", column.name),
        ColumnType::Bool => assert_eq!(array.as_boolean().value(row), number.is_multiple_of(2), "{}", column.name),
        ColumnType::Int => {
            let ints = array.as_primitive::<arrow_array::types::Int32Type>();
            assert_eq!(ints.value(row), number as i32, "{}", column.name);
        }
        ColumnType::Long => {
            let longs = array.as_primitive::<arrow_array::types::Int64Type>();
            assert_eq!(longs.value(row), number as i64, "{}", column.name);
        }
        ColumnType::Struct(columns) => {
            let inner = array.as_struct();
            for (field, column) in inner.columns().iter().zip(columns) {
                assert_own(field, row, column, number);
            }
        }
        ColumnType::List(item) => {
            let items = array.as_list::<i32>().value(row);
            assert_eq!(items.len(), number % 3, "{}", column.name);
            for row in 0..items.len() {
                assert_own(&items, row, &Column::new(column.name, *item, column.description), number);
            }
        }
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_json_at_all(page in any_json(), table in any_table(), raw in any::<bool>()) {
        let body = serde_json::to_vec(&page).unwrap();
        let at = TABLES.iter().position(|other| other.name == table.name).unwrap();
        for choice in [0x10, 0x20, 0x30, fuzz::LISTS[at / 16] | (at % 16) as u8] {
            fuzz::pages(&[&[choice | if raw { 0x80 } else { 0 }], body.as_slice()].concat());
        }
    }

    #[test]
    fn a_page_of_odd_items_keeps_each_id_at_its_place(
        (table, items) in any_table().prop_flat_map(|table| (Just(table), prop::collection::vec(any_item(table), 0..8))),
    ) {
        let items: Vec<Value> = items.into_iter().enumerate().map(|(index, mut item)| {
            item.insert(key_of(table).into(), index.to_string().into());
            Value::Object(item)
        }).collect();
        let body = serde_json::to_vec(&json!({ "value": items })).unwrap();
        let (result, batch) = list(table, &body);
        prop_assert_eq!(result.map(|page| page.items), Ok(items.len()));
        prop_assert_eq!(batch.num_rows(), items.len());
        let key = key_of(table);
        let ids = batch.column_by_name(key).unwrap().as_string::<i32>();
        let raw = batch.column_by_name("_raw").unwrap().as_string::<i32>();
        for (row, item) in items.iter().enumerate() {
            prop_assert_eq!(ids.value(row), row.to_string());
            prop_assert_eq!(&serde_json::from_str::<Value>(raw.value(row)).unwrap()[key], &item[key]);
        }
    }

    /// Right values everywhere, wrong ones here and there, keys doubled: what is not null is the item's own.
    #[test]
    fn values_never_move_to_another_row(
        table in any_table(),
        wrong in prop::collection::vec((0..12_usize, 0..40_usize, any_json()), 0..20),
        doubled in prop::collection::vec((0..12_usize, 0..40_usize), 0..6),
        raw in any::<bool>(),
    ) {
        let own: Vec<&Column> = table.columns.iter().filter(|column| column.source == Source::Property).collect();
        let mut texts = Vec::new();
        let mut spoilt = vec![vec![false; own.len()]; 12];
        for (number, spoilt) in spoilt.iter_mut().enumerate() {
            let mut parts = Vec::new();
            for (index, column) in own.iter().enumerate() {
                let odd = wrong.iter().find(|(item, at, _)| *item == number && at % own.len() == index);
                let value = match odd {
                    Some((_, _, value)) if column.name != "id" => {
                        spoilt[index] = true;
                        value.clone()
                    }
                    _ => right_value(&column.kind, number),
                };
                parts.push(format!("{}:{value}", Value::from(column.name)));
                if doubled.contains(&(number, index)) {
                    parts.push(format!("{}:[\"second\"]", Value::from(column.name)));
                }
            }
            texts.push(format!("{{{}}}", parts.join(",")));
        }
        let body = format!("{{\"value\":[{}]}}", texts.join(","));
        let mut rows = TableBuilder::new(Projection::new(table, None, raw).unwrap());
        let mut filter = Filter::default();
        let page = read_page(body.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter));
        prop_assert_eq!(page.map(|page| page.items), Ok(12));
        let batch = rows.finish();
        for (index, column) in own.iter().enumerate() {
            let array = batch.column_by_name(column.name).unwrap();
            for (number, spoilt) in spoilt.iter().enumerate() {
                if !spoilt[index] {
                    prop_assert!(array.is_valid(number), "{} of row {number}", column.name);
                    assert_own(array, number, column, number);
                }
            }
        }
    }

    #[test]
    fn any_bytes_at_all(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, target) in fuzz::ALL {
            target(&bytes);
        }
    }
}

const THREADS: &str = r#"{"@odata.context":"x","value":[
    {"id":"1","subject":"one","body":{"content":"äé\n"},"replies":[{"id":"1a","replyToId":"1"},{"id":"1b","replyToId":"1"}],
     "replies@odata.nextLink":"https://graph.microsoft.com/v1.0/more"},
    {"id":"2","subject":"two \ud83d\ude00","mentions":[{"id":0,"mentioned":{"user":{"id":"u"}}}],"replies":[]}
],"@odata.nextLink":"https://graph.microsoft.com/v1.0/next"}"#;

#[test]
fn a_page_cut_anywhere_is_refused_and_leaves_nothing() {
    let whole = THREADS.as_bytes();
    let [mut roots, mut replies] = ["messages", "message_replies"].map(|name| builder(find(name).unwrap()));
    let mut filter = Filter::default();
    let mut rows = ThreadRows::new(&mut roots, &mut replies, (true, true), "t", "c", None, &mut filter);
    for end in 0..whole.len() {
        assert!(read_page(&whole[..end], &mut rows).is_err(), "cut at {end}");
    }
    assert_eq!(read_page(whole, &mut rows).unwrap().items, 2);
    assert_eq!(rows.into_outcome().continuations.len(), 1);
    let (roots, replies) = (roots.finish(), replies.finish());
    assert_eq!((roots.num_rows(), replies.num_rows()), (2, 2));
    assert_eq!(replies.column_by_name("parent_message_id").unwrap().as_string::<i32>().value(1), "1");

    let mut roots = builder(find("messages").unwrap());
    let mut replies = builder(find("message_replies").unwrap());
    let mut filter = Filter::default();
    let mut rows = ExportRows {
        roots: &mut roots,
        replies: &mut replies,
        wants_roots: true,
        wants_replies: true,
        team: "t",
        filter: &mut filter,
        reply_at: None,
    };
    let export = br#"{"value":[{"id":"a","channelIdentity":{"channelId":"c"}},{"id":"b","replyToId":"a"}]}"#;
    for end in 0..export.len() {
        assert!(read_page(&export[..end], &mut rows).is_err(), "cut at {end}");
    }
    read_page(export, &mut rows).unwrap();
    assert_eq!((roots.len(), replies.len()), (1, 1));
}

#[test]
fn every_byte_flipped_is_survived() {
    for choice in [0x03, 0x10, 0x20, 0x30, 0x90] {
        let mut page = [&[choice], THREADS.as_bytes()].concat();
        for at in 1..page.len() {
            for flip in [0x01, 0x20, 0x80] {
                page[at] ^= flip;
                fuzz::pages(&page);
                page[at] ^= flip;
            }
        }
    }
}

#[test]
fn a_thousand_levels_deep_costs_one_value() {
    let (open, close) = ("[".repeat(1_000), "]".repeat(1_000));
    let objects = (r#"{"user":"#.repeat(1_000), "}".repeat(1_000));
    for name in ["from", "body", "mentions", "subject", "eventDetail", "unknown", "id2", "replies"] {
        for deep in [format!("{open}1{close}"), format!("{}1{}", objects.0, objects.1)] {
            let body = format!(r#"{{"value":[{{"id":"a"}},{{"{name}":{deep},"id":"b","webUrl":"w"}},{{"id":"c"}}]}}"#);
            let (result, batch) = list(find("messages").unwrap(), body.as_bytes());
            assert_eq!(result.unwrap().items, 3, "{name}");
            let ids = batch.column_by_name("id").unwrap().as_string::<i32>();
            assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), ["a", "b", "c"], "{name}");
            assert_eq!(batch.column_by_name("webUrl").unwrap().as_string::<i32>().value(1), "w");
            if name == "eventDetail" {
                assert_eq!(batch.column_by_name(name).unwrap().as_string::<i32>().value(1), deep, "as it was sent");
            }
        }
    }
    let body = format!(r#"{{"value":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(list(find("messages").unwrap(), body.as_bytes()).0.is_ok_and(|page| page.items == 1));
}

#[test]
fn a_page_of_64_megabytes_is_read() {
    let text = "x".repeat(64 << 20);
    let body = format!(r#"{{"value":[{{"id":"a","body":{{"content":"{text}"}}}},{{"id":"b"}}]}}"#);
    let (result, batch) = list(find("messages").unwrap(), body.as_bytes());
    assert_eq!((result.unwrap().items, batch.num_rows()), (2, 2));
    let body = batch.column_by_name("body").unwrap().as_struct();
    assert_eq!(body.column_by_name("content").unwrap().as_string::<i32>().value(0).len(), text.len());
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn the_fuzzers_seeds_are_replayed() {
    for (name, target) in fuzz::ALL {
        let seeds = seeds(name);
        assert!(seeds.len() >= 10, "{name} has seeds");
        for (path, bytes) in seeds {
            let result = std::panic::catch_unwind(|| target(&bytes));
            assert!(result.is_ok(), "{}", path.display());
        }
    }
}

/// A small generator of its own: mutations need speed, not quality.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn mutate(&mut self, one: &[u8], other: &[u8]) -> Vec<u8> {
        const PARTS: [&str; 14] = [
            "null",
            "{}",
            "[]",
            "\"\"",
            "1e400",
            "-1",
            "true",
            "\\ud83d",
            "\"id\":",
            "\"replies\":[",
            "}",
            "]",
            "@",
            "://",
        ];
        let mut out = one.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(out.len() + 1);
            match self.below(6) {
                0 if at < out.len() => out[at] ^= 1 << self.below(8),
                1 => out.truncate(at),
                2 => drop(out.splice(at..at, PARTS[self.below(PARTS.len())].bytes())),
                3 => {
                    let end = (at + self.below(20)).min(out.len());
                    out.drain(at..end);
                }
                4 => {
                    let from = self.below(other.len() + 1);
                    let part = &other[from..(from + self.below(60)).min(other.len())];
                    drop(out.splice(at..at, part.iter().copied()));
                }
                _ => {
                    let from = self.below(out.len() + 1);
                    let part = out[from..(from + self.below(60)).min(out.len())].to_vec();
                    drop(out.splice(at..at, part));
                }
            }
        }
        out
    }
}

#[test]
fn mutated_seeds_hold_the_promises() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0.5);
    for (name, target) in fuzz::ALL {
        let seeds: Vec<_> = seeds(name).into_iter().map(|(_, bytes)| bytes).collect();
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ name.len() as u64);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs_f64(seconds) {
            let (one, other) = (random.below(seeds.len()), random.below(seeds.len()));
            let input = random.mutate(&seeds[one], &seeds[other]);
            let result = std::panic::catch_unwind(|| target(&input));
            assert!(result.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&input));
        }
    }
}
