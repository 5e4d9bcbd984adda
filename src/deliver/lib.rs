//! Writes into Teams what a source holds, once, and proves it.
//!
//! Uses `teams-base` and `teams-client`. It knows no format of a source and nothing of Python: messages come in as Arrow
//! batches, and images through [`import::job::Contents`].

pub mod import;
