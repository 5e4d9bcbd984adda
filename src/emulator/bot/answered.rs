//! What a person sees of the bot's answer to a click: a card takes the place of the one that was used, for them only
//! (<https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model>).

use serde_json::{Value, json};

use crate::tenant::bot::Delivery;
use crate::tenant::model::Tenant;

/// Notes the answer to an activity, where it has one that is shown.
pub fn note(tenant: &mut Tenant, now_ms: i64, activity: &Value, answer: &Value) {
    let kind = answer["type"].as_str().unwrap_or_default();
    let shown = match kind.strip_prefix("application/vnd.microsoft.") {
        Some("card.adaptive") => {
            let attachment =
                json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": answer["value"]});
            json!({"type": "message", "attachments": [attachment]})
        }
        Some("activity.message") => json!({"type": "message", "text": answer["value"]}),
        _ => return,
    };
    let id = activity["conversation"]["id"].as_str().unwrap_or_default();
    let conversation = id.split(';').next().unwrap_or_default().to_owned();
    let message = activity["replyToId"].as_str().unwrap_or_default().to_owned();
    let person = activity["from"]["aadObjectId"].as_str().unwrap_or_default().to_owned();
    let user = tenant.user(&person);
    if let (Some(known), Ok(at), Some(user)) =
        (tenant.bot.conversations.get_mut(&conversation), message.parse::<i64>(), user)
        && shown.get("attachments").is_some()
    {
        known.views.insert((at, user), shown.clone());
    }
    tenant.bot.ledger.push(Delivery {
        at_ms: now_ms,
        action: "answer",
        recipient: person,
        conversation,
        activity_id: message,
        reply_to: None,
        activity: shown,
    });
}
