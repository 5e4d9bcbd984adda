//! The tables, and what turns bytes of JSON into their Arrow columns.
//!
//! Each table is one declaration in `graph`, made of the words of `schema`: what its columns are, where their values come from,
//! how it is read. There is no JSON tree and no allocation per field: `json` reads each value where it stands, and
//! `columns` writes it where it stays; `rows` decides what becomes a row, `dedup` what has become one before, `derive` what is
//! made of the rows of messages. A value of the wrong type becomes null and costs no more than itself; text that is not JSON
//! makes the page malformed.
//!
//! Uses `teams-base` only. It knows nothing of HTTP, of tokio or of Python: pages come as bytes, and batches go out.

mod columns;
mod csv;
mod dedup;
mod derive;
mod graph;
mod json;
mod page;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

// Declarations.
pub use graph::{TABLES, find};
pub use schema::{
    Archive, Column, ColumnType, Derived, DirectoryObject, Empty, Ingestion, List, Meetings, Parent, Part, Projection,
    Reading, Report, Shape, Source, Table, Takes, spark_struct,
};

// From bytes to rows.
pub use csv::csv_items;
pub use dedup::{KeySet, key_hash};
pub use derive::{BodyText, Exploder};
pub use json::Fields;
pub use page::{Page, read_item, read_page};
pub use rows::{
    Context, Continuation, DeltaLog, DeltaRows, ExportRows, Filter, Known, ListRows, RawItems, Rows, TableBuilder,
    Tally, ThreadOutcome, ThreadRows, Twice, Unlisted, VersionRows, read_known,
};
