//! What all changes to a running tenant share: its clock and generator, the summary, and the choice of what to change.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;

use crate::mutate::edits::Actor;
use crate::mutate::mutation::{Mutation, MutationSummary, Touched};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Access, Message, Tenant, Thread};

/// A conversation by its place in the tenant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversation {
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
    /// Conversations whose index has to be rebuilt.
    pub dirty: BTreeSet<Conversation>,
    /// Messages that were changed or made already. Each is used once, so that counts are counts of rows.
    pub used: BTreeSet<(Conversation, i64)>,
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
            used: BTreeSet::new(),
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

    /// Channels that a message can be changed in: of teams that answer, and inside the asked scope.
    pub fn open_channels(&self) -> Vec<Conversation> {
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
                .map(move |(channel, _)| Conversation::Channel(at, channel))
        })
        .collect()
    }

    /// Rebuilds the index of every conversation that changed.
    pub fn index_changed(&mut self) {
        for conversation in std::mem::take(&mut self.dirty) {
            let bubble = self.knobs.bubble_edits;
            self.thread(conversation).index(bubble);
        }
    }

    pub fn pick_one<'s, T>(&mut self, from: &'s [T]) -> Option<&'s T> {
        if from.is_empty() { None } else { from.get(self.rng.random_range(0..from.len())) }
    }

    pub fn thread(&mut self, conversation: Conversation) -> &mut Thread {
        match conversation {
            Conversation::Channel(team, channel) => &mut self.tenant.teams[team].channels[channel].thread,
            Conversation::Chat(chat) => &mut self.tenant.chats[chat].thread,
        }
    }

    pub fn touched(&self, conversation: Conversation, id: i64, reply_to: Option<i64>) -> Touched {
        let mut touched = Touched { id: id.to_string(), ..Touched::default() };
        match conversation {
            Conversation::Channel(team, channel) => {
                let team = &self.tenant.teams[team];
                touched.team_id = Some(team.id.clone());
                touched.channel_id = Some(team.channels[channel].id.clone());
                touched.parent_message_id = reply_to.map(|root| root.to_string());
            }
            Conversation::Chat(chat) => touched.chat_id = Some(self.tenant.chats[chat].id.clone()),
        }
        touched
    }

    /// A message that fits and was not used yet: drawn at random, or the first one when random draws find none.
    pub fn choose(
        &mut self,
        conversations: &[Conversation],
        fits: impl Fn(&Message) -> bool,
    ) -> Option<(Conversation, usize)> {
        for _ in 0..64 {
            let conversation = *self.pick_one(conversations)?;
            let length = self.thread(conversation).messages.len();
            if length > 0 {
                let at = self.rng.random_range(0..length);
                let candidate = &self.thread(conversation).messages[at];
                let id = candidate.id;
                if fits(candidate) && !self.used.contains(&(conversation, id)) {
                    return Some((conversation, at));
                }
            }
        }
        let used = std::mem::take(&mut self.used);
        let found = conversations.iter().find_map(|&conversation| {
            let messages = &self.thread(conversation).messages;
            let fresh = |message: &Message| fits(message) && !used.contains(&(conversation, message.id));
            messages.iter().position(fresh).map(|at| (conversation, at))
        });
        self.used = used;
        found
    }

    pub fn members(&self, conversation: Conversation) -> Vec<usize> {
        match conversation {
            Conversation::Channel(team, _) => {
                self.tenant.teams[team].members.iter().map(|member| member.user).collect()
            }
            Conversation::Chat(chat) => self.tenant.chats[chat].members.clone(),
        }
    }

    pub fn actor(&mut self, conversation: Conversation) -> Actor {
        let members = self.members(conversation);
        let user = self.pick_one(&members).copied().unwrap_or(0);
        Actor { id: self.tenant.users[user].id.clone(), name: self.tenant.user_name(user).to_owned() }
    }
}
