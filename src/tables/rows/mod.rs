//! Items of a page into the rows of a table.

mod context;
mod delta;
mod export;
mod filter;
mod head;
mod known;
mod list;
mod page_rows;
mod properties;
mod raw;
mod row;
mod table_builder;
mod thread;
mod unknown;
mod versions;

pub use context::Context;
pub use delta::{DeltaLog, DeltaRows};
pub use export::ExportRows;
pub use filter::{Filter, Tally, Twice, Unlisted};
pub use known::{Known, read_known};
pub use list::ListRows;
pub use page_rows::Rows;
pub use raw::RawItems;
pub(crate) use row::{NoNested, read_row};
pub use table_builder::TableBuilder;
pub use thread::{Continuation, ThreadOutcome, ThreadRows};
pub use versions::VersionRows;
