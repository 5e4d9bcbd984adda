//! A Microsoft Graph tenant on loopback: users, teams, channels, chats and their messages, made from a seed, served as
//! Graph v1.0 serves them, and changed, throttled and broken on demand. For tests, demos and benchmarks.
//!
//! It depends on no other crate of the workspace, and never on the client it tests: what it knows of Graph comes from
//! Microsoft's documentation, so that a misreading in the client is not repeated here.
//!
//! The folders, each of which uses only those before it:
//!
//! - [`tenant`]: what is in the tenant, how it behaves, its clock, what a reader can see;
//! - [`generate`] makes it from a seed, [`mutate`] changes it;
//! - [`http`]: requests, responses, errors; [`odata`]: query options and tokens; [`faults`]: what breaks on demand;
//! - [`login`]: the token endpoint; [`handlers`]: one file per family of endpoints;
//! - [`write`]: the endpoints that change the tenant: migration mode, members;
//! - [`bot`]: the Bot Connector, and the people who talk to the bot;
//! - [`push`]: change notifications: subscriptions, encryption, validation tokens, what waits to be delivered;
//! - [`graph`]: the tables of endpoints, and what is decided before a handler runs;
//! - [`truth`]: the rows a correct reader would hold;
//! - [`server`]: connections and the way of a request, changes that its owner asks for, a life of its own; [`emulator`]: the handle to all of it.
//!
//! A new endpoint is a row in `graph/endpoints.rs`, a handler in `handlers/`, and its rows in `truth/`.

mod bot;
mod emulator;
mod faults;
mod generate;
mod graph;
mod handlers;
mod http;
mod login;
mod mutate;
mod odata;
mod push;
mod server;
mod tenant;
mod truth;
mod write;

pub use bot::people::{Act, Deed, Said};
pub use emulator::Emulator;
pub use faults::rule::{FaultKind, FaultRule, Pages};
pub use graph::endpoints::{Served, served};
#[doc(hidden)]
pub use graph::throttle::Throttle;
pub use mutate::mutation::{Mutation, MutationSummary, Touched};
pub use mutate::post::Post;
pub use mutate::tamper::Tamper;
pub use push::outbox::{Fate, Notice};
pub use server::log::RequestLogEntry;
pub use server::tell::Told;
pub use tenant::bot::Delivery;
pub use tenant::config::{EmulatorConfig, ImageAddress};
pub use tenant::knob_names::{ACTIONS, is_knob, names as knob_names};
pub use tenant::knobs::{
    ChatHistory, DeltaExpiry, ExportOrder, ExportPaging, ImportRates, Knobs, ReplyCount, RetryAfter, TopOverMax,
};
pub use tenant::push::{PushKnobs, TokenVersion};
pub use tenant::unset_time::UnsetTime;
