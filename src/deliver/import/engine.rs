//! All containers of an import, side by side: each is made or opened, and then its posts are sent.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use serde::Serialize;

use super::endpoint::{Address, Mode, mode};
use super::journal::{ContainerState, Event, Journal, State};
use super::lane::{Lane, Stop};
use super::plan::Plan;
use super::provision::Provision;
use super::spool::Spool;
use super::stage::Counts;
use teams_base::error::{Error, Result};
use teams_client::GraphClient;

/// Containers at work at one time; 50 of them fill the limit of a tenant at one post a second each.
const LANES: usize = 100;

/// Where the bytes of images come from.
pub trait Contents: Send + Sync {
    /// The bytes behind a key of the source, or why there are none.
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, std::result::Result<Vec<u8>, String>>;
}

/// One import under way.
pub struct Job {
    pub plan: Plan,
    /// Where the staged posts are.
    pub folder: PathBuf,
    pub journal: Journal,
    pub client: GraphClient,
    pub contents: Arc<dyn Contents>,
    pub progress: Progress,
    /// By container.
    pub counts: Vec<Counts>,
    /// People of whom it was asked whether they are gone.
    pub(super) gone: Mutex<HashMap<String, bool>>,
    images_refused: AtomicBool,
    reactions_refused: AtomicBool,
    stopped: AtomicBool,
}

/// What a run could not do.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Containers that stopped: their source id, and why.
    pub stopped: Vec<(String, String)>,
    /// Completed containers that were opened again for more.
    pub reopened: Vec<String>,
    /// What is left for people to do.
    pub to_do: Vec<String>,
}

impl Job {
    pub fn new(
        plan: Plan,
        folder: &Path,
        journal: Journal,
        client: GraphClient,
        contents: Arc<dyn Contents>,
        counts: Vec<Counts>,
    ) -> Self {
        let progress = Progress::new(plan.containers.len());
        Self {
            plan,
            folder: folder.to_owned(),
            journal,
            client,
            contents,
            progress,
            counts,
            gone: Mutex::default(),
            images_refused: AtomicBool::new(false),
            reactions_refused: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn images_refused(&self) -> bool {
        self.images_refused.load(Ordering::Relaxed)
    }

    pub(super) fn refuse_images(&self) {
        self.images_refused.store(true, Ordering::Relaxed);
    }

    pub(super) fn reactions_refused(&self) -> bool {
        self.reactions_refused.load(Ordering::Relaxed)
    }

    pub(super) fn refuse_reactions(&self) {
        self.reactions_refused.store(true, Ordering::Relaxed);
    }

    /// A session belongs to the application that began it, and no request tells whose it is: the run remembers. Tells why
    /// this application cannot go on.
    pub async fn claim(&self, client_id: &str) -> Result<Option<String>> {
        match self.journal.app() {
            _ if client_id.is_empty() => Ok(None),
            None => {
                self.journal.keep(&Event::App { client_id: client_id.to_owned() }).await?;
                Ok(None)
            }
            Some(known) if known.eq_ignore_ascii_case(client_id) => Ok(None),
            Some(known) => Ok(Some(format!(
                "this import was begun by the application {known}, and client_id is {client_id}: only the one that began it \
                 can go on. Nothing was sent"
            ))),
        }
    }

    /// Tells, before anything is sent, of an existing container that somebody else has in migration mode.
    pub async fn foreign_session(&self) -> Result<Option<String>> {
        for (at, container) in self.plan.containers.iter().enumerate() {
            let state = self.journal.container(at);
            let Some(address) = self.existing(at) else { continue };
            if container.refused.is_some() || state.opened || state.opening {
                continue;
            }
            match mode(&self.client, &address).await {
                Ok((Mode::InProgress, _)) => {
                    return Ok(Some(format!(
                        "{} {} is in migration mode already, and this import did not begin it: have it completed by the \
                         application that did, or leave it out. Nothing was sent",
                        if container.kind.is_chat() { "chat" } else { "channel" },
                        container.name
                    )));
                }
                Ok(_) => {}
                Err(error) if error.ends_run() => return Err(error),
                // Told when its turn comes: it concerns this container only.
                Err(_) => {}
            }
        }
        Ok(None)
    }

    fn existing(&self, at: usize) -> Option<Address> {
        let container = &self.plan.containers[at];
        let id = container.id.clone()?;
        match container.team {
            None => Some(Address::Chat { chat: id }),
            Some(team) => Some(Address::Channel { team: self.plan.teams[team].id.clone()?, channel: id }),
        }
    }

    /// Makes, opens and posts all there is. An error stops everything; what concerns one container is in the outcome.
    pub async fn run(&self) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let work: Vec<usize> = (0..self.plan.containers.len()).filter(|at| self.has_work(*at)).collect();
        let mut teams: HashMap<usize, std::result::Result<String, String>> = HashMap::new();
        for at in &work {
            let Some(team) = self.plan.containers[*at].team.filter(|team| !teams.contains_key(team)) else { continue };
            let made = self.provision().team(team, self.team_from(team)).await;
            match made {
                Ok(id) => teams.insert(team, Ok(id)),
                Err(error) if error.ends_run() => return Err(error),
                Err(error) => teams.insert(team, Err(error.to_string())),
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
                        self.stopped.store(true, Ordering::Relaxed);
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

    /// Posts that are neither sent nor refused.
    pub fn open_posts(&self, at: usize) -> u64 {
        let Ok(items) = Spool::of(&self.folder, at).items() else { return 0 };
        let open = |(place, item): (usize, std::io::Result<super::spool::Item>)| {
            item.is_ok_and(|item| item.left.is_none())
                && matches!(self.journal.post(at, place).state, State::Pending | State::Attempting)
        };
        items.enumerate().map(open).filter(|is_open| *is_open).count() as u64
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

    /// A millisecond before a container's first message, or its own creation if that is earlier.
    pub(super) fn from(&self, at: usize) -> i64 {
        let first = self.counts.get(at).and_then(|counts| counts.first).map(|first| first - 1);
        let created = self.plan.containers[at].created;
        let earlier = first.into_iter().chain(created).min();
        earlier.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond() - 86_400_000).max(1)
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

/// What is counted while it goes on.
pub struct Progress {
    posted: Vec<AtomicU32>,
    refused: Vec<AtomicU32>,
    reopened: Vec<AtomicBool>,
    started: Instant,
    /// Posts in each second since the start.
    timeline: Mutex<Vec<u32>>,
}

impl Progress {
    fn new(containers: usize) -> Self {
        let zeros = || (0..containers).map(|_| AtomicU32::new(0)).collect();
        Self {
            posted: zeros(),
            refused: zeros(),
            reopened: (0..containers).map(|_| AtomicBool::new(false)).collect(),
            started: Instant::now(),
            timeline: Mutex::default(),
        }
    }

    pub(super) fn posted(&self, at: usize) {
        self.posted[at].fetch_add(1, Ordering::Relaxed);
        let second = self.started.elapsed().as_secs() as usize;
        let mut timeline = self.timeline.lock();
        if timeline.len() <= second {
            timeline.resize(second + 1, 0);
        }
        timeline[second] += 1;
    }

    pub(super) fn refused(&self, at: usize) {
        self.refused[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reopened(&self, at: usize) {
        self.refused[at].fetch_sub(1, Ordering::Relaxed);
    }

    fn reopen(&self, at: usize) {
        self.reopened[at].store(true, Ordering::Relaxed);
    }

    fn was_reopened(&self, at: usize) -> bool {
        self.reopened[at].load(Ordering::Relaxed)
    }

    /// Posted and refused in this run, by container.
    pub fn counts(&self) -> Vec<(u32, u32)> {
        let read = |list: &[AtomicU32], at: usize| list[at].load(Ordering::Relaxed);
        (0..self.posted.len()).map(|at| (read(&self.posted, at), read(&self.refused, at))).collect()
    }

    pub fn timeline(&self) -> Vec<u32> {
        self.timeline.lock().clone()
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}
