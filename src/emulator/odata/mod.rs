//! Query options, filters, and the tokens inside links.

pub mod filter;
pub mod query;
pub mod token;
