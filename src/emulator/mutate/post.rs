//! One message with a given text, for demos and for tests that need to know what was written.

use jiff::Timestamp;
use serde::Deserialize;

use crate::generate::message::message;
use crate::generate::ordinary;
use crate::generate::setting::Setting;
use crate::mutate::mutation::Touched;
use crate::mutate::mutator::{Conversation, Mutator};
use crate::tenant::model::Tenant;

/// A message to be written. Without a place it goes to some channel, without an author it is some member's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Post {
    /// Plain text.
    pub text: String,
    /// A user's id, principal name or display name.
    pub author: Option<String>,
    /// When it is written, as ISO 8601; without it, now. A time to come moves the clock there.
    pub at: Option<String>,
    pub team_id: Option<String>,
    pub channel_id: Option<String>,
    pub chat_id: Option<String>,
    /// The id of the root that it answers.
    pub reply_to: Option<String>,
    pub subject: Option<String>,
}

impl Mutator<'_> {
    /// Writes the message; the text of an error names what is not there.
    pub fn write(&mut self, post: &Post) -> Result<Touched, String> {
        let (conversation, reply_to) = self.place(post)?;
        let author = post.author.as_deref().map(|author| user(self.tenant, author)).transpose()?;
        let mut at = post.at.as_deref().map(moment).transpose()?.unwrap_or(self.at_ms + 1);
        // An id is the time of creation, and unique in its conversation.
        while self.thread(conversation).get(at).is_some() {
            at += 1;
        }
        let seq = self.tenant.next_seq();
        let members = author.map_or_else(|| self.members(conversation), |user| vec![user]);
        let tenant = &*self.tenant;
        let (team, id, is_chat) = match conversation {
            Conversation::Channel(team, channel) => {
                (tenant.teams[team].id.as_str(), &tenant.teams[team].channels[channel].id, false)
            }
            Conversation::Chat(chat) => ("", &tenant.chats[chat].id, true),
        };
        let setting = Setting { tenant, members: &members, team, conversation: id, is_chat };
        let mut draft = ordinary::draft(&mut self.rng, &setting, at, reply_to);
        draft.content = Some(format!("<p>{}</p>", escaped(&post.text)));
        draft.subject.clone_from(&post.subject);
        let written = message(&draft, setting.place(), seq);
        self.thread(conversation).messages.push(written);
        self.at_ms = self.at_ms.max(at);
        self.dirty.insert(conversation);
        self.index_changed();
        Ok(self.touched(conversation, at, reply_to))
    }

    /// The conversation that the post names, or the first that fits, and the root that it answers.
    fn place(&self, post: &Post) -> Result<(Conversation, Option<i64>), String> {
        let root = match post.reply_to.as_deref().map(str::parse::<i64>) {
            Some(Err(_)) => return Err(format!("reply_to {:?} is not the id of a message", post.reply_to)),
            Some(Ok(root)) => Some(root),
            None => None,
        };
        let candidates = if let Some(chat) = &post.chat_id {
            let at = self.tenant.chat_index.get(chat).copied();
            vec![Conversation::Chat(at.ok_or_else(|| format!("there is no chat {chat}"))?)]
        } else {
            let mut open = self.open_channels();
            open.retain(|conversation| self.is_named(post, *conversation));
            open
        };
        let holds = |conversation: &Conversation| root.is_none_or(|root| self.holds_root(*conversation, root));
        match (candidates.iter().copied().find(holds), root) {
            (Some(conversation), root) => Ok((conversation, root)),
            (None, Some(root)) if !candidates.is_empty() => Err(format!("there is no root message {root} to reply to")),
            (None, _) => Err("there is no channel of this team_id and channel_id to write to".to_owned()),
        }
    }

    fn is_named(&self, post: &Post, conversation: Conversation) -> bool {
        let Conversation::Channel(team, channel) = conversation else { return false };
        let team = &self.tenant.teams[team];
        post.team_id.as_ref().is_none_or(|id| *id == team.id)
            && post.channel_id.as_ref().is_none_or(|id| *id == team.channels[channel].id)
    }

    fn holds_root(&self, conversation: Conversation, root: i64) -> bool {
        let thread = match conversation {
            Conversation::Channel(team, channel) => &self.tenant.teams[team].channels[channel].thread,
            Conversation::Chat(chat) => &self.tenant.chats[chat].thread,
        };
        thread.get(root).is_some_and(|message| message.reply_to.is_none())
    }
}

fn user(tenant: &Tenant, key: &str) -> Result<usize, String> {
    let named = |user: usize| tenant.users[user].removal.is_none() && tenant.user_name(user).eq_ignore_ascii_case(key);
    tenant
        .user(key)
        .or_else(|| (0..tenant.users.len()).find(|&user| named(user)))
        .ok_or_else(|| format!("there is no user {key}"))
}

fn moment(text: &str) -> Result<i64, String> {
    let time: Timestamp =
        text.parse().map_err(|_| format!("at {text:?} is not a time such as 2026-01-15T12:00:00Z"))?;
    Ok(time.as_millisecond())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
}
