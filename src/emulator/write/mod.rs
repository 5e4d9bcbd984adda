//! The endpoints that change the tenant: teams, channels and chats in migration mode, imported messages, members.
//!
//! Source: "Import third-party platform messages to Teams", and the pages of the endpoints in the Microsoft Graph v1.0
//! reference. The order of the checks is not documented; it goes from the general to the particular.

pub mod channels;
pub mod chats;
pub mod describe;
pub mod drives;
pub mod images;
pub mod members;
pub mod messages;
pub mod migration;
mod place;
pub mod request;
pub mod teams;
