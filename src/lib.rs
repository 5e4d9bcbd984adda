//! Microsoft Teams in the lakehouse: Microsoft Graph to Arrow.

#[cfg(feature = "emulator")]
pub mod emulator;
pub mod py;
