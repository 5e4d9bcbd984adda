//! Nested budgets: a request leaves when its channel or chat, its team, its user, its class and the whole application all allow it.
//!
//! Requests queue in turn at each of their budgets, from the narrowest to the widest, and keep the narrow turns while
//! they wait at the wide ones. So the budgets are charged together, at the moment of leaving; nobody overtakes; a long
//! queue at one channel holds nobody else up; and dropping a waiting request leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::bucket::Bucket;
use super::endpoint::RateClass;
use super::limits::limits;
use super::request::Request;
use crate::config::{ConnectionConfig, RateLimits};

/// A budget's name. The order is the order of queueing: narrow before wide.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Conversation(String),
    Team(String),
    User(String),
    Class(u8),
    Total,
}

struct Lane {
    bucket: Mutex<Bucket>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Lane {
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Lanes {
    by_key: HashMap<Key, Arc<Lane>>,
    prune_at: usize,
}

/// Where lanes are forgotten first: below this a map is not worth the walk.
const FEW: usize = 1_024;
/// So many different resources throttled at once mean that the limit behind it is their class's.
const MANY: usize = 3;

pub struct Limiter {
    paced: bool,
    total: Option<f64>,
    lanes: Mutex<Lanes>,
    /// Narrow budgets under a pause, per class.
    throttled: Mutex<HashMap<u8, BTreeMap<Key, Instant>>>,
    wire: Arc<Semaphore>,
}

/// Leave to be on the wire; given back when dropped.
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
            pauses.extend(lanes.iter().map(|(_, lane)| lane.bucket().paused_until()));
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
                    let wait = lane.bucket().wait(Instant::now());
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
                lane.bucket().charge(now, if matches!(key, Key::Class(_)) { cost } else { 1.0 });
            }
            return permit;
        }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.wire).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// The server throttled this request: everyone who shares its narrowest budget waits, because requests made while
    /// throttled count against the application, and its class goes slower for a while.
    pub fn throttle(&self, request: &Request, wait: Duration) {
        let until = Instant::now() + wait;
        let lanes = self.lanes_of(request);
        let (key, narrowest) = &lanes[0];
        narrowest.bucket().pause(until);
        let class = class_index(request.endpoint.class);
        let whole_class = self.count_throttled(class, key, until) >= MANY;
        if let Some((_, lane)) = lanes.iter().find(|(key, _)| matches!(key, Key::Class(_))) {
            let mut bucket = lane.bucket();
            bucket.slow_down();
            if whole_class {
                bucket.pause(until);
            }
        }
    }

    fn count_throttled(&self, class: u8, key: &Key, until: Instant) -> usize {
        let now = Instant::now();
        let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        let of_class = throttled.entry(class).or_default();
        of_class.insert(key.clone(), until);
        of_class.retain(|_, until| *until > now);
        of_class.len()
    }

    /// Whether two requests draw on one narrow budget, so that they must not leave in one round trip.
    pub fn share_narrow_budget(&self, one: &Request, other: &Request) -> bool {
        self.paced && {
            let (one, other) = (self.keys(one), self.keys(other));
            one.iter().any(|(key, _)| !matches!(key, Key::Class(_) | Key::Total) && other.iter().any(|(k, _)| k == key))
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
        narrow(&budget.conversation, limits.conversation, Key::Conversation);
        narrow(&budget.team, limits.team, Key::Team);
        narrow(&budget.user, limits.user, Key::User);
        keys.push((Key::Class(class_index(class)), Some(limits.tenant)));
        if !self.paced {
            for (_, rate) in &mut keys {
                *rate = None;
            }
        }
        if let Some(total) = self.total {
            keys.push((Key::Total, Some(total)));
        }
        keys
    }

    fn lanes_of(&self, request: &Request) -> Vec<(Key, Arc<Lane>)> {
        let keys = self.keys(request);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.prune();
        keys.into_iter()
            .map(|(key, rate)| {
                let lane = lanes
                    .by_key
                    .entry(key.clone())
                    .or_insert_with(|| Arc::new(Lane { bucket: Mutex::new(Bucket::new(rate)), turn: Arc::default() }));
                let lane = Arc::clone(lane);
                (key, lane)
            })
            .collect()
    }
}

impl Lanes {
    /// Forgets lanes that nobody uses or waits for, now and then: the cost per request stays constant.
    fn prune(&mut self) {
        if self.by_key.len() < self.prune_at.max(FEW) {
            return;
        }
        let now = Instant::now();
        self.by_key.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.bucket().is_idle(now));
        self.prune_at = self.by_key.len() * 2;
    }
}

fn longest_wait(lanes: &[(Key, Arc<Lane>)]) -> Duration {
    let now = Instant::now();
    lanes.iter().map(|(_, lane)| lane.bucket().wait(now)).max().unwrap_or_default()
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
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::client::endpoint;

    fn limiter(change: impl FnOnce(&mut ConnectionConfig)) -> Limiter {
        let mut config = ConnectionConfig { max_concurrency: 1_000, ..ConnectionConfig::default() };
        change(&mut config);
        Limiter::new(&config)
    }

    fn channel(id: &str) -> Request {
        Request::new(&endpoint::CHANNEL_MESSAGES, &[], id).team("t").conversation(id)
    }

    fn export(team: &str) -> Request {
        Request::new(&endpoint::TEAM_EXPORT, &[], team).team(team)
    }

    /// Lets the requests leave, and returns when each did, in seconds.
    async fn leave(limiter: &Limiter, requests: &[Request]) -> Vec<f64> {
        let start = Instant::now();
        join_all(requests.iter().map(|request| async move {
            limiter.admit(&[request]).await;
            start.elapsed().as_secs_f64()
        }))
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn one_channel_keeps_its_second_and_holds_nobody_up() {
        let limiter = limiter(|_| ());
        let mut requests = vec![channel("slow"); 5];
        requests.extend((0..20).map(|id| channel(&id.to_string())));
        let times = leave(&limiter, &requests).await;
        for (index, time) in times[..5].iter().enumerate() {
            let expected = index as f64 * 1.25;
            assert!((expected..expected + 0.2).contains(time), "{index}: {time}");
        }
        assert!(times[5..].iter().all(|time| *time < 21.0 / 16.0 + 0.1), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_at_a_wide_budget_never_squeezes_a_narrow_one() {
        let limiter = limiter(|_| ());
        let mut requests: Vec<_> = (0..100).map(|id| channel(&id.to_string())).collect();
        requests.extend(vec![channel("last"); 4]);
        let mut times = leave(&limiter, &requests).await.split_off(100);
        times.sort_by(f64::total_cmp);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1.249), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn classes_run_at_eighty_percent_and_export_has_no_limit_per_team() {
        let limiter = limiter(|_| ());
        let times = leave(&limiter, &vec![export("t"); 1_600]).await;
        assert!((9.5..10.5).contains(times.last().unwrap()), "{:?}", times.last());
        let units = |n| Request::new(&endpoint::GROUPS_DELTA, &[], n).user("nobody");
        let times = leave(&limiter, &vec![units("x"); 2_800]).await;
        assert!((9.5..10.5).contains(times.last().unwrap()), "{:?}", times.last());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lower_ceiling_holds_over_all_and_off_plans_nothing() {
        let slow = limiter(|config| config.requests_per_second = Some(2.0));
        let times = leave(&slow, &[export("a"), channel("b"), export("c"), channel("d")]).await;
        assert!((1.4..1.6).contains(&times.into_iter().fold(0.0, f64::max)));
        let off = limiter(|config| config.rate_limits = RateLimits::Off);
        assert!(leave(&off, &vec![channel("x"); 1_000]).await.into_iter().all(|time| time < 0.001));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_channel_pauses_for_all_its_requests_and_only_for_them() {
        for rate_limits in [RateLimits::Documented, RateLimits::Off] {
            let limiter = limiter(|config| config.rate_limits = rate_limits);
            limiter.throttle(&channel("x"), Duration::from_secs(10));
            let times = leave(&limiter, &[channel("x"), channel("y"), channel("x")]).await;
            assert!(times[1] < 0.5 && times[0] >= 10.0 && times[2] >= 10.0, "{times:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_throttled_resources_pause_their_class() {
        let limiter = limiter(|config| config.rate_limits = RateLimits::Off);
        for id in ["a", "b", "c"] {
            limiter.throttle(&channel(id), Duration::from_secs(10));
        }
        let times = leave(&limiter, &[channel("d"), export("t")]).await;
        assert!(times[0] >= 10.0 && times[1] < 0.1, "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_comes_while_waiting_counts() {
        let limiter = limiter(|config| config.max_concurrency = 1);
        let (permit, _) = limiter.admit(&[&channel("a")]).await;
        let request = channel("b");
        let waiting = async {
            let start = Instant::now();
            let (_, waited) = limiter.admit(&[&request]).await;
            (start.elapsed().as_secs_f64(), waited)
        };
        let other = async {
            sleep(Duration::from_secs(1)).await;
            limiter.throttle(&request, Duration::from_secs(9));
            drop(permit);
            // The permit is not kept by the one who waits for a budget.
            limiter.admit(&[&channel("c")]).await;
        };
        let ((time, waited), ()) = tokio::join!(waiting, other);
        assert!((10.0..10.5).contains(&time), "{time}");
        assert!(waited.throttled.as_secs_f64() > 9.0, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_waiter_leaves_nothing_behind() {
        let limiter = limiter(|_| ());
        limiter.admit(&[&channel("x")]).await;
        for _ in 0..20 {
            let waiting = limiter.admit(&[&channel("x")]).await.1;
            assert!(waiting.planned < Duration::from_secs(2));
            let request = channel("x");
            let cut = tokio::time::timeout(Duration::from_millis(10), limiter.admit(&[&request])).await;
            assert!(cut.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_channels_are_forgotten() {
        let limiter = limiter(|config| config.rate_limits = RateLimits::Off);
        for id in 0..20_000 {
            limiter.admit(&[&channel(&id.to_string())]).await;
        }
        assert!(limiter.lanes.lock().unwrap().by_key.len() <= FEW + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_pays_for_each_of_its_requests() {
        let limiter = limiter(|_| ());
        let teams: Vec<_> = (0..20).map(|id| Request::new(&endpoint::TEAM, &[], "").team(&id.to_string())).collect();
        let batch: Vec<_> = teams.iter().collect();
        let start = Instant::now();
        for _ in 0..6 {
            limiter.admit(&batch).await;
        }
        assert!((4.7..5.2).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
        assert!(
            limiter.share_narrow_budget(&teams[0], &teams[0]) && !limiter.share_narrow_budget(&teams[0], &teams[1])
        );
    }
}
