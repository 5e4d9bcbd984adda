//! `/users/delta` and `/groups/delta`: rounds, tokens that expire, tombstones, split memberships.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::odata::query::project;
use crate::tenant::clock::DAY_MS;
use crate::tenant::knobs::DeltaExpiry;
use crate::tenant::model::{Group, Object, Removal, User};

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
    let until = call.tenant.seq;
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

fn drain<T>(call: &Call<'_>, context: &str, rows: &[T], show: impl Fn(&T, &Round) -> Vec<Value>) -> Outcome {
    call.query.only(&["$select", "$filter", "$skiptoken", "$deltatoken"])?;
    if call.query.get("$deltatoken").is_some_and(|token| token.eq_ignore_ascii_case("latest")) {
        return Ok(finish(call, context, Items::new(), false, End::Delta(call.tenant.seq)));
    }
    let mut round = round(call)?;
    let mut items = Items::new();
    let mut end = End::Delta(round.until);
    while round.at < rows.len() {
        if items.count >= call.knobs.directory_delta_page {
            let since = round.since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            end = End::Next(format!("{since},{},{}", round.until, round.at));
            break;
        }
        for value in show(&rows[round.at], &round) {
            items.push_value(&value);
        }
        round.at += 1;
    }
    Ok(finish(call, context, items, false, end))
}

fn show_user(call: &Call<'_>, user: &User, round: &Round, ids: Option<&[&str]>) -> Vec<Value> {
    if ids.is_some_and(|ids| !ids.contains(&user.id.as_str())) || call.knobs.hidden_user_ids.contains(&user.id) {
        return Vec::new();
    }
    let Some(since) = round.since else {
        // The first round is the present state.
        return if user.removal.is_none() { vec![Value::Object(user_row(call, user))] } else { Vec::new() };
    };
    if let Some(removal) = user.removal {
        return if removal.seq > since { vec![tombstone(&user.id, removal)] } else { Vec::new() };
    }
    if user.seq <= since {
        return Vec::new();
    }
    let created = user.created_seq > since;
    let mut row = user_row(call, user);
    if call.minimal && !created {
        row.retain(|name, _| name == "id" || user.changes.iter().any(|(seq, changed)| *seq > since && changed == name));
    }
    vec![Value::Object(row)]
}

fn user_row(call: &Call<'_>, user: &User) -> Object {
    project(&user.properties, call.query.select().as_deref(), USER_DEFAULTS)
}

pub fn users(call: &Call<'_>) -> Outcome {
    let ids = wanted_ids(call)?;
    drain(call, "users", &call.tenant.users, |user, round| show_user(call, user, round, ids.as_deref()))
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
    let select = call.query.select();
    let row = project(&group.properties, select.as_deref(), &[]);
    if !select.is_some_and(|names| names.contains(&"members")) {
        return vec![Value::Object(row)];
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
    if members.is_empty() {
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
    drain(call, "groups", &call.tenant.groups, |group, round| show_group(call, group, round))
}
