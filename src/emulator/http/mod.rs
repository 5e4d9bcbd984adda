//! Requests, responses and errors, apart from the wire, and the client of what the tenant sends by itself. Uses the tenant's clock for the dates in errors.

pub mod client;
pub mod error;
pub mod method;
pub mod request;
pub mod response;
