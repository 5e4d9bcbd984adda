//! Writes the messages of a conversation, with every oddity Graph is known for in fixed proportions.

use std::collections::HashSet;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use super::clock::iso;
use super::config::EmulatorConfig;
use super::events::{Scene, detail};
use super::generate::{DAY_MS, pick};
use super::oddities;
use super::render::{Draft, Place, message, user_identity};
use super::tenant::{Message, Sender, Tenant};
use super::words::TEXT;

pub struct Composer {
    start_ms: i64,
    born_ms: i64,
    roots: usize,
    chat_messages: usize,
    replies: f64,
    null_modified: bool,
    /// Instants that several conversations share: message ids collide between conversations.
    shared_instants: Vec<i64>,
    /// Counts all messages; its remainder by a hundred decides which oddity comes next.
    turn: usize,
}

/// Where a message is being written, and by whom it may be.
pub struct Setting<'a> {
    pub tenant: &'a Tenant,
    pub members: &'a [usize],
    pub team: &'a str,
    pub conversation: &'a str,
    pub is_chat: bool,
}

impl Setting<'_> {
    pub fn place(&self) -> Place<'_> {
        if self.is_chat {
            Place::Chat { chat: self.conversation }
        } else {
            Place::Channel { tenant: &self.tenant.id, team: self.team, channel: self.conversation }
        }
    }

    pub fn member(&self, rng: &mut StdRng) -> usize {
        if self.members.is_empty() { 0 } else { self.members[rng.random_range(0..self.members.len())] }
    }
}

impl Composer {
    pub fn new(tenant: &Tenant, config: &EmulatorConfig) -> Self {
        let start_ms = config.start.as_millisecond();
        let born_ms = start_ms - i64::from(config.history_days) * DAY_MS;
        let span = (start_ms - born_ms).max(10);
        let conversations = tenant.teams.len() as i64 + 1;
        let shared_instants =
            (0..config.messages_per_channel as i64).map(|n| born_ms + (n * 7_919_003 * conversations) % span).collect();
        Self {
            start_ms,
            born_ms,
            roots: config.messages_per_channel,
            chat_messages: config.messages_per_chat,
            replies: config.replies_per_message,
            null_modified: config.null_modified,
            shared_instants,
            turn: 0,
        }
    }

    pub fn channel(
        &mut self,
        tenant: &Tenant,
        rng: &mut StdRng,
        team: usize,
        channel: usize,
        big: usize,
    ) -> Vec<Message> {
        let owner = &tenant.teams[team];
        let members: Vec<usize> = owner.members.iter().map(|member| member.user).collect();
        let conversation = &owner.channels[channel].id;
        let setting = Setting { tenant, members: &members, team: &owner.id, conversation, is_chat: false };
        let mut taken = HashSet::new();
        let mut messages = Vec::with_capacity((self.roots as f64 * (1.0 + self.replies)) as usize + big);
        for n in 0..self.roots {
            let root = self.instant(rng, &mut taken, n);
            messages.push(self.one(rng, &setting, root, None));
            let replies = if n == 0 && big > 0 { big } else { self.reply_count(rng) };
            for _ in 0..replies {
                let reply = self.after(rng, &mut taken, root);
                messages.push(self.one(rng, &setting, reply, Some(root)));
            }
        }
        messages
    }

    pub fn chat(&mut self, tenant: &Tenant, rng: &mut StdRng, chat: usize) -> Vec<Message> {
        let owner = &tenant.chats[chat];
        let setting = Setting { tenant, members: &owner.members, team: "", conversation: &owner.id, is_chat: true };
        let mut taken = HashSet::new();
        (0..self.chat_messages)
            .map(|n| {
                let at = self.instant(rng, &mut taken, n);
                self.one(rng, &setting, at, None)
            })
            .collect()
    }

    /// Half the threads are bare; the others have up to four times the average, so the mean holds.
    fn reply_count(&self, rng: &mut StdRng) -> usize {
        let exact = self.replies * 4.0 * rng.random::<f64>();
        if rng.random_bool(0.5) { 0 } else { exact.round() as usize }
    }

    fn instant(&self, rng: &mut StdRng, taken: &mut HashSet<i64>, n: usize) -> i64 {
        let shared = self.shared_instants.get(n).filter(|_| n % 8 == 1).copied();
        let at = shared.unwrap_or_else(|| {
            let span = (self.start_ms - self.born_ms - 3_600_000).max(1);
            self.born_ms + rng.random_range(0..span)
        });
        free(taken, at)
    }

    /// Replies come within three days, most of them much sooner, and all before the clock starts.
    fn after(&self, rng: &mut StdRng, taken: &mut HashSet<i64>, root: i64) -> i64 {
        let span = (self.start_ms - 1_800_000 - root).clamp(1, 3 * DAY_MS);
        let part: f64 = rng.random();
        free(taken, root + 1 + (part * part * part * span as f64) as i64)
    }

    fn one(&mut self, rng: &mut StdRng, setting: &Setting<'_>, at: i64, reply_to: Option<i64>) -> Message {
        self.turn += 1;
        let mut draft = text(rng, setting, at, reply_to);
        let later = at + 1 + rng.random_range(0..(self.start_ms - at).clamp(2, 30 * DAY_MS) - 1);
        oddities::apply(self.turn % 100, &mut draft, rng, setting, later);
        draft.hides_modified = self.null_modified && self.turn % 100 == 99;
        message(&draft, setting.place(), setting.tenant.seq)
    }
}

fn free(taken: &mut HashSet<i64>, mut at: i64) -> i64 {
    while !taken.insert(at) {
        at += 1;
    }
    at
}

/// An ordinary message by a member.
pub fn text(rng: &mut StdRng, setting: &Setting<'_>, at: i64, reply_to: Option<i64>) -> Draft {
    let user = setting.member(rng);
    let words = rng.random_range(3..=setting.tenant.words.max(3));
    let mut content = String::with_capacity(words * 7);
    for n in 0..words {
        if n > 0 {
            content.push(' ');
        }
        content.push_str(pick(rng, TEXT));
    }
    let mut draft = Draft::new(at, reply_to);
    draft.sender = Sender::User(user);
    draft.from = user_identity(&setting.tenant.users[user].id, Some(setting.tenant.user_name(user)));
    draft.content = Some(format!("<p>{content}</p>"));
    if reply_to.is_none() && !setting.is_chat {
        draft.subject = (at % 4 == 0).then(|| format!("Subject of {}", iso(at)));
    }
    draft.history = (at % 2 == 0).then(Vec::new);
    draft
}

/// A system event by a member.
pub fn event(n: usize, draft: &mut Draft, rng: &mut StdRng, setting: &Setting<'_>) {
    let actor = &setting.tenant.users[setting.member(rng)].id;
    let other = &setting.tenant.users[setting.member(rng)].id;
    let conversation = setting.conversation;
    let scene = Scene { team: setting.team, conversation, actor, other, at_ms: draft.id, is_chat: setting.is_chat };
    draft.event = Some(detail(n, &scene));
    draft.sender = Sender::Nobody;
    draft.from = json!(null);
    draft.content = Some("<systemEventMessage/>".to_owned());
    draft.subject = None;
    draft.history = None;
}
