//! Message history into teams, channels and chats, by Graph's migration mode
//! (<https://learn.microsoft.com/microsoftteams/platform/graph-api/import-messages/import-external-messages-to-teams>).
//!
//! The folder from the source to the proof, each module of which uses only those before it:
//!
//! - [`plan`]: what is imported where, as the caller mapped it; [`names`]: what Teams lets a channel be called;
//! - [`source`]: rows of a source out of Arrow; [`html`]: bodies cut into parts; [`compose`]: a row as the posts it becomes;
//! - [`clock`]: the time that each post is given; [`spool`]: all posts on disk, in their order; [`stage`]: from batches to
//!   there;
//! - [`journal`]: what was sent and what became of it, durable before each request; [`ledger`]: the same as a table;
//! - [`rebase`]: the journal of an import that was staged anew; [`endpoint`]: the requests; [`provision`]: teams, channels
//!   and chats; [`existing`]: those that are there already; [`read_back`]: what stands in Teams;
//! - [`job`]: what the steps share, with its [`progress`]; [`lane`]: one container's posts; [`engine`]: all of them;
//!   [`history`], [`complete`] and [`verify`].

pub mod clock;
pub mod complete;
mod compose;
mod endpoint;
pub mod engine;
pub mod existing;
mod history;
pub mod html;
pub mod job;
pub mod journal;
mod lane;
pub mod ledger;
pub mod names;
pub mod plan;
pub mod progress;
mod provision;
mod read_back;
pub mod rebase;
mod source;
pub mod spool;
pub mod stage;
pub mod verify;
