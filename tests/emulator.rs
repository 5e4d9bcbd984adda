//! The emulator against what is documented of Microsoft Graph.
#![cfg(feature = "emulator")]

#[path = "emulator/client.rs"]
mod client;

#[path = "emulator/auth.rs"]
mod auth;
#[path = "emulator/chats.rs"]
mod chats;
#[path = "emulator/delta.rs"]
mod delta;
#[path = "emulator/export.rs"]
mod export;
#[path = "emulator/faults.rs"]
mod faults;
#[path = "emulator/lists.rs"]
mod lists;
#[path = "emulator/messages.rs"]
mod messages;
#[path = "emulator/mutation.rs"]
mod mutation;
#[path = "emulator/speed.rs"]
mod speed;
#[path = "emulator/throttle.rs"]
mod throttle;
#[path = "emulator/truth.rs"]
mod truth;
