//! What the Bot Connector holds: who has the app, the bot's conversations, and everything it delivered.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use crate::tenant::ids::draw;
use crate::tenant::knobs::Knobs;

#[derive(Default)]
pub struct Bot {
    /// The bot's application id, which is its app's manifest id too.
    pub app: String,
    /// User id to whether the app was installed or removed since the start.
    pub installed: HashMap<String, bool>,
    /// Users who blocked the bot. No event tells of it.
    pub blocked: HashSet<String>,
    /// By conversation id.
    pub conversations: HashMap<String, Conversation>,
    /// Everything that had an effect, in order.
    pub ledger: Vec<Delivery>,
}

/// With whom a conversation is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// Position of the user.
    Person(usize),
    /// Positions of the team and of its channel.
    Channel(usize, usize),
}

pub struct Conversation {
    pub with: With,
    /// The bot's messages that stand there, by activity id.
    pub messages: BTreeMap<i64, Value>,
    /// The newest activity id.
    pub last: i64,
    /// Cards that took the place of a message's for one person only, by message and position of the user.
    pub views: HashMap<(i64, usize), Value>,
}

impl Conversation {
    pub fn new(with: With) -> Self {
        Self { with, messages: BTreeMap::new(), last: 0, views: HashMap::new() }
    }

    /// The message as a person sees it.
    pub fn seen_by(&self, user: usize, message: i64) -> Option<&Value> {
        self.views.get(&(message, user)).or_else(|| self.messages.get(&message))
    }

    /// A message that was replaced or deleted is so for everybody.
    pub fn forget_views(&mut self, message: i64) {
        self.views.retain(|(of, _), _| *of != message);
    }
}

/// One effect: a message delivered, replaced or deleted; or the answer to a click, which its person sees.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub at_ms: i64,
    pub action: &'static str,
    /// The user's object id, or the channel's id.
    pub recipient: String,
    pub conversation: String,
    pub activity_id: String,
    pub reply_to: Option<String>,
    pub activity: Value,
}

/// Salt of what is derived from a user's id for the bot.
pub const SALT: &str = "bot";

impl Bot {
    pub fn has_app(&self, knobs: &Knobs, user: &str) -> bool {
        let share = (knobs.app_installed.clamp(0.0, 1.0) * 1e6) as u64;
        let from_the_start = draw(user, SALT) % 1_000_000 < share;
        self.installed.get(user).copied().unwrap_or(from_the_start)
    }
}
