//! Sends requests to Microsoft Graph and to the Bot Connector: tokens, budgets, retries, and what an answer means.
//!
//! Uses `teams-base`, and nothing else of the project. It must never know what is read or written: no table, no offset, no
//! row, and nothing of Python.

mod attempt;
mod audience;
pub mod auth;
mod circuit_breaker;
pub mod classify;
mod client;
mod download;
mod elsewhere;
mod exchange;
mod http;
mod json_batch;
mod limits;
pub mod link;
mod malformed;
pub mod metrics;
mod remedy;
pub mod request;
mod service;
mod trouble;
mod url;

pub use client::GraphClient;
pub use elsewhere::Posted;
pub use http::error_body::ErrorBody;
pub use http::headers::Headers;
pub use link::Link;
pub use malformed::Malformed;
pub use metrics::{Report, Skipped, Snapshot};
pub use request::{Answer, Idempotency, Request};
