//! Files of events that only grow: what a job has done, and what came in, on disk before anybody relies on it.
//!
//! Uses `teams-base`. It must never know what an event is.

mod append_log;

pub use append_log::{AppendLog, Durable, line, read};
