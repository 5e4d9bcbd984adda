//! One JSON value into one column. Whatever the value is, exactly one entry is appended.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::column::{ColumnBuilder, List, Struct};

/// Appends one value. A value of the wrong type becomes null and is counted.
pub(super) struct Cell<'b> {
    pub(super) column: &'b mut ColumnBuilder,
    pub(super) wrong: &'b mut u64,
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let ColumnBuilder::Json(text) = self.column {
            // A raw value keeps the bytes as they were sent, and is skipped over without recursion.
            let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
            match raw.get() {
                "null" => self.column.append_null(),
                value => text.append(value),
            }
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl Cell<'_> {
    fn wrong_type(self) {
        *self.wrong += 1;
        self.column.append_null();
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        match self.column {
            ColumnBuilder::Text(text) => text.append(value),
            _ => self.wrong_type(),
        }
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        match self.column {
            ColumnBuilder::Bool(bool) => bool.append(value),
            _ => self.wrong_type(),
        }
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        match (&mut *self.column, i32::try_from(value)) {
            (ColumnBuilder::Int(int), Ok(value)) => int.append(value),
            _ => self.wrong_type(),
        }
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        match (&mut *self.column, i32::try_from(value)) {
            (ColumnBuilder::Int(int), Ok(value)) => int.append(value),
            _ => self.wrong_type(),
        }
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.wrong_type();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.column.append_null();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let ColumnBuilder::List(list) = self.column else {
            while sequence.next_element::<IgnoredAny>()?.is_some() {}
            self.wrong_type();
            return Ok(());
        };
        append_list(list, self.wrong, sequence)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let ColumnBuilder::Struct(item) = self.column else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.wrong_type();
            return Ok(());
        };
        append_struct(item, self.wrong, map)
    }
}

fn append_list<'de, A: SeqAccess<'de>>(list: &mut List, wrong: &mut u64, mut sequence: A) -> Result<(), A::Error> {
    while sequence.next_element_seed(Cell { column: &mut list.items, wrong })?.is_some() {}
    list.append_valid();
    Ok(())
}

fn append_struct<'de, A: MapAccess<'de>>(item: &mut Struct, wrong: &mut u64, mut map: A) -> Result<(), A::Error> {
    let rows = item.fields.first().map_or(0, ColumnBuilder::len);
    while let Some(found) = map.next_key_seed(Key { names: &item.names })? {
        match found {
            // A key that comes twice keeps its first value: a second entry would shift the column.
            Some(index) if item.fields[index].len() == rows => {
                map.next_value_seed(Cell { column: &mut item.fields[index], wrong })?;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    for field in &mut item.fields {
        if field.len() == rows {
            field.append_null();
        }
    }
    item.append_valid();
    Ok(())
}

/// Finds a key among names, without allocating.
struct Key<'n> {
    names: &'n [&'static str],
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|name| *name == key))
    }
}
