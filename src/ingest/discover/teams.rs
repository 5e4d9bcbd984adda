//! Teams.

use serde_json::value::RawValue;

use super::{id, named, sorted};
use crate::context::{self, ReadContext};
use crate::dedup::latest;
use crate::error_policy::is_refused_or_absent;
use crate::page_sizes;
use crate::pagination::protocol_error;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Empty, Fields};

/// The list of all teams. <https://learn.microsoft.com/graph/api/teams-list>
fn request() -> Request {
    Request::new(&endpoint::TEAMS, &["teams"], "all teams")
}

/// The groups that have a team, for where `/teams` is refused: they need another permission, and some servers offer only
/// this list. <https://learn.microsoft.com/graph/teams-list-all-teams>
fn groups_request() -> Request {
    Request::new(&endpoint::GROUPS_WITH_TEAM, &["groups"], "all teams")
        .query("$filter", "resourceProvisioningOptions/Any(x:x eq 'Team')")
        .query("$top", page_sizes::GROUPS)
}

/// The ids of the teams that the options name, or of all, sorted, without those that are to be left out.
pub async fn ids(context: &ReadContext) -> Result<Vec<String>> {
    let mut teams = chosen(context).await?;
    teams.retain(|id| !context.options.excludes_team(id));
    Ok(teams)
}

async fn chosen(context: &ReadContext) -> Result<Vec<String>> {
    if let Some(scopes) = &context.scopes {
        return Ok(named(scopes));
    }
    if !context.options.team_ids.is_empty() {
        return Ok(named(&context.options.team_ids));
    }
    let request = request().query("$select", "id");
    let teams = list(context, &request, "id").await?;
    context::named(&request, &teams, id).map(sorted)
}

/// All teams with their basic settings, without those that are to be left out.
pub async fn all(context: &ReadContext) -> Result<Vec<Box<RawValue>>> {
    let mut teams =
        list(context, &request(), "id,displayName,description,visibility,createdDateTime,classification").await?;
    let is_wanted = |team: &RawValue| {
        Fields::of(team.get()).and_then(|team| team.id("id")).is_none_or(|id| !context.options.excludes_team(&id))
    };
    teams.retain(|team| is_wanted(team));
    Ok(teams)
}

/// All teams, each once; `select` are the properties that are asked of groups where these stand in.
///
/// A list without a team is believed only where the groups say so too: otherwise everything of every team would be taken
/// for deleted.
async fn list(context: &ReadContext, request: &Request, select: &str) -> Result<Vec<Box<RawValue>>> {
    let groups = || async {
        let groups = groups_request().query("$select", select);
        context.list_unless_empty(&groups, Empty::Rare).await
    };
    let teams = match context.list_unless_empty(request, Empty::Rare).await {
        Err(error) if is_refused_or_absent(&error) => {
            groups().await.map_err(|second| if is_refused_or_absent(&second) { error } else { second })
        }
        Ok(teams) if teams.is_empty() => match groups().await {
            Ok(groups) if groups.is_empty() => Ok(groups),
            Err(error) if !is_refused_or_absent(&error) => Err(error),
            Ok(groups) => Err(no_team(request, &format!("{} groups have one", groups.len()))),
            Err(error) => Err(no_team(request, &format!("the groups could not be asked: {error}"))),
        },
        teams => teams,
    };
    Ok(latest(teams?, |team| team.get(), &["id"]))
}

fn no_team(request: &Request, doubt: &str) -> Error {
    protocol_error(
        request,
        format!("the tenant's list of teams was empty twice, but {doubt}"),
        "Nothing is taken for deleted. Try again later, or name the teams with team_id; a tenant without any team is \
         believed where its groups can be listed (Group.ReadBasic.All)",
    )
}
