//! The Python side.

#[cfg(feature = "emulator")]
pub mod emulator;
