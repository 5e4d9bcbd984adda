//! The slow path: an item that was refused as a whole is read field by field, so that one bad value costs only itself.

use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;

use super::builder::TableBuilder;
use super::column::ColumnBuilder;
use super::row::{self, Head, Nested};

/// Reads an item property by property. `false` means that it is no object at all.
pub(super) fn row<N: Nested>(builder: &mut TableBuilder, head: &mut Head, nested: &mut N, text: &str) -> bool {
    row::begin(head);
    let Some(properties) = properties(text) else { return false };
    for (key, raw) in &properties {
        row::read_property(builder, head, nested, key, raw);
    }
    row::close(head);
    true
}

/// An object's properties, values unread.
pub(super) fn properties(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    struct Properties;

    impl<'de> Visitor<'de> for Properties {
        type Value = Vec<(String, Box<RawValue>)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut properties = Vec::new();
            while let Some(property) = map.next_entry()? {
                properties.push(property);
            }
            Ok(properties)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Properties).ok()
}

/// Reads one value; what can't be read becomes null and is counted.
pub(super) fn cell(builder: &mut TableBuilder, index: usize, raw: &RawValue) {
    let before = builder.columns[index].len();
    if row::fill_raw(builder, index, raw).is_ok() {
        return;
    }
    builder.columns[index].truncate(before);
    let column = &mut builder.columns[index];
    match (lossy_string(raw.get()), column) {
        (Some(text), ColumnBuilder::Text(column)) => column.append(&text),
        (_, column) => {
            column.append_null();
            builder.wrong[index] += 1;
        }
    }
}

/// A JSON string with lone surrogates replaced: software that cuts text at a fixed length splits emoji in two.
fn lossy_string(json: &str) -> Option<String> {
    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }

    if !json.starts_with('"') {
        return None;
    }
    serde_json::Deserializer::from_str(json).deserialize_bytes(Bytes).ok()
}
