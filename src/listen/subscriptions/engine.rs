//! One turn of the subscriptions: what is missing is made, what is half through its life renewed, what is gone made anew, and
//! strays of ours are removed. A turn depends on the clock and on what Graph shows, never on an event that may not come.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::plan::{Plan, Planned};
use super::remedy::remedy;
use super::report::{Failure, Turn};
use super::requests::{self, Addresses, Made, Shown};
use super::state::{Entry, Gap, Reason, State};
use crate::notify::decode::Event;
use crate::notify::item::LifecycleKind;
use crate::notify::keys::{KeyRing, PrivateKey};
use crate::notify::registry::Registry;
use teams_base::error::{Error, Result};
use teams_client::GraphClient;

/// A failed action is tried again after this, doubled each time, up to the longest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// What is wrong for good is asked again this often: somebody may have granted it.
const LONG_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// A turn that finds nothing to do looks at what Graph has all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(30);
/// An absence this short loses nothing: Graph sends again for four hours, and a slow endpoint only delays.
const SHORT_ABSENCE: SignedDuration = SignedDuration::from_mins(10);

/// What does not change while it runs.
pub struct Settings {
    pub plan: Plan,
    pub addresses: Addresses,
    /// How long a subscription is asked to live, below what Graph allows.
    pub life: SignedDuration,
    /// Whether one that another address of the application holds is replaced.
    pub replaces: bool,
}

pub struct Engine {
    client: GraphClient,
    settings: Settings,
    keys: Arc<KeyRing>,
    registry: Arc<Registry>,
    state: Mutex<State>,
    /// One turn at a time.
    turn: tokio::sync::Mutex<bool>,
}

impl Engine {
    pub fn new(
        client: GraphClient,
        settings: Settings,
        keys: Arc<KeyRing>,
        registry: Arc<Registry>,
        state: State,
    ) -> Self {
        registry.set(state.known());
        Self { client, settings, keys, registry, state: Mutex::new(state), turn: tokio::sync::Mutex::new(false) }
    }

    /// Graph's clock; this machine's before Graph has answered.
    pub fn now(&self) -> Timestamp {
        self.client.now().unwrap_or_else(Timestamp::now)
    }

    pub fn client(&self) -> &GraphClient {
        &self.client
    }

    /// What Graph said of subscriptions: the next turn acts on it.
    pub fn hear(&self, events: &[Event]) -> Result<()> {
        let mut state = self.state.lock();
        for Event { event, subscription, arrived } in events {
            let found = state.entries().iter().find(|entry| entry.is_ours(subscription));
            let Some(entry) = found else { continue };
            let (resource, alive) = (entry.resource.clone(), entry.alive_at);
            let is_current = entry.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(subscription));
            match event {
                LifecycleKind::ReauthorizationRequired if is_current => {
                    if let Some(entry) = state.entry(&resource) {
                        entry.asked_at.get_or_insert(*arrived);
                        entry.retry_at = None;
                    }
                }
                LifecycleKind::SubscriptionRemoved if is_current => {
                    state.gap(&resource, alive, *arrived, Reason::Removed);
                    if let Some(entry) = state.entry(&resource) {
                        entry.gone();
                    }
                }
                LifecycleKind::Missed => state.gap(&resource, alive, *arrived, Reason::Missed),
                _ => {}
            }
        }
        self.publish(&state);
        state.save()
    }

    /// Notes when a subscription last brought something.
    pub fn heard_of(&self, subscriptions: impl Iterator<Item = (String, Timestamp)>) {
        let mut state = self.state.lock();
        for (id, at) in subscriptions {
            if let Some(entry) = state.entries_mut().iter_mut().find(|entry| entry.is_ours(&id)) {
                entry.last_notification = entry.last_notification.max(Some(at));
            }
        }
    }

    pub fn caught_up(&self, resource: &str, until: Timestamp) -> Result<()> {
        let mut state = self.state.lock();
        state.caught_up(resource, until);
        state.save()
    }

    pub async fn turn(&self) -> Result<Turn> {
        let mut has_begun = self.turn.lock().await;
        let mut report = Turn::default();
        self.keys.reload()?;
        let listed = requests::list(&self.client).await;
        let now = self.now();
        let key = self.keys.ensure(now)?;
        if !*has_begun {
            self.begin(now);
            *has_begun = true;
        }
        let listed = match listed {
            Ok(listed) => Some(listed),
            Err(error) => {
                report.failures.push(self.failure(&error, None, "list", None));
                if error.ends_run() && !matches!(error, Error::Internal(_)) {
                    return self.end(report, now, &key, false);
                }
                None
            }
        };
        for planned in &self.settings.plan.subscriptions {
            self.see_to(planned, listed.as_deref(), &key, now, &mut report).await?;
        }
        if let Some(listed) = &listed {
            self.remove_strays(listed, &mut report).await?;
        }
        self.end(report, now, &key, true)
    }

    /// Removes all that are ours.
    pub async fn unsubscribe(&self) -> Result<Turn> {
        let _turn = self.turn.lock().await;
        let mut report = Turn::default();
        let entries: Vec<_> = self.state.lock().entries().to_vec();
        for entry in entries {
            let Some(id) = &entry.id else { continue };
            match requests::remove(&self.client, id).await {
                Ok(_) => {
                    report.removed.push(entry.resource.clone());
                    self.change(&entry.resource, |entry| {
                        entry.gone();
                        entry.was_there = false;
                    })?;
                }
                Err(error) => report.failures.push(self.failure(&error, None, "remove", None)),
            }
        }
        let listed = requests::list(&self.client).await;
        match listed {
            Ok(listed) => self.remove_strays(&listed, &mut report).await?,
            Err(error) => report.failures.push(self.failure(&error, None, "list", None)),
        }
        Ok(report)
    }

    /// What is true before the first turn of a process: what was planned, and how long nobody listened.
    fn begin(&self, now: Timestamp) {
        let mut state = self.state.lock();
        let Some(listened) = state.listened_at() else { return };
        if now.duration_since(listened) < SHORT_ABSENCE {
            return;
        }
        let there: Vec<_> =
            state.entries().iter().filter(|entry| entry.was_there).map(|entry| entry.resource.clone()).collect();
        there.iter().for_each(|resource| state.gap(resource, Some(listened), now, Reason::Restarted));
    }

    fn end(&self, mut report: Turn, now: Timestamp, key: &Arc<PrivateKey>, is_whole: bool) -> Result<Turn> {
        let mut state = self.state.lock();
        if is_whole {
            state.listens(now);
        }
        state.save()?;
        let named: HashSet<String> =
            state.entries().iter().map(|entry| entry.key.clone()).chain([key.label.clone()]).collect();
        self.keys.retire(now, &named)?;
        report.gaps = state.gaps().to_vec();
        report.not_pushed.clone_from(&self.settings.plan.not_pushed);
        let due = state.entries().iter().filter_map(|entry| match (entry.retry_at, entry.id.is_some()) {
            (Some(retry), _) => Some(retry),
            (None, true) => entry.renew_at(),
            (None, false) => Some(now + FIRST_PAUSE),
        });
        let look = if is_whole { now + LOOK_EVERY } else { now + FIRST_PAUSE };
        let next = due.chain([look]).min().unwrap_or(look);
        report.next_in_seconds = next.duration_since(now).as_secs_f64().max(1.0);
        Ok(report)
    }

    /// Makes one subscription be there.
    async fn see_to(
        &self,
        planned: &Planned,
        listed: Option<&[Shown]>,
        key: &Arc<PrivateKey>,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<()> {
        let mut entry = self.entry(planned)?;
        if let (Some(id), Some(listed)) = (&entry.id, listed) {
            if let Some(shown) = listed.iter().find(|shown| shown.id.eq_ignore_ascii_case(id)) {
                let expires = shown.expires_at();
                entry = self.change(&planned.resource, |entry| {
                    entry.alive_at = Some(now);
                    entry.expires_at = expires.or(entry.expires_at);
                })?;
            } else {
                entry = self.lose(&entry, now)?;
            }
        }
        if entry.retry_at.is_some_and(|retry| retry > now) {
            return Ok(());
        }
        if entry.id.is_some() {
            let is_due = entry.renew_at().is_none_or(|at| at <= now) || entry.key != key.label;
            if !is_due || self.renew(planned, &entry, key, now, report).await? {
                return Ok(());
            }
            entry = self.entry(planned)?;
        }
        self.make(planned, &entry, listed, key, now, report).await
    }

    /// Renews; `false` where it is there no more.
    async fn renew(
        &self,
        planned: &Planned,
        entry: &Entry,
        key: &Arc<PrivateKey>,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<bool> {
        let Some(id) = &entry.id else { return Ok(false) };
        match requests::renew(&self.client, entry, id, key, self.expiry(planned, now)).await {
            Ok(shown) => {
                if let Some(asked) = entry.asked_at.filter(|asked| now.duration_since(*asked) > SHORT_ABSENCE) {
                    self.state.lock().gap(&entry.resource, Some(asked), now, Reason::Unauthorized);
                }
                self.settle(planned, &shown, key, now)?;
                report.renewed.push(planned.resource.clone());
                Ok(true)
            }
            Err(Error::NotFound(_)) => {
                self.lose(entry, now)?;
                Ok(false)
            }
            Err(error) => {
                self.fail(planned, &error, "renew", now, report)?;
                Ok(true)
            }
        }
    }

    /// Makes one, or finds the one that an answer that was lost had made.
    async fn make(
        &self,
        planned: &Planned,
        entry: &Entry,
        listed: Option<&[Shown]>,
        key: &Arc<PrivateKey>,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<()> {
        let found = listed.into_iter().flatten().find(|shown| self.made_before(entry, shown));
        if let Some(shown) = found {
            return self.adopt(planned, entry, shown, key, now, report).await;
        }
        // The key that it will name is on disk before it can name it.
        let entry = self.change(&planned.resource, |entry| entry.key.clone_from(&key.label))?;
        let expires = self.expiry(planned, now);
        let mut made = requests::create(&self.client, &entry, &self.settings.addresses, key, expires).await;
        if let Ok(Made::Exists(id)) = &made {
            match self.clear(planned, &entry, id.as_deref(), key, now, report).await {
                Ok(Cleared::Adopted) => return Ok(()),
                Ok(Cleared::Removed) => {
                    made = requests::create(&self.client, &entry, &self.settings.addresses, key, expires).await;
                }
                Ok(Cleared::Foreign) => {}
                Err(error) => made = Err(error),
            }
        }
        match made {
            Ok(Made::Created(shown)) => {
                let (reason, list) = if entry.was_there {
                    (Reason::Recreated, &mut report.recreated)
                } else {
                    (Reason::Created, &mut report.created)
                };
                list.push(planned.resource.clone());
                self.settle(planned, &shown, key, now)?;
                let mut state = self.state.lock();
                state.gap(&planned.resource, entry.alive_at, now, reason);
                Ok(())
            }
            Ok(Made::Exists(_)) => {
                let conflict = super::report::conflict(&planned.resource);
                self.fail(planned, &conflict, "create", now, report)
            }
            Err(error) => self.fail(planned, &error, "create", now, report),
        }
    }

    /// Whether a subscription is the one that an attempt of ours made: it names the key that was noted before it.
    fn made_before(&self, entry: &Entry, shown: &Shown) -> bool {
        entry.id.is_none()
            && shown.notification_url == self.settings.addresses.notifications
            && shown.is_of(&entry.resource, &entry.change_type)
            && shown.encryption_certificate_id.as_deref().is_some_and(|key| key == entry.key)
            && !entry.is_ours(&shown.id)
    }

    async fn adopt(
        &self,
        planned: &Planned,
        entry: &Entry,
        shown: &Shown,
        key: &Arc<PrivateKey>,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<()> {
        match requests::renew(&self.client, entry, &shown.id, key, self.expiry(planned, now)).await {
            Ok(renewed) => {
                report.adopted.push(planned.resource.clone());
                let (alive, reason) =
                    (entry.alive_at, if entry.was_there { Reason::Recreated } else { Reason::Created });
                self.settle(planned, &renewed, key, now)?;
                self.state.lock().gap(&planned.resource, alive, now, reason);
                Ok(())
            }
            Err(error) => self.fail(planned, &error, "renew", now, report),
        }
    }

    /// Makes room where there is one of the same.
    async fn clear(
        &self,
        planned: &Planned,
        entry: &Entry,
        id: Option<&str>,
        key: &Arc<PrivateKey>,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<Cleared> {
        let shown = match id {
            Some(id) => requests::show(&self.client, id).await,
            None => requests::list(&self.client).await.and_then(|all| {
                let mut same = all.into_iter().filter(|shown| shown.is_of(&entry.resource, &entry.change_type));
                same.next().ok_or_else(|| super::report::conflict(&planned.resource))
            }),
        };
        let shown = match shown {
            Ok(shown) => shown,
            // It has gone meanwhile.
            Err(Error::NotFound(_)) => return Ok(Cleared::Removed),
            Err(error) => return Err(error),
        };
        if self.made_before(entry, &shown) {
            self.adopt(planned, entry, &shown, key, now, report).await?;
            return Ok(Cleared::Adopted);
        }
        let is_here = shown.notification_url == self.settings.addresses.notifications;
        // Two listeners that replace each other would do so for ever: only who is new takes it.
        if !is_here && (!self.settings.replaces || entry.was_there) {
            return Ok(Cleared::Foreign);
        }
        requests::remove(&self.client, &shown.id).await?;
        report.replaced.push(planned.resource.clone());
        Ok(Cleared::Removed)
    }

    /// Removes what leads to our address and is none of ours, and what is planned no more. `listed` is as old as the turn.
    async fn remove_strays(&self, listed: &[Shown], report: &mut Turn) -> Result<()> {
        let unplanned: Vec<_> = {
            let state = self.state.lock();
            let is_planned = |entry: &&Entry| {
                !self.settings.plan.subscriptions.iter().any(|planned| planned.resource == entry.resource)
            };
            state.entries().iter().filter(is_planned).cloned().collect()
        };
        let current: HashSet<String> = {
            let state = self.state.lock();
            state.entries().iter().filter_map(|entry| entry.id.as_deref().map(str::to_ascii_lowercase)).collect()
        };
        let is_stray = |shown: &&Shown| {
            shown.notification_url == self.settings.addresses.notifications
                && !current.contains(&shown.id.to_ascii_lowercase())
        };
        let strays = listed.iter().filter(is_stray).map(|shown| (shown.id.clone(), shown.resource.clone(), None));
        let ended =
            unplanned.iter().map(|entry| (entry.id.clone().unwrap_or_default(), entry.resource.clone(), Some(entry)));
        for (id, resource, entry) in strays.chain(ended).collect::<Vec<_>>() {
            let removed = if id.is_empty() { Ok(false) } else { requests::remove(&self.client, &id).await };
            match (removed, entry) {
                (Ok(was_there), entry) => {
                    if let Some(entry) = entry {
                        let mut state = self.state.lock();
                        state.forget(&entry.resource);
                        state.save()?;
                    }
                    if was_there {
                        report.removed.push(resource);
                    }
                }
                (Err(error), _) => report.failures.push(self.failure(&error, None, "remove", None)),
            }
        }
        Ok(())
    }

    /// The entry of a planned subscription, which is made and on disk before anything is asked for.
    fn entry(&self, planned: &Planned) -> Result<Entry> {
        let mut state = self.state.lock();
        let same = state.entry(&planned.resource).filter(|entry| entry.change_type == planned.change_type);
        if let Some(entry) = same {
            entry.tables.clone_from(&planned.tables);
            return Ok(entry.clone());
        }
        let entry = Entry::new(planned);
        state.entries_mut().push(entry.clone());
        self.publish(&state);
        state.save()?;
        Ok(entry)
    }

    fn change(&self, resource: &str, change: impl FnOnce(&mut Entry)) -> Result<Entry> {
        let mut state = self.state.lock();
        let entry = state.entry(resource).ok_or_else(|| Error::Internal("a subscription was forgotten".to_owned()))?;
        change(entry);
        let entry = entry.clone();
        self.publish(&state);
        state.save()?;
        Ok(entry)
    }

    /// It is not there: what changed since it was seen may be lost.
    fn lose(&self, entry: &Entry, now: Timestamp) -> Result<Entry> {
        let has_expired = entry.expires_at.is_some_and(|expires| expires <= now);
        let reason = if has_expired { Reason::Expired } else { Reason::Removed };
        self.state.lock().gap(&entry.resource, entry.alive_at, now, reason);
        self.change(&entry.resource, Entry::gone)
    }

    fn settle(&self, planned: &Planned, shown: &Shown, key: &Arc<PrivateKey>, now: Timestamp) -> Result<()> {
        let expires = shown.expires_at().unwrap_or_else(|| self.expiry(planned, now));
        self.change(&planned.resource, |entry| {
            entry.id = Some(shown.id.clone());
            entry.key.clone_from(&key.label);
            entry.renewed_at = Some(now);
            entry.expires_at = Some(expires);
            entry.alive_at = Some(now);
            entry.was_there = true;
            entry.asked_at = None;
            (entry.failures, entry.retry_at) = (0, None);
        })?;
        Ok(())
    }

    fn fail(
        &self,
        planned: &Planned,
        error: &Error,
        action: &'static str,
        now: Timestamp,
        report: &mut Turn,
    ) -> Result<()> {
        if matches!(error, Error::Interrupted | Error::Internal(_) | Error::Configuration(_)) {
            return Err(error.clone());
        }
        let entry = self.change(&planned.resource, |entry| {
            entry.failures = entry.failures.saturating_add(1);
            let doubled = FIRST_PAUSE * 2_i32.pow(entry.failures.min(8) - 1);
            let pause = if is_final(error) { LONG_PAUSE } else { doubled.min(LONGEST_PAUSE) };
            entry.retry_at = Some(now + pause);
        })?;
        let wait = entry.retry_at.map(|retry| retry.duration_since(now).as_secs_f64());
        report.failures.push(self.failure(error, Some(planned), action, wait));
        Ok(())
    }

    fn failure(&self, error: &Error, planned: Option<&Planned>, action: &'static str, wait: Option<f64>) -> Failure {
        let advice = remedy(error, planned, self.settings.addresses.notifications.starts_with("EventHub:"));
        Failure::new(error, planned, action, advice, wait)
    }

    fn expiry(&self, planned: &Planned, now: Timestamp) -> Timestamp {
        let most = SignedDuration::from_mins(i64::from(planned.max_minutes));
        now + self.settings.life.min(most)
    }

    fn publish(&self, state: &State) {
        self.registry.set(state.known());
    }

    pub fn gaps(&self) -> Vec<Gap> {
        self.state.lock().gaps().to_vec()
    }
}

/// What was in the way of a new one.
enum Cleared {
    Adopted,
    Removed,
    /// It belongs to somebody else.
    Foreign,
}

/// Whether only a person can change the answer.
fn is_final(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 401 | 402 | 403 | 404 | 409))
}
