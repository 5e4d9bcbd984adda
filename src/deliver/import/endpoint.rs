//! Where a container is in Teams, and the requests that read it and write to it.

use serde_json::{Value, json};

use super::plan::Kind;
use crate::fetch::read;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::{GraphClient, Request};

/// A channel or a chat that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Channel { team: String, channel: String },
    Chat { chat: String },
}

impl Address {
    pub fn id(&self) -> &str {
        match self {
            Self::Channel { channel, .. } => channel,
            Self::Chat { chat } => chat,
        }
    }

    /// How errors and the report name it.
    fn scope(&self) -> String {
        match self {
            Self::Channel { team, channel } => format!("channel {team}/{channel}"),
            Self::Chat { chat } => format!("chat {chat}"),
        }
    }

    fn request(
        &self,
        channel: &'static endpoint::Endpoint,
        chat: &'static endpoint::Endpoint,
        tail: &[&str],
    ) -> Request {
        let scope = self.scope();
        match self {
            Self::Channel { team, channel: id } => {
                let segments = [&["teams", team.as_str(), "channels", id.as_str()], tail].concat();
                Request::new(channel, &segments, scope).conversation(id)
            }
            Self::Chat { chat: id } => {
                Request::new(chat, &[&["chats", id.as_str()], tail].concat(), scope).conversation(id)
            }
        }
    }

    pub fn get(&self) -> Request {
        self.request(&endpoint::CHANNEL, &endpoint::CHAT, &[])
    }

    pub fn start(&self, from_ms: i64) -> Request {
        let request =
            self.request(&endpoint::START_CHANNEL_MIGRATION, &endpoint::START_CHAT_MIGRATION, &["startMigration"]);
        request.json(json!({"conversationCreationDateTime": super::compose::iso(from_ms)}).to_string())
    }

    pub fn complete(&self) -> Request {
        let tail = ["completeMigration"];
        self.request(&endpoint::COMPLETE_CHANNEL_MIGRATION, &endpoint::COMPLETE_CHAT_MIGRATION, &tail)
    }

    /// A post, or a reply to the message with this id.
    pub fn post(&self, root: Option<&str>, body: String) -> Request {
        let request = match root {
            Some(root) => {
                self.request(&endpoint::IMPORT_REPLY, &endpoint::IMPORT_CHAT_MESSAGE, &["messages", root, "replies"])
            }
            None => self.request(&endpoint::IMPORT_MESSAGE, &endpoint::IMPORT_CHAT_MESSAGE, &["messages"]),
        };
        request.json(body)
    }

    pub fn messages(&self) -> Request {
        self.request(&endpoint::CHANNEL_MESSAGES, &endpoint::CHAT_MESSAGES, &["messages"]).query("$top", 50)
    }

    pub fn replies(&self, root: &str) -> Request {
        let tail = ["messages", root, "replies"];
        self.request(&endpoint::REPLIES, &endpoint::CHAT_MESSAGES, &tail).query("$top", 50)
    }

    /// The bytes of an image, by the id of its message and its own.
    pub fn image(&self, message: &str, image: &str) -> Request {
        let tail = ["messages", message, "hostedContents", image, "$value"];
        self.request(&endpoint::HOSTED_CONTENT, &endpoint::CHAT_HOSTED_CONTENT, &tail)
    }

    pub fn describe(&self, body: &Value) -> Request {
        self.request(&endpoint::RENAME_CHANNEL, &endpoint::RENAME_CHAT, &[]).json(body.to_string())
    }
}

/// The body of a member of a team, channel or chat.
pub fn member(kind: &str, user: &str) -> Value {
    let roles = if kind.is_empty() { json!([]) } else { json!([kind]) };
    json!({
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "roles": roles,
        "user@odata.bind": format!("https://graph.microsoft.com/v1.0/users('{user}')"),
    })
}

/// What Graph calls the kind of a container.
pub fn is_shared_or_private(kind: Kind) -> bool {
    matches!(kind, Kind::Private | Kind::Shared)
}

/// `migrationMode`, where the tenant tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    InProgress,
    Completed,
    Never,
    /// Some tenants do not answer the property at all.
    Unknown,
}

pub async fn mode(client: &GraphClient, address: &Address) -> Result<(Mode, Value)> {
    let object = read(client, &address.get()).await?;
    let mode = match object.get("migrationMode") {
        None => Mode::Unknown,
        Some(Value::String(text)) if text == "inProgress" => Mode::InProgress,
        Some(Value::String(text)) if text == "completed" => Mode::Completed,
        Some(_) => Mode::Never,
    };
    Ok((mode, object))
}
