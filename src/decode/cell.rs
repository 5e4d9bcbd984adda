//! One JSON value into one column.

use super::column::{ColumnBuilder, Struct};
use super::json::{Json, Read};
use super::keys::{Member, Walk};

/// Reads a value into a row. A value of the wrong type leaves the row null and is counted.
pub(super) fn read(column: &mut ColumnBuilder, row: usize, wrong: &mut u64, json: &mut Json<'_>) -> Read<()> {
    let first = json.peek()?;
    if first == b'n' {
        return json.null();
    }
    match (column, first) {
        (ColumnBuilder::Json(text), _) => {
            // As it was sent, byte for byte.
            text.append(row, json.raw()?);
            Ok(())
        }
        (ColumnBuilder::Text(text), b'"') => text.read(row, json),
        (ColumnBuilder::Bool(bool), b't' | b'f') => {
            bool.append(row, json.bool()?);
            Ok(())
        }
        (ColumnBuilder::Int(int), b'-' | b'0'..=b'9') => {
            match json.number()?.parse() {
                Ok(value) => int.append(row, value),
                Err(_) => *wrong += 1,
            }
            Ok(())
        }
        (ColumnBuilder::Long(long), b'-' | b'0'..=b'9') => {
            match json.number()?.parse() {
                Ok(value) => long.append(row, value),
                Err(_) => *wrong += 1,
            }
            Ok(())
        }
        (ColumnBuilder::Struct(item), b'{') => read_struct(item, row, wrong, json),
        (ColumnBuilder::List(list), b'[') => list.read(row, json, |items, row, json| read(items, row, wrong, json)),
        _ => {
            *wrong += 1;
            json.skip()
        }
    }
}

fn read_struct(item: &mut Struct, row: usize, wrong: &mut u64, json: &mut Json<'_>) -> Read<()> {
    let mut walk = Walk::default();
    while let Some(member) = item.keys.next(&mut walk, json)? {
        match member {
            // A key that comes twice keeps its first value.
            Member::Known(field) if item.is_open(field, row) => read(&mut item.fields[field], row, wrong, json)?,
            Member::Known(other) => {
                item.keys.note(other);
                json.skip()?;
            }
            Member::Other => json.skip()?,
        }
    }
    item.close(row);
    Ok(())
}
