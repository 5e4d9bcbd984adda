//! The message of one recipient: the card with its data bound, its actions sealed for them, and the marker that finds it again.

use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::plan::Plan;
use super::recipients::{Kind, Recipient};
use crate::card::check::check_size;
use crate::card::seal::{Binding, Key, seal};
use crate::card::{Clock, Severity, Template};

/// How long the actions of a card can be used.
const LIFETIME_SECONDS: i64 = 30 * 86_400;

/// A message as it is sent.
pub struct Message {
    pub activity: Value,
    /// Of the card, without seals and marker.
    pub digest: u64,
}

/// What tells a message of this broadcast to this recipient from all others.
pub fn marker(plan: &Plan, recipient: &Recipient) -> String {
    format!("ref:{}-{:016x}", plan.run, xxh3_64(recipient.id.as_bytes()))
}

/// What the template is given: the columns of the table, and who it is where the table does not say.
fn data_of(recipient: &Recipient) -> Value {
    let mut data = recipient.data.as_object().cloned().unwrap_or_default();
    data.entry("user_id").or_insert_with(|| json!(recipient.id));
    data.entry("display_name").or_insert_with(|| json!(recipient.name));
    Value::Object(data)
}

/// The message, or why there is none: a code and a sentence.
pub fn make(
    plan: &Plan,
    template: &Template,
    key: &Key,
    recipient: &Recipient,
    now_ms: i64,
) -> Result<Message, (&'static str, String)> {
    let data = data_of(recipient);
    let expanded = template.expand(&data, &Value::Null, &mut Clock::new(now_ms));
    let mut card = expanded.map_err(|fault| ("card_template", fault.to_string()))?;
    let digest = xxh3_64(card.to_string().as_bytes());
    if recipient.kind != Kind::Webhook {
        // What is done with its buttons comes back to the bot.
        let expires = now_ms / 1_000 + LIFETIME_SECONDS;
        seal(&mut card, key, &Binding { run: &plan.name, recipient: &recipient.id, expires });
    }
    // Clients show it only where they cannot show the card; a reader of the chat finds it.
    let shown = card["fallbackText"].as_str().map(|text| format!("{text} ")).unwrap_or_default();
    card["fallbackText"] = json!(format!("{shown}[{}]", marker(plan, recipient)));
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    let mut activity = json!({"type": "message", "attachments": [attachment]});
    if let Some(summary) = &plan.summary {
        activity["summary"] = json!(summary);
    }
    match check_size(&activity.to_string()).1 {
        Some(problem) if problem.severity == Severity::Error => Err(("too_big", problem.message)),
        _ => Ok(Message { activity, digest }),
    }
}
