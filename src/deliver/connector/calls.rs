//! The requests of the Bot Connector that a bot needs.
//!
//! What has an effect once only is repeated by the client where that is provably harmless: a conversation with a person is one
//! per person, and a message that is replaced or deleted twice is replaced or deleted.

use serde_json::{Value, json};
use url::Url;

use teams_base::graph::endpoint;
use teams_client::{Idempotency, Request};

/// The bot, and its tenant.
#[derive(Debug, Clone)]
pub struct Bot {
    pub app_id: String,
    pub tenant: String,
}

/// The id of a thread in a channel: a message sent to it is a reply.
pub fn thread(channel: &str, root: &str) -> String {
    let channel = channel.split(';').next().unwrap_or_default();
    format!("{channel};messageid={root}")
}

/// How errors and the report name a conversation.
fn scope(conversation: &str) -> String {
    format!("conversation {conversation}")
}

/// A thread draws on its conversation's budget.
fn budget(conversation: &str) -> &str {
    conversation.split(';').next().unwrap_or_default()
}

impl Bot {
    /// The conversation with a person, by object id. There is one per person, so that asking again gives the same.
    pub fn open(&self, service: &Url, user: &str) -> Request {
        let body = json!({
            "isGroup": false,
            "bot": {"id": format!("28:{}", self.app_id)},
            "members": [{"id": user}],
            "tenantId": self.tenant,
            "channelData": {"tenant": {"id": self.tenant}},
        });
        let request =
            Request::connector(&endpoint::CREATE_CONVERSATION, service, &["conversations"], format!("user {user}"));
        request.json(body.to_string()).idempotency(Idempotency::Idempotent)
    }

    /// A new post in a channel, which comes with its message.
    pub fn post(&self, service: &Url, channel: &str, activity: &Value) -> Request {
        let body = json!({
            "isGroup": true,
            "bot": {"id": format!("28:{}", self.app_id)},
            "tenantId": self.tenant,
            "channelData": {"channel": {"id": channel}, "tenant": {"id": self.tenant}},
            "activity": activity,
        });
        let request = Request::connector(
            &endpoint::CREATE_CONVERSATION,
            service,
            &["conversations"],
            format!("channel {channel}"),
        );
        request.json(body.to_string()).conversation(channel)
    }
}

/// A message to a conversation, or to a thread of a channel.
pub fn send(service: &Url, conversation: &str, activity: &Value) -> Request {
    let segments = ["conversations", conversation, "activities"];
    let request = Request::connector(&endpoint::SEND_ACTIVITY, service, &segments, scope(conversation));
    request.json(activity.to_string()).conversation(budget(conversation))
}

/// Replaces a message.
pub fn update(service: &Url, conversation: &str, id: &str, activity: &Value) -> Request {
    let segments = ["conversations", conversation, "activities", id];
    let request = Request::connector(&endpoint::UPDATE_ACTIVITY, service, &segments, scope(conversation));
    request.json(activity.to_string()).conversation(budget(conversation)).idempotency(Idempotency::Idempotent)
}

/// Deletes a message. Where it is gone already the answer is a 404.
pub fn delete(service: &Url, conversation: &str, id: &str) -> Request {
    let segments = ["conversations", conversation, "activities", id];
    let request = Request::connector(&endpoint::DELETE_ACTIVITY, service, &segments, scope(conversation));
    request.conversation(budget(conversation)).idempotency(Idempotency::Idempotent)
}

/// A page of who is in a conversation. The service clamps the size to between 50 and 500.
pub fn members(service: &Url, conversation: &str, after: Option<&str>) -> Request {
    let segments = ["conversations", conversation, "pagedMembers"];
    let request = Request::connector(&endpoint::CONVERSATION_MEMBERS, service, &segments, scope(conversation));
    let request = request.query("pageSize", 500).conversation(budget(conversation));
    match after {
        Some(token) => request.query("continuationToken", token),
        None => request,
    }
}

/// The channels of a team, which is named by its first channel's id.
pub fn channels(service: &Url, team: &str) -> Request {
    Request::connector(&endpoint::BOT_TEAM_CHANNELS, service, &["teams", team, "conversations"], format!("team {team}"))
        .conversation(team)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_of_the_channel_whatever_suffix_it_had() {
        assert_eq!(thread("19:c@thread.tacv2", "17"), "19:c@thread.tacv2;messageid=17");
        assert_eq!(thread("19:c@thread.tacv2;messageid=3", "17"), "19:c@thread.tacv2;messageid=17");
    }

    #[test]
    fn only_a_message_that_is_sent_must_not_be_repeated() {
        let service = Url::parse("https://smba.trafficmanager.net/amer/").unwrap();
        let bot = Bot { app_id: "app".into(), tenant: "t".into() };
        let activity = json!({"type": "message"});
        for (request, expected) in [
            (bot.open(&service, "u"), Idempotency::Idempotent),
            (bot.post(&service, "c", &activity), Idempotency::NotIdempotent),
            (send(&service, "c;messageid=1", &activity), Idempotency::NotIdempotent),
            (update(&service, "c", "1", &activity), Idempotency::Idempotent),
            (delete(&service, "c", "1"), Idempotency::Idempotent),
            (members(&service, "c", None), Idempotency::Safe),
        ] {
            assert_eq!(request.idempotency, expected, "{}", request.endpoint.template);
        }
        assert_eq!(send(&service, "c;messageid=1", &activity).budget.conversation.as_deref(), Some("c"));
    }
}
