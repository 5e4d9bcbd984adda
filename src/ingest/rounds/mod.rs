//! Rounds: from one offset to the next, step by step or in planned partitions.
//!
//! Uses `messages` and `tables::chats`, whose readers it drives, and `state`. It does not know how a page is read.

pub mod clock;
mod failures;
pub mod incremental;
pub mod parents;
pub mod partitions;
mod phases;
