//! Microsoft Teams in the lakehouse: Microsoft Graph to Arrow.

pub mod client;
pub mod decode;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
pub mod tables;
