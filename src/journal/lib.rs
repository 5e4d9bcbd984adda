//! What has to outlive a crash: files of events that only grow. What an event means is its writer's.
//!
//! Uses `teams-base`.

pub mod append_log;
