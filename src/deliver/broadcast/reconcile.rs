//! Whether a message whose answer was lost stands in its chat: the chat is read, and its marker looked for.

use serde_json::Value;

use super::job::Job;
use super::message::marker;
use super::recipients::{Kind, Recipient};
use crate::fetch::{list, read};
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::Request;

/// Pages of fifty messages that are read of a chat: the message is among its newest.
const MOST_PAGES: usize = 4;

/// What a chat tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The message stands there, with this id.
    Standing(String),
    Nothing,
    /// It cannot be read, and why.
    Unreadable(String),
}

impl Job {
    pub(super) async fn look(&self, recipient: &Recipient, sent_ms: i64) -> Result<Found> {
        if recipient.kind != Kind::User {
            return Ok(Found::Unreadable("a channel's messages are not looked through".to_owned()));
        }
        let app = match self.app().await? {
            Ok(app) => app,
            Err(why) => return Ok(Found::Unreadable(why)),
        };
        let chat = match self.chat_of(recipient, &app).await {
            Ok(Some(chat)) => chat,
            Ok(None) => return Ok(Found::Unreadable("the app is no longer installed for them".to_owned())),
            Err(error) if error.ends_run() => return Err(error),
            Err(error) => return Ok(Found::Unreadable(error.to_string())),
        };
        let marker = marker(&self.plan, recipient);
        let request = Request::new(&endpoint::CHAT_MESSAGES, &["chats", &chat, "messages"], format!("chat {chat}"));
        let request = request.query("$top", 50).conversation(&chat);
        let (mut standing, mut reached) = (None, false);
        let looked = list(&self.client, request, MOST_PAGES, |message| {
            if holds(message, &marker) {
                standing = message["id"].as_str().map(str::to_owned);
            }
            reached = created_ms(message).is_some_and(|at| at < sent_ms);
            standing.is_some() || reached
        })
        .await;
        match looked {
            _ if standing.is_some() => Ok(Found::Standing(standing.unwrap_or_default())),
            Ok(()) => Ok(Found::Nothing),
            Err(error) if error.ends_run() => Err(error),
            Err(error) => Ok(Found::Unreadable(error.to_string())),
        }
    }

    /// The chat that Graph shows of the conversation.
    async fn chat_of(&self, recipient: &Recipient, app: &str) -> Result<Option<String>> {
        let scope = format!("user {}", recipient.id);
        let segments = ["users", &recipient.id, "teamwork", "installedApps"];
        let request = Request::new(&endpoint::INSTALLED_APPS, &segments, &*scope);
        let request = request.query("$expand", "teamsApp").query("$filter", format!("teamsApp/id eq '{app}'"));
        let page = read(&self.client, &request).await?;
        let installed = page["value"].as_array().into_iter().flatten().find(|row| row["teamsApp"]["id"] == app);
        let Some(id) = installed.and_then(|row| row["id"].as_str()) else { return Ok(None) };
        let segments = ["users", &recipient.id, "teamwork", "installedApps", id, "chat"];
        let chat = read(&self.client, &Request::new(&endpoint::INSTALLED_APP_CHAT, &segments, scope)).await?;
        Ok(chat["id"].as_str().map(str::to_owned))
    }
}

fn holds(message: &Value, marker: &str) -> bool {
    let attachments = message["attachments"].as_array().into_iter().flatten();
    attachments.filter_map(|attachment| attachment["content"].as_str()).any(|content| content.contains(marker))
}

fn created_ms(message: &Value) -> Option<i64> {
    let at = message["createdDateTime"].as_str()?.parse::<jiff::Timestamp>().ok()?;
    // The service's clock and ours may differ.
    Some(at.as_millisecond() + 600_000)
}
