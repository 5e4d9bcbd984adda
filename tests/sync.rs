//! The sync engine against the emulated tenant: what is promised, written as tests.
#![cfg(feature = "emulator")]

#[path = "sync/harness.rs"]
mod harness;

#[path = "sync/archive.rs"]
mod archive;
#[path = "sync/budgets.rs"]
mod budgets;
#[path = "sync/chats.rs"]
mod chats;
#[path = "sync/coverage/mod.rs"]
mod coverage;
#[path = "sync/details.rs"]
mod details;
#[path = "sync/directory.rs"]
mod directory;
#[path = "sync/export.rs"]
mod export;
#[path = "sync/export_pages.rs"]
mod export_pages;
#[path = "sync/guards.rs"]
mod guards;
#[path = "sync/hostile.rs"]
mod hostile;
#[path = "sync/listed.rs"]
mod listed;
#[path = "sync/lists.rs"]
mod lists;
#[path = "sync/meetings.rs"]
mod meetings;
#[path = "sync/once.rs"]
mod once;
#[path = "sync/pace.rs"]
mod pace;
#[path = "sync/property.rs"]
mod property;
#[path = "sync/rounds.rs"]
mod rounds;
#[path = "sync/scopes.rs"]
mod scopes;
