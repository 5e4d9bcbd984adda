//! The tables beside messages: lists, the directory, meetings, reports and archives, each read by one request per parent.
//!
//! Uses `context`, `discover` and `messages::export_page`. It knows no rounds: `chats`, which is read in rounds, is driven
//! by `rounds`.

pub mod archive;
pub mod chats;
pub mod directory;
mod list;
pub mod list_tables;
pub mod meetings;
pub mod parents;
pub mod reports;
pub mod teams;
