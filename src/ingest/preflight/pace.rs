//! How long requests take at the rates that the client plans with: [`limits`] is where both have them from.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use serde::Serialize;

use super::cost::Part;
use teams_base::graph::endpoint::{Endpoint, RateClass};
use teams_base::graph::limits::limits;

/// The budget that a read meets first, and how long it takes by it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pace {
    pub seconds: f64,
    /// Requests per second.
    pub rate: f64,
    /// Whose budget it is: `app`, `team`, `channel or chat`, `user`, or `requests_per_second`.
    pub budget: &'static str,
    pub endpoint: &'static str,
}

/// The collection of what an endpoint is asked for: `channels` of `/teams/{id}/channels/{id}/messages`.
pub fn parent(template: &str) -> &str {
    let before = template.rsplit_once("/{id}").map_or("", |(before, _)| before);
    before.rsplit('/').next().unwrap_or_default()
}

/// The planned requests per second to an endpoint.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rates {
    /// For the application in this tenant.
    pub app: f64,
    /// For the team, channel, chat or user that is asked for, where it has a limit of its own.
    pub narrow: Option<(&'static str, f64)>,
}

pub fn rates(endpoint: &'static Endpoint) -> Rates {
    let limits = limits(endpoint.class);
    let (budget, rate) = match parent(endpoint.template) {
        "teams" => ("team", limits.team),
        "channels" | "chats" => ("channel or chat", limits.conversation),
        "users" => ("user", limits.user),
        _ => ("", None),
    };
    Rates { app: limits.tenant / limits.cost, narrow: rate.map(|rate| (budget, rate)) }
}

/// The slowest of the budgets that these requests draw on. What is read side by side shares an app's budget; one team,
/// channel, chat or user has one of its own, and then its share of the requests counts, which is that of the average one.
pub fn pace(parts: &[Part], requests_per_second: Option<f64>) -> Option<Pace> {
    let mut classes: HashMap<Discriminant<RateClass>, f64> = HashMap::new();
    let mut found: Vec<Pace> = Vec::new();
    for part in parts {
        let rates = rates(part.endpoint);
        let app = classes.entry(discriminant(&part.endpoint.class)).or_default();
        *app += part.requests / rates.app;
        let endpoint = part.endpoint.template;
        found.push(Pace { seconds: *app, rate: rates.app, budget: "app", endpoint });
        if let Some((budget, rate)) = rates.narrow {
            found.push(Pace { seconds: part.each / rate, rate, budget, endpoint });
        }
    }
    if let (Some(rate), Some(part)) = (requests_per_second, parts.last()) {
        let requests: f64 = parts.iter().map(|part| part.requests).sum();
        let endpoint = part.endpoint.template;
        found.push(Pace { seconds: requests / rate, rate, budget: "requests_per_second", endpoint });
    }
    found.into_iter().max_by(|one, other| one.seconds.total_cmp(&other.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use teams_base::graph::endpoint::{CHANNEL_MESSAGES, CHANNELS, TEAM_MEMBERS, USERS};

    fn part(endpoint: &'static Endpoint, requests: f64, each: f64) -> Part {
        Part { endpoint, requests, round_trips: requests, formula: "", each }
    }

    fn of(parts: &[Part], ceiling: Option<f64>) -> (f64, &'static str) {
        let pace = pace(parts, ceiling).unwrap();
        ((pace.seconds * 1000.0).round() / 1000.0, pace.budget)
    }

    #[test]
    fn the_budget_that_lasts_longest_decides() {
        // 20 requests per second for the app, one for each channel, and 80 % of that.
        assert_eq!(of(&[part(&CHANNEL_MESSAGES, 1600.0, 2.0)], None), (100.0, "app"));
        assert_eq!(of(&[part(&CHANNEL_MESSAGES, 100.0, 100.0)], None), (125.0, "channel or chat"));
        assert_eq!(of(&[part(&TEAM_MEMBERS, 32.0, 32.0)], None), (10.0, "team"));
        assert_eq!(of(&[part(&CHANNEL_MESSAGES, 1600.0, 2.0)], Some(4.0)), (400.0, "requests_per_second"));
        assert_eq!(pace(&[], Some(4.0)), None);
    }

    #[test]
    fn one_class_adds_up_and_classes_do_not() {
        let two = [part(&CHANNELS, 480.0, 1.0), part(&CHANNELS, 480.0, 1.0), part(&USERS, 280.0, 1.0)];
        assert_eq!(of(&two, None), (20.0, "app"));
    }
}
