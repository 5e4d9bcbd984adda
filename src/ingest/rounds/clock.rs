//! When a round begins, by Graph's clock.

use jiff::{SignedDuration, Timestamp};

use crate::context::ReadContext;
use crate::state::round_kind::{Family, RoundKind};
use crate::state::round_state::signed;
use teams_base::graph::endpoint;
use teams_client::request::Request;

/// A new round begins no sooner than this after the last one.
pub fn min_poll(context: &ReadContext) -> SignedDuration {
    signed(context.options.min_poll)
}

/// Graph's clock. Where nothing had to be listed it is asked for by a small request, of which only the `Date` counts.
pub async fn server_time(context: &ReadContext, kind: RoundKind) -> Timestamp {
    let options = &context.options;
    let is_named = !options.team_ids.is_empty() || !options.user_ids.is_empty() || !options.chat_ids.is_empty();
    // A share of the scopes is not listed either, and often comes to a process that has asked nothing yet.
    if is_named || context.scopes.is_some() && context.client.now().is_none() {
        let team = options.team_ids.first().or(context.scopes.as_ref().and_then(|scopes| scopes.first()));
        let request = match kind {
            RoundKind::Messages(Family::Channels) => team.map(|team| {
                let request = Request::new(&endpoint::TEAM, &["teams", team], format!("team {team}"));
                request.team(team).query("$select", "id")
            }),
            RoundKind::Messages(Family::Chats) | RoundKind::Chats => {
                Some(Request::new(&endpoint::USERS, &["users"], "the clock").query("$select", "id").query("$top", 1))
            }
        };
        if let Some(request) = request {
            // Refused or not, the answer has a date; what is wrong with the scope shows when it is read.
            drop(context.client.get(&request, |_| Ok(())).await);
        }
    }
    context.client.now().unwrap_or_else(|| {
        context.report().note("the server sends no Date header, so the clock of this machine is used");
        Timestamp::now()
    })
}

/// `now`, or just after the last round where it seems to lie less than a second before its end: a `Date` has whole
/// seconds, so two readings of the clock differ by as much, and time goes on all the same.
pub fn after(last: Timestamp, now: Timestamp) -> Timestamp {
    let is_same = now <= last && last.duration_since(now) < SignedDuration::from_secs(1);
    if is_same { last.checked_add(SignedDuration::from_millis(1)).unwrap_or(last) } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_second_time_goes_on() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let last = at("2026-01-15T12:00:01.400Z");
        assert_eq!(after(last, at("2026-01-15T12:00:01Z")), at("2026-01-15T12:00:01.401Z"));
        assert_eq!(after(last, last), at("2026-01-15T12:00:01.401Z"));
        for other in ["2026-01-15T12:00:00.4Z", "2026-01-15T12:00:02Z"] {
            assert_eq!(after(last, at(other)), at(other));
        }
    }
}
