//! JSON to Arrow, straight from a page's bytes into column buffers, driven by the table's declaration.
//!
//! There is no JSON tree and no allocation per field: [`json`] reads each value where it stands, and [`cell`] writes it
//! where it stays. A value of the wrong type becomes null and costs no more than itself; text that is no JSON makes the
//! page malformed.

mod body_text;
mod builder;
mod cell;
mod chains;
mod column;
mod csv;
mod details;
mod fields;
mod filled;
mod filter;
mod flat;
mod hosted;
mod html;
mod json;
mod keys;
mod list;
mod literal;
mod page;
mod paths;
mod plain;
mod row;
#[cfg(test)]
mod tests;
mod text;
mod unknown;
mod versions;

pub use self::csv::csv_items;
pub use body_text::BodyText;
pub use builder::{Context, TableBuilder};
pub use chains::{ChainOutcome, ChainRows, Continuation};
pub use details::Exploder;
pub use fields::Fields;
pub use filter::{Filter, KeySet, Tally, key_hash};
pub use flat::FlatRows;
pub use html::to_text as html_to_text;
pub use json::{Fault, Json, Read};
pub use list::{ListRows, RawItems};
pub use page::{Page, read_item, read_page};
pub use row::Rows;
pub use versions::VersionRows;
