//! One JSON value into one column.

use super::builder::{ColumnBuilder, ListColumn, StructColumn};
use crate::json::{First, Json, Member, Read, Walk};

/// Reads a value into a row; of a key that comes twice the first value stays. A value of the wrong type leaves the row
/// null and is counted.
#[inline]
pub(crate) fn read_cell(
    column: &mut ColumnBuilder,
    row: usize,
    wrong: &mut u64,
    json: &mut Json<'_>,
    first: First,
) -> Read<()> {
    // Most values are text.
    if let (ColumnBuilder::Text(text), b'"') = (&mut *column, first)
        && !text.has(row)
    {
        json.string_into(text)?;
        text.end(row);
        return Ok(());
    }
    read_other(column, row, wrong, json, first)
}

#[inline(never)]
fn read_other(column: &mut ColumnBuilder, row: usize, wrong: &mut u64, json: &mut Json<'_>, first: First) -> Read<()> {
    match (column, first) {
        (_, b'n') => json.null(),
        (ColumnBuilder::Json(text), _) if !text.has(row) => {
            // As it was sent, byte for byte.
            text.append(row, json.raw()?);
            Ok(())
        }
        (ColumnBuilder::Struct(item), b'{') if !item.has(row) => read_struct(item, row, wrong, json),
        (ColumnBuilder::List(list), b'[') if !list.has(row) => read_list(list, row, wrong, json),
        (ColumnBuilder::Bool(bool), b't' | b'f') if !bool.has(row) => {
            bool.push(row, json.bool()?);
            Ok(())
        }
        (ColumnBuilder::Int(int), b'-' | b'0'..=b'9') if !int.has(row) => {
            match json.number()?.parse() {
                Ok(value) => int.push(row, value),
                Err(_) => *wrong += 1,
            }
            Ok(())
        }
        (ColumnBuilder::Long(long), b'-' | b'0'..=b'9') if !long.has(row) => {
            match json.number()?.parse() {
                Ok(value) => long.push(row, value),
                Err(_) => *wrong += 1,
            }
            Ok(())
        }
        (column, _) => {
            *wrong += u64::from(!column.is_filled(row));
            json.skip()
        }
    }
}

fn read_struct(item: &mut StructColumn, row: usize, wrong: &mut u64, json: &mut Json<'_>) -> Read<()> {
    item.open();
    let mut walk = Walk::default();
    while let Some(member) = item.keys.next(&mut walk, json)? {
        let Member::Known(key, first) = member else {
            json.skip()?;
            continue;
        };
        if let Some(field) = item.fields.get_mut(key) {
            read_cell(field, row, wrong, json, first)?;
        } else {
            item.keys.note(key);
            json.skip()?;
        }
    }
    item.close(row);
    Ok(())
}

fn read_list(list: &mut ListColumn, row: usize, wrong: &mut u64, json: &mut Json<'_>) -> Read<()> {
    let mut end = list.end();
    // Most lists are empty.
    if !json.step_over(b"[]") {
        list.open();
        json.array(|json| {
            let first = json.peek()?;
            read_cell(list.items_mut(), end, wrong, json, first)?;
            end += 1;
            Ok(())
        })?;
    }
    list.close(row, end);
    Ok(())
}
