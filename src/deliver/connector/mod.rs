//! The Bot Connector (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference>):
//! its requests, and what its refusals mean.

pub mod calls;
pub mod outcome;

pub use calls::Bot;
pub use outcome::{Call, Next, State, Verdict, judge};
