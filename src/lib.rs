//! Microsoft Teams in the lakehouse: Microsoft Graph to Arrow.

pub mod auth;
pub mod client;
pub mod config;
pub mod decode;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
pub mod sync;
pub mod tables;
