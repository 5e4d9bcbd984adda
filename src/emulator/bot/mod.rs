//! The Bot Connector: conversations, messages and rosters; the keys that sign what people do; and the people.
//!
//! Sources: "Send proactive messages", "Get Teams specific context", "Rate limiting" and the table of status codes in
//! "Build conversational capability" of the Microsoft Teams platform; "Authentication with the Bot Connector API".

pub mod activities;
pub mod address;
pub mod answered;
pub mod apps;
pub mod conversations;
pub mod error;
pub mod mirror;
pub mod openid;
pub mod people;
pub mod place;
pub mod roster;
pub mod signing;
pub mod upload;
pub mod workflow;
