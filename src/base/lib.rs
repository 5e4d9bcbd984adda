//! Words that all rooms share: errors, secrets, options, endpoints and their limits.
//!
//! Uses no other room. It knows nothing of HTTP, of tokio, of Arrow or of Python.

pub mod cloud;
pub mod error;
pub mod graph;
pub mod nearest;
pub mod options;
pub mod redact;
pub mod secret;
pub mod text;
pub mod timestamp;
