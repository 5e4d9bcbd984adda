//! People who talk to the bot: what they do, as the signed activities that Teams sends of it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::bot::openid::ISSUER;
use crate::bot::place::channel;
use crate::bot::{address, signing, upload};
use crate::tenant::bot::{Conversation, With};
use crate::tenant::clock::iso;
use crate::tenant::ids::id_of;
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;

/// A token is good for an hour.
const TOKEN_SECONDS: i64 = 3_600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Installs the app in the personal scope, or in the channel's team.
    Install,
    Remove,
    /// Writes `text`.
    Message,
    /// Uses the action titled `action` of the card that the bot sent as `activity_id`; `inputs` is what was filled in, `data`
    /// replaces what the card held.
    Click,
    /// Reacts to the bot's message `activity_id`, or takes the reaction back.
    React,
    Unreact,
    /// Edits or deletes a message of their own.
    Edit,
    Delete,
    RenameChannel,
    AcceptFile,
    DeclineFile,
    /// Blocks the bot, of which no activity tells.
    Block,
    Unblock,
    /// Loses all licences; no activity tells of it either.
    LoseLicenses,
}

/// What a person does, and how what is sent of it departs from the truth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    pub deed: Deed,
    /// Object id or user principal name.
    pub user: String,
    /// Where: a channel instead of the personal conversation.
    #[serde(default)]
    pub channel: Option<String>,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub activity_id: Option<String>,
    #[serde(default)]
    pub action: Option<String>,
    #[serde(default)]
    pub inputs: Map<String, Value>,
    #[serde(default)]
    pub data: Option<Value>,
    /// JSON pointers into the activity, and what stands there instead; null takes it out.
    #[serde(default)]
    pub replace: Map<String, Value>,
    /// Claims and header fields of the token, likewise.
    #[serde(default)]
    pub claims: Map<String, Value>,
    #[serde(default)]
    pub header: Map<String, Value>,
    /// Signs with this key instead of the current one.
    #[serde(default)]
    pub key: Option<usize>,
    /// The whole `Authorization` header instead.
    #[serde(default)]
    pub authorization: Option<String>,
    /// How often it is sent to the bot, though the bot answers; of use to [`Emulator::tell`](crate::Emulator::tell) only.
    #[serde(default)]
    pub times: Option<usize>,
}

/// An activity as it goes to the bot.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub authorization: String,
    pub activity: Value,
}

/// Who acts, and where.
struct Scene<'a> {
    tenant: &'a Tenant,
    user: usize,
    conversation: String,
    with: With,
    base: &'a str,
    /// Real time: bots check it with their own clocks.
    now_ms: i64,
    number: u64,
}

/// Lets a person act; the text of an error names what is not there. `number` is another one for each call.
pub fn act(tenant: &mut Tenant, knobs: &Knobs, base: &str, number: u64, act: &Act) -> Result<Vec<Said>, String> {
    let user = tenant.user(&act.user).ok_or_else(|| format!("no such user: {}", act.user))?;
    let id = tenant.users[user].id.clone();
    match act.deed {
        Deed::Block => {
            tenant.bot.blocked.insert(id);
            return Ok(Vec::new());
        }
        Deed::Unblock => {
            tenant.bot.blocked.remove(&id);
            return Ok(Vec::new());
        }
        Deed::LoseLicenses => {
            tenant.users[user].unlicensed = true;
            return Ok(Vec::new());
        }
        Deed::Install if act.channel.is_none() => {
            tenant.bot.installed.insert(id.clone(), true);
        }
        Deed::Remove if act.channel.is_none() => {
            tenant.bot.installed.insert(id.clone(), false);
        }
        _ => {}
    }
    let (conversation, with) = match &act.channel {
        None => (address::personal(&id, &tenant.bot.app, 0), With::Person(user)),
        Some(name) => {
            let (team, at) = channel(tenant, name).ok_or_else(|| format!("no such channel: {name}"))?;
            (name.clone(), With::Channel(team, at))
        }
    };
    tenant.bot.conversations.entry(conversation.clone()).or_insert_with(|| Conversation::new(with));
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let scene = Scene { tenant, user, conversation, with, base, now_ms, number };
    scene.activities(act)?.into_iter().map(|activity| scene.sign(knobs, act, activity)).collect()
}

impl Scene<'_> {
    fn service_url(&self) -> String {
        address::service_url(self.base, &self.tenant.id, &self.conversation)
    }

    fn person(&self) -> Value {
        let user = &self.tenant.users[self.user];
        json!({"id": address::person(&user.id), "name": user.properties["displayName"], "aadObjectId": user.id})
    }

    fn bot(&self) -> Value {
        json!({"id": address::bot(&self.tenant.bot.app), "name": "Emulated bot"})
    }

    /// What every activity carries.
    fn common(&self, kind: &str) -> Value {
        let tenant = &self.tenant.id;
        let mut activity = json!({
            "type": kind, "id": format!("{}", self.now_ms as u64 * 1_000 + self.number % 1_000),
            "timestamp": iso(self.now_ms), "channelId": "msteams", "serviceUrl": self.service_url(),
            "from": self.person(), "recipient": self.bot(), "locale": "en-US",
            "entities": [{"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web", "timezone": "Europe/Amsterdam"}],
        });
        match self.with {
            With::Person(_) => {
                activity["conversation"] =
                    json!({"conversationType": "personal", "tenantId": tenant, "id": self.conversation});
                activity["channelData"] = json!({"tenant": {"id": tenant}});
            }
            With::Channel(team, at) => {
                let team = &self.tenant.teams[team];
                let general = team.channels.first().map(|channel| channel.id.as_str());
                activity["conversation"] = json!({
                    "isGroup": true, "conversationType": "channel", "tenantId": tenant, "id": self.conversation,
                });
                activity["channelData"] = json!({
                    "tenant": {"id": tenant}, "team": {"id": general, "aadGroupId": team.id, "name": team.properties["displayName"]},
                    "channel": {"id": team.channels[at].id, "name": team.channels[at].properties["displayName"]},
                });
            }
        }
        activity
    }

    fn activities(&self, act: &Act) -> Result<Vec<Value>, String> {
        let message = || act.activity_id.clone().ok_or_else(|| "activity_id says which message".to_owned());
        Ok(match act.deed {
            Deed::Install => self.installed(true),
            Deed::Remove => self.installed(false),
            Deed::Message => vec![self.written(&act.text)],
            Deed::Click => vec![self.clicked(act, &message()?)?],
            Deed::React | Deed::Unreact => {
                let mut activity = self.common("messageReaction");
                let list = if act.deed == Deed::React { "reactionsAdded" } else { "reactionsRemoved" };
                activity[list] = json!([{"type": if act.text.is_empty() { "like" } else { &act.text }}]);
                activity["replyToId"] = json!(message()?);
                vec![activity]
            }
            Deed::Edit => {
                let mut activity = self.written(&act.text);
                activity["type"] = json!("messageUpdate");
                activity["id"] = json!(message()?);
                activity["channelData"]["eventType"] = json!("editMessage");
                vec![activity]
            }
            Deed::Delete => {
                let mut activity = self.common("messageDelete");
                activity["id"] = json!(message()?);
                activity["channelData"]["eventType"] = json!("softDeleteMessage");
                vec![activity]
            }
            Deed::RenameChannel => {
                let mut activity = self.common("conversationUpdate");
                activity["channelData"]["eventType"] = json!("channelRenamed");
                activity["channelData"]["channel"]["name"] = json!(act.text);
                vec![activity]
            }
            Deed::AcceptFile | Deed::DeclineFile => {
                let accepts = act.deed == Deed::AcceptFile;
                let offered = self.sent(&message()?)?["attachments"][0].clone();
                let context = if accepts { "acceptContext" } else { "declineContext" };
                let context = act.data.clone().unwrap_or_else(|| offered["content"][context].clone());
                let mut activity = self.common("invoke");
                activity["name"] = json!("fileConsent/invoke");
                activity["replyToId"] = json!(message()?);
                activity["value"] = json!({
                    "type": "fileUpload", "action": if accepts { "accept" } else { "decline" }, "context": context,
                });
                if accepts {
                    let id = id_of(&self.conversation, &message()?);
                    let kind = offered["name"].as_str().and_then(|name| name.rsplit('.').next()).unwrap_or_default();
                    activity["value"]["uploadInfo"] = json!({
                        "contentUrl": format!("https://emulated.example/files/{id}"), "name": offered["name"],
                        "uploadUrl": format!("{}{}{id}", self.base, upload::SESSIONS), "uniqueId": id, "fileType": kind,
                    });
                }
                vec![activity]
            }
            Deed::Block | Deed::Unblock | Deed::LoseLicenses => Vec::new(),
        })
    }

    /// Two activities tell of an installation.
    fn installed(&self, is_there: bool) -> Vec<Value> {
        let mut update = self.common("conversationUpdate");
        update[if is_there { "membersAdded" } else { "membersRemoved" }] = json!([self.bot()]);
        if let With::Channel(..) = self.with {
            update["channelData"]["eventType"] = json!(if is_there { "teamMemberAdded" } else { "teamMemberRemoved" });
        }
        let mut installation = self.common("installationUpdate");
        installation["id"] = json!(format!("{}", self.now_ms as u64 * 1_000 + (self.number + 1) % 1_000));
        installation["action"] = json!(if is_there { "add" } else { "remove" });
        vec![update, installation]
    }

    fn written(&self, text: &str) -> Value {
        let mut activity = self.common("message");
        activity["textFormat"] = json!("plain");
        activity["text"] = json!(text);
        if let With::Channel(..) = self.with {
            let mention = "<at>Emulated bot</at>";
            activity["text"] = json!(format!("{mention} {text}"));
            if let Some(entities) = activity["entities"].as_array_mut() {
                entities.push(json!({"type": "mention", "mentioned": self.bot(), "text": mention}));
            }
            activity["conversation"]["id"] = json!(format!("{};messageid={}", self.conversation, self.now_ms));
        }
        activity
    }

    /// A message that the bot sent, as this person sees it.
    fn sent(&self, message: &str) -> Result<&Value, String> {
        let known = self.tenant.bot.conversations.get(&self.conversation);
        let sent = message.parse().ok().and_then(|id| known?.seen_by(self.user, id));
        sent.ok_or_else(|| format!("no such message: {message}"))
    }

    /// The action of a card that the bot sent, with what a client adds to it.
    fn clicked(&self, act: &Act, message: &str) -> Result<Value, String> {
        let sent = self.sent(message)?;
        let title = act.action.as_deref().ok_or("action is the title of a button")?;
        let action = find_action(sent, title).ok_or_else(|| format!("no action is titled {title}"))?;
        let mut data = act.data.clone().unwrap_or_else(|| action["data"].clone());
        if data.is_null() {
            data = json!({});
        }
        if let Some(data) = data.as_object_mut() {
            data.extend(act.inputs.clone());
        }
        let mut activity;
        if action["type"] == "Action.Execute" {
            activity = self.common("invoke");
            activity["name"] = json!("adaptiveCard/action");
            activity["value"] = json!({
                "action": {"type": "Action.Execute", "id": action["id"], "title": title, "verb": action["verb"], "data": data},
                "trigger": "manual",
            });
        } else {
            activity = self.common("message");
            activity["value"] = data;
        }
        activity["replyToId"] = json!(message);
        Ok(activity)
    }

    fn sign(&self, knobs: &Knobs, act: &Act, mut activity: Value) -> Result<Said, String> {
        for (pointer, value) in &act.replace {
            replace(&mut activity, pointer, value)?;
        }
        let now = self.now_ms / 1_000;
        let key = act.key.unwrap_or(knobs.signing_key);
        let mut header = json!({"alg": "RS256", "kid": signing::id(key), "x5t": signing::id(key), "typ": "JWT"});
        let mut claims = json!({
            "serviceurl": self.service_url(), "nbf": now - 1, "exp": now + TOKEN_SECONDS, "iss": ISSUER,
            "aud": self.tenant.bot.app,
        });
        merge(&mut header, &act.header);
        merge(&mut claims, &act.claims);
        let authorization = if let Some(text) = &act.authorization {
            text.clone()
        } else {
            let token = signing::token(&header, &claims, key);
            let token = token.ok_or_else(|| format!("no such key: {key}; there are {}", signing::count()))?;
            format!("Bearer {token}")
        };
        Ok(Said { authorization, activity })
    }
}

/// An action of the card, at its end or in a set of its body.
fn find_action<'v>(within: &'v Value, title: &str) -> Option<&'v Value> {
    let is_it = within["title"] == title && within["type"].as_str().is_some_and(|kind| kind.starts_with("Action."));
    if is_it && within["type"] != "Action.ShowCard" {
        return Some(within);
    }
    match within {
        Value::Object(members) => members.values().find_map(|value| find_action(value, title)),
        Value::Array(items) => items.iter().find_map(|value| find_action(value, title)),
        _ => None,
    }
}

fn merge(object: &mut Value, changes: &Map<String, Value>) {
    let Some(object) = object.as_object_mut() else { return };
    for (name, value) in changes {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

fn replace(activity: &mut Value, pointer: &str, value: &Value) -> Result<(), String> {
    let wrong = || format!("{pointer} leads nowhere");
    let (parent, name) = pointer.rsplit_once('/').ok_or_else(wrong)?;
    let object = activity.pointer_mut(parent).and_then(Value::as_object_mut).ok_or_else(wrong)?;
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value.clone());
    }
    Ok(())
}
