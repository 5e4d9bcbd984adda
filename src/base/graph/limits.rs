//! Graph's limits (<https://learn.microsoft.com/graph/throttling-limits>), and the share of them that is planned with.

use super::endpoint::RateClass;

/// Teams enforces a sustained limit of about 83 % of each value over a longer window, so the plan stays below that.
const SHARE: f64 = 0.8;

/// Requests a second to the Bot Connector, of all kinds, per app and tenant
/// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit>).
const BOT: f64 = 50.0;
/// Per bot and conversation: what is sent to it, and what is asked of it.
const SENDS: &[(usize, u64)] = &[(7, 1), (8, 2), (60, 30), (1_800, 3_600)];
const ROSTERS: &[(usize, u64)] = &[(14, 1), (16, 2), (120, 30), (3_600, 3_600)];

/// What one request of a class draws on. Rates are per second.
pub struct Limits {
    /// Per application and tenant.
    pub tenant: f64,
    pub team: Option<f64>,
    /// Per channel or chat.
    pub conversation: Option<f64>,
    pub user: Option<f64>,
    /// Requests within so many seconds, per conversation.
    pub windows: &'static [(usize, u64)],
    /// What a request costs of the tenant's budget.
    pub cost: f64,
}

pub fn limits(class: RateClass) -> Limits {
    // Per application and tenant, then per team, per conversation and per user; 0 where there is no limit of its own.
    let (tenant, team, conversation, user, cost) = match class {
        RateClass::Team => (30.0, 4.0, 0.0, 0.0, 1),
        RateClass::Channels => (60.0, 4.0, 0.0, 0.0, 1),
        RateClass::Members => (60.0, 4.0, 1.0, 0.0, 1),
        RateClass::ChannelMessages | RateClass::ChatMessages | RateClass::ImportToChat => (20.0, 0.0, 1.0, 0.0, 1),
        RateClass::Export => (200.0, 0.0, 0.0, 0.0, 1),
        RateClass::UserChats => (20.0, 0.0, 0.0, 1.0, 1),
        RateClass::Chat => (200.0, 0.0, 1.0, 5.0, 1),
        // Outlook allows 10,000 requests in ten minutes per mailbox, which stands in the team's place here, and names no
        // limit per tenant: a Teams list's is taken.
        RateClass::Mailbox => (60.0, 16.0, 0.0, 0.0, 1),
        // 3,500 resource units in ten seconds: the smallest tenants' bucket, because the size is not known.
        RateClass::Directory(units) => (350.0, 0.0, 0.0, 0.0, units.max(1)),
        RateClass::Other => (30.0, 0.0, 1.0, 1.0, 1),
        RateClass::CreateTeam => (10.0, 0.0, 0.0, 0.0, 1),
        RateClass::CreateChannel => (10.0, 4.0, 0.0, 0.0, 1),
        RateClass::CreateChat => (20.0, 0.0, 0.0, 0.0, 1),
        RateClass::Migration => (10.0, 0.0, 1.0, 0.0, 1),
        // The article on imports says 5 a second and channel, the throttling table 1, and 50 for the tenant. The faster is
        // planned, and a refusal finds out.
        RateClass::ImportToChannel => (500.0, 0.0, 5.0, 0.0, 1),
        RateClass::AddMembers => (10.0, 4.0 / 60.0, 0.0, 0.0, 1),
        RateClass::Install => (30.0, 0.0, 0.0, 0.0, 1),
        RateClass::BotSend => (BOT, 0.0, 7.0, 0.0, 1),
        RateClass::BotCreate => (BOT, 0.0, 0.0, 0.0, 1),
        RateClass::BotRoster => (BOT, 0.0, 14.0, 0.0, 1),
    };
    let share = if writes(class) { 1.0 } else { SHARE };
    let planned = |rate: f64| (rate > 0.0).then_some(rate * share);
    Limits {
        tenant: tenant * share,
        team: planned(team),
        conversation: planned(conversation),
        user: planned(user),
        windows: match class {
            RateClass::BotSend => SENDS,
            RateClass::BotRoster => ROSTERS,
            _ => &[],
        },
        cost: f64::from(cost),
    }
}

/// Requests with an effect: an import or a broadcast takes hours at the limit, so it is planned at the limit itself. The Bot
/// Connector documents no lower limit over longer times.
pub fn writes(class: RateClass) -> bool {
    matches!(
        class,
        RateClass::CreateTeam
            | RateClass::CreateChannel
            | RateClass::CreateChat
            | RateClass::Migration
            | RateClass::ImportToChannel
            | RateClass::ImportToChat
            | RateClass::AddMembers
            | RateClass::Install
            | RateClass::BotSend
            | RateClass::BotCreate
            | RateClass::BotRoster
    )
}
