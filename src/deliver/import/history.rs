//! Who may see what was imported into a group chat. A member sees what is younger than the start of the history that was
//! given when they were added, which nobody can change: so they are taken out and added again with all of it
//! (<https://learn.microsoft.com/graph/api/chat-post-members>). Four such changes a minute and chat are granted.

use futures::{StreamExt, stream};

use super::endpoint::{Address, member_with_history};
use super::job::{Job, Outcome, address_of};
use super::journal::Event;
use super::plan::Kind;
use crate::fetch::list;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::{Idempotency, Request};

const CHATS: usize = 20;
const MOST_PAGES: usize = 100;

/// A member of a chat, and whether they see its first message.
struct Member {
    id: String,
    user: String,
    sees_all: bool,
}

impl Job {
    /// Gives the source's members of each group chat all of its history.
    pub(super) async fn show_history(&self, outcome: &mut Outcome) -> Result<()> {
        let chats: Vec<usize> = (0..self.plan.containers.len())
            .filter(|at| {
                let state = self.journal.container(*at);
                state.completed && state.kind == Some(Kind::Group) && self.plan.containers[*at].refused.is_none()
            })
            .collect();
        let results: Vec<Result<Vec<String>>> =
            stream::iter(chats).map(|at| self.show_history_of(at)).buffer_unordered(CHATS).collect().await;
        for result in results {
            outcome.to_do.extend(result?);
        }
        outcome.to_do.sort();
        Ok(())
    }

    async fn show_history_of(&self, at: usize) -> Result<Vec<String>> {
        let container = &self.plan.containers[at];
        let Some(Address::Chat { chat }) = address_of(&self.journal.container(at)) else { return Ok(Vec::new()) };
        let what = format!("history {at} {}", container.members.join(" "));
        if self.journal.is_done(&what) {
            return Ok(Vec::new());
        }
        let mut to_do = Vec::new();
        let changed = self.add_again(&chat, &container.members, self.from(at), &mut to_do).await;
        match changed {
            Ok(()) if to_do.is_empty() => self.journal.keep(&Event::Done { what }).await?,
            Ok(()) => {}
            Err(error) if error.ends_run() => return Err(error),
            Err(error) => {
                to_do.push(format!("Add the members of chat {:?} with all of its history: {error}", container.name));
            }
        }
        Ok(to_do)
    }

    async fn add_again(&self, chat: &str, wanted: &[String], from_ms: i64, to_do: &mut Vec<String>) -> Result<()> {
        let there = self.members_of(chat, from_ms).await?;
        let mut left = there.len();
        for user in wanted {
            let member = there.iter().find(|member| member.user.eq_ignore_ascii_case(user));
            if let Some(member) = member {
                if member.sees_all {
                    continue;
                }
                if left < 2 {
                    to_do.push(format!(
                        "Add {user} to chat {chat} with all of its history: the chat would be empty meanwhile"
                    ));
                    continue;
                }
                let segments = ["chats", chat, "members", &member.id];
                let request = Request::new(&endpoint::REMOVE_CHAT_MEMBER, &segments, format!("chat {chat}"));
                match self.client.send(&request.team(chat).idempotency(Idempotency::Idempotent)).await {
                    Ok(_) | Err(Error::NotFound(_)) => left -= 1,
                    Err(error) => return Err(error),
                }
            }
            let segments = ["chats", chat, "members"];
            let request = Request::new(&endpoint::ADD_CHAT_MEMBER, &segments, format!("chat {chat}"));
            let request = request.team(chat).json(member_with_history(user).to_string());
            match self.client.send(&request.idempotency(Idempotency::Idempotent)).await {
                Ok(_) => left += 1,
                Err(error) if error.ends_run() => return Err(error),
                // After a lost answer it is refused because they are a member already.
                Err(error) => {
                    let again = self.members_of(chat, from_ms).await?;
                    if again.iter().any(|member| member.user.eq_ignore_ascii_case(user)) {
                        left += 1;
                    } else {
                        to_do.push(format!("Add {user} to chat {chat}: {error}"));
                    }
                }
            }
        }
        Ok(())
    }

    async fn members_of(&self, chat: &str, from_ms: i64) -> Result<Vec<Member>> {
        let request = Request::new(&endpoint::LIST_CHAT_MEMBERS, &["chats", chat, "members"], format!("chat {chat}"));
        let mut members = Vec::new();
        list(&self.client, request.conversation(chat), MOST_PAGES, |member| {
            let text = |name: &str| member[name].as_str().unwrap_or_default().to_owned();
            let since = member["visibleHistoryStartDateTime"].as_str().and_then(timestamp::parse);
            members.push(Member {
                id: text("id"),
                user: text("userId"),
                // Nothing of the history is visible where the property is null.
                sees_all: since.is_some_and(|since| since.as_millisecond() <= from_ms),
            });
            false
        })
        .await?;
        Ok(members)
    }
}
