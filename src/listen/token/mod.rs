//! The tokens that come with what Teams sends to a bot
//! (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>).
//!
//! How the keys are fetched is [`keys::Fetch`]; [`keys`]: the issuer's keys, cached and rotated; [`verify`]: all that has to hold.

mod fetch;
pub mod keys;
pub mod verify;

pub use keys::{Fetch, Keys};
pub use verify::{Asked, Refusal, Verifier};
