//! Users, groups, and what was deleted of them.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::directory_extras;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::query::project;
use crate::tenant::clock::iso;
use crate::tenant::model::{Group, Object, Removal};
use crate::tenant::visibility::is_recycled;

/// What Graph returns of a user unless `$select` says otherwise.
const USER_DEFAULTS: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// Values of an `in` clause.
const MOST_VALUES: usize = 15;

/// Pages over directory objects; the position is the index of the next one.
fn objects<'a>(
    call: &Call<'_>,
    context: &str,
    defaults: &[&str],
    rows: impl Iterator<Item = (usize, Option<&'static str>, &'a Object)>,
) -> Outcome {
    call.query.only(&["$top", "$select", "$filter", "$skiptoken", "$count", "$orderby", "$search", "$expand"])?;
    let top = call.top(100, 999)?;
    let after: usize = call.position()?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let select = call.query.select();
    let mut items = Items::new();
    let mut end = End::Last;
    for (at, kind, object) in rows.filter(|(at, ..)| *at >= after) {
        if items.count == top {
            end = End::Next(at.to_string());
            break;
        }
        let mut shown = project(object, select.as_deref(), defaults);
        if let Some(kind) = kind {
            shown.insert("@odata.type".to_owned(), json!(kind));
        }
        items.push_value(&shown);
    }
    Ok(finish(call, context, items, false, end))
}

/// `id in ('a','b')`; Graph takes fifteen values.
fn wanted_ids(filter: &str) -> Result<Vec<String>, GraphError> {
    let unsupported = || GraphError::new(400, "Request_UnsupportedQuery", "Unsupported Query.");
    let list = filter.trim().strip_prefix("id in").ok_or_else(unsupported)?.trim();
    let list = list.strip_prefix('(').and_then(|list| list.strip_suffix(')')).ok_or_else(unsupported)?;
    let ids: Vec<String> = list.split(',').map(|id| id.trim().trim_matches('\'').to_owned()).collect();
    if ids.len() > MOST_VALUES {
        return Err(GraphError::new(
            400,
            "Request_UnsupportedQuery",
            "Too many child clauses specified in search filter expression.",
        ));
    }
    Ok(ids)
}

pub fn users(call: &Call<'_>) -> Outcome {
    let wanted = call.query.get("$filter").map(wanted_ids).transpose()?;
    let live = call.tenant.users.iter().enumerate().filter(|(_, user)| {
        user.removal.is_none()
            && !call.knobs.hidden_user_ids.contains(&user.id)
            && wanted.as_ref().is_none_or(|ids| ids.contains(&user.id))
    });
    if call.query.get("$select").is_some_and(|names| names.contains("assigned")) {
        let licensed: Vec<(usize, Object)> = live.map(|(at, user)| (at, directory_extras::licensed(user))).collect();
        return objects(call, "users", USER_DEFAULTS, licensed.iter().map(|(at, user)| (*at, None, user)));
    }
    objects(call, "users", USER_DEFAULTS, live.map(|(at, user)| (at, None, &user.properties)))
}

fn single(call: &Call<'_>, context: &str, object: &Object, defaults: &[&str]) -> Response {
    let select = call.query.select();
    let mut shown = project(object, select.as_deref(), defaults);
    shown.insert("@odata.context".to_owned(), json!(call.context(context)));
    Response::ok(Value::Object(shown).to_string())
}

pub fn user(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$expand"])?;
    let found = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let shown = directory_extras::licensed(&call.tenant.users[found]);
    Ok(single(call, "users/$entity", &shown, USER_DEFAULTS))
}

/// The filters on groups that matter here: those that carry the Team flag, and those with a mailbox.
fn group_filter(call: &Call<'_>) -> Result<fn(&Group) -> bool, GraphError> {
    let Some(filter) = call.query.get("$filter").filter(|_| !call.faults.ignore_filter) else {
        return Ok(|_| true);
    };
    if filter == "groupTypes/any(c:c eq 'Unified')" {
        return Ok(|group| {
            group.properties["groupTypes"].as_array().is_some_and(|kinds| kinds.contains(&json!("Unified")))
        });
    }
    let compact: String = filter.to_ascii_lowercase().split_whitespace().collect();
    let lambda = compact
        .strip_prefix("resourceprovisioningoptions/any(")
        .and_then(|rest| rest.strip_suffix("eq'team')"))
        .and_then(|rest| rest.split_once(':'));
    match lambda {
        Some((variable, used)) if variable == used => Ok(|group| group.is_team),
        _ => Err(GraphError::new(
            400,
            "Request_UnsupportedQuery",
            "Unsupported or invalid query filter clause specified.",
        )),
    }
}

pub fn groups(call: &Call<'_>) -> Outcome {
    if call.query.get("$skip").is_some() {
        return Err(GraphError::new(400, "Request_BadRequest", "'$skip' is not supported by the service."));
    }
    let is_wanted = group_filter(call)?;
    let live = call.tenant.groups.iter().enumerate().filter(|(_, group)| group.removal.is_none() && is_wanted(group));
    objects(call, "groups", &[], live.map(|(at, group)| (at, None, &group.properties)))
}

pub fn group_at(call: &Call<'_>) -> Result<usize, GraphError> {
    let found = call.tenant.group_index.get(call.id(0)).copied();
    found
        .filter(|&group| call.tenant.groups[group].removal.is_none())
        .ok_or_else(|| GraphError::no_resource(call.id(0)))
}

pub fn group(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$expand"])?;
    let found = group_at(call)?;
    Ok(single(call, "groups/$entity", &call.tenant.groups[found].properties, &[]))
}

pub fn group_members(call: &Call<'_>) -> Outcome {
    let group = &call.tenant.groups[group_at(call)?];
    group_people(call, &group.members, Vec::new())
}

pub fn group_transitive_members(call: &Call<'_>) -> Outcome {
    let group = &call.tenant.groups[group_at(call)?];
    group_people(call, &group.members, directory_extras::others(group))
}

pub fn group_owners(call: &Call<'_>) -> Outcome {
    let group = &call.tenant.groups[group_at(call)?];
    group_people(call, &group.owners, Vec::new())
}

fn group_people(call: &Call<'_>, direct: &[usize], others: Vec<(&'static str, Object)>) -> Outcome {
    let users = direct.iter().map(|&user| &call.tenant.users[user]).filter(|user| user.removal.is_none());
    let users = users.map(|user| ("#microsoft.graph.user", &user.properties));
    let all = users.chain(others.iter().map(|(kind, properties)| (*kind, properties)));
    let rows = all.enumerate().map(|(at, (kind, properties))| (at, Some(kind), properties));
    objects(call, "directoryObjects", USER_DEFAULTS, rows)
}

fn deleted_row(properties: &Object, removal: Removal) -> Object {
    let mut row = properties.clone();
    row.insert("deletedDateTime".to_owned(), json!(iso(removal.at_ms - removal.at_ms.rem_euclid(1000))));
    row
}

fn recycled(call: &Call<'_>, removal: Option<Removal>) -> Option<Removal> {
    removal.filter(|_| is_recycled(call.now_ms, removal))
}

pub fn deleted_users(call: &Call<'_>) -> Outcome {
    let all = call.tenant.users.iter().map(|user| (&user.properties, user.removal));
    deleted(call, "directory/deletedItems/microsoft.graph.user", &[USER_DEFAULTS, &["deletedDateTime"]].concat(), all)
}

pub fn deleted_groups(call: &Call<'_>) -> Outcome {
    let all = call.tenant.groups.iter().map(|group| (&group.properties, group.removal));
    deleted(call, "directory/deletedItems/microsoft.graph.group", &[], all)
}

fn deleted<'a>(
    call: &Call<'_>,
    context: &str,
    defaults: &[&str],
    all: impl Iterator<Item = (&'a Object, Option<Removal>)>,
) -> Outcome {
    let rows: Vec<(usize, Object)> = all
        .enumerate()
        .filter_map(|(at, (properties, removal))| Some((at, deleted_row(properties, recycled(call, removal)?))))
        .collect();
    objects(call, context, defaults, rows.iter().map(|(at, row)| (*at, None, row)))
}
