//! One import under way: what its steps share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Serialize;

use super::endpoint::Address;
use super::existing::{self, Existing};
use super::journal::{ContainerState, Event, Journal, State};
use super::plan::Plan;
use super::progress::Progress;
use super::spool::{Item, Spool};
use super::stage::Counts;
use teams_base::error::Result;
use teams_client::GraphClient;

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

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
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
        for at in 0..self.plan.containers.len() {
            let state = self.journal.container(at);
            if state.opened || state.opening {
                continue;
            }
            match existing::look(&self.client, &self.plan, at).await {
                Ok(Some(Existing::Migrates(why))) => return Ok(Some(format!("{why}. Nothing was sent"))),
                Err(error) if error.ends_run() => return Err(error),
                // What else is wrong is told when its turn comes: it concerns this container only.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Posts that are neither sent nor refused.
    pub fn open_posts(&self, at: usize) -> u64 {
        let Ok(items) = Spool::of(&self.folder, at).items() else { return 0 };
        let open = |(place, item): (usize, std::io::Result<Item>)| {
            item.is_ok_and(|item| item.left.is_none())
                && matches!(self.journal.post(at, place).state, State::Pending | State::Attempting)
        };
        items.enumerate().map(open).filter(|is_open| *is_open).count() as u64
    }

    /// A millisecond before a container's first message, or its own creation if that is earlier.
    pub(super) fn from(&self, at: usize) -> i64 {
        let first = self.counts.get(at).and_then(|counts| counts.first).map(|first| first - 1);
        let created = self.plan.containers[at].created;
        let earlier = first.into_iter().chain(created).min();
        earlier.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond() - 86_400_000).max(1)
    }
}

/// Where a container is, once it is made.
pub fn address_of(state: &ContainerState) -> Option<Address> {
    let id = state.id.clone()?;
    Some(match state.team.clone() {
        Some(team) => Address::Channel { team, channel: id },
        None => Address::Chat { chat: id },
    })
}
