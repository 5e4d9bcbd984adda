//! How big a tenant is, as far as a cost depends on it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use teams_base::error::{Error, Result};

/// Counts of what is read, all of it together. What has not been counted is missing.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    counts: BTreeMap<String, f64>,
    /// What a cost has been made of.
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Every count, what it means, and what it is taken to be where it is not given.
pub const COUNTS: &[(&str, Option<f64>, &str)] = &[
    ("teams", None, "Teams."),
    ("channels", None, "Channels, of all teams together."),
    ("special_channels", Some(0.0), "Private and shared channels among them."),
    ("shared_channels", Some(0.0), "Shared channels among them."),
    ("messages", None, "Root messages, of all channels together, from start_date on."),
    ("replies_per_message", Some(1.0), "Replies, on average."),
    ("images_per_message", Some(0.1), "Inline images and code snippets of a message, on average."),
    ("members_per_team", Some(50.0), "Members of a team, on average."),
    ("tags_per_team", Some(5.0), "Tags of a team, on average."),
    ("deleted_teams", Some(0.0), "Deleted teams that can still be restored."),
    ("messages_per_deleted_team", Some(1000.0), "Messages and replies of a deleted team, on average."),
    ("users", None, "Users whose chats are read, or all."),
    ("calls_per_user", Some(20.0), "Calls of 30 days, for each user on average."),
    ("transcripts_per_user", Some(5.0), "Transcripts of the meetings of a user from start_date on, on average."),
    ("groups", None, "Groups; for tables of group mail the Microsoft 365 groups."),
    ("threads_per_group", Some(20.0), "Mail threads of a group, on average."),
    ("chats", None, "Chats, each once."),
    ("members_per_chat", Some(2.5), "Members of a chat, on average."),
    ("chat_messages", None, "Messages, of all chats together, from start_date on."),
];

impl Tenant {
    pub fn new(counts: BTreeMap<String, f64>) -> Result<Self> {
        for (name, count) in &counts {
            if !COUNTS.iter().any(|(known, ..)| known == name) {
                let known: Vec<_> = COUNTS.iter().map(|(known, ..)| *known).collect();
                return Err(Error::configuration(format!("count '{name}': known are {}", known.join(", "))));
            }
            if !(count.is_finite() && *count >= 0.0) {
                return Err(Error::configuration(format!("count '{name}': {count} is not a number of at least 0")));
            }
        }
        Ok(Self { counts, asked: RefCell::default() })
    }

    /// A tenant with one of everything.
    pub(super) fn of_ones() -> Self {
        let counts = COUNTS.iter().map(|(name, ..)| ((*name).to_owned(), 1.0)).collect();
        Self { counts, asked: RefCell::default() }
    }

    /// The counts that have been asked for.
    pub(super) fn asked(self) -> BTreeSet<&'static str> {
        self.asked.into_inner()
    }

    /// A count that a table's cost depends on.
    pub fn get(&self, name: &'static str, table: &str) -> Result<f64> {
        self.asked.borrow_mut().insert(name);
        let assumed = COUNTS.iter().find(|(known, ..)| *known == name).and_then(|(_, assumed, _)| *assumed);
        self.counts.get(name).copied().or(assumed).ok_or_else(|| {
            let option = name.replace('_', "-");
            Error::configuration(format!("the cost of table '{table}' depends on {name}: give --{option}, or --probe"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        let tenant = |name: &str, count| Tenant::new([(name.to_owned(), count)].into());
        assert!(tenant("tema", 1.0).unwrap_err().to_string().contains("known are teams"));
        assert!(tenant("teams", f64::NAN).unwrap_err().to_string().contains("teams"));
        let tenant = tenant("teams", 4.0).unwrap();
        assert!((tenant.get("teams", "channels").unwrap() - 4.0).abs() < f64::EPSILON);
        assert!(tenant.get("users", "chats").unwrap_err().to_string().contains("--users, or --probe"));
        assert!(tenant.get("members_per_chat", "chats").is_ok());
    }
}
