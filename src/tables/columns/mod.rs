//! Column buffers that are filled from JSON and finished as Arrow arrays.

mod builder;
mod cell;
mod path;
mod sparse;
mod text;

pub(crate) use builder::ColumnBuilder;
pub(crate) use cell::read_cell;
pub(crate) use path::{Path, append_int, follow, identity, items_of, path};
#[cfg(test)]
pub(crate) use text::TextColumn;
