//! Teams: a list with few properties, and single reads with all.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::list::pages;
use crate::handlers::members;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::query::project;
use crate::tenant::model::{Access, Object, Role, Team};
use crate::tenant::visibility::access;

/// The list has every key of a team but fills only these.
const LISTED: &[&str] = &["id", "displayName", "description", "visibility"];

fn listed(team: &Team) -> Object {
    team.properties
        .iter()
        .map(|(name, value)| {
            let kept = if LISTED.contains(&name.as_str()) { value.clone() } else { Value::Null };
            (name.clone(), kept)
        })
        .collect()
}

pub fn list(call: &Call<'_>) -> Outcome {
    call.query.only(&["$filter", "$select", "$top", "$skiptoken", "$count"])?;
    let top = call.top(100, 999)?;
    let after: usize = call.position()?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let prefix = name_prefix(call)?;
    let select = call.query.select();
    let mut items = Items::new();
    let mut end = End::Last;
    for (at, team) in call.tenant.live_teams().filter(|(at, _)| *at >= after) {
        let name = team.properties["displayName"].as_str().unwrap_or_default();
        if access(call.tenant, call.knobs, at) == Access::Missing
            || prefix.is_some_and(|prefix| !name.to_lowercase().starts_with(&prefix.to_lowercase()))
        {
            continue;
        }
        if items.count == top {
            end = End::Next(at.to_string());
            break;
        }
        items.push_value(&project(&listed(team), select.as_deref(), &[]));
    }
    Ok(finish(call, "teams", items, true, end))
}

/// `startswith(displayName, 'x')` is the one filter the page shows.
fn name_prefix<'q>(call: &'q Call<'_>) -> Result<Option<&'q str>, GraphError> {
    let Some(filter) = call.query.get("$filter").filter(|_| !call.faults.ignore_filter) else {
        return Ok(None);
    };
    let inner = filter.trim().strip_prefix("startswith(displayName,").and_then(|rest| rest.strip_suffix(')'));
    let text = inner.map(str::trim).and_then(|rest| rest.strip_prefix('\'')).and_then(|rest| rest.strip_suffix('\''));
    text.map(Some).ok_or_else(|| GraphError::bad_request("Invalid filter clause"))
}

/// The counts behind `$select=summary`.
fn summary(team: &Team) -> Value {
    let count = |role: Role| team.members.iter().filter(|member| member.role == role).count();
    json!({"ownersCount": count(Role::Owner), "membersCount": count(Role::Member), "guestsCount": count(Role::Guest)})
}

pub fn get(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$expand"])?;
    let (_, team) = call.team()?;
    // Team.ReadBasic.All reads the basic properties; the settings need TeamSettings.Read.All.
    let settings = ["TeamSettings.Read.All", "Group.Read.All"].iter().any(|&role| call.knobs.roles.contains(role))
        || call.knobs.rsc_team_ids.contains(&team.id);
    let mut object = if settings { team.properties.clone() } else { listed(team) };
    let select = call.query.select();
    if select.as_ref().is_some_and(|names| names.contains(&"summary")) {
        object.insert("summary".to_owned(), summary(team));
    }
    let mut shown = project(&object, select.as_deref(), &[]);
    shown.insert("@odata.context".to_owned(), json!(call.context("teams/$entity")));
    Ok(Response::ok(Value::Object(shown).to_string()))
}

pub fn members(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    members::list(call, &format!("teams('{}')/members", team.id), &team.id, &team.members)
}

pub fn joined(call: &Call<'_>) -> Outcome {
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let joined = call.tenant.live_teams().filter(|(at, team)| {
        let is_inside = team.members.iter().any(|member| member.user == user);
        is_inside && access(call.tenant, call.knobs, *at) != Access::Missing
    });
    let rows: Vec<_> = joined.map(|(_, team)| listed(team)).collect();
    pages(call, "teams", true, rows.into_iter())
}
