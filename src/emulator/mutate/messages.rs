//! Changes to messages and chats.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::generate::chats::{add_chat, pick_chat_members};
use crate::generate::message::{message, rewrite};
use crate::generate::ordinary;
use crate::generate::setting::Setting;
use crate::mutate::edits::{
    Actor, delete, edit, has_parts, has_reaction, is_live, is_reply, is_root, react, strip, undelete, unreact,
};
use crate::mutate::mutation::Touched;
use crate::mutate::mutator::{Conversation, Mutator};
use crate::tenant::clock::iso;
use crate::tenant::model::Message;

impl Mutator<'_> {
    pub fn messages(&mut self) {
        let asked = self.asked;
        let conversations = self.open_channels();
        for _ in 0..asked.hard_deletes {
            let Some((conversation, at)) = self.choose(&conversations, |_| true) else {
                break;
            };
            self.hard_delete(conversation, at);
        }
        self.repeat(asked.edits, "edits", &conversations, is_root, edit);
        self.repeat(asked.reply_edits, "reply_edits", &conversations, is_reply, edit);
        self.repeat(asked.reactions, "reactions", &conversations, is_live, react);
        self.repeat(asked.undeletes, "undeletes", &conversations, |message| message.deleted, undelete);
        self.repeat(asked.deletes, "deletes", &conversations, is_root, delete);
        self.repeat(asked.reply_deletes, "reply_deletes", &conversations, is_reply, delete);
        self.repeat(asked.reaction_removals, "reaction_removals", &conversations, has_reaction, unreact);
        self.repeat(asked.stripped, "stripped", &conversations, has_parts, strip);
        for _ in 0..asked.late_replies {
            let Some((conversation, root)) = self.some_root(&conversations) else {
                break;
            };
            self.post("late_replies", conversation, Some(root));
        }
        for _ in 0..asked.new_messages {
            let Some(&conversation) = self.pick_one(&conversations) else { break };
            self.post("new_messages", conversation, None);
        }
    }

    pub fn chat_messages(&mut self) {
        let asked = self.asked;
        let wanted = |id: &String| asked.chat_id.as_ref().is_none_or(|chat| chat == id);
        let conversations: Vec<Conversation> = (0..self.tenant.chats.len())
            .filter(|&chat| wanted(&self.tenant.chats[chat].id))
            .map(Conversation::Chat)
            .collect();
        self.repeat(asked.chat_edits, "chat_edits", &conversations, is_live, edit);
        self.repeat(asked.chat_deletes, "chat_deletes", &conversations, is_live, delete);
        for _ in 0..asked.chat_messages {
            let Some(&conversation) = self.pick_one(&conversations) else { break };
            self.post("chat_messages", conversation, None);
        }
    }

    /// A root to reply to, whether it was used already or not.
    fn some_root(&mut self, conversations: &[Conversation]) -> Option<(Conversation, i64)> {
        let used = std::mem::take(&mut self.used);
        let found = self.choose(conversations, is_root);
        self.used = used;
        found.map(|(conversation, at)| (conversation, self.thread(conversation).messages[at].id))
    }

    fn repeat(
        &mut self,
        times: usize,
        kind: &'static str,
        conversations: &[Conversation],
        fits: fn(&Message) -> bool,
        change: fn(&mut Value, i64, &Actor),
    ) {
        for _ in 0..times {
            let Some((conversation, at)) = self.choose(conversations, fits) else {
                break;
            };
            let (now, seq) = self.tick();
            let actor = self.actor(conversation);
            let unset = self.asked.unset_modified;
            let target = &mut self.thread(conversation).messages[at];
            rewrite(target, now, seq, |value| {
                change(value, now, &actor);
                if let Some(unset) = unset {
                    value["lastModifiedDateTime"] = json!(unset.text());
                }
            });
            let (id, reply_to) = (target.id, target.reply_to);
            let touched = self.touched(conversation, id, reply_to);
            self.note(kind, touched);
            self.used.insert((conversation, id));
            self.dirty.insert(conversation);
        }
    }

    fn post(&mut self, kind: &'static str, conversation: Conversation, reply_to: Option<i64>) {
        let (now, seq) = self.tick();
        let members = self.members(conversation);
        let tenant = &*self.tenant;
        let (team, id) = match conversation {
            Conversation::Channel(team, channel) => {
                (tenant.teams[team].id.as_str(), &tenant.teams[team].channels[channel].id)
            }
            Conversation::Chat(chat) => ("", &tenant.chats[chat].id),
        };
        let is_chat = matches!(conversation, Conversation::Chat(_));
        let setting = Setting { tenant, members: &members, team, conversation: id, is_chat };
        let mut draft = ordinary::draft(&mut self.rng, &setting, now, reply_to);
        draft.unset_modified = self.asked.unset_modified;
        let written = message(&draft, setting.place(), seq);
        self.thread(conversation).messages.push(written);
        let touched = self.touched(conversation, now, reply_to);
        self.note(kind, touched);
        self.used.insert((conversation, now));
        self.dirty.insert(conversation);
    }

    /// Removes a message; a root takes its replies along.
    fn hard_delete(&mut self, conversation: Conversation, at: usize) {
        let id = self.thread(conversation).messages[at].id;
        let family: Vec<(i64, Option<i64>)> = self
            .thread(conversation)
            .messages
            .iter()
            .filter(|message| message.id == id || message.reply_to == Some(id))
            .map(|message| (message.id, message.reply_to))
            .collect();
        let gone: BTreeSet<i64> = family.iter().map(|(id, _)| *id).collect();
        let thread = self.thread(conversation);
        let (removed, kept) =
            std::mem::take(&mut thread.messages).into_iter().partition(|message| gone.contains(&message.id));
        thread.messages = kept;
        let removed: Vec<Message> = removed;
        thread.hard_deleted.extend(removed);
        for (id, reply_to) in family {
            let touched = self.touched(conversation, id, reply_to);
            self.note("hard_deletes", touched);
        }
        self.dirty.insert(conversation);
    }

    pub fn new_chat(&mut self) {
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
