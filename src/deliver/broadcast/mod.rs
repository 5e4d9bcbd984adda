//! A card to many people, and what became of each.
//!
//! The folder, each module of which uses only those before it:
//!
//! - [`plan`]: what is sent, and how; [`recipients`]: to whom, frozen in a file before the first message;
//! - [`journal`]: what was sent and what became of it, durable before each message; [`ledger`]: the same as a table;
//! - [`resolve`]: from teams, groups and everyone to recipients; [`message`]: the card of one recipient;
//! - [`job`]: what the steps share; [`preview`]: all cards, before the first is sent; [`conversation`]: where a recipient is written to, and the app that it takes;
//! - [`webhook`]: a channel behind a workflow; [`reconcile`]: whether a message whose answer was lost stands in its chat; [`run`]: all recipients;
//!   [`change`]: what was sent is replaced or taken back.

pub mod change;
mod conversation;
pub mod job;
pub mod journal;
pub mod ledger;
mod message;
pub mod plan;
pub mod preview;
pub mod recipients;
mod reconcile;
pub mod resolve;
pub mod run;
pub mod webhook;
