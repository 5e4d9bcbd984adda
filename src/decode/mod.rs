//! JSON to Arrow, straight from a page's bytes into column buffers, driven by the table's declaration.
//!
//! The fast path makes no JSON tree and no allocation per field. Where it meets something it can't take (a lone
//! surrogate, a number out of range) the item is read once more, field by field, so that one bad field costs no more
//! than itself ([`salvage`]).

mod builder;
mod cell;
mod chains;
mod column;
mod filter;
mod flat;
mod list;
mod page;
mod row;
mod salvage;
mod timestamp;

pub use builder::{Context, TableBuilder};
pub use chains::{ChainOutcome, ChainRows, Continuation};
pub use filter::{Filter, Tally, key_hash};
pub use flat::FlatRows;
pub use list::{ListRows, RawItems};
pub use page::{Page, read_item, read_page};
pub use row::{Head, Rows};
pub use timestamp::{parse as parse_timestamp, to_text as timestamp_text};
