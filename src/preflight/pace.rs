//! How long requests take at the rates that the client plans with: [`limits`] is where both have them from.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use serde::Serialize;

use super::cost::Part;
use crate::client::endpoint::RateClass;
use crate::client::limits::limits;

/// The budget that a read meets first, and how long it takes by it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pace {
    pub seconds: f64,
    /// Requests (of directory objects: resource units) per second.
    pub rate: f64,
    /// Whose budget it is: `app`, `team`, `channel or chat`, `user`, or `requests_per_second`.
    pub budget: &'static str,
    pub endpoint: &'static str,
}

/// The slowest of the budgets that these requests draw on. What is read side by side shares an app's budget; one team,
/// channel, chat or user has one of its own, and then its share of the requests counts, which is that of the average one.
pub fn pace(parts: &[Part], requests_per_second: Option<f64>) -> Option<Pace> {
    let mut classes: HashMap<Discriminant<RateClass>, f64> = HashMap::new();
    let mut found: Vec<Pace> = Vec::new();
    for part in parts {
        let limits = limits(part.endpoint.class);
        let app = classes.entry(discriminant(&part.endpoint.class)).or_default();
        *app += part.requests * limits.cost / limits.tenant;
        let endpoint = part.endpoint.template;
        found.push(Pace { seconds: *app, rate: limits.tenant, budget: "app", endpoint });
        let narrow = [("team", limits.team), ("channel or chat", limits.conversation), ("user", limits.user)];
        for (budget, rate) in narrow {
            if let Some(rate) = rate {
                found.push(Pace { seconds: part.each / rate, rate, budget, endpoint });
            }
        }
    }
    if let (Some(rate), Some(part)) = (requests_per_second, parts.last()) {
        let requests: f64 = parts.iter().map(|part| part.requests).sum();
        let endpoint = part.endpoint.template;
        found.push(Pace { seconds: requests / rate, rate, budget: "requests_per_second", endpoint });
    }
    found.into_iter().max_by(|one, other| one.seconds.total_cmp(&other.seconds))
}
