//! Which teams, channels, users, groups and chats there are: what the options name, or what Graph lists.
//!
//! Uses `context` and `error_policy`. It knows neither rounds nor what is read of what it finds.

pub mod channels;
pub mod chats;
pub mod groups;
pub mod teams;
pub mod users;

use std::collections::BTreeSet;

use teams_tables::Fields;

fn id(item: &Fields<'_>) -> Option<String> {
    item.id("id")
}

/// Ids, sorted, each once.
pub fn sorted(ids: Vec<String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Ids that an option names, sorted, each once.
pub fn named(ids: &[String]) -> Vec<String> {
    sorted(ids.to_vec())
}
