//! The variants of a message: of each hundred, which one is edited, deleted, sent by a bot, and so on.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::generate::events;
use crate::generate::message::Draft;
use crate::generate::setting::Setting;
use crate::generate::words::{REACTIONS, pick};
use crate::tenant::clock::iso;
use crate::tenant::ids::guid;
use crate::tenant::model::Sender;

/// The host in the addresses of hosted contents.
pub const HOST: &str = "https://graph.microsoft.com/v1.0";
/// The id of every inline image.
pub const IMAGE: &str = "aW1hZ2U";

/// `later` is a moment after the message was sent and before now.
pub fn apply(turn: usize, draft: &mut Draft, rng: &mut StdRng, setting: &Setting<'_>, later: i64) {
    match turn {
        3 | 23 | 43 | 63 | 83 => events::apply(turn / 10 + draft.id as usize, draft, rng, setting),
        7 | 57 => delete(draft, later, turn == 7),
        11 | 31 | 61 | 81 => edit(draft, later),
        13 | 53 => bot(draft, "bot"),
        14 => bot(draft, "office365Connector"),
        17 | 37 | 67 => react(draft, rng, setting, later, turn == 37),
        97 => {
            react(draft, rng, setting, later, false);
            // Published examples hold a time like this; it has to survive as the text it is.
            draft.reactions[0]["createdDateTime"] = json!("2021-03-1706:47:05.123Z");
        }
        19 | 59 => mention_user(draft, rng, setting),
        29 => mention_tag(draft),
        39 => mention_channel(draft, setting),
        21 | 71 => file(draft, rng),
        41 => card(draft, rng),
        47 => quote(draft),
        51 => image(draft, setting),
        73 => policy(draft),
        77 => {
            draft.from = Value::Null;
            draft.sender = Sender::Nobody;
        }
        79 => federated(draft),
        89 => anonymous(draft),
        91 => {
            draft.unknown = Some(json!({"onBehalfOf": null, "colourOfTheSky": {"hue": 211, "names": ["blau", "青"]}}));
        }
        93 => draft.importance = "high",
        94 => draft.importance = "urgent",
        95 => {
            draft.content_type = "text";
            draft.content = Some("plain text with a tab\tand \"quotes\" and a line\nbreak \u{1F9EA}".to_owned());
        }
        96 => draft.subject = draft.subject.take().map(|_| String::new()),
        _ => {}
    }
}

fn delete(draft: &mut Draft, later: i64, null_body: bool) {
    draft.modified_ms = later;
    draft.deleted_ms = Some(later);
    draft.from = Value::Null;
    draft.sender = Sender::Nobody;
    draft.content_type = if null_body { "text" } else { "html" };
    draft.content = (!null_body).then(String::new);
    draft.subject = None;
}

fn edit(draft: &mut Draft, later: i64) {
    draft.modified_ms = later;
    draft.edited_ms = Some(later);
    draft.content = draft.content.take().map(|content| content.replace("</p>", " (edited)</p>"));
}

fn bot(draft: &mut Draft, kind: &str) {
    draft.sender = if kind == "bot" { Sender::Bot } else { Sender::Connector };
    draft.from = json!({
        "device": null,
        "user": null,
        "application": {"id": "5f2b1c1e-9a44-4a57-8f7e-6f0d6b7c8a90", "displayName": "Flow", "applicationIdentityType": kind},
    });
}

fn federated(draft: &mut Draft) {
    draft.sender = Sender::Federated;
    draft.from = json!({
        "application": null, "device": null,
        "user": {
            "id": "c2a1f0de-2f6b-4f57-8a5d-90d1b6a3e777", "displayName": null, "userIdentityType": "federatedUser",
            "tenantId": "77777777-6666-4555-8444-333333333333",
        },
    });
}

fn anonymous(draft: &mut Draft) {
    draft.sender = Sender::Anonymous;
    draft.from = json!({
        "application": null, "device": null,
        "user": {"id": "0d9f1c7a5b3e4d2f8a6b7c8d9e0f1a2b", "displayName": "Visitor", "userIdentityType": "anonymousGuest"},
    });
}

fn react(draft: &mut Draft, rng: &mut StdRng, setting: &Setting<'_>, later: i64, custom: bool) {
    draft.modified_ms = later;
    let user = &setting.tenant.users[setting.member(rng)].id;
    let kind = if custom { "custom" } else { pick(rng, REACTIONS) };
    let content = custom.then(|| format!("{}/hostedContents/ZW1vamk/$value", message_url(draft, setting)));
    let reaction = json!({
        "reactionType": kind,
        "displayName": if custom { json!("party parrot") } else { Value::Null },
        "reactionContentUrl": content,
        "createdDateTime": iso(later),
        "user": {
            "application": null, "device": null,
            "user": {"id": user, "displayName": null, "userIdentityType": "aadUser"},
        },
    });
    if draft.history.is_some() {
        draft.history = Some(vec![
            json!({"modifiedDateTime": iso(later), "actions": "reactionAdded", "reaction": reaction.clone()}),
        ]);
    }
    draft.reactions.push(reaction);
}

fn mention_user(draft: &mut Draft, rng: &mut StdRng, setting: &Setting<'_>) {
    let user = setting.member(rng);
    let name = setting.tenant.user_name(user);
    draft.content = Some(format!("<p><at id=\"0\">{name}</at> can you look?</p>"));
    draft.mentions.push(json!({
        "id": 0,
        "mentionText": name,
        "mentioned": {
            "application": null, "device": null, "conversation": null, "tag": null,
            "user": {"id": setting.tenant.users[user].id, "displayName": name, "userIdentityType": "aadUser"},
        },
    }));
}

fn mention_tag(draft: &mut Draft) {
    draft.content = Some("<p><at id=\"0\">on call</at> heads up</p>".to_owned());
    draft.mentions.push(json!({
        "id": 0,
        "mentionText": "on call",
        "mentioned": {
            "application": null, "device": null, "conversation": null, "user": null,
            "tag": {"@odata.type": "#microsoft.graph.teamworkTagIdentity", "id": "MjQzMmI1N2Iz", "displayName": "on call"},
        },
    }));
}

fn mention_channel(draft: &mut Draft, setting: &Setting<'_>) {
    let kind = if setting.is_chat { "chat" } else { "channel" };
    draft.content = Some("<p><at id=\"0\">everyone</at></p>".to_owned());
    draft.mentions.push(json!({
        "id": 0,
        "mentionText": "everyone",
        "mentioned": {
            "application": null, "device": null, "user": null, "tag": null,
            "conversation": {"id": setting.conversation, "displayName": "everyone", "conversationIdentityType": kind},
        },
    }));
}

fn attach(draft: &mut Draft, attachment: Value) {
    let id = attachment["id"].as_str().unwrap_or_default();
    draft.content = Some(format!("{}<attachment id=\"{id}\"></attachment>", draft.content.take().unwrap_or_default()));
    draft.attachments.push(attachment);
}

fn file(draft: &mut Draft, rng: &mut StdRng) {
    let id = guid(rng);
    let url = "https://emulated.sharepoint.example/sites/team/Shared%20Documents/General/Plan%20%C3%BC.docx";
    let file = json!({
        "id": id, "contentType": "reference", "contentUrl": url, "content": null, "name": "Plan ü.docx",
        "thumbnailUrl": null, "teamsAppId": null,
    });
    attach(draft, file);
}

fn card(draft: &mut Draft, rng: &mut StdRng) {
    let content = json!({
        "type": "AdaptiveCard", "version": "1.5",
        "body": [{"type": "TextBlock", "text": "Approve \"order 17\"?\n– yes / no"}],
        "actions": [{"type": "Action.Submit", "title": "OK", "data": {"n": 17}}],
    });
    let card = json!({
        "id": guid(rng), "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null,
        "content": content.to_string(), "name": null, "thumbnailUrl": null, "teamsAppId": null,
    });
    attach(draft, card);
}

fn quote(draft: &mut Draft) {
    let quoted = draft.reply_to.unwrap_or(draft.id - 1).to_string();
    let content = json!({"messageId": quoted, "messagePreview": "as said", "messageSender": null});
    let quote = json!({
        "id": quoted, "contentType": "messageReference", "contentUrl": null, "content": content.to_string(),
        "name": null, "thumbnailUrl": null, "teamsAppId": null,
    });
    attach(draft, quote);
}

fn message_url(draft: &Draft, setting: &Setting<'_>) -> String {
    if setting.is_chat {
        return format!("{HOST}/chats/{}/messages/{}", setting.conversation, draft.id);
    }
    let thread = format!("{HOST}/teams/{}/channels/{}/messages", setting.team, setting.conversation);
    match draft.reply_to {
        Some(root) => format!("{thread}/{root}/replies/{}", draft.id),
        None => format!("{thread}/{}", draft.id),
    }
}

fn image(draft: &mut Draft, setting: &Setting<'_>) {
    let url = message_url(draft, setting);
    draft.content =
        Some(format!("<div><img height=\"1\" src=\"{url}/hostedContents/{IMAGE}/$value\" width=\"1\"></div>"));
}

fn policy(draft: &mut Draft) {
    draft.content_type = "text";
    draft.content = Some(String::new());
    draft.policy = json!({
        "dlpAction": "notifySender,blockAccess",
        "justificationText": null,
        "userAction": "none",
        "verdictDetails": "none",
        "policyTip": {"complianceUrl": null, "generalText": "Blocked", "matchedConditionDescriptions": ["Card number"]},
    });
}
