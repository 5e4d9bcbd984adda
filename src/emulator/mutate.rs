//! Changes to messages and chats of a running tenant.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::clock::iso;
use super::compose::{Setting, text};
use super::config::Knobs;
use super::generate_chats::{add_chat, pick_chat_members};
use super::mutation::{Mutation, MutationSummary, Touched};
use super::render::{message, rewrite};
use super::tenant::{Access, Message, Tenant, Thread};

/// A conversation by its place in the tenant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    Channel(usize, usize),
    Chat(usize),
}

pub struct Mutator<'a> {
    pub tenant: &'a mut Tenant,
    pub knobs: &'a Knobs,
    pub rng: StdRng,
    pub asked: &'a Mutation,
    pub at_ms: i64,
    pub summary: MutationSummary,
    dirty: BTreeSet<Spot>,
    /// Messages that were changed or made already: each is met once, so that counts are counts of rows.
    met: BTreeSet<(Spot, i64)>,
}

impl<'a> Mutator<'a> {
    pub fn new(tenant: &'a mut Tenant, knobs: &'a Knobs, rng: StdRng, asked: &'a Mutation, at_ms: i64) -> Self {
        Self {
            tenant,
            knobs,
            rng,
            asked,
            at_ms,
            summary: MutationSummary::default(),
            dirty: BTreeSet::new(),
            met: BTreeSet::new(),
        }
    }

    /// Every change has its own millisecond and its own step.
    pub fn tick(&mut self) -> (i64, u64) {
        self.at_ms += 1;
        (self.at_ms, self.tenant.next_seq())
    }

    pub fn note(&mut self, kind: &'static str, touched: Touched) {
        self.summary.changes.entry(kind).or_default().push(touched);
    }

    pub fn run(&mut self) {
        self.directory();
        for _ in 0..self.asked.new_chats {
            self.new_chat();
        }
        self.messages();
        self.chat_messages();
        for spot in std::mem::take(&mut self.dirty) {
            let bubble = self.knobs.bubble_edits;
            self.thread(spot).index(bubble);
        }
    }

    /// A root to answer; what else happens to it does not matter.
    fn some_root(&mut self, spots: &[Spot]) -> Option<(Spot, i64)> {
        let met = std::mem::take(&mut self.met);
        let found = self.choose(spots, is_root);
        self.met = met;
        found.map(|(spot, at)| (spot, self.thread(spot).messages[at].id))
    }

    fn messages(&mut self) {
        let asked = self.asked;
        let spots = self.channel_spots();
        for _ in 0..asked.hard_deletes {
            let Some((spot, at)) = self.choose(&spots, |_| true) else {
                break;
            };
            self.vanish(spot, at);
        }
        self.repeat(asked.edits, "edits", &spots, is_root, edit);
        self.repeat(asked.reply_edits, "reply_edits", &spots, is_reply, edit);
        self.repeat(asked.reactions, "reactions", &spots, is_live, react);
        self.repeat(asked.undeletes, "undeletes", &spots, |message| message.deleted, undelete);
        self.repeat(asked.deletes, "deletes", &spots, is_root, delete);
        self.repeat(asked.reply_deletes, "reply_deletes", &spots, is_reply, delete);
        self.repeat(asked.reaction_removals, "reaction_removals", &spots, has_reaction, unreact);
        self.repeat(asked.stripped, "stripped", &spots, has_parts, strip);
        for _ in 0..asked.late_replies {
            let Some((spot, root)) = self.some_root(&spots) else {
                break;
            };
            self.post("late_replies", spot, Some(root));
        }
        for _ in 0..asked.new_messages {
            let Some(&spot) = self.any(&spots) else { break };
            self.post("new_messages", spot, None);
        }
    }

    fn chat_messages(&mut self) {
        let asked = self.asked;
        let wanted = |id: &String| asked.chat_id.as_ref().is_none_or(|chat| chat == id);
        let spots: Vec<Spot> =
            (0..self.tenant.chats.len()).filter(|&chat| wanted(&self.tenant.chats[chat].id)).map(Spot::Chat).collect();
        self.repeat(asked.chat_edits, "chat_edits", &spots, is_live, edit);
        self.repeat(asked.chat_deletes, "chat_deletes", &spots, is_live, delete);
        for _ in 0..asked.chat_messages {
            let Some(&spot) = self.any(&spots) else { break };
            self.post("chat_messages", spot, None);
        }
    }

    /// Channels that a message can be changed in: of teams that answer, and inside the asked scope.
    pub fn channel_spots(&self) -> Vec<Spot> {
        let asked = self.asked;
        let open = self
            .tenant
            .live_teams()
            .filter(|(_, team)| team.access == Access::Open && asked.team_id.as_ref().is_none_or(|id| *id == team.id));
        open.flat_map(|(at, team)| {
            team.channels
                .iter()
                .enumerate()
                .filter(|(_, channel)| !channel.removed && asked.channel_id.as_ref().is_none_or(|id| *id == channel.id))
                .map(move |(channel, _)| Spot::Channel(at, channel))
        })
        .collect()
    }

    pub fn any<'s, T>(&mut self, from: &'s [T]) -> Option<&'s T> {
        if from.is_empty() { None } else { from.get(self.rng.random_range(0..from.len())) }
    }

    fn thread(&mut self, spot: Spot) -> &mut Thread {
        match spot {
            Spot::Channel(team, channel) => &mut self.tenant.teams[team].channels[channel].thread,
            Spot::Chat(chat) => &mut self.tenant.chats[chat].thread,
        }
    }

    fn touched(&self, spot: Spot, id: i64, reply_to: Option<i64>) -> Touched {
        let mut touched = Touched { id: id.to_string(), ..Touched::default() };
        match spot {
            Spot::Channel(team, channel) => {
                let team = &self.tenant.teams[team];
                touched.team_id = Some(team.id.clone());
                touched.channel_id = Some(team.channels[channel].id.clone());
                touched.parent_message_id = reply_to.map(|root| root.to_string());
            }
            Spot::Chat(chat) => touched.chat_id = Some(self.tenant.chats[chat].id.clone()),
        }
        touched
    }

    /// A message that fits and was not met yet: by lot first, and by search when luck fails.
    fn choose(&mut self, spots: &[Spot], fits: impl Fn(&Message) -> bool) -> Option<(Spot, usize)> {
        for _ in 0..64 {
            let spot = *self.any(spots)?;
            let length = self.thread(spot).messages.len();
            if length > 0 {
                let at = self.rng.random_range(0..length);
                let candidate = &self.thread(spot).messages[at];
                let id = candidate.id;
                if fits(candidate) && !self.met.contains(&(spot, id)) {
                    return Some((spot, at));
                }
            }
        }
        let met = std::mem::take(&mut self.met);
        let found = spots.iter().find_map(|&spot| {
            let messages = &self.thread(spot).messages;
            let fresh = |message: &Message| fits(message) && !met.contains(&(spot, message.id));
            messages.iter().position(fresh).map(|at| (spot, at))
        });
        self.met = met;
        found
    }

    fn repeat(
        &mut self,
        times: usize,
        kind: &'static str,
        spots: &[Spot],
        fits: fn(&Message) -> bool,
        change: fn(&mut Value, i64, &Actor),
    ) {
        for _ in 0..times {
            let Some((spot, at)) = self.choose(spots, fits) else {
                break;
            };
            let (now, seq) = self.tick();
            let actor = self.actor(spot);
            let target = &mut self.thread(spot).messages[at];
            rewrite(target, now, seq, |value| change(value, now, &actor));
            let (id, reply_to) = (target.id, target.reply_to);
            let touched = self.touched(spot, id, reply_to);
            self.note(kind, touched);
            self.met.insert((spot, id));
            self.dirty.insert(spot);
        }
    }

    fn members(&self, spot: Spot) -> Vec<usize> {
        match spot {
            Spot::Channel(team, _) => self.tenant.teams[team].members.iter().map(|member| member.user).collect(),
            Spot::Chat(chat) => self.tenant.chats[chat].members.clone(),
        }
    }

    fn actor(&mut self, spot: Spot) -> Actor {
        let members = self.members(spot);
        let user = self.any(&members).copied().unwrap_or(0);
        Actor { id: self.tenant.users[user].id.clone(), name: self.tenant.user_name(user).to_owned() }
    }

    fn post(&mut self, kind: &'static str, spot: Spot, reply_to: Option<i64>) {
        let (now, seq) = self.tick();
        let members = self.members(spot);
        let tenant = &*self.tenant;
        let (team, conversation) = match spot {
            Spot::Channel(team, channel) => (tenant.teams[team].id.as_str(), &tenant.teams[team].channels[channel].id),
            Spot::Chat(chat) => ("", &tenant.chats[chat].id),
        };
        let is_chat = matches!(spot, Spot::Chat(_));
        let setting = Setting { tenant, members: &members, team, conversation, is_chat };
        let draft = text(&mut self.rng, &setting, now, reply_to);
        let written = message(&draft, setting.place(), seq);
        self.thread(spot).messages.push(written);
        let touched = self.touched(spot, now, reply_to);
        self.note(kind, touched);
        self.met.insert((spot, now));
        self.dirty.insert(spot);
    }

    /// Removes a message and what hangs on it.
    fn vanish(&mut self, spot: Spot, at: usize) {
        let id = self.thread(spot).messages[at].id;
        let family: Vec<(i64, Option<i64>)> = self
            .thread(spot)
            .messages
            .iter()
            .filter(|message| message.id == id || message.reply_to == Some(id))
            .map(|message| (message.id, message.reply_to))
            .collect();
        let gone: BTreeSet<i64> = family.iter().map(|(id, _)| *id).collect();
        let thread = self.thread(spot);
        let (vanished, kept) =
            std::mem::take(&mut thread.messages).into_iter().partition(|message| gone.contains(&message.id));
        thread.messages = kept;
        let vanished: Vec<Message> = vanished;
        thread.vanished.extend(vanished);
        for (id, reply_to) in family {
            let touched = self.touched(spot, id, reply_to);
            self.note("hard_deletes", touched);
        }
        self.dirty.insert(spot);
    }

    fn new_chat(&mut self) {
        let (now, _) = self.tick();
        let n = self.tenant.chats.len();
        let members = pick_chat_members(self.tenant, &mut self.rng, n);
        // The creation time of a generated chat grows with its number; a new one is made now.
        let chat = add_chat(self.tenant, &mut self.rng, n, members, now - n as i64 * 7_200_503);
        self.tenant.chats[chat].properties.insert("lastUpdatedDateTime".to_owned(), json!(iso(now)));
        let id = self.tenant.chats[chat].id.clone();
        self.note("new_chats", Touched { id, ..Touched::default() });
    }
}

pub struct Actor {
    id: String,
    name: String,
}

fn is_live(message: &Message) -> bool {
    !message.deleted && !message.system
}

fn is_root(message: &Message) -> bool {
    is_live(message) && message.reply_to.is_none()
}

/// Whether a list of the written message has items.
fn holds(message: &Message, list: &str) -> bool {
    let filled = format!("\"{list}\":[{{");
    is_live(message) && message.json.windows(filled.len()).any(|text| text == filled.as_bytes())
}

fn has_reaction(message: &Message) -> bool {
    holds(message, "reactions")
}

fn has_parts(message: &Message) -> bool {
    holds(message, "mentions") || holds(message, "attachments")
}

fn is_reply(message: &Message) -> bool {
    is_live(message) && message.reply_to.is_some()
}

fn edit(value: &mut Value, now: i64, actor: &Actor) {
    value["lastEditedDateTime"] = json!(iso(now));
    let content = value["body"]["content"].as_str().unwrap_or_default();
    value["body"]["content"] = json!(format!("{content}<p>edited near {} by {}</p>", iso(now), actor.name));
}

fn react(value: &mut Value, now: i64, actor: &Actor) {
    let reaction = json!({
        "reactionType": "like", "displayName": "Like", "reactionContentUrl": null, "createdDateTime": iso(now),
        "user": {"application": null, "device": null, "user": {"id": actor.id, "displayName": null, "userIdentityType": "aadUser"}},
    });
    let step = json!({"modifiedDateTime": iso(now), "actions": "reactionAdded", "reaction": reaction.clone()});
    for (key, item) in [("reactions", reaction), ("messageHistory", step)] {
        match value.get_mut(key).and_then(Value::as_array_mut) {
            Some(list) => list.push(item),
            None => value[key] = json!([item]),
        }
    }
}

fn unreact(value: &mut Value, now: i64, _: &Actor) {
    let taken = std::mem::replace(&mut value["reactions"], json!([]));
    let steps = taken.as_array().into_iter().flatten();
    let steps = steps
        .map(|reaction| json!({"modifiedDateTime": iso(now), "actions": "reactionRemoved", "reaction": reaction}))
        .collect::<Vec<_>>();
    match value.get_mut("messageHistory").and_then(Value::as_array_mut) {
        Some(list) => list.extend(steps),
        None => value["messageHistory"] = json!(steps),
    }
}

fn strip(value: &mut Value, now: i64, _: &Actor) {
    value["lastEditedDateTime"] = json!(iso(now));
    value["body"]["content"] = json!("<p>never mind</p>");
    value["mentions"] = json!([]);
    value["attachments"] = json!([]);
}

fn delete(value: &mut Value, now: i64, _: &Actor) {
    value["deletedDateTime"] = json!(iso(now));
    value["from"] = Value::Null;
    value["subject"] = Value::Null;
    // Both forms are seen.
    value["body"]["content"] = if now % 2 == 0 { Value::Null } else { json!("") };
    for list in ["attachments", "mentions", "reactions"] {
        value[list] = json!([]);
    }
}

fn undelete(value: &mut Value, now: i64, actor: &Actor) {
    value["deletedDateTime"] = Value::Null;
    value["from"] = super::render::user_identity(&actor.id, Some(&actor.name));
    value["body"] = json!({"contentType": "html", "content": format!("<p>restored near {}</p>", iso(now))});
}
