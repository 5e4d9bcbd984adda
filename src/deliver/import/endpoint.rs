//! Where a container is in Teams, and the requests that read it and write to it.

use serde_json::{Value, json};

use super::plan::Kind;
use crate::fetch::{read, refused};
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::{GraphClient, Idempotency, Request};
use xxhash_rust::xxh3::xxh3_64;

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

/// What a member's `visibleHistoryStartDateTime` is who sees everything.
pub const ALL_HISTORY: &str = "0001-01-01T00:00:00Z";

/// The same of somebody who sees all that was written before (`visibleHistoryStartDateTime`,
/// <https://learn.microsoft.com/graph/api/chat-post-members>).
pub fn member_with_history(user: &str) -> Value {
    let mut member = member("owner", user);
    member["visibleHistoryStartDateTime"] = json!(ALL_HISTORY);
    member
}

/// Writes an image into a drive; returns the address at which people open it.
pub async fn upload(
    client: &GraphClient,
    drive: &str,
    run: &str,
    content_type: &str,
    bytes: Vec<u8>,
) -> Result<String> {
    let kind: String =
        content_type.rsplit('/').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("{:016x}.{}:", xxh3_64(&bytes), if kind.is_empty() { "bin" } else { &kind });
    let folder = format!("Import {run}");
    let request = Request::new(
        &endpoint::UPLOAD,
        &["drives", drive, "root:", &folder, &name, "content"],
        format!("drive {drive}"),
    );
    let request = request.file(bytes).idempotency(Idempotency::Idempotent);
    let answer = client.send(&request).await?;
    let item: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let url = item["webUrl"].as_str().map(str::to_owned);
    url.ok_or_else(|| refused(&request, "the answer names no address of the file", "Run it again"))
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
