//! One broadcast under way: what its steps share.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OnceCell;
use url::Url;

use super::journal::{Event, Journal};
use super::ledger;
use super::message::{self, Message};
use super::plan::Plan;
use super::recipients::{Recipient, Recipients};
use crate::card::Template;
use crate::card::seal::Key;
use crate::connector::{Bot, State};
use teams_base::error::{Error, Result};
use teams_client::GraphClient;
use teams_journal::append_log;

/// One broadcast under way.
pub struct Job {
    pub plan: Plan,
    pub template: Template,
    /// What the data of cards' actions is sealed with, so that the bot knows it for ours.
    key: Key,
    pub recipients: Recipients,
    pub journal: Journal,
    pub client: GraphClient,
    pub bot: Bot,
    /// Where a first contact goes.
    pub(super) service: Mutex<Url>,
    /// The app in the catalogue, or why it cannot be installed.
    pub(super) app: OnceCell<std::result::Result<String, String>>,
    /// Whether it was seen that conversations are opened once.
    pub(super) sessions: OnceCell<()>,
    pub progress: Progress,
    /// Addresses of workflows, by the names of their recipients.
    pub(super) webhooks: HashMap<String, Url>,
    /// Conversations that other runs and the bot know: by recipient.
    pub(super) known: HashMap<String, (String, String)>,
    stopped: AtomicBool,
    why: Mutex<Option<String>>,
}

/// What is counted while it goes on.
pub struct Progress {
    pub done: AtomicU64,
    pub succeeded: AtomicU64,
    pub failed: AtomicU64,
    started: Instant,
    /// Messages in each second since the start.
    timeline: Mutex<Vec<u32>>,
}

/// What a step could not do.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Why the step ended before its end.
    pub stopped: Option<String>,
    /// It was an error that no other recipient would escape.
    pub failed: bool,
}

impl Progress {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { done: zero(), succeeded: zero(), failed: zero(), started: Instant::now(), timeline: Mutex::default() }
    }

    pub(super) fn sent(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.succeeded.fetch_add(1, Ordering::Relaxed);
        let second = self.started.elapsed().as_secs() as usize;
        let mut timeline = self.timeline.lock();
        if timeline.len() <= second {
            timeline.resize(second + 1, 0);
        }
        timeline[second] += 1;
    }

    pub(super) fn fail(&self) -> u64 {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn timeline(&self) -> Vec<u32> {
        self.timeline.lock().clone()
    }

    /// Recipients that are through, that got the message, and that failed, in this step.
    pub fn counts(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.done), read(&self.succeeded), read(&self.failed))
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Job {
    /// Opens a broadcast whose recipients are frozen in a folder.
    pub fn open(
        folder: &Path,
        plan: Plan,
        client: GraphClient,
        bot: Bot,
        service: Url,
        webhooks: HashMap<String, Url>,
        key: Key,
    ) -> Result<Self> {
        let template = Template::parse(&plan.card)
            .map_err(|fault| Error::Configuration(format!("The card cannot be used as a template: {fault}")))?;
        let mut known = HashMap::new();
        append_log::read(
            &folder.join("conversations.jsonl"),
            |(id, conversation, service): (String, String, String)| {
                known.insert(id, (conversation, service));
            },
        )?;
        Ok(Self {
            known,
            webhooks,
            template,
            key,
            recipients: Recipients::open(&folder.join("recipients.jsonl"))?,
            journal: Journal::open(&folder.join("journal"))?,
            plan,
            client,
            bot,
            service: Mutex::new(service),
            app: OnceCell::new(),
            sessions: OnceCell::new(),
            progress: Progress::new(),
            stopped: AtomicBool::new(false),
            why: Mutex::default(),
        })
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Sends nothing any more; the first reason counts.
    pub(super) fn stop(&self, why: impl Into<String>) {
        self.why.lock().get_or_insert(why.into());
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome { stopped: self.why.lock().clone(), failed: false }
    }

    /// A recipient's state, those left out from the start included.
    pub(super) fn state(&self, at: usize) -> Result<State> {
        Ok(ledger::state(&self.recipients.get(at)?, &self.journal.entry(at)))
    }

    /// The message of a recipient as it would be sent now, or why there is none: a code and a sentence.
    pub(super) fn message(&self, recipient: &Recipient) -> Result<Message, (&'static str, String)> {
        message::make(&self.plan, &self.template, &self.key, recipient, now_ms())
    }

    pub(super) fn note(&self, event: Event) -> Result<()> {
        self.journal.note(event)
    }
}
