//! Requests, responses and errors, apart from the wire. Uses the tenant's clock for the dates in errors.

pub mod error;
pub mod method;
pub mod request;
pub mod response;
