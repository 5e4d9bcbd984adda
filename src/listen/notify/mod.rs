//! Graph's change notifications: taken in, proven, kept, decrypted and decoded
//! (<https://learn.microsoft.com/graph/change-notifications-overview>).
//!
//! [`item`] and [`resource`]: what a notification is, and of what; [`registry`] and [`token`]: what proves it; [`receive`]: one POST;
//! [`spool`]: what is kept until it is done; [`keys`] and [`crypto`]: what decrypts it; [`decode`]: the rows; [`outcome`]: what became
//! of each.

mod crypto;
pub mod decode;
pub mod item;
pub mod keys;
pub mod outcome;
pub mod receive;
pub mod registry;
pub mod resource;
pub mod spool;
#[cfg(test)]
mod testing;
pub mod token;
