//! Reading against the emulated tenant: what is promised, written as tests.

mod harness;

mod archive;
mod budgets;
mod chats;
mod coverage;
mod details;
mod directory;
mod discovery_cache;
mod empty_lists;
mod export;
mod export_pages;
mod failing_scopes;
mod full_read;
mod guards;
mod half_read;
mod hostile;
mod incremental;
mod left_out;
mod list_tables;
mod meetings;
mod other_ways;
mod pace;
mod property;
mod scopes;
mod twice;
