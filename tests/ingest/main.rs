//! The sync engine against the emulated tenant: what is promised, written as tests.

mod harness;

mod archive;
mod budgets;
mod chats;
mod coverage;
mod details;
mod directory;
mod export;
mod export_pages;
mod guards;
mod hostile;
mod listed;
mod lists;
mod meetings;
mod once;
mod pace;
mod property;
mod rounds;
mod scopes;
