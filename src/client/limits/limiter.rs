//! Nested budgets: a request leaves when its channel or chat, its team, its user, its class and the whole application all allow it.
//!
//! Requests queue in turn at each of their budgets, from the narrowest to the widest, and keep the narrow turns while
//! they wait at the wide ones. So the budgets are charged together, at the moment of leaving; none is overtaken; a long
//! queue at one channel delays no other; and dropping a waiting request leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::aimd::{Aimd, CUT, HALVE};
use super::budget::Budget;
use crate::request::Request;
use teams_base::graph::endpoint::RateClass;
use teams_base::graph::limits::limits;
use teams_base::options::{ConnectionConfig, RateLimits};

/// A budget's name. The order is the order of queueing: narrow before wide.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Conversation(String),
    /// What is written to it: reading and writing have limits of their own.
    Writing(String),
    Team(String),
    User(String),
    Class(u8),
    Total,
}

impl Key {
    /// Whether it is one resource's own budget.
    fn is_narrow(&self) -> bool {
        !matches!(self, Self::Class(_) | Self::Total)
    }
}

struct Lane {
    budget: Mutex<Budget>,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Shared by all budgets of one kind: what a tenant grants one channel, it grants every channel.
    pace: Arc<Mutex<Aimd>>,
}

impl Lane {
    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock()
    }

    fn pace(&self) -> MutexGuard<'_, Aimd> {
        self.pace.lock()
    }

    fn charge(&self, now: Instant, cost: f64) {
        let pace = self.pace().advance(now);
        self.budget().charge(now, cost, pace);
    }
}

#[derive(Default)]
struct Lanes {
    by_key: HashMap<Key, Arc<Lane>>,
    /// By class and kind of budget.
    paces: HashMap<(u8, Discriminant<Key>), Arc<Mutex<Aimd>>>,
    prune_at: usize,
}

/// Where lanes are forgotten first: below this a map is not worth the walk.
const FEW: usize = 1_024;
/// If this many different resources are throttled at once, the limit that was met is their class's.
const MANY: usize = 3;

pub struct Limiter {
    paced: bool,
    /// Of the budgets that every client of the application draws on. One conversation, team or user is read by one client.
    share: f64,
    total: Option<f64>,
    lanes: Mutex<Lanes>,
    /// Narrow budgets under a pause, per class.
    throttled: Mutex<HashMap<u8, BTreeMap<Key, Instant>>>,
    wire: Arc<Semaphore>,
}

/// Permission to be on the wire; given back when dropped.
pub struct Permit {
    _wire: OwnedSemaphorePermit,
}

/// How long a request waited: for the plan, and because the server had asked for a pause.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Waited {
    pub planned: Duration,
    pub throttled: Duration,
}

impl Limiter {
    pub fn new(config: &ConnectionConfig) -> Self {
        Self {
            paced: config.rate_limits == RateLimits::Documented,
            share: config.rate_share,
            total: config.requests_per_second,
            lanes: Mutex::default(),
            throttled: Mutex::default(),
            wire: Arc::new(Semaphore::new(config.max_concurrency.max(1))),
        }
    }

    /// Waits until all of the requests may leave together, in one round trip.
    pub async fn admit(&self, requests: &[&Request]) -> (Permit, Waited) {
        let start = Instant::now();
        let mut permit = None;
        let mut pauses = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let last = index + 1 == requests.len();
            let lanes = self.lanes_of(request);
            permit = self.pass(&lanes, limits(request.endpoint.class).cost, last).await;
            pauses.extend(lanes.iter().map(|(_, lane)| lane.budget().paused_until()));
        }
        let wire = match permit {
            Some(permit) => permit,
            None => self.permit().await,
        };
        let total = start.elapsed();
        let end = pauses.into_iter().max().unwrap_or(start).min(start + total);
        let throttled = end.saturating_duration_since(start);
        (Permit { _wire: wire }, Waited { planned: total.saturating_sub(throttled), throttled })
    }

    /// Queues at the lanes in order and charges them. The permit is taken last and given back if a pause came in between,
    /// so that it is never held while waiting for a budget.
    async fn pass(&self, lanes: &[(Key, Arc<Lane>)], cost: f64, take_permit: bool) -> Option<OwnedSemaphorePermit> {
        'again: loop {
            let mut turns: Vec<OwnedMutexGuard<()>> = Vec::with_capacity(lanes.len());
            for (index, (_, lane)) in lanes.iter().enumerate() {
                turns.push(Arc::clone(&lane.turn).lock_owned().await);
                loop {
                    let wait = lane.budget().wait(Instant::now());
                    if wait.is_zero() {
                        break;
                    }
                    sleep(wait).await;
                }
                // A narrow budget that was paused meanwhile must not block the wide one's queue.
                if longest_wait(&lanes[..index]) > Duration::ZERO {
                    continue 'again;
                }
            }
            let permit = if take_permit { Some(self.permit().await) } else { None };
            if longest_wait(lanes) > Duration::ZERO {
                continue;
            }
            let now = Instant::now();
            for (key, lane) in lanes {
                lane.charge(now, if matches!(key, Key::Class(_)) { cost } else { 1.0 });
            }
            return permit;
        }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.wire).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// The server throttled this request: all that share its narrowest budget wait, because requests made while throttled
    /// count against the application, and the budget that is to blame goes slower for a while.
    pub fn throttle(&self, request: &Request, wait: Duration) {
        let until = Instant::now() + wait;
        let lanes = self.lanes_of(request);
        let (key, narrowest) = &lanes[0];
        narrowest.budget().pause(until);
        let class = class_index(request.endpoint.class);
        let whole_class = self.count_throttled(class, key, until) >= MANY;
        if whole_class && let Some(lane) = class_of(&lanes) {
            lane.budget().pause(until);
        }
        blame(&lanes, whole_class, until);
    }

    /// The next request that shares its narrowest budget waits so long.
    pub fn pause(&self, request: &Request, wait: Duration) {
        self.lanes_of(request)[0].1.budget().pause(Instant::now() + wait);
    }

    /// The server was too busy for this request and named a time: the same as where it throttled, but no other request waits.
    pub fn slow_down(&self, request: &Request, wait: Duration) {
        blame(&self.lanes_of(request), true, Instant::now() + wait);
    }

    fn count_throttled(&self, class: u8, key: &Key, until: Instant) -> usize {
        let now = Instant::now();
        let mut throttled = self.throttled.lock();
        let of_class = throttled.entry(class).or_default();
        of_class.insert(key.clone(), until);
        of_class.retain(|_, until| *until > now);
        of_class.len()
    }

    /// Whether two requests draw on one narrow budget, so that they must not leave in one round trip.
    pub fn share_narrow_budget(&self, one: &Request, other: &Request) -> bool {
        self.paced && {
            let (one, other) = (self.keys(one), self.keys(other));
            one.iter().any(|(key, _)| key.is_narrow() && other.iter().any(|(k, _)| k == key))
        }
    }

    /// The budgets of a request, narrow ones first, with their rates.
    fn keys(&self, request: &Request) -> Vec<(Key, Option<f64>)> {
        let class = request.endpoint.class;
        let limits = limits(class);
        let budget = &request.budget;
        let mut keys = Vec::with_capacity(5);
        let mut narrow = |id: &Option<String>, rate: Option<f64>, key: fn(String) -> Key| {
            if let (Some(id), Some(rate)) = (id, rate) {
                keys.push((key(id.clone()), Some(rate)));
            }
        };
        let [conversation, team]: [fn(String) -> Key; 2] = match class {
            RateClass::ImportToChannel | RateClass::ImportToChat | RateClass::BotSend => [Key::Writing, Key::Team],
            // A few a minute, which must not slow the team's other requests.
            RateClass::AddMembers => [Key::Conversation, Key::Writing],
            _ => [Key::Conversation, Key::Team],
        };
        narrow(&budget.conversation, limits.conversation, conversation);
        narrow(&budget.team, limits.team, team);
        narrow(&budget.user, limits.user, Key::User);
        keys.push((Key::Class(class_index(class)), Some(limits.tenant * self.share)));
        if !self.paced {
            for (_, rate) in &mut keys {
                *rate = None;
            }
        }
        if let Some(total) = self.total {
            keys.push((Key::Total, Some(total * self.share)));
        }
        keys
    }

    fn lanes_of(&self, request: &Request) -> Vec<(Key, Arc<Lane>)> {
        let keys = self.keys(request);
        let mut lanes = self.lanes.lock();
        lanes.prune();
        let class = class_index(request.endpoint.class);
        let is_disputed = request.endpoint.class == RateClass::ImportToChannel;
        let windows = if self.paced { limits(request.endpoint.class).windows } else { &[] };
        keys.into_iter()
            .map(|(key, rate)| {
                // They are the conversation's own.
                let own = if matches!(key, Key::Conversation(_) | Key::Writing(_)) { windows } else { &[] };
                (key.clone(), lanes.lane(class, is_disputed, key, rate, own))
            })
            .collect()
    }
}

impl Lanes {
    fn lane(
        &mut self,
        class: u8,
        is_disputed: bool,
        key: Key,
        rate: Option<f64>,
        windows: &'static [(usize, u64)],
    ) -> Arc<Lane> {
        // Where two documents disagree on a rate the lower one is reached in a few steps.
        let cut = if is_disputed { HALVE } else { CUT };
        let pace =
            self.paces.entry((class, discriminant(&key))).or_insert_with(|| Arc::new(Mutex::new(Aimd::new(cut))));
        let new =
            || Lane { budget: Mutex::new(Budget::new(rate, windows)), turn: Arc::default(), pace: Arc::clone(pace) };
        Arc::clone(self.by_key.entry(key).or_insert_with(|| Arc::new(new())))
    }

    /// Forgets lanes that are not in use, now and then: the cost per request stays constant.
    fn prune(&mut self) {
        if self.by_key.len() < self.prune_at.max(FEW) {
            return;
        }
        let now = Instant::now();
        self.by_key.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.budget().is_idle(now));
        self.prune_at = self.by_key.len() * 2;
    }
}

fn class_of(lanes: &[(Key, Arc<Lane>)]) -> Option<&Arc<Lane>> {
    lanes.iter().find(|(key, _)| matches!(key, Key::Class(_))).map(|(_, lane)| lane)
}

/// Graph does not say which of the limits was met. A narrow budget that is drawn on well below its rate has not met its
/// own, so it is the first that is busy, or else that of the class.
fn blame(lanes: &[(Key, Arc<Lane>)], whole_class: bool, until: Instant) {
    let busy = lanes.iter().find(|(key, lane)| !whole_class && key.is_narrow() && lane.budget().is_busy());
    if let Some(lane) = busy.map(|(_, lane)| lane).or_else(|| class_of(lanes)) {
        lane.pace().cut(Instant::now(), until);
    }
}

fn longest_wait(lanes: &[(Key, Arc<Lane>)]) -> Duration {
    let now = Instant::now();
    lanes.iter().map(|(_, lane)| lane.budget().wait(now)).max().unwrap_or_default()
}

fn class_index(class: RateClass) -> u8 {
    match class {
        RateClass::Team => 0,
        RateClass::Channels => 1,
        RateClass::Members => 2,
        RateClass::ChannelMessages => 3,
        RateClass::Export => 4,
        RateClass::UserChats => 5,
        RateClass::Chat => 6,
        RateClass::ChatMessages => 7,
        RateClass::Directory(_) => 8,
        RateClass::Other => 9,
        RateClass::Mailbox => 10,
        RateClass::CreateTeam => 11,
        RateClass::CreateChannel => 12,
        RateClass::CreateChat => 13,
        RateClass::Migration => 14,
        RateClass::ImportToChannel => 15,
        RateClass::ImportToChat => 16,
        RateClass::AddMembers => 17,
        RateClass::Install => 18,
        // One limit for all of them.
        RateClass::BotSend | RateClass::BotCreate | RateClass::BotRoster => 19,
    }
}

#[cfg(test)]
mod tests;
