//! Writes into Teams what a source holds, once, and proves it.
//!
//! Uses `teams-base` and `teams-client`. It knows no format of a source and nothing of Python: messages come in as Arrow
//! batches, and images through [`import::job::Contents`].

mod append_log;
pub mod broadcast;
pub mod card;
pub mod connector;
mod fetch;
pub mod import;
