//! What Teams sends to a bot: proven, on disk before it is acknowledged, and once however often it comes.
//!
//! The folder, each module of which uses only those before it:
//!
//! - [`activity`]: what is read of an activity; [`emulator`]: tokens of a developer's machine; [`gate`]: all that has to hold;
//! - [`journal`]: what came in and what became of it; [`table`]: the same as rows.

pub mod activity;
pub mod emulator;
pub mod gate;
pub mod journal;
pub mod table;

pub use gate::{Gate, Refused, Tenants};
pub use journal::{Journal, State, Taken};
