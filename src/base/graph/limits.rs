//! Graph's limits for reading (<https://learn.microsoft.com/graph/throttling-limits>), and the share of them that is planned with.

use super::endpoint::RateClass;

/// Teams enforces a sustained limit of about 83 % of each value over a longer window, so the plan stays below that.
const SHARE: f64 = 0.8;

/// What one request of a class draws on. Rates are per second.
pub struct Limits {
    /// Per application and tenant.
    pub tenant: f64,
    pub team: Option<f64>,
    /// Per channel or chat.
    pub conversation: Option<f64>,
    pub user: Option<f64>,
    /// What a request costs of the tenant's budget.
    pub cost: f64,
}

pub fn limits(class: RateClass) -> Limits {
    // Per application and tenant, then per team, per conversation and per user; 0 where there is no limit of its own.
    let (tenant, team, conversation, user, cost) = match class {
        RateClass::Team => (30, 4, 0, 0, 1),
        RateClass::Channels => (60, 4, 0, 0, 1),
        RateClass::Members => (60, 4, 1, 0, 1),
        RateClass::ChannelMessages | RateClass::ChatMessages => (20, 0, 1, 0, 1),
        RateClass::Export => (200, 0, 0, 0, 1),
        RateClass::UserChats => (20, 0, 0, 1, 1),
        RateClass::Chat => (200, 0, 1, 5, 1),
        // Outlook allows 10,000 requests in ten minutes per mailbox, which stands in the team's place here, and names no
        // limit per tenant: a Teams list's is taken.
        RateClass::Mailbox => (60, 16, 0, 0, 1),
        // 3,500 resource units in ten seconds: the smallest tenants' bucket, because the size is not known.
        RateClass::Directory(units) => (350, 0, 0, 0, units.max(1)),
        RateClass::Other => (30, 0, 1, 1, 1),
    };
    let planned = |rate: u32| (rate > 0).then(|| f64::from(rate) * SHARE);
    Limits {
        tenant: f64::from(tenant) * SHARE,
        team: planned(team),
        conversation: planned(conversation),
        user: planned(user),
        cost: f64::from(cost),
    }
}
