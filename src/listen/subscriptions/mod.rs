//! Subscriptions: which are needed, and that they are there.
//!
//! [`offer`]: what Graph offers; [`plan`]: what the tables need of it; [`state`]: what is known of ours; [`requests`]: what is sent;
//! [`engine`]: one turn; [`report`] and [`remedy`]: what is told of it.

pub mod engine;
pub mod offer;
pub mod plan;
mod remedy;
pub mod report;
pub mod requests;
pub mod state;
