//! How messages are read: of teams and their channels, and of users and their chats.
//!
//! A parent (team, user) is listed, its history exported if it has never been read, and then its children (channels,
//! chats) are read one by one. `docs/how-messages-are-read.md` has the reasons.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::engine::{Reader, Step};
use super::item::{Child, Item, Stage};
use super::job::Job;
use super::known::Known;
use super::offset::Phase;
use super::round::{self, Rounds};
use super::window::Window;
use super::{channel_messages, chat_messages, export, roster};
use teams_base::error::{Error, Result};
use teams_base::options::Strategy;

/// The export may lag behind by a day; one hour more for clocks and long rounds.
pub const EXPORT_LAG: SignedDuration = SignedDuration::from_hours(25);

/// The export is swept for late edits once in this time.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The export is taken to be missing here once this many parents in a row have refused it.
const REFUSALS: usize = 3;

/// More than are ever tried at once.
const UNLIMITED: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Teams, and the messages of their channels.
    Channels,
    /// Users, and the messages of their chats.
    Chats,
}

/// What a round knows, and learns.
pub struct Round {
    pub phase: Phase,
    pub since: Option<Timestamp>,
    pub until: Timestamp,
    pub swept: Option<Timestamp>,
    pub known: Mutex<Known>,
    /// The export API answers here, as far as is known.
    pub export: AtomicBool,
}

impl Round {
    /// A round of which nothing is known yet but when it begins.
    pub fn first(until: Timestamp) -> Self {
        Self {
            phase: Phase::Read,
            since: None,
            until,
            swept: Some(until),
            known: Mutex::default(),
            export: AtomicBool::new(true),
        }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Conversations<'j> {
    pub job: &'j Job,
    pub family: Family,
    pub round: Round,
    /// Chats have several members, and are read for the first of them only.
    claimed: Mutex<HashSet<String>>,
    refusals: AtomicUsize,
    proven: AtomicBool,
    /// Channel delta does not answer here.
    pub delta_refused: AtomicBool,
    /// Until an export has succeeded, only this many are tried at once.
    probes: Semaphore,
}

impl<'j> Conversations<'j> {
    pub fn new(job: &'j Job, family: Family, round: Round) -> Self {
        Self {
            job,
            family,
            round,
            claimed: Mutex::default(),
            refusals: AtomicUsize::new(0),
            proven: AtomicBool::new(false),
            delta_refused: AtomicBool::new(false),
            probes: Semaphore::new(REFUSALS),
        }
    }

    /// How a child's name stands in `known`: a chat is the same whoever lists it.
    pub fn known_name<'s>(&self, scope: &'s str) -> &'s str {
        match self.family {
            Family::Channels => scope,
            Family::Chats => scope.split_once('/').map_or(scope, |(_, chat)| chat),
        }
    }

    /// A channel is known as long as its team is: a team that was left out takes its channels along.
    fn is_known(&self, child: &str, is_exported: bool) -> bool {
        let known = self.round.known();
        let parent = child.split_once('/').map_or("", |(parent, _)| parent);
        let is_parent_known = self.family == Family::Chats || is_exported || known.contains(parent);
        is_parent_known && known.contains(self.known_name(child))
    }

    /// A child's messages are read back to here; `None` for all of them.
    pub fn bound(&self, item: &Item) -> Option<Timestamp> {
        if !self.is_known(&item.scope, item.exported) {
            return self.job.options.start_date;
        }
        let since = match (self.round.since, item.exported) {
            (since, false) => since?,
            // An export just read may lack the last day.
            (since, true) => {
                let fresh = before(self.round.until, EXPORT_LAG);
                since.map_or(fresh, |since| since.min(fresh))
            }
        };
        Some(before(since, SignedDuration::try_from(self.job.options.lookback).unwrap_or(SignedDuration::ZERO)))
    }

    pub fn is_parent_named(&self) -> bool {
        match self.family {
            Family::Channels => !self.job.options.team_ids.is_empty(),
            Family::Chats => !self.job.options.user_ids.is_empty(),
        }
    }

    pub fn is_child_named(&self) -> bool {
        match self.family {
            Family::Channels => !self.job.options.channel_ids.is_empty(),
            Family::Chats => !self.job.options.chat_ids.is_empty(),
        }
    }

    fn offers_export(&self) -> bool {
        matches!(self.job.options.strategy, Strategy::Auto) && self.round.export.load(Ordering::Relaxed)
    }

    pub async fn children(&self, item: &mut Item) -> Result<()> {
        if item.children.is_none() {
            let (parent, _) = item.ids();
            let rounds = match self.family {
                Family::Channels => Rounds::ChannelMessages,
                Family::Chats => Rounds::ChatMessages,
            };
            let known = self.job.listed.children(&round::key(self.job, rounds, self.round.until), parent);
            item.children = Some(match (known, self.family) {
                (Some(children), _) => children,
                (None, Family::Channels) => roster::channels(self.job, parent).await?.into(),
                (None, Family::Chats) => roster::chats(self.job, parent).await?.into(),
            });
        }
        Ok(())
    }

    async fn parent(&self, item: &mut Item) -> Result<Step> {
        if self.round.phase == Phase::Sweep && !item.refused && item.after_child.is_none() {
            let from = self.round.swept.map(|swept| before(swept, EXPORT_LAG));
            return Ok(Step::Split(vec![item.window(Window::new(from, self.round.until))]));
        }
        if self.job.options.strategy == Strategy::Export {
            return Ok(Step::Split(vec![item.window(self.export_window(&item.scope))]));
        }
        self.children(item).await?;
        if self.round.phase == Phase::Sweep && item.after_child.is_none() {
            self.forget_due(item, |_| true);
        }
        let is_begun = item.exported || item.refused || item.after_child.is_some();
        if !is_begun && self.offers_export() && is_sweep_due(self.round.swept, self.round.until) {
            // The sweep to come may not hold these.
            self.forget_due(item, |child| child.is_special);
        }
        if self.is_unread(item) {
            let window = Window::new(self.job.options.start_date, self.round.until);
            return Ok(Step::Split(vec![Item { children: item.children.clone(), ..item.window(window) }]));
        }
        Ok(self.next_child(item))
    }

    /// The strategy `export`: each round covers the lag again.
    fn export_window(&self, parent: &str) -> Window {
        let is_known = self.round.known().contains(parent);
        let from = match self.round.since {
            Some(since) if is_known => Some(before(since, EXPORT_LAG)),
            _ => self.job.options.start_date,
        };
        Window::new(from, self.round.until)
    }

    /// Nothing of this parent has been read, and its history can be exported.
    fn is_unread(&self, item: &Item) -> bool {
        let is_sweep = self.round.phase == Phase::Sweep;
        if is_sweep || item.exported || item.refused || item.after_child.is_some() || !self.offers_export() {
            return false;
        }
        if self.is_child_named() {
            return false;
        }
        let name = |child: &Child| format!("{}/{}", item.scope, child.id);
        let mut ordinary =
            item.children.iter().flat_map(|list| list.iter()).filter(|child| !child.is_special).peekable();
        ordinary.peek().is_some() && ordinary.all(|child| !self.is_known(&name(child), false))
    }

    /// Takes the next child off the parent.
    fn next_child(&self, item: &Item) -> Step {
        let children = item.children.clone().unwrap_or_default();
        let mut rest = children.iter().filter(|child| item.after_child.as_ref().is_none_or(|after| child.id > *after));
        let Some(child) = rest.find(|child| self.is_due(item, child)) else { return Step::Done };
        let parent = Item { after_child: Some(child.id.clone()), ..item.clone() };
        Step::Split(vec![item.child(&child.id), parent])
    }

    /// Whether a child has to be asked at all. A sweep without export asks those whose turn it is to be read whole.
    fn is_due(&self, item: &Item, child: &Child) -> bool {
        let scope = format!("{}/{}", item.scope, child.id);
        if self.round.phase == Phase::Sweep && self.round.known().contains(self.known_name(&scope)) {
            return false;
        }
        if self.family == Family::Channels {
            return true;
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if !claimed.insert(child.id.clone()) {
            return false;
        }
        drop(claimed);
        let probe = Item { exported: item.exported, ..item.child(&child.id) };
        let is_known = self.round.known().contains(&child.id);
        // An edit moves no preview. Only where a sweep finds it later, a chat that looks quiet need not be asked.
        let is_swept = self.offers_export() && !item.refused && !self.is_child_named();
        let is_quiet = child.active.zip(self.bound(&probe)).is_some_and(|(active, bound)| active < bound);
        if is_known && is_swept && is_quiet {
            self.round.known().confirm(&child.id);
            return false;
        }
        true
    }

    /// The parent's export has been read to its end: the children it holds are known now.
    pub fn settle(&self, parent: &Item) {
        let mut known = self.round.known();
        for child in parent.children.iter().flat_map(|list| list.iter()) {
            known.settle_pending(self.known_name(&format!("{}/{}", parent.scope, child.id)));
        }
    }

    /// Late edits of old replies can't be seen in children that no export holds, so each of them is read whole once in
    /// `resweep_days`: what is not known is read from the start.
    fn forget_due(&self, item: &Item, is_concerned: impl Fn(&Child) -> bool) {
        let days = days(self.round.swept.unwrap_or(self.round.until), self.round.until);
        let mut due = self.round.known().clone();
        due.forget_due(days, self.job.options.resweep_days);
        let mut known = self.round.known();
        for child in item.children.iter().flat_map(|list| list.iter()).filter(|child| is_concerned(child)) {
            let scope = format!("{}/{}", item.scope, child.id);
            let name = self.known_name(&scope);
            if !due.contains(name) {
                known.remove(name);
            }
        }
    }

    /// Judges a refused export: the parent's children are read one by one instead.
    pub fn export_refused(&self, item: &Item, error: &Error) -> Option<Step> {
        let status = error.status()?;
        let is_first_page = item.link.is_none() && item.rows == 0;
        if !is_first_page || self.job.options.strategy == Strategy::Export {
            return None;
        }
        match status {
            402 | 405 | 501 => self.give_up_export(status),
            400 | 404 if !self.proven.load(Ordering::Relaxed) => {
                if self.refusals.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSALS {
                    self.give_up_export(status);
                }
            }
            400 | 403 | 404 => {}
            _ => return None,
        }
        let parent = Item { refused: true, children: item.children.clone(), ..Item::parent(&item.scope) };
        Some(Step::Split(vec![parent]))
    }

    fn give_up_export(&self, status: u16) {
        // Whoever waits for a turn to try need not try.
        self.probes.close();
        if self.round.export.swap(false, Ordering::Relaxed) {
            self.job.report().note(format!(
                "the export API (getAllMessages) is not offered here (status {status}): messages are listed instead, and \
                 late edits of old replies are found by re-reading everything every {} days",
                self.job.options.resweep_days
            ));
        }
    }

    async fn export(&self, item: &mut Item, window: Window) -> Result<Step> {
        let is_proven = self.proven.load(Ordering::Relaxed);
        let permit = if is_proven { None } else { self.probes.acquire().await.ok() };
        if !self.round.export.load(Ordering::Relaxed) && self.job.options.strategy != Strategy::Export {
            let parent = Item { refused: true, children: item.children.clone(), ..Item::parent(&item.scope) };
            return Ok(Step::Split(vec![parent]));
        }
        let result = export::step(self, item, window).await;
        if result.is_ok() && !self.proven.swap(true, Ordering::Relaxed) {
            self.probes.add_permits(UNLIMITED);
        }
        let error = match result {
            Err(error) => error,
            step => return step,
        };
        let Some(step) = self.export_refused(item, &error) else {
            return self.job.judge(item, error, self.is_parent_named());
        };
        if let Some(permit) = permit.filter(|_| matches!(error.status(), Some(400 | 404))) {
            // One chance less, until an export succeeds.
            permit.forget();
        }
        Ok(step)
    }

    async fn child(&self, item: &mut Item) -> Result<Step> {
        match self.family {
            Family::Channels => channel_messages::step(self, item).await,
            Family::Chats => chat_messages::step(self, item).await,
        }
    }
}

impl Reader for Conversations<'_> {
    fn step<'a>(&'a self, item: &'a mut Item) -> BoxFuture<'a, Result<Step>> {
        Box::pin(async move {
            let (result, is_named) = match item.stage {
                Stage::Parent => (self.parent(item).await, self.is_parent_named()),
                Stage::Export(window) => return self.export(item, window).await,
                Stage::Child => (self.child(item).await, self.is_child_named()),
            };
            result.or_else(|error| self.job.judge(item, error, is_named))
        })
    }

    fn finished(&self, last: &Item) -> Option<Item> {
        match last.stage {
            Stage::Child => self.round.known().insert(self.known_name(&last.scope)),
            Stage::Export(_) if self.job.options.strategy == Strategy::Export => {
                self.round.known().insert(&last.scope);
            }
            Stage::Export(_) if self.round.phase == Phase::Read => {
                self.settle(last);
                let children = last.children.clone();
                return Some(Item { exported: true, children, seen: last.seen.clone(), ..Item::parent(&last.scope) });
            }
            Stage::Parent if self.family == Family::Channels && self.round.phase == Phase::Read => {
                self.round.known().insert(&last.scope);
            }
            Stage::Export(_) | Stage::Parent => {}
        }
        None
    }

    fn skipped(&self, last: &Item) {
        // Children that are not met are forgotten at the round's end, and those of a team with it.
        self.round.known().remove(self.known_name(&last.scope));
    }
}

/// Whether it is time for the next sweep.
pub fn is_sweep_due(swept: Option<Timestamp>, until: Timestamp) -> bool {
    swept.is_none_or(|swept| until.duration_since(swept) >= SWEEP_EVERY)
}

/// A time earlier by `by`; the beginning of time at the earliest.
pub fn before(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The days after `from`'s, up to `to`'s, counted from the epoch.
pub fn days(from: Timestamp, to: Timestamp) -> std::ops::Range<i64> {
    const DAY: i64 = 86_400;
    (from.as_second().div_euclid(DAY) + 1)..(to.as_second().div_euclid(DAY) + 1)
}
