//! The Bot Connector (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference>):
//! its requests, what its refusals mean, and single messages of a bot.

pub mod calls;
pub mod courier;
pub mod outcome;

pub use calls::Bot;
pub use courier::{Courier, Failed, Taken};
pub use outcome::{Call, Next, State, Verdict, judge};
