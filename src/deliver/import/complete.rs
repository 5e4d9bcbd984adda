//! The end of an import: migration mode ends (channels, General last, then the team), marks are taken out, members added.
//! It may be run again, and goes on where it was.

use serde_json::{Value, json};

use super::endpoint::{Address, Mode, is_shared_or_private, member, mode};
use super::job::{Job, Outcome, address_of};
use super::journal::{Change, ContainerState, Event};
use super::plan::Kind;
use super::provision::unmarked;
use crate::fetch::{list, read};
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::{Idempotency, Request};

/// `members/add` takes so many at once.
const MEMBERS_AT_ONCE: usize = 200;
const MOST_PAGES: usize = 1_000;

impl Job {
    /// Refused while posts are still to be sent: what is completed shows itself to people.
    pub async fn complete(&self) -> Result<Outcome> {
        let open: u64 = (0..self.plan.containers.len())
            .filter(|at| self.plan.containers[*at].refused.is_none())
            .map(|at| self.open_posts(at))
            .sum();
        if open > 0 {
            return Err(Error::Configuration(format!(
                "{open} messages are still pending: `import run` sends them, and then this ends the migration"
            )));
        }
        let mut outcome = Outcome::default();
        let mut last = Vec::new();
        for at in 0..self.plan.containers.len() {
            let state = self.journal.container(at);
            if !(state.opened || state.opening) || state.id.is_none() {
                continue;
            }
            // Completing General first ends the creation of channels in the team's migration.
            if self.plan.containers[at].general {
                last.push(at);
                continue;
            }
            self.end(at, &state, &mut outcome).await?;
        }
        for at in last {
            let state = self.journal.container(at);
            self.end(at, &state, &mut outcome).await?;
        }
        for team in 0..self.plan.teams.len() {
            self.end_team(team, &mut outcome).await?;
        }
        for at in 0..self.plan.containers.len() {
            self.clean_container(at, &mut outcome).await?;
        }
        if self.plan.add_members {
            self.members(&mut outcome).await?;
        }
        Ok(outcome)
    }

    /// Ends the migration of one container.
    async fn end(&self, at: usize, state: &ContainerState, outcome: &mut Outcome) -> Result<()> {
        let Some(address) = address_of(state) else { return Ok(()) };
        match self.end_at(&address).await {
            Ok(()) => self.journal.keep(&Event::Container { container: at, change: Change::Completed }).await,
            Err(error) if error.ends_run() => Err(error),
            Err(error) => {
                outcome.stopped.push((self.plan.containers[at].source.clone(), error.to_string()));
                Ok(())
            }
        }
    }

    async fn end_at(&self, address: &Address) -> Result<()> {
        // A container that is complete refuses a second time, so a repeat adds nothing.
        let request = address.complete().idempotency(Idempotency::Idempotent);
        match self.client.send(&request).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(400) || error.effect_is_unknown() && !error.ends_run() => {
                match mode(&self.client, address).await?.0 {
                    Mode::InProgress => Err(error),
                    Mode::Unknown if error.effect_is_unknown() => Err(error),
                    Mode::Completed | Mode::Never | Mode::Unknown => Ok(()),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn end_team(&self, at: usize, outcome: &mut Outcome) -> Result<()> {
        let (Some(id), None) = (self.journal.team(at).id, &self.plan.teams[at].id) else { return Ok(()) };
        let what = format!("team {at} completed");
        if self.journal.is_done(&what) {
            return Ok(());
        }
        match self.end_new_team(&id, outcome).await {
            Ok(()) => self.journal.keep(&Event::Done { what }).await,
            Err(error) if error.ends_run() => Err(error),
            Err(error) => {
                outcome.stopped.push((self.plan.teams[at].name.clone(), error.to_string()));
                Ok(())
            }
        }?;
        let mark = self.plan.mark(&format!("team {at}"));
        let team = &self.plan.teams[at];
        let request = Request::new(&endpoint::RENAME_TEAM, &["teams", &id], format!("team {id}")).team(&id);
        let request = request.json(json!({"description": unmarked(&team.description, &mark)}).to_string());
        self.unmark(&format!("team {at} mark"), &format!("team {:?}", team.name), &request, outcome).await?;
        // General takes its description from the team.
        let request = Request::new(&endpoint::PRIMARY_CHANNEL, &["teams", &id, "primaryChannel"], format!("team {id}"));
        let general = read(&self.client, &request.team(&id)).await?;
        let description = general["description"].as_str().unwrap_or_default();
        let Some(channel) = general["id"].as_str().filter(|_| description.contains(&mark)) else { return Ok(()) };
        let address = Address::Channel { team: id.clone(), channel: channel.to_owned() };
        let request = address.describe(&json!({"description": unmarked(description, &mark)}));
        self.unmark(&format!("team {at} General mark"), "the channel General", &request, outcome).await
    }

    /// The channels of a new team that no container of the source became, General last, and the team.
    async fn end_new_team(&self, id: &str, outcome: &mut Outcome) -> Result<()> {
        let mut open = Vec::new();
        let request = Request::new(&endpoint::CHANNELS, &["teams", id, "channels"], format!("team {id}")).team(id);
        list(&self.client, request, MOST_PAGES, |channel| {
            let channel_id = channel["id"].as_str().unwrap_or_default().to_owned();
            let known = |at: usize| self.journal.container(at).id.as_deref() == Some(channel_id.as_str());
            let is_ours = (0..self.plan.containers.len()).any(known);
            if !is_ours && channel.get("migrationMode").is_none_or(|mode| mode == "inProgress") {
                open.push(channel_id);
            }
            false
        })
        .await?;
        let general =
            Request::new(&endpoint::PRIMARY_CHANNEL, &["teams", id, "primaryChannel"], format!("team {id}")).team(id);
        let general = read(&self.client, &general).await?["id"].as_str().unwrap_or_default().to_owned();
        open.sort_by_key(|channel| *channel == general);
        for channel in open {
            self.end_at(&Address::Channel { team: id.to_owned(), channel }).await?;
        }
        let request =
            Request::new(&endpoint::COMPLETE_TEAM_MIGRATION, &["teams", id, "completeMigration"], format!("team {id}"));
        let request = request.team(id).idempotency(Idempotency::Idempotent);
        match self.client.send(&request).await {
            Ok(_) => Ok(()),
            // Users saw it refused after all channels were complete; the team works all the same.
            Err(error) if error.status() == Some(400) => {
                outcome.to_do.push(format!(
                    "Look at team {id} in Teams: it refused to be completed, though all its channels are"
                ));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn clean_container(&self, at: usize, outcome: &mut Outcome) -> Result<()> {
        let state = self.journal.container(at);
        let container = &self.plan.containers[at];
        let (true, true, Some(address)) = (state.made, state.completed, address_of(&state)) else { return Ok(()) };
        if container.general || state.kind == Some(Kind::OneOnOne) {
            return Ok(());
        }
        let body = match address {
            Address::Channel { .. } => json!({"description": container.description}),
            Address::Chat { .. } => json!({"topic": container.name}),
        };
        let name = format!("{} {:?}", if container.kind.is_chat() { "chat" } else { "channel" }, container.name);
        self.unmark(&format!("container {at} mark"), &name, &address.describe(&body), outcome).await
    }

    /// Takes the mark out, once. Where the permission is missing that is left to people.
    async fn unmark(&self, what: &str, name: &str, request: &Request, outcome: &mut Outcome) -> Result<()> {
        if self.journal.is_done(what) {
            return Ok(());
        }
        let request = request.clone().idempotency(Idempotency::Idempotent);
        match self.client.send(&request).await {
            Ok(_) => self.journal.keep(&Event::Done { what: what.to_owned() }).await,
            Err(error) if error.ends_run() => Err(error),
            Err(_) => {
                let permission = request.endpoint.permission;
                outcome.to_do.push(format!("Take the mark out of the description of {name}, or grant {permission}"));
                Ok(())
            }
        }
    }

    async fn members(&self, outcome: &mut Outcome) -> Result<()> {
        for team in 0..self.plan.teams.len() {
            let mut wanted: Vec<&str> = Vec::new();
            let owner = self.plan.owner.as_deref();
            for (at, container) in self.plan.containers.iter().enumerate() {
                if container.team == Some(team) && self.journal.container(at).id.is_some() {
                    wanted.extend(container.members.iter().map(String::as_str));
                }
            }
            wanted.sort_unstable();
            wanted.dedup();
            wanted.retain(|user| Some(*user) != owner);
            let id = self.plan.teams[team].id.clone().or(self.journal.team(team).id);
            let Some(id) = id else { continue };
            if owner.is_none() && self.plan.teams[team].id.is_none() {
                outcome
                    .to_do
                    .push(format!("Give team {:?} an owner: import.yaml names none", self.plan.teams[team].name));
            }
            let owner = owner.map(|user| member("owner", user));
            let values: Vec<Value> = owner.into_iter().chain(wanted.iter().map(|user| member("", user))).collect();
            for (part, chunk) in values.chunks(MEMBERS_AT_ONCE).enumerate() {
                let what = format!("members {team} {part} {}", chunk.len());
                if !self.journal.is_done(&what) {
                    self.add_to_team(&id, chunk, what, outcome).await?;
                }
            }
        }
        for (at, container) in self.plan.containers.iter().enumerate() {
            if is_shared_or_private(container.kind) && container.id.is_none() {
                self.add_to_channel(at, outcome).await?;
            }
        }
        self.show_history(outcome).await
    }

    async fn add_to_team(&self, team: &str, values: &[Value], what: String, outcome: &mut Outcome) -> Result<()> {
        let segments = ["teams", team, "members", "add"];
        let request = Request::new(&endpoint::ADD_TEAM_MEMBERS, &segments, format!("team {team}"));
        // Whoever is a member already stays one.
        let request =
            request.team(team).json(json!({"values": values}).to_string()).idempotency(Idempotency::Idempotent);
        match self.client.send(&request).await {
            Ok(answer) => {
                let results: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                for result in results["value"].as_array().into_iter().flatten() {
                    if let Some(code) = result["error"]["code"].as_str() {
                        let user = result["userId"].as_str().unwrap_or_default();
                        outcome.to_do.push(format!("Add {user} to team {team}: it was refused ({code})"));
                    }
                }
                self.journal.keep(&Event::Done { what }).await
            }
            Err(error) if error.ends_run() => Err(error),
            Err(error) => {
                outcome.stopped.push((format!("members of team {team}"), error.to_string()));
                Ok(())
            }
        }
    }

    async fn add_to_channel(&self, at: usize, outcome: &mut Outcome) -> Result<()> {
        let container = &self.plan.containers[at];
        let Some(Address::Channel { team, channel }) = address_of(&self.journal.container(at)) else { return Ok(()) };
        for user in container.members.iter().filter(|user| Some(*user) != self.plan.owner.as_ref()) {
            let what = format!("member {at} {user}");
            if self.journal.is_done(&what) {
                continue;
            }
            let segments = ["teams", &team, "channels", &channel, "members"];
            let request = Request::new(&endpoint::ADD_CHANNEL_MEMBER, &segments, format!("channel {team}/{channel}"));
            let request = request.json(member("", user).to_string()).idempotency(Idempotency::Idempotent);
            match self.client.send(&request).await {
                Ok(_) => self.journal.keep(&Event::Done { what }).await?,
                Err(error) if error.ends_run() => return Err(error),
                Err(error) => outcome.to_do.push(format!("Add {user} to channel {:?}: {error}", container.name)),
            }
        }
        Ok(())
    }
}
