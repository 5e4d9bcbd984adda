//! What is attached to messages: tables taken from their rows, and the bytes of hosted contents.
//!
//! Uses `output` and `error_policy`'s verdicts. It does not know in which order messages are read.

mod content_address;
pub mod details;
pub mod hosted_contents;
