//! HTTP as such: connections, compression, headers, error bodies, waits. Knows no token, no budget and no endpoint.

pub mod body;
pub mod broken;
mod ca_bundle;
pub mod clock;
pub mod error_body;
pub mod gzip;
pub mod headers;
pub mod retry;
pub mod transport;
mod untrusted;
