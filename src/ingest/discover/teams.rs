//! Teams.

use super::{id, named, sorted};
use crate::context::ReadContext;
use crate::error_policy::is_refused_or_absent;
use crate::page_sizes;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;

/// The list of all teams. <https://learn.microsoft.com/graph/api/teams-list>
pub fn request() -> Request {
    Request::new(&endpoint::TEAMS, &["teams"], "all teams")
}

/// The groups that have a team, for where `/teams` is refused: they need another permission, and some servers offer only
/// this list. <https://learn.microsoft.com/graph/teams-list-all-teams>
pub fn groups_request() -> Request {
    Request::new(&endpoint::GROUPS_WITH_TEAM, &["groups"], "all teams")
        .query("$filter", "resourceProvisioningOptions/Any(x:x eq 'Team')")
        .query("$top", page_sizes::GROUPS)
}

/// The ids of the teams that the options name, or of all, sorted.
pub async fn ids(context: &ReadContext) -> Result<Vec<String>> {
    if let Some(scopes) = &context.scopes {
        return Ok(named(scopes));
    }
    if !context.options.team_ids.is_empty() {
        return Ok(named(&context.options.team_ids));
    }
    match context.list(&request().query("$select", "id"), id).await {
        Err(error) if is_refused_or_absent(&error) => {
            let groups = context.list(&groups_request().query("$select", "id"), id).await;
            groups.map(sorted).map_err(|second| if is_refused_or_absent(&second) { error } else { second })
        }
        teams => teams.map(sorted),
    }
}
