//! The emulator against what is documented of Microsoft Graph.

#[path = "emulator/client.rs"]
mod client;
