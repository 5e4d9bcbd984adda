//! Writes into Teams what a source holds, once, and proves it.
//!
//! Uses `teams-base`, `teams-client` and `teams-journal`. It knows no format of a source and nothing of Python: messages come in as Arrow
//! batches, and images through [`import::job::Contents`].

pub mod broadcast;
pub mod card;
pub mod connector;
mod fetch;
pub mod import;
