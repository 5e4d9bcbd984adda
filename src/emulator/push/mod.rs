//! Change notifications: subscriptions, what is told of a change, encryption, validation tokens, and what waits to be sent.
//!
//! Source: "Set up notifications for changes in resource data" and its pages on rich notifications, webhooks, lifecycle
//! events and Event Hubs.

pub mod endpoints;
pub mod event;
pub mod family;
pub mod handshake;
pub mod hub;
pub mod item;
pub mod login;
pub mod outbox;
pub mod proposal;
pub mod seal;
