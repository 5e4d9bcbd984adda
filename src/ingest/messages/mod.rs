//! Messages of channels and of chats: which way they are read by, and each of the ways.
//!
//! A parent (team, user) is listed, its history exported if it has never been read, and then its children (channels,
//! chats) are read one by one. `docs/how-messages-are-read.md` has the reasons.
//!
//! Uses `context`, `discover`, `engine` and `state`. It does not know how rounds follow each other: that is `rounds`.

mod channel;
mod chat;
pub mod children;
pub mod conversations;
mod export;
mod export_availability;
pub mod export_page;
pub mod full_read;
pub mod strategy;
mod unlisted_chats;
