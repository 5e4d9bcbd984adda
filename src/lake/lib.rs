//! What reading and writing a table's files takes that is too slow elsewhere. It knows files and columns, and no table.
//!
//! - [`data_file`]: rows of Parquet files by their number;
//! - [`splice`]: Parquet files made of row groups of others, and of columns of others;
//! - [`key_hashes`]: which of the keys that are looked for a file may hold.

mod data_file;
mod key_hashes;
mod splice;
#[cfg(test)]
mod test_folder;

pub use data_file::{ColumnFacts, DataFile, FileLayout, Group, Limits, Rows};
pub use key_hashes::{KeyHashes, RecentKeys, Unhashable};
pub use splice::{Layers, splice};
