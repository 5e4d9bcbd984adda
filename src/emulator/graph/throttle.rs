//! Enforces the documented limits with nested token buckets: tenant, resource (team, channel or chat), and user.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::graph::limit::{CONNECTOR_PER_SECOND, Limit, Rates, WINDOW_SECONDS, Windows};

use crate::http::error::GraphError;
use crate::odata::query::Query;
use crate::tenant::clock::{http_date, stamp};
use crate::tenant::knobs::{ImportRates, Knobs, RetryAfter};

/// Steady traffic above this part of a limit is refused too, over the longer window.
const SUSTAINED: f64 = 0.83;
const SUSTAINED_WINDOW_SECONDS: f64 = 60.0;
/// Refused requests count as well; the debt they add up to ends here.
const DEBT_IN_WINDOWS: f64 = 3.0;

/// What a directory request costs: `base` is the endpoint's own cost.
pub fn resource_units(base: i64, query: &Query) -> i64 {
    let select = i64::from(query.get("$select").is_some());
    let expand = i64::from(query.get("$expand").is_some());
    let small = i64::from(query.get("$top").and_then(|top| top.parse::<u32>().ok()).is_some_and(|top| top < 20));
    (base - select + expand - small).max(1)
}

/// Resource units per 10 seconds, by tenant size.
fn directory_units(users: usize) -> f64 {
    match users {
        0..50 => 3_500.0,
        50..=500 => 5_000.0,
        _ => 8_000.0,
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: f64,
}

impl Bucket {
    /// Takes from the bucket, whatever is in it; returns how long until it would have been allowed.
    fn take(&mut self, now: f64, rate: f64, capacity: f64, cost: f64) -> f64 {
        self.tokens = (self.tokens + (now - self.at) * rate).min(capacity);
        self.at = now;
        self.tokens = (self.tokens - cost).max(-DEBT_IN_WINDOWS * capacity.max(cost));
        if self.tokens >= -1e-9 { 0.0 } else { -self.tokens / rate }
    }
}

pub struct Throttle {
    started: Instant,
    /// The share of the documented limits that is granted.
    granted: f64,
    buckets: HashMap<(&'static str, String, bool), Bucket>,
    /// When requests of a class and a conversation were let through.
    windows: HashMap<(&'static str, String), VecDeque<f64>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { started: Instant::now(), granted: 1.0, buckets: HashMap::new(), windows: HashMap::new() }
    }
}

impl Throttle {
    /// Admits a request at real time, sped up by `time_scale`. `ids` are those of the path.
    pub fn admit(
        &mut self,
        limit: &Limit,
        ids: &[String],
        query: &Query,
        knobs: &Knobs,
        users: usize,
        now_ms: i64,
    ) -> Result<(), GraphError> {
        if !knobs.rate_limits {
            return Ok(());
        }
        self.granted = knobs.rate_limit_factor;
        let now = self.started.elapsed().as_secs_f64() * knobs.time_scale;
        let (wait, directory) = match limit {
            Limit::Requests(rates) => (self.requests(rates, ids, now), false),
            Limit::Import { article, table } => {
                let rates = if knobs.import_rates == ImportRates::Article { article } else { table };
                (self.requests(rates, ids, now), false)
            }
            Limit::Units(base) => (self.units(resource_units(*base, query), users, now), true),
            Limit::Connector(windows) => (self.connector(windows, ids, now), false),
            Limit::Window(class, count) => (self.fit(class, "", &[(*count, WINDOW_SECONDS)], now, 0.0), false),
            Limit::None => return Ok(()),
        };
        if wait <= 0.0 {
            return Ok(());
        }
        let mut headers = retry_after(wait, knobs, now_ms);
        if directory {
            headers.push(("x-ms-throttle-scope", "Tenant_Application/Read/emulator".to_owned()));
            headers.push(("x-ms-throttle-information", "ResourceUnitLimitExceeded".to_owned()));
        }
        Err(GraphError::throttled(headers))
    }

    fn requests(&mut self, rates: &Rates, ids: &[String], now: f64) -> f64 {
        let mut wait = self.take_request(rates.class, String::new(), rates.tenant, now);
        if let Some((count, rate)) = rates.resource {
            wait = wait.max(self.take_request(rates.class, ids[..count].join("|"), rate, now));
        }
        if let Some(rate) = rates.user {
            let user = ids.first().cloned().unwrap_or_default();
            wait = wait.max(self.take_request(rates.class, user + "|user", rate, now));
        }
        wait
    }

    /// Takes one request from the burst limit and from the sustained one. What it says is the wait; 0 or less lets it through.
    pub fn take_request(&mut self, class: &'static str, key: String, rate: f64, now: f64) -> f64 {
        let rate = rate * self.granted;
        let steady = rate * SUSTAINED;
        let burst = self.take(class, key.clone(), false, now, rate, rate.max(1.0), 1.0);
        burst.max(self.take(class, key, true, now, steady, steady * SUSTAINED_WINDOW_SECONDS, 1.0))
    }

    fn connector(&mut self, windows: &Windows, ids: &[String], now: f64) -> f64 {
        let rate = CONNECTOR_PER_SECOND * self.granted;
        let wait = self.take("connector", String::new(), false, now, rate, rate.max(1.0), 1.0);
        // A thread counts as its conversation.
        let conversation = ids.first().and_then(|id| id.split(';').next()).unwrap_or_default();
        self.fit(windows.class, conversation, windows.counts, now, wait)
    }

    /// Lets a request through that fits into every window; what is refused does not count.
    fn fit(&mut self, class: &'static str, key: &str, counts: &[(usize, f64)], now: f64, wait: f64) -> f64 {
        let seen = self.windows.entry((class, key.to_owned())).or_default();
        let longest = counts.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
        while seen.front().is_some_and(|at| now - at > longest) {
            seen.pop_front();
        }
        let full = counts.iter().filter_map(|(count, seconds)| {
            let oldest = *seen.iter().nth_back(count - 1)?;
            (now - oldest < *seconds).then_some(seconds - (now - oldest))
        });
        let wait = full.fold(wait, f64::max);
        if wait <= 0.0 {
            seen.push_back(now);
        }
        wait
    }

    fn units(&mut self, cost: i64, users: usize, now: f64) -> f64 {
        let capacity = directory_units(users) * self.granted;
        self.take("directory", String::new(), false, now, capacity / 10.0, capacity, cost as f64)
    }

    #[allow(clippy::too_many_arguments)] // a bucket's name and its measures
    fn take(
        &mut self,
        class: &'static str,
        key: String,
        steady: bool,
        now: f64,
        rate: f64,
        capacity: f64,
        cost: f64,
    ) -> f64 {
        let bucket = self.buckets.entry((class, key, steady)).or_insert(Bucket { tokens: capacity, at: now });
        bucket.take(now, rate, capacity, cost)
    }
}

fn retry_after(wait: f64, knobs: &Knobs, now_ms: i64) -> Vec<(&'static str, String)> {
    let scale = knobs.time_scale;
    let whole = wait.ceil().max(1.0);
    let value = match knobs.retry_after {
        RetryAfter::Absent => return Vec::new(),
        // A scaled second is no longer a whole number.
        RetryAfter::Seconds if (scale - 1.0).abs() > f64::EPSILON => {
            format!("{:.3}", whole / scale)
        }
        RetryAfter::Seconds => format!("{whole}"),
        RetryAfter::Fraction => format!("{:.3}", (wait / scale).max(0.001)),
        RetryAfter::Date => http_date(stamp(now_ms + (whole / scale * 1000.0).ceil() as i64 + 999)),
    };
    vec![("Retry-After", value)]
}
