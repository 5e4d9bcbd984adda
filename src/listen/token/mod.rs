//! The tokens that come with what Teams sends to a bot
//! (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>).
//!
//! [`keys`]: the issuer's keys, cached and rotated, [`fetch`]: fetched by the client; [`verify`]: all that has to hold.

mod fetch;
pub mod keys;
pub mod verify;

pub use keys::{Fetch, Keys};
pub use verify::{Asked, Proven, Refusal, Verifier};
