//! Users.

use std::collections::BTreeSet;

use super::{id, named, sorted, teams};
use crate::context::ReadContext;
use crate::page_sizes;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::Empty;

/// The ids of the users that the options name, or of all, sorted.
///
/// Without permission for `/users` they are those of the members of the teams.
pub async fn ids(context: &ReadContext) -> Result<Vec<String>> {
    match all_ids(context).await {
        Err(Error::PermissionDenied(_)) => {
            context.report().note(format!(
                "/users is refused, so users are taken from the members of the teams: people in no team are missing. \
                 Grant {} to read all",
                endpoint::USERS.permission
            ));
            members_of_teams(context).await
        }
        users => users,
    }
}

/// The same, or an error where `/users` is refused: a snapshot of some users would delete the others downstream.
/// <https://learn.microsoft.com/graph/api/user-list>
pub async fn all_ids(context: &ReadContext) -> Result<Vec<String>> {
    if let Some(scopes) = &context.scopes {
        return Ok(named(scopes));
    }
    if !context.options.user_ids.is_empty() {
        return Ok(named(&context.options.user_ids));
    }
    let request =
        Request::new(&endpoint::USERS, &["users"], "all users").query("$select", "id").query("$top", page_sizes::USERS);
    context.list(&request, Empty::Never, id).await.map(sorted)
}

async fn members_of_teams(context: &ReadContext) -> Result<Vec<String>> {
    let mut users = BTreeSet::new();
    for team in teams::ids(context).await? {
        let members = members_request(context, &team);
        match context.list(&members, Empty::Rare, |member| Some(member.id("userId"))).await {
            // Members that are no users, such as bots, have none.
            Ok(members) => users.extend(members.into_iter().flatten()),
            Err(Error::NotFound(failure)) => context.skip(&failure, "its members are not found"),
            Err(error) => return Err(error),
        }
    }
    Ok(users.into_iter().collect())
}

/// <https://learn.microsoft.com/graph/api/team-list-members>
fn members_request(context: &ReadContext, team: &str) -> Request {
    Request::new(&endpoint::TEAM_MEMBERS, &["teams", team, "members"], format!("team {team}"))
        .team(team)
        .query("$top", page_sizes::top(context.options.top, page_sizes::MEMBERS))
}
