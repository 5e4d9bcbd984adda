//! Options, as Spark, Python and the command line hand them over: one flat map of text.

pub mod catalogue;
mod connection;
mod table;
mod value;

pub use connection::{ConnectionConfig, Credential, RateLimits, parse_connection};
pub use table::{ChatType, Extras, OnForbidden, Strategy, TableOptions, Timestamps, parse_table};

/// What an unknown name does. Spark adds names of its own to the map, so there it only warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    Strict,
    Lenient,
}

#[cfg(test)]
mod tests;
