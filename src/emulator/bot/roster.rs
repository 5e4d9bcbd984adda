//! Who is in a conversation, and the channels of a team.

use serde_json::{Map, Value, json};

use crate::bot::place::{Place, person, refusal};
use crate::bot::{address, error};
use crate::handlers::call::Call;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::bot::With;
use crate::tenant::model::{Membership, Team, Tenant};

/// A page is clamped to these sizes.
const SMALLEST_PAGE: usize = 50;
const LARGEST_PAGE: usize = 500;

fn row(tenant: &Tenant, user: usize) -> Value {
    let properties = &tenant.users[user].properties;
    let role = if properties["userType"] == "Guest" { "guest" } else { "user" };
    json!({
        "id": address::person(&tenant.users[user].id),
        "aadObjectId": tenant.users[user].id,
        "name": properties["displayName"],
        "givenName": properties["givenName"],
        "surname": properties["surname"],
        "userRole": role,
        "tenantId": tenant.id,
    })
}

/// Positions of those who are in the conversation, in a fixed order.
fn people(call: &Call<'_>) -> Result<Vec<usize>, GraphError> {
    let place = Place::of(call)?;
    let tenant = call.tenant;
    let members: Vec<usize> = match place.with {
        With::Person(user) => {
            let id = &tenant.users[user].id;
            refusal(call.knobs, id)?;
            if !tenant.bot.has_app(call.knobs, id) {
                return Err(error::of("BotNotInConversationRoster"));
            }
            vec![user]
        }
        With::Channel(team, at) => {
            let channel = &tenant.teams[team].channels[at];
            refusal(call.knobs, &channel.id)?;
            let standard = channel.membership == Membership::Standard;
            let members = if standard { &tenant.teams[team].members } else { &channel.members };
            members.iter().map(|member| member.user).collect()
        }
    };
    Ok(members.into_iter().filter(|&user| tenant.users[user].removal.is_none()).collect())
}

pub fn paged_members(call: &Call<'_>) -> Outcome {
    let members = people(call)?;
    let asked = call.query.get("pageSize").map(|text| text.parse::<usize>().map_err(|_| error::of("Bad Argument")));
    let size = asked.transpose()?.unwrap_or(LARGEST_PAGE).clamp(SMALLEST_PAGE, LARGEST_PAGE);
    let from = match call.query.get("continuationToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            token.strip_prefix("from-").and_then(|at| at.parse().ok()).ok_or_else(|| error::of("Bad Argument"))?
        }
    };
    let last = (from + size).min(members.len());
    let rows: Vec<Value> =
        members.get(from..last).unwrap_or_default().iter().map(|&user| row(call.tenant, user)).collect();
    let mut page = Map::new();
    if last < members.len() {
        page.insert("continuationToken".to_owned(), json!(format!("from-{last}")));
    }
    page.insert("members".to_owned(), json!(rows));
    Ok(Response::ok(Value::Object(page).to_string()))
}

/// One member, by the connector's id, object id or user principal name.
pub fn member(call: &Call<'_>) -> Outcome {
    let members = people(call)?;
    let user = person(call.tenant, call.id(1)).filter(|user| members.contains(user));
    let missing = || GraphError::new(404, "MemberNotFoundInConversation", "Member not found in conversation.");
    Ok(Response::ok(row(call.tenant, user.ok_or_else(missing)?).to_string()))
}

/// A team is named by its first channel's id.
fn team<'a>(call: &Call<'a>) -> Result<&'a Team, GraphError> {
    let found = call.tenant.live_teams().map(|(_, team)| team);
    let mut found = found.filter(|team| team.channels.first().is_some_and(|general| general.id == call.id(0)));
    found.next().ok_or_else(|| error::of("ConversationNotFound"))
}

pub fn details(call: &Call<'_>) -> Outcome {
    let team = team(call)?;
    let shown = json!({"id": call.id(0), "name": team.properties["displayName"], "aadGroupId": team.id});
    Ok(Response::ok(shown.to_string()))
}

/// The first channel has no name here, and the team's id.
pub fn channels(call: &Call<'_>) -> Outcome {
    let channels = team(call)?.channels.iter().filter(|channel| !channel.removed);
    let standard = channels.filter(|channel| channel.membership == Membership::Standard);
    let rows: Vec<Value> = standard
        .map(|channel| {
            let general = channel.id == call.id(0);
            let name = if general { Value::Null } else { channel.properties["displayName"].clone() };
            json!({"id": channel.id, "name": name})
        })
        .collect();
    Ok(Response::ok(json!({"conversations": rows}).to_string()))
}
