//! What is read of an activity (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference>)
//! to prove it, to know it again, and to file it. All else of it is kept as it came.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Option<String>,
    pub name: Option<String>,
    pub timestamp: Option<String>,
    pub channel_id: Option<String>,
    pub service_url: Option<String>,
    pub reply_to_id: Option<String>,
    #[serde(default)]
    pub from: Account,
    #[serde(default)]
    pub recipient: Account,
    #[serde(default)]
    pub conversation: Conversation,
    channel_data: Option<ChannelData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: Option<String>,
    pub aad_object_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    pub id: Option<String>,
    pub conversation_type: Option<String>,
    pub tenant_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChannelData {
    tenant: Option<Named>,
    team: Option<Named>,
    channel: Option<Named>,
    event_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Named {
    id: Option<String>,
}

/// Kinds whose id is that of the message that they are about, so that several of them share it.
const ABOUT_A_MESSAGE: [&str; 2] = ["messageUpdate", "messageDelete"];

/// What is deeper is none of Teams', and others who read it may not get to its end.
const MOST_DEPTH: usize = 128;

/// How deep the arrays and objects of a JSON text lie in each other.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn id(named: Option<&Named>) -> Option<&str> {
    named.and_then(|named| named.id.as_deref())
}

impl Activity {
    /// Reads an activity; says what is wrong with what is none.
    pub fn parse(body: &str) -> Result<Self, &'static str> {
        let activity: Self = serde_json::from_str(body).map_err(|_| "no JSON of an activity")?;
        if depth(body) > MOST_DEPTH {
            return Err("an activity that is too deep");
        }
        if activity.kind.is_empty() || activity.conversation().is_empty() {
            return Err("an activity without type or conversation");
        }
        Ok(activity)
    }

    pub fn conversation(&self) -> &str {
        self.conversation.id.as_deref().unwrap_or_default()
    }

    fn channel_data(&self) -> Option<&ChannelData> {
        self.channel_data.as_ref()
    }

    /// The tenant as the channel's data name it.
    pub fn tenant(&self) -> Option<&str> {
        self.channel_data().and_then(|data| id(data.tenant.as_ref()))
    }

    pub fn team(&self) -> Option<&str> {
        self.channel_data().and_then(|data| id(data.team.as_ref()))
    }

    pub fn channel(&self) -> Option<&str> {
        self.channel_data().and_then(|data| id(data.channel.as_ref()))
    }

    /// What is the same however often an activity comes, and of no other one. An activity without id is known by its text.
    pub fn key(&self, body: &str) -> u128 {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let of_message = ABOUT_A_MESSAGE.contains(&self.kind.as_str());
        let event = self.channel_data().and_then(|data| data.event_type.clone()).unwrap_or_default();
        let (event, time) = if of_message { (event, text(&self.timestamp)) } else { Default::default() };
        let whole = if self.id.is_none() { body } else { "" };
        let parts = [self.conversation(), &text(&self.id), &text(&self.name), &self.kind, &event, &time, whole];
        let mut joined = String::new();
        for part in parts {
            joined.push_str(&part.len().to_string());
            joined.push(':');
            joined.push_str(part);
        }
        xxh3_128(joined.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn activity(changes: &Value) -> Value {
        let mut activity = json!({
            "type": "message", "id": "1", "timestamp": "2026-01-01T00:00:00Z", "conversation": {"id": "a:1"},
            "channelData": {"tenant": {"id": "t"}}, "more": {"deep": [1]},
        });
        for (name, value) in changes.as_object().unwrap() {
            activity[name] = value.clone();
        }
        activity
    }

    fn key(changes: &Value) -> u128 {
        let body = activity(changes).to_string();
        Activity::parse(&body).unwrap().key(&body)
    }

    #[test]
    fn a_repeat_is_known_and_another_one_is_not_taken_for_it() {
        let one = key(&json!({}));
        assert_eq!(key(&json!({"timestamp": "2026-01-01T00:00:15Z"})), one);
        for other in [
            json!({"id": "2"}),
            json!({"conversation": {"id": "a:2"}}),
            json!({"name": "adaptiveCard/action"}),
            json!({"type": "invoke"}),
            json!({"id": null}),
        ] {
            assert_ne!(key(&other), one, "{other}");
        }
        let edit = json!({"type": "messageUpdate"});
        let later = json!({"type": "messageUpdate", "timestamp": "2026-01-01T00:01:00Z"});
        assert_ne!(key(&edit), key(&later), "two edits of a message");
        assert_ne!(key(&json!({"id": null, "text": "a"})), key(&json!({"id": null, "text": "b"})));
    }

    #[test]
    fn what_is_no_activity_is_refused() {
        for text in ["", "[]", "{}", r#"{"type":"message"}"#, r#"{"type":7,"conversation":{"id":"a"}}"#, "{\"type\":"] {
            assert!(Activity::parse(text).is_err(), "{text}");
        }
        let deep =
            format!(r#"{{"type":"message","conversation":{{"id":"a"}},"x":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(Activity::parse(&deep).is_err());
        let quoted = format!(r#"{{"type":"message","conversation":{{"id":"a"}},"text":"\\\"{}"}}"#, "[".repeat(500));
        assert!(Activity::parse(&quoted).is_ok(), "brackets in a text");
    }
}
