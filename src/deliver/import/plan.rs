//! What is imported where, as the caller mapped it. It is written beside the posts, so that a resumed run has the same.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A whole import.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Tells this run's teams, channels and chats from all others while they are being made.
    pub run: String,
    pub teams: Vec<Team>,
    pub containers: Vec<Container>,
    /// By the source's id.
    pub people: HashMap<String, Person>,
    /// Who writes what nobody of the target tenant wrote.
    pub fallback: Option<Person>,
    /// Owns private and shared channels.
    pub owner: Option<String>,
    pub images: Images,
    /// The drive that images are uploaded to.
    #[serde(default)]
    pub drive: Option<String>,
    pub reactions: Reactions,
    /// Posts per second and container; none: as fast as Teams lets it.
    pub rate: Option<f64>,
    /// Microseconds since 1970: messages from this time on, and before the other.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Whether the source containers' members are added at the end.
    pub add_members: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// None: it is made.
    pub id: Option<String>,
    pub name: String,
    pub description: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Standard,
    Private,
    Shared,
    OneOnOne,
    Group,
}

impl Kind {
    pub fn is_chat(self) -> bool {
        matches!(self, Self::OneOnOne | Self::Group)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The source's id.
    pub source: String,
    pub name: String,
    pub kind: Kind,
    /// The position in `teams`; none for a chat.
    pub team: Option<usize>,
    /// The id of an existing channel or chat; none: it is made.
    pub id: Option<String>,
    /// It becomes the team's General channel.
    pub general: bool,
    pub description: String,
    /// Milliseconds since 1970.
    pub created: Option<i64>,
    /// Entra ids of those members who are mapped.
    pub members: Vec<String>,
    /// Why it cannot be imported. Its messages are counted.
    pub refused: Option<Refused>,
    /// What was changed of it.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Deliberately left out, rather than impossible.
    pub skipped: bool,
    pub code: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The object id in the target tenant.
    pub id: Option<String>,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Images {
    Inline,
    Link,
    /// Into the plan's drive, and linked.
    Upload,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reactions {
    Try,
    Text,
    Drop,
}

impl Plan {
    /// What stands in a description or topic while the thing is being made.
    pub fn mark(&self, of: &str) -> String {
        format!("[import {} {of}]", self.run)
    }
}
