//! All containers of an import, side by side: each is made or opened, and then its posts are sent.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt, stream};

use super::job::{Job, Outcome};
use super::journal::ContainerState;
use super::lane::{Lane, Stop};
use super::provision::Provision;
use teams_base::error::Result;

/// Containers at work at one time; 50 of them fill the limit of a tenant at one post a second each.
const LANES: usize = 100;
/// Teams that are made at one time; each takes some seconds.
const TEAMS: usize = 10;

impl Job {
    /// Makes, opens and posts all there is. An error stops everything; what concerns one container is in the outcome.
    pub async fn run(&self) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let work: Vec<usize> = (0..self.plan.containers.len()).filter(|at| self.has_work(*at)).collect();
        let wanted: BTreeSet<usize> = work.iter().filter_map(|at| self.plan.containers[*at].team).collect();
        let made: Vec<(usize, Result<String>)> = stream::iter(wanted)
            .map(|team| async move { (team, self.provision().team(team, self.team_from(team)).await) })
            .buffer_unordered(TEAMS)
            .collect()
            .await;
        let mut teams: HashMap<usize, std::result::Result<String, String>> = HashMap::new();
        for (team, made) in made {
            match made {
                Err(error) if error.ends_run() => return Err(error),
                made => teams.insert(team, made.map_err(|error| error.to_string())),
            };
        }
        let results: Vec<(usize, std::result::Result<(), Stop>)> = stream::iter(work)
            .map(|at| {
                let team = self.plan.containers[at].team.and_then(|team| teams.get(&team));
                async move {
                    let result = match team {
                        Some(Err(why)) => Err(Stop::Container(format!("its team could not be made: {why}"))),
                        Some(Ok(team)) => self.container(at, Some(team)).await,
                        None => self.container(at, None).await,
                    };
                    if matches!(result, Err(Stop::Run(_))) {
                        self.stop();
                    }
                    (at, result)
                }
            })
            .buffer_unordered(LANES)
            .collect()
            .await;
        let mut fatal = None;
        for (at, result) in results {
            match result {
                Ok(()) => {}
                Err(Stop::Run(error)) => fatal = Some(error),
                Err(Stop::Container(why)) => outcome.stopped.push((self.plan.containers[at].source.clone(), why)),
            }
            if self.progress.was_reopened(at) {
                outcome.reopened.push(self.plan.containers[at].source.clone());
            }
        }
        outcome.stopped.sort();
        fatal.map_or(Ok(outcome), Err)
    }

    fn provision(&self) -> Provision<'_> {
        Provision { client: &self.client, journal: &self.journal, plan: &self.plan }
    }

    /// Whether something of a container is still to be done. A chat without posts is not made.
    fn has_work(&self, at: usize) -> bool {
        let container = &self.plan.containers[at];
        if container.refused.is_some() {
            return false;
        }
        let ContainerState { id, opened, completed, .. } = self.journal.container(at);
        let is_placed = id.is_some() && (opened || completed);
        if !is_placed && !container.kind.is_chat() {
            return true;
        }
        self.open_posts(at) > 0
    }

    async fn container(&self, at: usize, team: Option<&String>) -> std::result::Result<(), Stop> {
        if self.is_stopped() {
            return Ok(());
        }
        if self.journal.container(at).completed {
            self.progress.reopen(at);
        }
        let address = self.provision().container(at, team.map(String::as_str), self.from(at)).await?;
        Lane::new(self, at, &address).run().await
    }

    /// Before the creation of all its channels.
    fn team_from(&self, team: usize) -> i64 {
        let of_team =
            |at: &usize| self.plan.containers[*at].team == Some(team) && self.plan.containers[*at].refused.is_none();
        let earliest = (0..self.plan.containers.len()).filter(of_team).map(|at| self.from(at)).min();
        earlier_by_one(earliest)
    }
}

fn earlier_by_one(at: Option<i64>) -> i64 {
    at.map_or(1, |at| (at - 1).max(1))
}
