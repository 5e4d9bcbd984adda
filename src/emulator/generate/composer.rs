//! Composes the messages of a conversation: ordinary ones, and every variant Graph is known for in fixed proportions.

use std::collections::HashSet;

use rand::Rng;
use rand::rngs::StdRng;

use crate::generate::message::message;
use crate::generate::setting::Setting;
use crate::generate::{ordinary, variants};
use crate::tenant::clock::DAY_MS;
use crate::tenant::config::EmulatorConfig;
use crate::tenant::model::{Message, Tenant};
use crate::tenant::unset_time::UnsetTime;

pub struct Composer {
    start_ms: i64,
    oldest_ms: i64,
    roots: usize,
    chat_messages: usize,
    replies: f64,
    null_modified: bool,
    unset_modified: Option<UnsetTime>,
    /// Instants that several conversations share: message ids collide between conversations.
    shared_instants: Vec<i64>,
    /// Counts all messages; its remainder by a hundred decides which variant comes next.
    turn: usize,
}

impl Composer {
    pub fn new(tenant: &Tenant, config: &EmulatorConfig) -> Self {
        let start_ms = config.start.as_millisecond();
        let oldest_ms = start_ms - i64::from(config.history_days) * DAY_MS;
        let span = (start_ms - oldest_ms).max(10);
        let conversations = tenant.teams.len() as i64 + 1;
        let shared_instants = (0..config.messages_per_channel as i64)
            .map(|n| oldest_ms + (n * 7_919_003 * conversations) % span)
            .collect();
        Self {
            start_ms,
            oldest_ms,
            roots: config.messages_per_channel,
            chat_messages: config.messages_per_chat,
            replies: config.replies_per_message,
            null_modified: config.null_modified,
            unset_modified: config.unset_modified,
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
            let span = (self.start_ms - self.oldest_ms - 3_600_000).max(1);
            self.oldest_ms + rng.random_range(0..span)
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
        let mut draft = ordinary::draft(rng, setting, at, reply_to);
        let later = at + 1 + rng.random_range(0..(self.start_ms - at).clamp(2, 30 * DAY_MS) - 1);
        variants::apply(self.turn % 100, &mut draft, rng, setting, later);
        draft.unset_modified = match self.turn % 100 {
            98 => self.unset_modified,
            99 => self.null_modified.then_some(UnsetTime::Null),
            _ => None,
        };
        message(&draft, setting.place(), setting.tenant.seq)
    }
}

fn free(taken: &mut HashSet<i64>, mut at: i64) -> i64 {
    while !taken.insert(at) {
        at += 1;
    }
    at
}
