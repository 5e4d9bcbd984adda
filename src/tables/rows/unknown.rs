//! Properties without a declaration: counted, so that a change of Graph is noticed. `_raw` keeps their values.

use super::properties::USES;
use super::table_builder::TableBuilder;
use crate::columns::ColumnBuilder;
use crate::json::ObjectKeys;
use crate::schema::{Column, ColumnType};

/// Longer names are cut, because they are reported.
const LONGEST: usize = 80;

impl TableBuilder {
    /// Takes the counts of unknown properties, by path.
    pub fn take_unknown(&mut self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let declared = self.projection().table.columns;
        let is_known = |name: &str| {
            declared.iter().any(|column| column.name == name) || USES.iter().any(|(known, _)| *known == name)
        };
        take(&mut self.properties.keys, "", is_known, &mut found);
        let columns = self.projection().columns.clone();
        for (column, builder) in columns.into_iter().zip(&mut self.columns) {
            walk(column.name, &column.kind, builder, &mut found);
        }
        found
    }
}

fn walk(path: &str, kind: &ColumnType, column: &mut ColumnBuilder, found: &mut Vec<(String, u64)>) {
    match (kind, column) {
        (ColumnType::Struct(declared), ColumnBuilder::Struct(item)) => {
            take(&mut item.keys, path, |_| false, found);
            for (field, column) in declared.iter().zip(&mut item.fields) {
                let Column { name, kind, .. } = field;
                walk(&format!("{path}.{name}"), kind, column, found);
            }
        }
        (ColumnType::List(kind), ColumnBuilder::List(list)) => walk(path, kind, list.items_mut(), found),
        _ => {}
    }
}

fn take(keys: &mut ObjectKeys, path: &str, is_known: impl Fn(&str) -> bool, found: &mut Vec<(String, u64)>) {
    for (name, count) in keys.take_met() {
        // Annotations belong to the protocol, not to the resource.
        if name.contains('@') || is_known(name) {
            continue;
        }
        let name: String = name.chars().take(LONGEST).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
        found.push((if path.is_empty() { name } else { format!("{path}.{name}") }, count));
    }
}
