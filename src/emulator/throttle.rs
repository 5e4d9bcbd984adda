//! The documented limits as nested token buckets: tenant, team or channel or chat, and user.

use std::collections::HashMap;
use std::time::Instant;

use super::clock::stamp;
use super::config::{Knobs, RetryAfter};
use super::errors::Refusal;
use super::odata::Query;
use super::router::{Endpoint, Route};

/// Steady traffic above this part of a limit is refused too, over the longer window.
const SUSTAINED: f64 = 0.83;
const SUSTAINED_WINDOW_SECONDS: f64 = 60.0;
/// Debt by refused requests, which count as well, ends here.
const DEBT_IN_WINDOWS: f64 = 3.0;

/// Requests per second: for the app in the tenant, per resource, per user.
struct Limits {
    class: &'static str,
    tenant: f64,
    /// How many leading ids of the path name the resource, and its rate.
    resource: Option<(usize, f64)>,
    user: Option<f64>,
}

fn limits(endpoint: Endpoint) -> Option<Limits> {
    use Endpoint as E;
    let of = |class, tenant, resource, user| Some(Limits { class, tenant, resource, user });
    match endpoint {
        E::Team | E::GroupTeam => of("team", 30.0, Some((1, 4.0)), None),
        E::JoinedTeams => of("joinedTeams", 30.0, None, None),
        E::Channels | E::AllChannels | E::IncomingChannels | E::PrimaryChannel => {
            of("channels", 60.0, Some((1, 4.0)), None)
        }
        E::Channel => of("channel", 30.0, Some((2, 1.0)), None),
        E::ChannelMembers | E::ChannelAllMembers => of("channel members", 60.0, Some((2, 1.0)), None),
        // The list of replies is not named in the table; 1 request per second and channel holds either way.
        E::ChannelMessages | E::ChannelMessagesDelta | E::ChannelMessage | E::Replies | E::Reply => {
            of("channel messages", 20.0, Some((2, 1.0)), None)
        }
        E::HostedContents | E::SharedWithTeams => of("default", 30.0, Some((2, 1.0)), None),
        E::HostedContentValue => of("hosted content", 60.0, Some((2, 1.0)), None),
        E::UserChats | E::Chats => of("chats", 20.0, None, Some(1.0)),
        E::Chat => of("chat", 200.0, Some((1, 1.0)), None),
        E::ChatMembers | E::ChatHostedContents => of("default", 30.0, Some((1, 1.0)), None),
        E::ChatMessages | E::ChatMessage => of("chat messages", 20.0, Some((1, 1.0)), None),
        E::TeamMembers => of("team members", 60.0, Some((1, 4.0)), None),
        E::TeamExport
        | E::TeamRetained
        | E::DeletedTeamExport
        | E::UserExport
        | E::UserExportDelta
        | E::UserRetained => of("export", 200.0, None, None),
        E::ChatHostedContentValue => of("hosted content", 60.0, Some((1, 1.0)), None),
        E::Teams
        | E::CallRecords
        | E::DeletedTeams
        | E::DeviceReport
        | E::Recordings
        | E::TagMembers
        | E::TeamTags
        | E::TranscriptContent
        | E::Transcripts => of("default", 30.0, None, None),
        E::TeamApps => of("installed apps", 30.0, None, None),
        E::ChatApps => of("installed apps", 30.0, Some((1, 1.0)), None),
        E::UserApps => of("installed apps", 30.0, None, Some(1.0)),
        E::ChannelTabs => of("tabs", 30.0, Some((2, 1.0)), None),
        E::ChatTabs => of("tabs", 30.0, Some((1, 1.0)), None),
        E::Schedule | E::Shifts => of("schedule", 30.0, None, None),
        // Outlook's limit is per mailbox: 10,000 requests in ten minutes.
        E::GroupConversations | E::GroupThreads | E::ThreadPosts => of("mailbox", 1_000.0, Some((1, 16.0)), None),
        // Directory requests cost resource units; a batch costs what its items cost.
        _ => None,
    }
}

/// Directory requests are counted in units instead of requests.
pub fn costs_units(endpoint: Endpoint) -> bool {
    endpoint != Endpoint::Batch && limits(endpoint).is_none()
}

/// What a directory request costs.
pub fn resource_units(endpoint: Endpoint, query: &Query) -> i64 {
    let base = match endpoint {
        Endpoint::Users | Endpoint::UsersDelta => 2,
        Endpoint::GroupMembers => 3,
        Endpoint::GroupTransitiveMembers => 5,
        _ => 1,
    };
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
}

impl Throttle {
    pub fn new() -> Self {
        Self { started: Instant::now(), granted: 1.0, buckets: HashMap::new() }
    }

    /// Admits a request at real time, sped up by `time_scale`.
    pub fn admit(
        &mut self,
        route: &Route,
        query: &Query,
        knobs: &Knobs,
        users: usize,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if !knobs.rate_limits {
            return Ok(());
        }
        self.granted = knobs.rate_limit_factor;
        let now = self.started.elapsed().as_secs_f64() * knobs.time_scale;
        let (wait, directory) = match limits(route.endpoint) {
            Some(limits) => (self.teams(&limits, route, now), false),
            None if route.endpoint == Endpoint::Batch => (0.0, false),
            None => (self.directory(route, query, users, now), true),
        };
        if wait <= 0.0 {
            return Ok(());
        }
        let mut headers = retry_after(wait, knobs, now_ms);
        if directory {
            headers.push(("x-ms-throttle-scope", "Tenant_Application/Read/emulator".to_owned()));
            headers.push(("x-ms-throttle-information", "ResourceUnitLimitExceeded".to_owned()));
        }
        Err(Refusal::throttled(headers))
    }

    fn teams(&mut self, limits: &Limits, route: &Route, now: f64) -> f64 {
        let mut wait = self.both(limits.class, String::new(), limits.tenant, now);
        if let Some((ids, rate)) = limits.resource {
            wait = wait.max(self.both(limits.class, route.ids[..ids].join("|"), rate, now));
        }
        if let Some(rate) = limits.user {
            let user = route.ids.first().cloned().unwrap_or_default();
            wait = wait.max(self.both(limits.class, user + "|user", rate, now));
        }
        wait
    }

    /// The burst limit and the sustained one.
    fn both(&mut self, class: &'static str, key: String, rate: f64, now: f64) -> f64 {
        let rate = rate * self.granted;
        let steady = rate * SUSTAINED;
        let burst = self.take(class, key.clone(), false, now, rate, rate.max(1.0), 1.0);
        burst.max(self.take(class, key, true, now, steady, steady * SUSTAINED_WINDOW_SECONDS, 1.0))
    }

    fn directory(&mut self, route: &Route, query: &Query, users: usize, now: f64) -> f64 {
        let capacity = directory_units(users) * self.granted;
        let cost = resource_units(route.endpoint, query) as f64;
        self.take("directory", String::new(), false, now, capacity / 10.0, capacity, cost)
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
        RetryAfter::Date => super::wire::http_date(stamp(now_ms + (whole / scale * 1000.0).ceil() as i64 + 999)),
    };
    vec![("Retry-After", value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_its_rate_and_counts_what_it_refuses() {
        let mut bucket = Bucket { tokens: 1.0, at: 0.0 };
        assert!(bucket.take(0.0, 1.0, 1.0, 1.0) <= 0.0);
        assert!((bucket.take(0.5, 1.0, 1.0, 1.0) - 0.5).abs() < 1e-9);
        // The refused request was counted: a second later there is still debt.
        assert!(bucket.take(1.0, 1.0, 1.0, 1.0) > 0.9);
    }

    #[test]
    fn steady_traffic_at_80_percent_passes_and_at_95_does_not() {
        for (rate, refused) in [(0.8, false), (0.95, true)] {
            let mut throttle = Throttle::new();
            let worst = (0..1200)
                .map(|n| throttle.both("channel messages", "c".to_owned(), 1.0, f64::from(n) / rate))
                .fold(0.0, f64::max);
            assert_eq!(worst > 0.0, refused, "at {rate} requests per second");
        }
    }

    #[test]
    fn resource_units_follow_the_table() {
        let units = |endpoint, query| resource_units(endpoint, &Query::parse(query));
        assert_eq!(units(Endpoint::Users, ""), 2);
        assert_eq!(units(Endpoint::Users, "$select=id"), 1);
        assert_eq!(units(Endpoint::GroupMembers, "$top=10"), 2);
        assert_eq!(units(Endpoint::GroupTransitiveMembers, "$expand=x"), 6);
        assert_eq!(units(Endpoint::Groups, "$select=id&$top=1"), 1);
    }
}
