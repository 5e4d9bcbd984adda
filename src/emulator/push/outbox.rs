//! What waits to be delivered, to whom, and what became of it.
//!
//! Source: "Receive change notifications through webhooks": an answer within three seconds, retries for up to four hours,
//! endpoints that are slow and endpoints whose notifications are dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::push::event::Event;
use crate::push::family::Resource;
use crate::push::login::{FORGERIES, token};
use crate::push::{hub, item};
use crate::tenant::ids::{guid, id_of};
use crate::tenant::push::{PushKnobs, Subscription};

const MINUTE_MS: i64 = 60_000;
const RETRIES_END_MS: i64 = 240 * MINUTE_MS;
const FIRST_RETRY_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = 10 * MINUTE_MS;
/// Answers are judged over so long, and what follows holds as long.
const WINDOW_MS: i64 = 10 * MINUTE_MS;
/// Fewer answers say nothing of an endpoint.
const ENOUGH_ANSWERS: usize = 10;
const SLOW_SHARE: f64 = 0.10;
const DROP_SHARE: f64 = 0.15;
/// POSTs under way to one endpoint.
const AT_ONCE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Not answered yet.
    Waiting,
    Delivered,
    /// Never sent.
    Lost,
    /// Discarded because its endpoint is much too slow.
    Dropped,
    /// Not taken within four hours.
    GivenUp,
}

/// What was told of one change to one subscription.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    pub at_ms: i64,
    pub subscription_id: String,
    pub change_type: String,
    pub resource: String,
    pub url: String,
    pub fate: Fate,
    /// Of each POST that held it; 0 where there was no answer.
    pub statuses: Vec<u16>,
    /// How long each of these took, in milliseconds of real time.
    pub took_ms: Vec<u64>,
    /// What was done to it, or to the POST that held it, on purpose.
    pub spoiled: Option<&'static str>,
}

struct Waiting {
    first_ms: i64,
    notice: usize,
    app: String,
    item: Value,
}

/// A POST, the same at each attempt.
pub struct Post {
    pub url: Url,
    pub body: String,
    notices: Vec<usize>,
    first_ms: i64,
    attempts: u32,
}

#[derive(Default)]
struct Endpoint {
    /// When it answered, and after how long.
    answers: VecDeque<(i64, u64)>,
    held_until_ms: i64,
    dropped_until_ms: i64,
    under_way: usize,
}

pub struct Outbox {
    /// By address, and there by when they are due and in the order of their making: a backlog may hold a million.
    waiting: BTreeMap<String, BTreeMap<(i64, usize), Waiting>>,
    made: usize,
    retries: Vec<(i64, Post)>,
    endpoints: HashMap<String, Endpoint>,
    notices: Vec<Notice>,
    /// The values that each hub got and that were not taken yet.
    hubs: BTreeMap<String, Vec<String>>,
    tokens: usize,
    forged: usize,
    rng: StdRng,
}

impl Outbox {
    pub fn new(seed: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            made: 0,
            retries: Vec::new(),
            endpoints: HashMap::new(),
            notices: Vec::new(),
            hubs: BTreeMap::new(),
            tokens: 0,
            forged: 0,
            rng: StdRng::seed_from_u64(seed ^ 0x9054),
        }
    }

    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    pub fn take_hub(&mut self, name: &str) -> Vec<String> {
        self.hubs.get_mut(name).map(std::mem::take).unwrap_or_default()
    }

    /// Tells every subscription that covers an event.
    pub fn tell(
        &mut self,
        subscriptions: &[Subscription],
        events: &[Event],
        tenant: &str,
        knobs: &PushKnobs,
        now_ms: i64,
    ) {
        for event in events {
            for subscription in subscriptions {
                let wanted = subscription.change_types.iter().any(|change| change == event.change.as_str());
                let covers = Resource::parse(&subscription.resource).is_some_and(|resource| event.is_of(&resource));
                if wanted && covers && !subscription.inconsistent {
                    let made = item::notification(subscription, event, tenant, knobs, &mut self.rng);
                    self.add(subscription, event.change.as_str(), &event.resource, made, knobs, now_ms);
                }
            }
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.random_bool(share.clamp(0.0, 1.0))
    }

    fn add(
        &mut self,
        subscription: &Subscription,
        change: &str,
        resource: &str,
        made: item::Item,
        knobs: &PushKnobs,
        now_ms: i64,
    ) {
        let url = subscription.notification_url.clone();
        let notice = self.note(&subscription.id, change, resource, &url, made.spoiled, now_ms);
        if self.chance(knobs.lost) {
            self.notices[notice].fate = Fate::Lost;
            return;
        }
        let copies = 1 + usize::from(self.chance(knobs.doubled));
        if let Some(hub) = hub::name(&url) {
            self.notices[notice].fate = Fate::Delivered;
            for _ in 0..copies {
                self.send_to_hub(&hub, subscription.blob_store_url.is_some(), &made.json, knobs);
            }
            return;
        }
        let endpoint = self.endpoints.entry(endpoint_of(&url)).or_default();
        if endpoint.dropped_until_ms > now_ms {
            self.notices[notice].fate = Fate::Dropped;
            return;
        }
        let held_ms = endpoint.held_until_ms;
        for _ in 0..copies {
            let late = if self.chance(knobs.overtaken) { self.rng.random_range(0..=knobs.late_ms.max(0)) } else { 0 };
            let due_ms = (now_ms + knobs.delay_ms + late).max(held_ms);
            let (app, item) = (subscription.app.clone(), made.json.clone());
            self.wait(&url, due_ms, Waiting { first_ms: now_ms, notice, app, item });
        }
    }

    fn note(
        &mut self,
        subscription: &str,
        change: &str,
        resource: &str,
        url: &str,
        spoiled: Option<&'static str>,
        at_ms: i64,
    ) -> usize {
        self.notices.push(Notice {
            at_ms,
            subscription_id: subscription.to_owned(),
            change_type: change.to_owned(),
            resource: resource.to_owned(),
            url: url.to_owned(),
            fate: Fate::Waiting,
            statuses: Vec::new(),
            took_ms: Vec::new(),
            spoiled,
        });
        self.notices.len() - 1
    }

    /// What is too large goes to a storage account where the subscription names one, else nowhere.
    fn send_to_hub(&mut self, hub: &str, has_storage: bool, item: &Value, knobs: &PushKnobs) {
        let is_oversized = item.to_string().len() > knobs.hub_item_bytes;
        let sent = match (is_oversized, has_storage) {
            (false, _) => item.clone(),
            (true, true) => item::oversized(item, &guid(&mut self.rng)),
            (true, false) => return,
        };
        let value = json!({"value": [sent]}).to_string();
        self.hubs.entry(hub.to_owned()).or_default().push(value);
    }

    /// The test item that a hub gets in place of a handshake.
    pub fn test_hub(&mut self, url: &str, tenant: &str) {
        if let Some(hub) = hub::name(url) {
            let value = json!({"value": [item::hub_test(&guid(&mut self.rng), tenant)]}).to_string();
            self.hubs.entry(hub).or_default().push(value);
        }
    }

    /// Tells of a subscription itself; through Event Hubs nothing comes of it.
    pub fn lifecycle(&mut self, subscription: &Subscription, event: &str, tenant: &str, now_ms: i64) {
        let Some(url) = subscription.lifecycle_url.clone().filter(|url| !hub::is_hub(url)) else { return };
        let notice = self.note(&subscription.id, event, "", &url, None, now_ms);
        let item = item::lifecycle(subscription, event, tenant);
        let app = subscription.app.clone();
        self.wait(&url, now_ms, Waiting { first_ms: now_ms, notice, app, item });
    }

    fn wait(&mut self, url: &str, due_ms: i64, waiting: Waiting) {
        self.made += 1;
        self.waiting.entry(url.to_owned()).or_default().insert((due_ms, self.made), waiting);
    }

    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.retries.is_empty()
    }

    /// The POSTs that are to be sent now; each is to be [`Outbox::answered`].
    pub fn due(&mut self, tenant: &str, knobs: &PushKnobs, now_ms: i64) -> Vec<Post> {
        let mut posts = Vec::new();
        let retries = std::mem::take(&mut self.retries);
        for (due_ms, post) in retries {
            let endpoint = self.endpoints.entry(endpoint_of(post.url.as_str())).or_default();
            if due_ms <= now_ms && endpoint.under_way < AT_ONCE {
                endpoint.under_way += 1;
                posts.push(post);
            } else {
                self.retries.push((due_ms, post));
            }
        }
        for (url, mut waiting) in std::mem::take(&mut self.waiting) {
            loop {
                let endpoint = self.endpoints.entry(endpoint_of(&url)).or_default();
                if endpoint.under_way >= AT_ONCE {
                    break;
                }
                let items = first_due(&mut waiting, knobs.items_per_post.max(1), now_ms);
                if items.is_empty() {
                    break;
                }
                endpoint.under_way += 1;
                posts.extend(self.collect(&url, items, tenant, knobs));
            }
            if !waiting.is_empty() {
                self.waiting.insert(url, waiting);
            }
        }
        posts
    }

    /// A POST of these items, with a token for each application and tenant that content comes from.
    fn collect(&mut self, url: &str, items: Vec<Waiting>, tenant: &str, knobs: &PushKnobs) -> Option<Post> {
        let url = Url::parse(url).ok()?;
        let rich = items.iter().filter(|waiting| waiting.item["encryptedContent"].is_object());
        let mut pairs: BTreeSet<(String, String)> =
            rich.map(|waiting| (waiting.app.clone(), tenant.to_owned())).collect();
        let mut values: Vec<Value> = items.iter().map(|waiting| waiting.item.clone()).collect();
        let mut spoiled = None;
        if !pairs.is_empty() && self.chance(knobs.foreign_items) {
            let other = id_of(tenant, "another tenant");
            values.insert(0, item::foreign(&values[0], &other, &id_of(&other, "subscription")));
            pairs.insert((items[0].app.clone(), other));
        }
        let mut tokens: Vec<Option<String>> = pairs
            .iter()
            .map(|(app, tenant)| {
                self.tokens += 1;
                token(knobs, app, tenant, self.tokens, None)
            })
            .collect();
        if !tokens.is_empty() && self.chance(knobs.forged_tokens) {
            let forgery = FORGERIES[self.forged % FORGERIES.len()];
            self.forged += 1;
            tokens[0] = token(knobs, &items[0].app, tenant, self.tokens, Some(forgery));
            spoiled = Some("token");
        }
        let mut body = json!({"value": values});
        if !tokens.is_empty() {
            body["validationTokens"] = if knobs.no_tokens { Value::Null } else { json!(tokens) };
        }
        let notices: Vec<usize> = items.iter().map(|waiting| waiting.notice).collect();
        for &notice in &notices {
            self.notices[notice].spoiled = self.notices[notice].spoiled.or(spoiled);
        }
        let first_ms = items.iter().map(|waiting| waiting.first_ms).min().unwrap_or(0);
        Some(Post { url, body: body.to_string(), notices, first_ms, attempts: 0 })
    }

    /// What became of a POST: its status, if there was an answer, and how long that took.
    pub fn answered(&mut self, mut post: Post, status: Option<u16>, took_ms: u64, knobs: &PushKnobs, now_ms: i64) {
        let is_taken = status.is_some_and(|status| (200..300).contains(&status)) && took_ms <= knobs.timeout_ms;
        for &notice in &post.notices {
            let notice = &mut self.notices[notice];
            notice.statuses.push(status.unwrap_or(0));
            notice.took_ms.push(took_ms);
            if is_taken {
                notice.fate = Fate::Delivered;
            }
        }
        let endpoint = self.endpoints.entry(endpoint_of(post.url.as_str())).or_default();
        endpoint.under_way = endpoint.under_way.saturating_sub(1);
        endpoint.judge(took_ms, knobs, now_ms);
        if is_taken {
            return;
        }
        post.attempts += 1;
        let pause = (FIRST_RETRY_MS << (post.attempts - 1).min(10)).min(LONGEST_PAUSE_MS);
        if now_ms + pause - post.first_ms <= RETRIES_END_MS {
            self.retries.push((now_ms + pause, post));
            return;
        }
        for &notice in &post.notices {
            let notice = &mut self.notices[notice];
            if notice.fate == Fate::Waiting {
                notice.fate = Fate::GivenUp;
            }
        }
    }
}

/// At most so many that are due, which wait no longer.
fn first_due(waiting: &mut BTreeMap<(i64, usize), Waiting>, most: usize, now_ms: i64) -> Vec<Waiting> {
    let mut items = Vec::new();
    while items.len() < most {
        let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now_ms) else { break };
        items.push(first.remove());
    }
    items
}

impl Endpoint {
    fn judge(&mut self, took_ms: u64, knobs: &PushKnobs, now_ms: i64) {
        self.answers.push_back((now_ms, took_ms));
        while self.answers.front().is_some_and(|(at, _)| now_ms - at > WINDOW_MS) {
            self.answers.pop_front();
        }
        if self.answers.len() < ENOUGH_ANSWERS {
            return;
        }
        let share = |bound: u64| {
            self.answers.iter().filter(|(_, took)| *took > bound).count() as f64 / self.answers.len() as f64
        };
        let (is_slow, is_lost) = (share(knobs.timeout_ms) > SLOW_SHARE, share(knobs.patience_ms) > DROP_SHARE);
        if is_lost {
            self.dropped_until_ms = now_ms + WINDOW_MS;
        } else if is_slow {
            self.held_until_ms = now_ms + WINDOW_MS;
        }
        if is_lost || is_slow {
            // It is tested anew after that.
            self.answers.clear();
        }
    }
}

/// What is judged as one: all subscriptions of a host.
fn endpoint_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url[..url::Position::BeforePath].to_owned())
}
