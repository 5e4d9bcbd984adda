//! Teams, channels and chats: made in migration mode, or opened for it.
//!
//! Making one has no key that makes a repeat visible. So a mark of the run stands in the description or topic while it is
//! made, and whoever resumes looks for the mark before making it again. The mark is taken out when the import is completed.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::compose::iso;
use super::endpoint::{Address, Mode, is_shared_or_private, member, member_with_history, mode};
use super::journal::{Change, Event, Journal};
use super::plan::{Container, Kind, Plan};
use crate::fetch::{list, read, refused};
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::{GraphClient, Request};

/// The first look at a long running operation, and the time between the others
/// (<https://learn.microsoft.com/graph/api/resources/teamsasyncoperation>: "wait more than 30 seconds").
const FIRST_POLL: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_secs(31);
const MOST_POLLS: u32 = 60;
/// A team or channel that was just made is not everywhere yet.
const SETTLE: Duration = Duration::from_secs(5);
const MOST_SETTLES: u32 = 6;
/// The same for a chat of two, whose 412 may be for good.
const PAIR_SETTLES: u32 = 2;
const MOST_PAGES: usize = 1_000;

/// What provisioning needs to know.
pub struct Provision<'a> {
    pub client: &'a GraphClient,
    pub journal: &'a Journal,
    pub plan: &'a Plan,
}

impl Provision<'_> {
    /// The id of a team of the plan, which is made if it does not exist. `from_ms`: its creation, before its first message.
    pub async fn team(&self, at: usize, from_ms: i64) -> Result<String> {
        let team = &self.plan.teams[at];
        if let Some(id) = &team.id {
            return Ok(id.clone());
        }
        let state = self.journal.team(at);
        if let Some(id) = state.id {
            return Ok(id);
        }
        let mark = self.plan.mark(&format!("team {at}"));
        let found = if state.making { self.marked_team(&team.name, &mark).await? } else { None };
        let id = if let Some(id) = found {
            id
        } else {
            self.journal.keep(&Event::Team { team: at, made: None }).await?;
            self.make_team(at, &mark, from_ms).await?
        };
        self.provisioned(&id).await?;
        self.journal.keep(&Event::Team { team: at, made: Some(id.clone()) }).await?;
        Ok(id)
    }

    async fn make_team(&self, at: usize, mark: &str, from_ms: i64) -> Result<String> {
        let team = &self.plan.teams[at];
        let body = json!({
            "@microsoft.graph.teamCreationMode": "migration",
            "template@odata.bind": "https://graph.microsoft.com/v1.0/teamsTemplates('standard')",
            "displayName": team.name,
            "description": marked(&team.description, mark),
            "createdDateTime": iso(from_ms),
        });
        let request =
            Request::new(&endpoint::CREATE_TEAM, &["teams"], format!("team {}", team.name)).json(body.to_string());
        match self.client.send(&request).await {
            Ok(answer) => {
                let location = answer.headers.location.as_ref().map(|location| location.expose().to_owned());
                let (team, operation) = location.as_deref().and_then(ids_of).ok_or_else(|| {
                    refused(&request, "the answer names no operation", "Run it again: the team is found by its mark")
                })?;
                self.wait_for(&team, &operation).await?;
                Ok(team)
            }
            Err(error) if error.effect_is_unknown() && !ends(&error) => {
                self.look_again(|| self.marked_team(&team.name, mark)).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn wait_for(&self, team: &str, operation: &str) -> Result<()> {
        let request =
            Request::new(&endpoint::TEAM_OPERATION, &["teams", team, "operations", operation], format!("team {team}"));
        let mut wait = FIRST_POLL;
        for _ in 0..MOST_POLLS {
            sleep(wait).await;
            let parse = |body: &[u8]| serde_json::from_slice::<Value>(body).map_err(teams_client::Malformed::from);
            let answer = match self.client.get(&request, parse).await {
                Ok(answer) => answer,
                // The operation may be unknown for a moment.
                Err(Error::NotFound(_)) => continue,
                Err(error) => return Err(error),
            };
            match answer.body["status"].as_str() {
                Some("succeeded") => return Ok(()),
                Some("failed" | "invalid") => {
                    let why = answer.body["error"]["message"].as_str().unwrap_or("no reason is given");
                    return Err(refused(&request, &super::compose::reason(why), "Run it again"));
                }
                _ => wait = answer.headers.wait().unwrap_or(POLL),
            }
        }
        Err(refused(&request, "the team is still not made", "Run it again later: it goes on waiting"))
    }

    /// A team that was found by its mark may still be in the making.
    async fn provisioned(&self, team: &str) -> Result<()> {
        let request =
            Request::new(&endpoint::PRIMARY_CHANNEL, &["teams", team, "primaryChannel"], format!("team {team}"))
                .team(team);
        self.settled(MOST_SETTLES, async || read(self.client, &request).await.map(drop)).await
    }

    async fn marked_team(&self, name: &str, mark: &str) -> Result<Option<String>> {
        let mut found = None;
        let filter = format!("startswith(displayName,'{}')", name.replace('\'', "''"));
        let request = Request::new(&endpoint::TEAMS, &["teams"], "teams").query("$filter", filter);
        list(self.client, request, MOST_PAGES, |team| {
            if carries(team, "description", mark) {
                found = team["id"].as_str().map(str::to_owned);
            }
            found.is_some()
        })
        .await?;
        Ok(found)
    }

    /// Where a container is, made and in migration mode. `from_ms`: before its first message.
    pub async fn container(&self, at: usize, team: Option<&str>, from_ms: i64) -> Result<Address> {
        let state = self.journal.container(at);
        let address = match (&state.id, state.team.clone()) {
            (Some(channel), Some(team)) => Address::Channel { team, channel: channel.clone() },
            (Some(chat), None) => Address::Chat { chat: chat.clone() },
            (None, _) => self.place(at, team, from_ms).await?,
        };
        match self.open(at, &address, from_ms).await {
            Ok(()) => Ok(address),
            Err(error) if error.status() == Some(412) && self.is_new_pair(at) => {
                self.journal.keep(&Event::Container { container: at, change: Change::Grouped }).await?;
                let address = self.chat(at).await?;
                self.open(at, &address, from_ms).await?;
                Ok(address)
            }
            Err(error) => Err(error),
        }
    }

    /// Users saw chats of two refused for good (412), where groups were taken.
    fn is_new_pair(&self, at: usize) -> bool {
        self.plan.containers[at].id.is_none() && self.journal.container(at).kind == Some(Kind::OneOnOne)
    }

    async fn place(&self, at: usize, team: Option<&str>, from_ms: i64) -> Result<Address> {
        let container = &self.plan.containers[at];
        let Some(team) = team else { return self.chat(at).await };
        let is_new_team = container.team.is_some_and(|team| self.plan.teams[team].id.is_none());
        let (id, migrates) = match &container.id {
            Some(id) => (id.clone(), false),
            None if container.general => (self.general(team).await?, is_new_team),
            None => {
                let migrates = is_new_team && container.kind == Kind::Standard;
                (self.channel(at, team, migrates, from_ms).await?, migrates)
            }
        };
        let made = Change::Made { id: id.clone(), team: Some(team.to_owned()), kind: container.kind, migrates };
        self.journal.keep(&Event::Container { container: at, change: made }).await?;
        Ok(Address::Channel { team: team.to_owned(), channel: id })
    }

    async fn general(&self, team: &str) -> Result<String> {
        let request =
            Request::new(&endpoint::PRIMARY_CHANNEL, &["teams", team, "primaryChannel"], format!("team {team}"))
                .team(team);
        let channel = read(self.client, &request).await?;
        let id = channel["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| refused(&request, "the team has no General channel", "Run it again later"))
    }

    async fn channel(&self, at: usize, team: &str, migrates: bool, from_ms: i64) -> Result<String> {
        let container = &self.plan.containers[at];
        let mark = self.plan.mark(&format!("channel {at}"));
        if self.journal.container(at).making
            && let Some(id) = self.marked_channel(team, &mark).await?
        {
            return Ok(id);
        }
        self.journal.keep(&Event::Container { container: at, change: Change::Making }).await?;
        let mut body = json!({
            "displayName": container.name,
            "description": marked(&container.description, &mark),
            "membershipType": container.kind,
        });
        if migrates {
            body["@microsoft.graph.channelCreationMode"] = json!("migration");
            body["createdDateTime"] = json!(iso(from_ms));
        }
        if is_shared_or_private(container.kind) {
            let owner = self.plan.owner.as_deref().ok_or_else(|| {
                Error::Configuration(format!("Channel {:?} needs an owner: name one in import.yaml", container.name))
            })?;
            body["members"] = json!([member("owner", owner)]);
        }
        let segments = ["teams", team, "channels"];
        let request = Request::new(&endpoint::CREATE_CHANNEL, &segments, format!("channel {}", container.name));
        let request = request.team(team).json(body.to_string());
        let sent = self.settled(MOST_SETTLES, async || self.client.send(&request).await).await;
        match sent {
            Ok(answer) => {
                let made: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                match made["id"].as_str() {
                    Some(id) => Ok(id.to_owned()),
                    None => self.look_again(|| self.marked_channel(team, &mark)).await?.ok_or_else(|| {
                        refused(&request, "the answer names no channel", "Run it again: it is found by its mark")
                    }),
                }
            }
            Err(error) if error.effect_is_unknown() && !ends(&error) => {
                self.look_again(|| self.marked_channel(team, &mark)).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn marked_channel(&self, team: &str, mark: &str) -> Result<Option<String>> {
        let mut found = None;
        let request =
            Request::new(&endpoint::CHANNELS, &["teams", team, "channels"], format!("team {team}")).team(team);
        list(self.client, request, MOST_PAGES, |channel| {
            if carries(channel, "description", mark) {
                found = channel["id"].as_str().map(str::to_owned);
            }
            found.is_some()
        })
        .await?;
        Ok(found)
    }

    async fn chat(&self, at: usize) -> Result<Address> {
        let container = &self.plan.containers[at];
        let kind = self.journal.container(at).kind.unwrap_or(container.kind);
        let id = match &container.id {
            Some(id) => id.clone(),
            None => self.make_chat(at, container, kind).await?,
        };
        self.chat_is_made(at, &id, kind).await?;
        Ok(Address::Chat { chat: id })
    }

    async fn chat_is_made(&self, at: usize, id: &str, kind: Kind) -> Result<()> {
        let made = Change::Made { id: id.to_owned(), team: None, kind, migrates: false };
        self.journal.keep(&Event::Container { container: at, change: made }).await
    }

    async fn make_chat(&self, at: usize, container: &Container, kind: Kind) -> Result<String> {
        let mark = self.plan.mark(&format!("chat {at}"));
        let is_pair = kind == Kind::OneOnOne;
        if !is_pair
            && self.journal.container(at).making
            && let Some(id) = self.marked_chat(container, &mark).await?
        {
            return Ok(id);
        }
        self.journal.keep(&Event::Container { container: at, change: Change::Making }).await?;
        let members = |one: fn(&str) -> Value| container.members.iter().map(|user| one(user)).collect::<Vec<_>>();
        let mut body = json!({"chatType": kind, "members": members(|user| member("owner", user))});
        if !is_pair {
            body["topic"] = json!(marked(&container.name, &mark));
        }
        let request = Request::new(&endpoint::CREATE_CHAT, &["chats"], format!("chat {}", container.source));
        // There is one chat of each pair, so asking again gives the same.
        let request = if is_pair { request.idempotency(teams_client::Idempotency::Idempotent) } else { request };
        let plain = request.clone().json(body.to_string());
        let sent = if is_pair {
            self.client.send(&plain).await
        } else {
            // Whether a new chat's members may be given all of its history is not documented.
            body["members"] = json!(members(member_with_history));
            match self.client.send(&request.clone().json(body.to_string())).await {
                Err(error) if error.status() == Some(400) && !error.effect_is_unknown() => {
                    self.client.send(&plain).await
                }
                other => other,
            }
        };
        match sent {
            Ok(answer) => {
                let made: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let id = made["id"].as_str().map(str::to_owned);
                id.ok_or_else(|| refused(&request, "the answer names no chat", "Run it again"))
            }
            Err(error) if error.effect_is_unknown() && !is_pair && !ends(&error) => {
                self.look_again(|| self.marked_chat(container, &mark)).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn marked_chat(&self, container: &Container, mark: &str) -> Result<Option<String>> {
        let Some(user) = container.members.first() else { return Ok(None) };
        let mut found = None;
        let request = Request::new(&endpoint::USER_CHATS, &["users", user, "chats"], format!("user {user}")).user(user);
        list(self.client, request, MOST_PAGES, |chat| {
            if carries(chat, "topic", mark) {
                found = chat["id"].as_str().map(str::to_owned);
            }
            found.is_some()
        })
        .await?;
        Ok(found)
    }

    /// Puts a container into migration mode, unless it was made in it.
    async fn open(&self, at: usize, address: &Address, from_ms: i64) -> Result<()> {
        let state = self.journal.container(at);
        if state.opened {
            return Ok(());
        }
        if state.opening && mode(self.client, address).await?.0 == Mode::InProgress {
            return self.is_opened(at).await;
        }
        self.journal.keep(&Event::Container { container: at, change: Change::Opening }).await?;
        let from_ms = self.before_now(address, from_ms).await?;
        let request = address.start(from_ms);
        // Started twice it is refused, so a repeat adds nothing.
        let request = request.idempotency(teams_client::Idempotency::Idempotent);
        let most = if self.is_new_pair(at) { PAIR_SETTLES } else { MOST_SETTLES };
        let started = self.settled(most, async || self.client.send(&request).await).await;
        match started {
            Ok(answer) if answer.status != 409 => self.is_opened(at).await,
            Ok(_) => Err(refused(&request, "the conversation is busy (409)", "Run it again later")),
            Err(error) if ends(&error) => Err(error),
            Err(error) => {
                let is_in_progress = match mode(self.client, address).await?.0 {
                    Mode::InProgress => true,
                    // Where the tenant does not tell, a refusal of what may have been sent before says as much.
                    Mode::Unknown => error.status() == Some(400),
                    Mode::Completed | Mode::Never => false,
                };
                if is_in_progress && (state.opening || error.effect_is_unknown()) {
                    return self.is_opened(at).await;
                }
                Err(error)
            }
        }
    }

    /// A conversation's creation can only move back: it stays where it is already early enough.
    async fn before_now(&self, address: &Address, from_ms: i64) -> Result<i64> {
        let (_, object) = mode(self.client, address).await?;
        let current = super::read_back::created_ms(&object);
        Ok(current.map_or(from_ms, |current| from_ms.min(current - 1)))
    }

    async fn is_opened(&self, at: usize) -> Result<()> {
        self.journal.keep(&Event::Container { container: at, change: Change::Opened }).await
    }

    /// Repeats what is refused because the thing is not everywhere yet: 404, and 412 "Version mismatch for thread resource".
    async fn settled<T>(&self, most: u32, ask: impl AsyncFn() -> Result<T>) -> Result<T> {
        let mut left = most;
        loop {
            match ask().await {
                Err(error) if matches!(error.status(), Some(404 | 412)) && !error.effect_is_unknown() && left > 0 => {
                    sleep(SETTLE / if left == most { 10 } else { 1 }).await;
                    left -= 1;
                }
                other => return other,
            }
        }
    }

    /// What was made may take a moment to show.
    async fn look_again<F: Future<Output = Result<Option<String>>>>(
        &self,
        look: impl Fn() -> F,
    ) -> Result<Option<String>> {
        for wait in [Duration::from_millis(300), SETTLE, SETTLE] {
            sleep(wait).await;
            if let Some(id) = look().await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Whether no other request would do better.
fn ends(error: &Error) -> bool {
    error.ends_run() && !matches!(error, Error::Configuration(_))
}

fn marked(text: &str, mark: &str) -> String {
    format!("{text} {mark}").trim_start().to_owned()
}

/// A text without the mark.
pub fn unmarked(text: &str, mark: &str) -> String {
    text.replace(mark, "").trim().to_owned()
}

fn carries(object: &Value, name: &str, mark: &str) -> bool {
    object[name].as_str().is_some_and(|text| text.contains(mark))
}

/// Team and operation of `/teams('{id}')/operations('{id}')`, which is also written with slashes.
fn ids_of(location: &str) -> Option<(String, String)> {
    let spelled = location.replace("('", "/").replace("')", "");
    let parts: Vec<&str> = spelled.split('/').filter(|part| !part.is_empty()).collect();
    let after = |name: &str| {
        let at = parts.iter().position(|part| *part == name)?;
        parts.get(at + 1).map(|id| (*id).to_owned())
    };
    Some((after("teams")?, after("operations")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_found_in_both_spellings() {
        let expected = Some(("t-1".to_owned(), "o-2".to_owned()));
        assert_eq!(ids_of("/teams('t-1')/operations('o-2')"), expected);
        assert_eq!(ids_of("/teams/t-1/operations/o-2"), expected);
        assert_eq!(ids_of("https://graph.microsoft.com/v1.0/teams/t-1/operations/o-2"), expected);
        assert_eq!(ids_of("/teams/t-1"), None);
    }

    #[test]
    fn a_mark_goes_in_and_out() {
        assert_eq!(marked("", "[import r team 0]"), "[import r team 0]");
        assert_eq!(unmarked(&marked("About us", "[x]"), "[x]"), "About us");
    }
}
