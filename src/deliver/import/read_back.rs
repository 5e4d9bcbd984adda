//! What stands in Teams: a message by its author and time, whose answer was lost.

use serde_json::Value;

use super::compose::iso;
use super::endpoint::Address;
use crate::fetch::list;
use teams_base::error::Result;
use teams_base::timestamp;
use teams_client::GraphClient;

/// The newest two thousand threads are searched: a message whose answer was lost is among the last that were sent.
pub const MOST_PAGES: usize = 40;

/// Milliseconds of a message's creation.
pub fn created_ms(message: &Value) -> Option<i64> {
    timestamp::parse(message["createdDateTime"].as_str()?).map(jiff::Timestamp::as_millisecond)
}

pub fn author(message: &Value) -> &str {
    message["from"]["user"]["id"].as_str().unwrap_or_default()
}

/// What has a millisecond of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Ours(String),
    /// A message of another author.
    Other,
    /// Nothing, or nothing that is shown yet.
    Nothing,
}

/// The message that this author wrote at this time.
pub async fn find(
    client: &GraphClient,
    address: &Address,
    root: Option<&str>,
    author: &str,
    at_ms: i64,
    most_pages: usize,
) -> Result<Found> {
    let mut found = Found::Nothing;
    let request = match (address, root) {
        (Address::Channel { .. }, Some(root)) => address.replies(root),
        (Address::Channel { .. }, None) => address.messages(),
        (Address::Chat { .. }, _) => address
            .messages()
            .query("$orderby", "createdDateTime desc")
            .query("$filter", format!("createdDateTime lt {}", iso(at_ms + 1))),
    };
    list(client, request, most_pages, |message| {
        if created_ms(message) == Some(at_ms) {
            let is_ours = self::author(message).eq_ignore_ascii_case(author);
            found = match message["id"].as_str() {
                Some(id) if is_ours => Found::Ours(id.to_owned()),
                _ => Found::Other,
            };
        }
        // A chat is read backwards from the time itself.
        let is_past = matches!(address, Address::Chat { .. }) && created_ms(message).is_some_and(|at| at < at_ms);
        found != Found::Nothing || is_past
    })
    .await?;
    Ok(found)
}
