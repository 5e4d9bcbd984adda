//! The handlers of Graph's endpoints, one file per family, and what they share: the call, pages, lists. They know neither
//! routes nor permissions nor connections.

pub mod apps;
pub mod archive;
pub mod call;
pub mod channels;
pub mod chats;
pub mod directory;
pub mod directory_delta;
pub mod directory_extras;
pub mod export;
pub mod group_mail;
pub mod hosted_contents;
pub mod list;
pub mod meetings;
pub mod members;
pub mod messages;
pub mod messages_delta;
pub mod page;
pub mod reports;
pub mod schedule;
pub mod sharing;
pub mod tags;
pub mod teams;
