//! Microsoft Teams in the lakehouse: Microsoft Graph to Arrow.

pub mod auth;
pub mod client;
pub mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
