//! What Teams sends to a bot: proven, on disk before it is acknowledged, and once however often it comes.
//!
//! The folder, each module of which uses only those before it:
//!
//! - [`activity`]: what is read of an activity; [`emulator`]: tokens of a developer's machine; [`gate`]: all that has to hold;
//! - [`entry`]: what is known of one that came; [`journal`]: all of them, on disk; [`table`]: the same as rows.

pub mod activity;
pub mod emulator;
pub mod entry;
pub mod gate;
pub mod journal;
pub mod table;

pub use entry::State;
pub use gate::{Gate, Refused, Tenants};
pub use journal::{Journal, Taken};
