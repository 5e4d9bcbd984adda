//! What is read, when, and how far: scopes, strategies, rounds and offsets; and what can be known before reading.
//!
//! Uses `teams-base` (words), `teams-client` (requests) and `teams-tables` (declarations, and bytes to rows). It must never
//! know of Python, of where rows are written, or of how a request is sent, repeated and throttled.
//!
//! Where to find what:
//!
//! | question | module |
//! |---|---|
//! | what happens on a 403 | `error_policy` |
//! | export, lists or delta | `messages::strategy` |
//! | what is in an offset | `state::offset` |
//! | where rows are deduplicated | `dedup` |
//! | how many rows a page is asked for | `page_sizes` |
//! | how pages follow each other | `pagination` |
//! | what one step of a stream does | `rounds::incremental` |
//!
//! Imports run one way: `session` → `rounds` → `tables` → `messages` → `discover` → `context` → `engine`, `sink` → `state`,
//! `attach` → the rest. `pass` and `requirements` stand beside `rounds`, `preflight` beside `session`.

mod attach;
mod caps;
mod context;
mod dedup;
mod discover;
mod doubts;
mod engine;
mod error_policy;
mod messages;
mod output;
pub mod page_retries;
mod page_sizes;
mod pagination;
mod pass;
pub mod preflight;
mod requirements;
mod rounds;
mod session;
mod sink;
mod state;
mod tables;

pub use caps::Limits;
pub use doubts::Doubts;
pub use pass::{LeftOut, Pass};
pub use session::{MicroBatch, Plan, Session};
pub use sink::Batch;
pub use state::offset::{Offset, OffsetInfo, Parsed, offset_info};
pub use state::partition::Partition;
