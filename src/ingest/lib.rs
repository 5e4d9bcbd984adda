//! Scopes, strategies, rounds and offsets: what is read, in which order, and how far it got; and what can be known before
//! reading, in [`preflight`].

mod archive;
mod bits;
mod channel_messages;
mod chat_messages;
mod chats;
mod conversations;
mod details;
mod directory;
mod engine;
mod export;
mod export_pages;
mod hosted;
mod item;
mod job;
mod known;
mod listed;
mod lists;
pub mod meetings;
mod offset;
mod once;
pub mod pages;
mod parents;
mod plan;
pub mod preflight;
pub mod reports;
mod requirements;
mod roster;
mod round;
mod session;
mod sink;
mod snapshot;
mod trail;
mod window;

pub use offset::{Offset, Parsed};
pub use plan::{Partition, Plan};
pub use session::{Limits, MicroBatch, Pass, Session};
pub use sink::Batch;
