//! Channels of a team, their members, and shared channels as other teams see them.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::chats::hide_migration;
use crate::handlers::list::pages;
use crate::handlers::members;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::query::project;
use crate::tenant::model::{Channel, Member, Membership, Object, Role, Team, Tenant};

/// `shared` is an evolvable enum member: given only to callers that prefer unknown members.
fn shown(call: &Call<'_>, channel: &Channel) -> Object {
    let mut object = channel.properties.clone();
    hide_migration(call, &mut object);
    if channel.membership == Membership::Shared && !call.known_enums {
        object.insert("membershipType".to_owned(), json!("unknownFutureValue"));
    }
    object
}

/// `$filter=membershipType eq 'private'`.
fn wanted(call: &Call<'_>) -> Result<Option<String>, GraphError> {
    let Some(filter) = call.query.get("$filter").filter(|_| !call.faults.ignore_filter) else {
        return Ok(None);
    };
    let kind = filter.trim().strip_prefix("membershipType eq '").and_then(|rest| rest.strip_suffix('\''));
    kind.map(|kind| Some(kind.to_owned())).ok_or_else(|| GraphError::bad_request("Invalid filter clause"))
}

fn row(call: &Call<'_>, channel: &Channel, wanted: Option<&str>, odata_id: Option<String>) -> Option<Object> {
    if wanted.is_some_and(|kind| channel.properties["membershipType"] != kind) {
        return None;
    }
    let object = shown(call, channel);
    let mut row = project(&object, call.query.select().as_deref(), &[]);
    if let Some(id) = odata_id {
        row.insert("@odata.id".to_owned(), json!(id));
    }
    Some(row)
}

/// The id of a channel at its host: tenant and team.
fn host_id(call: &Call<'_>, team: &Team, channel: &Channel) -> String {
    format!("{}/v1.0/tenants/{}/teams/{}/channels/{}", call.request.base, call.tenant.id, team.id, channel.id)
}

pub fn list(call: &Call<'_>) -> Outcome {
    call.query.only(&["$filter", "$select", "$expand", "$skiptoken"])?;
    let (_, team) = call.team()?;
    let wanted = wanted(call)?;
    let channels = team.channels.iter().filter(|channel| !channel.removed);
    let rows: Vec<_> = channels.filter_map(|channel| row(call, channel, wanted.as_deref(), None)).collect();
    pages(call, &format!("teams('{}')/channels", team.id), true, rows.into_iter())
}

/// Own and incoming channels.
pub fn all(call: &Call<'_>) -> Outcome {
    with_hosts(call, "allChannels", true)
}

pub fn list_incoming(call: &Call<'_>) -> Outcome {
    with_hosts(call, "incomingChannels", false)
}

fn with_hosts(call: &Call<'_>, name: &str, own: bool) -> Outcome {
    call.query.only(&["$filter", "$select", "$skiptoken"])?;
    let (_, team) = call.team()?;
    let wanted = wanted(call)?;
    let channels = team.channels.iter().filter(|channel| own && !channel.removed).map(|channel| (team, channel));
    let rows: Vec<_> = channels
        .chain(call.tenant.incoming(team))
        .filter_map(|(host, channel)| row(call, channel, wanted.as_deref(), Some(host_id(call, host, channel))))
        .collect();
    pages(call, &format!("teams('{}')/{name}", team.id), true, rows.into_iter())
}

/// The incoming channels of a team as they are, without links.
pub fn incoming(tenant: &Tenant, team: &Team) -> Vec<Value> {
    tenant.incoming(team).map(|(_, channel)| Value::Object(channel.properties.clone())).collect()
}

fn entity(call: &Call<'_>, team: &Team, channel: &Channel) -> Response {
    let mut object = shown(call, channel);
    let select = call.query.select();
    if select.as_ref().is_some_and(|names| names.contains(&"summary")) {
        object.insert("summary".to_owned(), summary(team, channel));
    }
    let mut row = project(&object, select.as_deref(), &[]);
    row.insert("@odata.context".to_owned(), json!(call.context(&format!("teams('{}')/channels/$entity", team.id))));
    Response::ok(Value::Object(row).to_string())
}

fn summary(team: &Team, channel: &Channel) -> Value {
    let members = if channel.membership == Membership::Standard { &team.members } else { &channel.members };
    let count = |role: Role| members.iter().filter(|member| member.role == role).count();
    json!({
        "ownersCount": count(Role::Owner), "membersCount": count(Role::Member), "guestsCount": count(Role::Guest),
        "hasMembersFromOtherTenants": false,
    })
}

pub fn get(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$expand", "$filter"])?;
    let (team, channel) = call.channel()?;
    Ok(entity(call, team, channel))
}

pub fn primary(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    let first = team.channels.iter().find(|channel| !channel.removed);
    first.map(|channel| entity(call, team, channel)).ok_or_else(|| GraphError::not_found("NotFound"))
}

/// Membership of a standard channel is the team's. `all`: with the indirect members of a shared channel.
pub fn people(tenant: &Tenant, team: &Team, channel: &Channel, all: bool) -> Vec<Member> {
    let mut people =
        if channel.membership == Membership::Standard { team.members.clone() } else { channel.members.clone() };
    if all && channel.membership == Membership::Shared {
        for member in tenant.invited(channel).flat_map(|guest| &guest.members) {
            if !people.iter().any(|known| known.user == member.user) {
                people.push(member.clone());
            }
        }
    }
    people
}

pub fn members(call: &Call<'_>) -> Outcome {
    list_people(call, "members", false)
}

/// With the indirect members of a shared channel.
pub fn all_members(call: &Call<'_>) -> Outcome {
    list_people(call, "allMembers", true)
}

fn list_people(call: &Call<'_>, name: &str, all: bool) -> Outcome {
    let (team, channel) = call.channel()?;
    let people = people(call.tenant, team, channel, all);
    let channel_id = channel.id.replace(':', "%3A").replace('@', "%40");
    members::list(call, &format!("teams('{}')/channels('{channel_id}')/{name}", team.id), &channel.id, &people)
}
