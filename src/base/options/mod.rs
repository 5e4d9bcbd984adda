//! Options, as Spark, Python and the command line hand them over: one flat map of text.

pub mod catalogue;
mod connection;
mod table;
mod value;

pub use connection::{ConnectionConfig, Credential, RateLimits, parse_connection};
pub use table::{ChatType, Extras, OnForbidden, Strategy, TableOptions, parse_table};

use crate::error::Result;

/// What an unknown name does. Spark's map holds names that are nobody's fault, so there it only warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    Strict,
    Lenient,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub connection: ConnectionConfig,
    pub table: TableOptions,
    pub warnings: Vec<String>,
    /// The options that arrived, for the report: a connection's allow list can swallow some on the way.
    pub arrived: Vec<&'static str>,
}

/// Reads a map that holds connection and table options together.
pub fn parse(pairs: impl IntoIterator<Item = (String, String)>, strictness: Strictness) -> Result<Options> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let mut arrived: Vec<_> =
        pairs.iter().filter_map(|(name, _)| catalogue::find(name)).map(|spec| spec.name).collect();
    arrived.sort_unstable();
    // Either door warns about the same unknown names, so one set of warnings is enough.
    let (table, warnings) = parse_table(pairs.iter().cloned(), strictness)?;
    let (connection, _) = parse_connection(pairs, strictness)?;
    Ok(Options { connection, table, warnings, arrived })
}

#[cfg(test)]
mod tests;
