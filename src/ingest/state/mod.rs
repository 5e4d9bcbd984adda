//! How far a read has got: what an offset holds, and what a session keeps beside it while a round is open.
//!
//! Uses `pagination` and `dedup`. It sends no requests and knows no table.

pub mod discovery_cache;
pub mod offset;
pub mod partition;
mod rice;
pub mod round_failures;
pub mod round_kind;
pub mod round_state;
pub mod scope_set;
pub mod window;
pub mod work_item;
