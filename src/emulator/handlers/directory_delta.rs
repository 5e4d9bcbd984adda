//! `/users/delta` and `/groups/delta`: rounds, tokens that expire, tombstones, split memberships.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::odata::query::project;
use crate::tenant::clock::DAY_MS;
use crate::tenant::knobs::DeltaExpiry;
use crate::tenant::model::{Event, Group, Object, Removal, Step, User};

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

/// Above this many members a group is repeated over several items.
const MEMBERS_PER_ITEM: usize = 50;

/// Where a round is: from which step, up to which step, and the next object in it.
struct Round {
    since: Option<u64>,
    until: u64,
    at: usize,
}

fn expired(call: &Call<'_>) -> GraphError {
    match call.knobs.delta_expiry {
        DeltaExpiry::Gone => {
            let mut error = GraphError::new(410, "resyncRequired", "Resync is required.");
            error.headers.push(("Location", call.link(&["$skiptoken", "$deltatoken"], "$deltatoken=")));
            error
        }
        DeltaExpiry::SyncStateNotFound => {
            GraphError::new(400, "syncStateNotFound", "The sync state generation is not found.")
        }
        DeltaExpiry::ResyncRequired => GraphError::new(400, "resyncRequired", "Resync is required."),
    }
}

fn round(call: &Call<'_>) -> Result<Round, GraphError> {
    call.query.only(&["$select", "$filter", "$skiptoken", "$deltatoken"])?;
    let until = call.tenant.seq;
    if call.query.get("$deltatoken").is_some_and(|token| token.eq_ignore_ascii_case("latest")) {
        return Ok(Round { since: Some(until), until, at: 0 });
    }
    if let Some(position) = call.position()? {
        let parts: Vec<&str> = position.split(',').collect();
        let [since, until, at] = parts.as_slice() else {
            return Err(GraphError::bad_request("Invalid skip token."));
        };
        let number = |text: &str| text.parse().map_err(|_| GraphError::bad_request("Invalid skip token."));
        let since = if *since == "-" { None } else { Some(number(since)?) };
        let at = number(at)? as usize;
        return Ok(Round { since, until: number(until)?, at });
    }
    let Some(token) = call.delta_token()? else {
        return Ok(Round { since: None, until, at: 0 });
    };
    if call.now_ms - token.issued_ms > call.knobs.delta_token_days * DAY_MS {
        return Err(expired(call));
    }
    let since = token.position.parse().map_err(|_| GraphError::bad_request("Invalid delta token."))?;
    Ok(Round { since: Some(since), until, at: 0 })
}

fn tombstone(id: &str, removal: Removal) -> Value {
    let reason = if removal.permanent { "deleted" } else { "changed" };
    json!({"id": id, "@removed": {"reason": reason}})
}

/// Ids of `$filter=id eq 'a' or id eq 'b'`.
fn wanted_ids<'q>(call: &'q Call<'_>) -> Result<Option<Vec<&'q str>>, GraphError> {
    let Some(filter) = call.query.get("$filter") else {
        return Ok(None);
    };
    let ids: Vec<&str> = filter.split('\'').skip(1).step_by(2).collect();
    let plain: String = filter.split('\'').step_by(2).collect();
    if ids.is_empty() || ids.len() > 50 || plain.split_whitespace().any(|word| !["id", "eq", "or"].contains(&word)) {
        return Err(GraphError::new(400, "Request_UnsupportedQuery", "Unsupported Query."));
    }
    Ok(Some(ids))
}

/// A page of a round over `total` objects or steps; `show` gives the items of one.
fn drain(call: &Call<'_>, context: &str, round: &Round, total: usize, show: impl Fn(usize) -> Vec<Value>) -> Response {
    let mut items = Items::new();
    let mut end = End::Delta(round.until);
    for at in round.at..total {
        if items.count >= call.knobs.directory_delta_page {
            let since = round.since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            end = End::Next(format!("{since},{},{at}", round.until));
            break;
        }
        show(at).iter().for_each(|value| items.push_value(value));
    }
    finish(call, context, items, false, end)
}

/// The steps of a round that tells them, in order, each with its object. The first round is the present state.
fn steps<'t, T>(
    call: &Call<'_>,
    round: &Round,
    objects: &'t [T],
    of: fn(&T) -> &[Step],
) -> Option<Vec<(&'t T, &'t Step)>> {
    let since = round.since.filter(|_| call.knobs.directory_delta_steps)?;
    let all = objects.iter().flat_map(|object| of(object).iter().map(move |step| (object, step)));
    let mut steps: Vec<_> = all.filter(|(_, step)| step.seq > since && step.seq <= round.until).collect();
    steps.sort_by_key(|(_, step)| step.seq);
    Some(steps)
}

fn show_user(call: &Call<'_>, user: &User, round: &Round) -> Vec<Value> {
    let Some(since) = round.since else {
        // The first round is the present state.
        return if user.removal.is_none() { vec![Value::Object(user_row(call, &user.properties))] } else { Vec::new() };
    };
    if let Some(removal) = user.removal {
        return if removal.seq > since { vec![tombstone(&user.id, removal)] } else { Vec::new() };
    }
    if user.seq <= since {
        return Vec::new();
    }
    let created = user.created_seq > since;
    let mut row = user_row(call, &user.properties);
    if call.minimal && !created {
        row.retain(|name, _| name == "id" || user.changes.iter().any(|(seq, changed)| *seq > since && changed == name));
    }
    vec![Value::Object(row)]
}

fn show_user_step(call: &Call<'_>, user: &User, step: &Step) -> Value {
    match &step.event {
        Event::Left(removal) => tombstone(&user.id, *removal),
        Event::Came(properties) => Value::Object(user_row(call, properties)),
        Event::Changed(properties) => {
            let mut row = user_row(call, properties);
            if call.minimal {
                row.retain(|name, _| {
                    name == "id" || user.changes.iter().any(|(seq, changed)| *seq == step.seq && changed == name)
                });
            }
            Value::Object(row)
        }
    }
}

fn user_row(call: &Call<'_>, properties: &Object) -> Object {
    project(properties, call.query.select().as_deref(), USER_DEFAULTS)
}

pub fn users(call: &Call<'_>) -> Outcome {
    let ids = wanted_ids(call)?;
    let round = round(call)?;
    let users = &call.tenant.users;
    let is_shown = |user: &User| {
        ids.as_ref().is_none_or(|ids| ids.contains(&user.id.as_str())) && !call.knobs.hidden_user_ids.contains(&user.id)
    };
    Ok(match steps(call, &round, users, |user| &user.steps) {
        None => drain(call, "users", &round, users.len(), |at| {
            if is_shown(&users[at]) { show_user(call, &users[at], &round) } else { Vec::new() }
        }),
        Some(steps) => drain(call, "users", &round, steps.len(), |at| {
            let (user, step) = steps[at];
            if is_shown(user) { vec![show_user_step(call, user, step)] } else { Vec::new() }
        }),
    })
}

fn member(call: &Call<'_>, user: usize, removed: bool) -> Value {
    let mut entry = json!({"@odata.type": "#microsoft.graph.user", "id": call.tenant.users[user].id});
    if removed {
        entry["@removed"] = json!({"reason": "deleted"});
    }
    entry
}

fn show_group(call: &Call<'_>, group: &Group, round: &Round) -> Vec<Value> {
    if let Some(removal) = group.removal {
        let is_news = round.since.is_some_and(|since| removal.seq > since);
        return if is_news { vec![tombstone(&group.id, removal)] } else { Vec::new() };
    }
    if round.since.is_some_and(|since| group.seq <= since) {
        return Vec::new();
    }
    // A group that was created since then comes with all its members, not with changes of them.
    let members: Vec<Value> = match round.since.filter(|since| group.created_seq <= *since) {
        None => group.members.iter().map(|&user| member(call, user, false)).collect(),
        Some(since) => group
            .member_changes
            .iter()
            .filter(|(seq, ..)| *seq > since)
            .map(|&(_, user, removed)| member(call, user, removed))
            .collect(),
    };
    group_rows(call, &group.properties, &members)
}

fn show_group_step(call: &Call<'_>, group: &Group, step: &Step) -> Vec<Value> {
    match &step.event {
        Event::Left(removal) => vec![tombstone(&group.id, *removal)],
        Event::Came(properties) => {
            let members: Vec<Value> = group.members.iter().map(|&user| member(call, user, false)).collect();
            group_rows(call, properties, &members)
        }
        Event::Changed(properties) => {
            let changes = group.member_changes.iter().filter(|(seq, ..)| *seq == step.seq);
            let members: Vec<Value> = changes.map(|&(_, user, removed)| member(call, user, removed)).collect();
            group_rows(call, properties, &members)
        }
    }
}

/// The group, as often as its members need.
fn group_rows(call: &Call<'_>, properties: &Object, members: &[Value]) -> Vec<Value> {
    let select = call.query.select();
    let row = project(properties, select.as_deref(), &[]);
    if members.is_empty() || !select.is_some_and(|names| names.contains(&"members")) {
        return vec![Value::Object(row)];
    }
    members
        .chunks(MEMBERS_PER_ITEM)
        .map(|part| {
            let mut item = row.clone();
            item.insert("members@delta".to_owned(), Value::Array(part.to_vec()));
            Value::Object(item)
        })
        .collect()
}

pub fn groups(call: &Call<'_>) -> Outcome {
    let round = round(call)?;
    let groups = &call.tenant.groups;
    Ok(match steps(call, &round, groups, |group| &group.steps) {
        None => drain(call, "groups", &round, groups.len(), |at| show_group(call, &groups[at], &round)),
        Some(steps) => drain(call, "groups", &round, steps.len(), |at| {
            let (group, step) = steps[at];
            show_group_step(call, group, step)
        }),
    })
}
