//! Nested fields of rows that have been read.

use std::ops::Range;

use super::builder::ColumnBuilder;
use crate::schema::{Column, ColumnType};

/// A field by its place: of a column, of a struct in it, and so on.
pub(crate) type Path = Vec<usize>;

/// Fields by their names, as places.
pub(crate) fn path(kind: &ColumnType, names: &[&str]) -> Option<Path> {
    let mut kind = *kind;
    let mut path = Path::new();
    for name in names {
        let ColumnType::Struct(fields) = kind else { return None };
        let at = fields.iter().position(|field| field.name == *name)?;
        path.push(at);
        kind = fields[at].kind;
    }
    Some(path)
}

/// A nested field, where all structs around it are there.
pub(crate) fn follow<'c>(column: &'c ColumnBuilder, row: usize, path: &[usize]) -> Option<&'c ColumnBuilder> {
    path.iter().try_fold(column, |column, field| match column {
        ColumnBuilder::Struct(item) if column.is_filled(row) => item.fields.get(*field),
        _ => None,
    })
}

pub(crate) fn items_of(column: &ColumnBuilder, row: usize) -> Option<(Range<usize>, &ColumnBuilder)> {
    match column {
        ColumnBuilder::List(list) => list.items(row),
        _ => None,
    }
}

/// The identity of a set that is there, and its id, which is the first field of each.
pub(crate) fn identity<'c>(
    set: &'c ColumnBuilder,
    row: usize,
    names: &[Column],
) -> Option<(&'static str, Option<&'c str>)> {
    let ColumnBuilder::Struct(set) = set else { return None };
    let at = set.fields.iter().position(|identity| identity.is_filled(row))?;
    let id = follow(&set.fields[at], row, &[0]).and_then(|id| id.text_at(row));
    Some((names.get(at).map_or("", |column| column.name), id))
}

pub(crate) fn append_int(column: &mut ColumnBuilder, row: usize, value: impl TryInto<i32>) {
    if let (ColumnBuilder::Int(int), Ok(value)) = (column, value.try_into()) {
        int.push(row, value);
    }
}
