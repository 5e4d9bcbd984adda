//! Receives what Teams sends, and proves it before it is looked into any further.
//!
//! Uses `teams-base`, `teams-client`, `teams-journal` and `teams-tables`. How documents of issuers are fetched is its caller's:
//! through [`token::Fetch`].

pub mod bot;
pub mod listener;
pub mod notify;
mod private_file;
pub mod subscriptions;
pub mod token;
