//! The emulator against what is documented of Microsoft Graph.

mod client;

mod auth;
mod chats;
mod connector;
mod delta;
mod endpoints;
mod errors;
mod export;
mod faults;
mod lists;
mod messages;
mod methods;
mod migration;
mod mutation;
mod oddities;
mod pages;
mod people;
mod push;
mod speed;
mod throttle;
mod truth;
