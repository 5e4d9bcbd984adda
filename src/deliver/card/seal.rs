//! Card data that comes back as it was sent: each action's data is sealed for who gets the card, and opened when it is used.
//!
//! A card's data goes through the client, where anybody can change it
//! (<https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-actions>). The data travels as
//! a text of ours, which also survives that clients turn numbers into texts; what a person fills in lies beside it.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The member of an action's data that holds ours.
const SEALED: &str = "_signed";
/// Members of an Action.Submit's data that clients read (`msteams`), and that names the action where there is no verb.
const CLIENTS: &str = "msteams";
const ACTION: &str = "action";

/// Key of the seals.
pub struct Key(hmac::Key);

impl Key {
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, secret))
    }
}

/// For whom a card is, and until when its actions can be used.
pub struct Binding<'a> {
    /// What sent the card: a broadcast's run, or a name of the bot's own.
    pub run: &'a str,
    /// A person's object id, or a conversation without its thread.
    pub recipient: &'a str,
    /// Seconds since 1970.
    pub expires: i64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(rename = "a")]
    action: String,
    #[serde(rename = "d")]
    data: Value,
    #[serde(rename = "e")]
    expires: i64,
    #[serde(rename = "r")]
    run: String,
    #[serde(rename = "t")]
    recipient: String,
}

/// What an action brought back.
#[derive(Debug, PartialEq)]
pub struct Opened {
    pub action: String,
    pub run: String,
    /// What we sent.
    pub data: Value,
    /// What the person filled in.
    pub inputs: Map<String, Value>,
}

/// Why an action's data cannot be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    Unsigned,
    Altered,
    Expired,
    /// It is for somebody else, or for another conversation.
    OtherRecipient,
}

impl Broken {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Altered => "altered",
            Self::Expired => "expired",
            Self::OtherRecipient => "other_recipient",
        }
    }
}

/// Seals the data of every action of a card.
pub fn seal(card: &mut Value, key: &Key, binding: &Binding<'_>) {
    match card {
        Value::Array(items) => items.iter_mut().for_each(|item| seal(item, key, binding)),
        Value::Object(members) => {
            match members.get("type").and_then(Value::as_str) {
                Some("Action.Execute") => seal_execute(members, key, binding),
                Some("Action.Submit") => seal_submit(members, key, binding),
                _ => {}
            }
            // An action may hold others: its fallback.
            let inner = members.iter_mut().filter(|(name, _)| name.as_str() != "data");
            inner.for_each(|(_, value)| seal(value, key, binding));
        }
        _ => {}
    }
}

fn is_sealed(data: Option<&Value>) -> bool {
    data.is_some_and(|data| data.get(SEALED).is_some())
}

fn seal_execute(action: &mut Map<String, Value>, key: &Key, binding: &Binding<'_>) {
    if is_sealed(action.get("data")) {
        return;
    }
    let verb = action.get("verb").and_then(Value::as_str).unwrap_or_default().to_owned();
    let data = action.remove("data").unwrap_or_else(|| json!({}));
    action.insert("data".to_owned(), json!({SEALED: sealed(verb, data, key, binding)}));
}

fn seal_submit(action: &mut Map<String, Value>, key: &Key, binding: &Binding<'_>) {
    if is_sealed(action.get("data")) {
        return;
    }
    let mut data = action.remove("data").unwrap_or_else(|| json!({}));
    let mut around = Map::new();
    let mut name = String::new();
    if let Some(members) = data.as_object_mut() {
        around.extend(members.remove_entry(CLIENTS));
        members.get(ACTION).and_then(Value::as_str).unwrap_or_default().clone_into(&mut name);
        around.extend(members.remove_entry(ACTION));
    }
    around.insert(SEALED.to_owned(), json!(sealed(name, data, key, binding)));
    action.insert("data".to_owned(), Value::Object(around));
}

fn sealed(action: String, data: Value, key: &Key, binding: &Binding<'_>) -> String {
    let (run, recipient) = (binding.run.to_owned(), binding.recipient.to_owned());
    let content = json!(Content { action, data, expires: binding.expires, run, recipient }).to_string();
    let content = URL_SAFE_NO_PAD.encode(content);
    let signature = hmac::sign(&key.0, content.as_bytes());
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// Opens what came back. `verb` is that of an Action.Execute; `recipients` is who may have got the card that was used: the person
/// who used it in a conversation of their own, and the conversation.
pub fn open(
    key: &Key,
    verb: Option<&str>,
    data: &Value,
    recipients: &[&str],
    now_seconds: i64,
) -> Result<Opened, Broken> {
    let text = data.get(SEALED).ok_or(Broken::Unsigned)?.as_str().ok_or(Broken::Altered)?;
    let (signed, signature) = text.split_once('.').ok_or(Broken::Altered)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Broken::Altered)?;
    // In constant time.
    hmac::verify(&key.0, signed.as_bytes(), &signature).map_err(|_| Broken::Altered)?;
    let content = URL_SAFE_NO_PAD.decode(signed).map_err(|_| Broken::Altered)?;
    let content: Content = serde_json::from_slice(&content).map_err(|_| Broken::Altered)?;
    let mut inputs = data.as_object().cloned().unwrap_or_default();
    inputs.remove(SEALED);
    inputs.remove(CLIENTS);
    // The name travels open too, for clients and for cards that nobody sealed: it has to be the same.
    let named = match verb {
        Some(verb) => Some(json!(verb)),
        None => inputs.remove(ACTION),
    };
    if named.is_some_and(|named| named != content.action.as_str()) {
        return Err(Broken::Altered);
    }
    if content.expires < now_seconds {
        return Err(Broken::Expired);
    }
    if !recipients.iter().any(|one| one.eq_ignore_ascii_case(&content.recipient)) {
        return Err(Broken::OtherRecipient);
    }
    Ok(Opened { action: content.action, run: content.run, data: content.data, inputs })
}

/// What came back of a card that nobody sealed: the action's name, its data, with what was filled in among it.
pub fn unsealed(verb: Option<&str>, data: &Value) -> Opened {
    let mut data = data.clone();
    let mut named = None;
    if let Some(members) = data.as_object_mut() {
        members.remove(CLIENTS);
        if verb.is_none() {
            named = members.remove(ACTION).and_then(|name| name.as_str().map(str::to_owned));
        }
    }
    let action = verb.map(str::to_owned).or(named).unwrap_or_default();
    Opened { action, run: String::new(), inputs: data.as_object().cloned().unwrap_or_default(), data }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn card() -> Value {
        let submit =
            json!({"type": "Action.Submit", "title": "Go", "data": {"action": "go", "n": 7, "msteams": {"x": 1}}});
        json!({
            "type": "AdaptiveCard",
            "body": [{"type": "ActionSet", "actions": [
                {"type": "Action.Execute", "verb": "go", "data": {"n": 7}, "fallback": submit},
                {"type": "Action.ShowCard", "card": {"type": "AdaptiveCard", "actions": [{"type": "Action.Submit"}]}},
                {"type": "Action.OpenUrl", "url": "https://x"},
            ]}],
            "refresh": {"action": {"type": "Action.Execute", "verb": "look"}},
        })
    }

    fn sealed_card(key: &Key) -> Value {
        let mut card = card();
        seal(&mut card, key, &Binding { run: "news", recipient: "u-1", expires: NOW + 60 });
        card
    }

    #[test]
    fn every_action_is_sealed_and_gives_back_what_was_sent_beside_what_was_filled_in() {
        let key = Key::new(&[1; 32]);
        let card = sealed_card(&key);
        let execute = &card["body"][0]["actions"][0];
        let mut data = execute["data"].clone();
        data["comment"] = json!("done");
        data["n"] = json!(8);
        let opened = open(&key, Some("go"), &data, &["a:1", "U-1"], NOW).unwrap();
        assert_eq!((opened.action.as_str(), opened.run.as_str(), &opened.data), ("go", "news", &json!({"n": 7})));
        assert_eq!(Value::Object(opened.inputs), json!({"comment": "done", "n": 8}));

        let submit = &execute["fallback"]["data"];
        assert_eq!(
            (&submit["action"], &submit["msteams"], &submit["n"]),
            (&json!("go"), &json!({"x": 1}), &Value::Null)
        );
        let opened = open(&key, None, submit, &["u-1"], NOW).unwrap();
        assert_eq!((opened.action.as_str(), opened.data, opened.inputs), ("go", json!({"n": 7}), Map::new()));
        assert!(open(&key, Some("look"), &card["refresh"]["action"]["data"], &["u-1"], NOW).is_ok());
        let nameless = &card["body"][0]["actions"][1]["card"]["actions"][0]["data"];
        assert_eq!(open(&key, None, nameless, &["u-1"], NOW).unwrap().action, "");

        let mut again = card.clone();
        seal(&mut again, &key, &Binding { run: "x", recipient: "x", expires: NOW });
        assert_eq!(again, card, "what is sealed stays so");
    }

    #[test]
    fn what_was_altered_is_over_or_is_somebody_elses_is_refused() {
        let key = Key::new(&[1; 32]);
        let data = sealed_card(&key)["body"][0]["actions"][0]["data"].clone();
        let text = data[SEALED].as_str().unwrap().to_owned();
        let (content, signature) = text.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode(r#"{"a":"go","d":{"n":9},"e":9999999999,"r":"","t":"u-1"}"#);
        for altered in [
            json!({SEALED: format!("{other}.{signature}")}),
            json!({SEALED: format!("{content}.{}", &signature[..20])}),
            json!({SEALED: format!("{content}.")}),
            json!({SEALED: content}),
            json!({SEALED: 7}),
        ] {
            assert_eq!(open(&key, Some("go"), &altered, &["u-1"], NOW), Err(Broken::Altered), "{altered}");
        }
        assert_eq!(open(&key, Some("stop"), &data, &["u-1"], NOW), Err(Broken::Altered), "another action");
        assert_eq!(open(&Key::new(&[2; 32]), Some("go"), &data, &["u-1"], NOW), Err(Broken::Altered));
        assert_eq!(open(&key, Some("go"), &data, &["u-1"], NOW + 61), Err(Broken::Expired));
        assert_eq!(open(&key, Some("go"), &data, &["u-2", "a:2"], NOW), Err(Broken::OtherRecipient));
        assert_eq!(open(&key, Some("go"), &json!({"n": 7}), &["u-1"], NOW), Err(Broken::Unsigned));
        assert_eq!(open(&key, None, &json!("text"), &["u-1"], NOW), Err(Broken::Unsigned));
        let opened = unsealed(None, &json!({"action": "go", "n": 7}));
        assert_eq!((opened.action.as_str(), opened.data), ("go", json!({"n": 7})));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_sent_comes_back_and_any_change_is_seen(
            action in ".{0,12}", text in ".{0,40}", number in proptest::num::i64::ANY, at in 0_usize..10_000, to in "[A-Za-z0-9_.-]",
        ) {
            let key = Key::new(&[3; 32]);
            let data = json!({"text": text, "number": number});
            let mut card = json!({"type": "Action.Execute", "verb": action, "data": data});
            seal(&mut card, &key, &Binding { run: "", recipient: "u", expires: NOW });
            let opened = open(&key, Some(&action), &card["data"], &["u"], NOW).unwrap();
            assert_eq!((opened.action, opened.data), (action.clone(), data));
            let sealed = card["data"][SEALED].as_str().unwrap().to_owned();
            let at = at % sealed.len();
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &to);
            // The last character holds bits that mean nothing.
            if changed != sealed && at + 1 < sealed.len() {
                assert_eq!(open(&key, Some(&action), &json!({SEALED: changed}), &["u"], NOW), Err(Broken::Altered));
            }
        }
    }
}
