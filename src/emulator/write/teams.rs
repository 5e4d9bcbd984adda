//! Teams in migration mode, and the operation that makes them.

use serde_json::json;

use crate::generate::directory::{add_empty_team, add_named_channel};
use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::clock::iso;
use crate::tenant::ids::id_of;
use crate::tenant::model::{Access, Membership, MigratedTeam, Operation};
use crate::tenant::visibility::access;
use crate::write::migration::begin;
use crate::write::request::{answer, body, no_content, text, time};

const MODE: &str = "@microsoft.graph.teamCreationMode";

/// Only in migration mode: an ordinary team needs a member and other permissions.
pub fn create(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call)?;
    if body[MODE] != "migration" {
        let given = !body["createdDateTime"].is_null() || !body[MODE].is_null();
        let message = if given {
            "createdDateTime can only be given with teamCreationMode 'migration'."
        } else {
            "Team owner must be provided when creating a team in application context."
        };
        return Err(GraphError::bad_request(message));
    }
    if !body["template@odata.bind"].as_str().is_some_and(|bind| bind.ends_with("teamsTemplates('standard')")) {
        return Err(GraphError::bad_request("Only the template 'standard' is supported in migration mode."));
    }
    let name = text(&body, "displayName")?.to_owned();
    let created_ms = time(&body["createdDateTime"], "createdDateTime")?;
    if created_ms > call.now_ms {
        return Err(GraphError::bad_request("createdDateTime cannot be set to future."));
    }
    (call.rate)()?;
    let seq = call.tenant.next_seq().to_string();
    let (id, operation) = (id_of("team", &seq), id_of("operation", &seq));
    let team = add_empty_team(call.tenant, &id, &name, &body["description"], created_ms);
    let channel = format!("19:{}@thread.tacv2", id_of("general", &seq).replace('-', ""));
    let general = add_named_channel(
        call.tenant,
        team,
        &channel,
        "General",
        &body["description"],
        Membership::Standard,
        created_ms,
    );
    begin(call.tenant, &channel, call.app, created_ms);
    let properties = &mut call.tenant.teams[team].channels[general].properties;
    properties.insert("migrationMode".to_owned(), json!("inProgress"));
    let state = MigratedTeam { app: call.app.to_owned(), in_progress: true, general_completed: false };
    call.tenant.migrated_teams.insert(id.clone(), state);
    let polls = call.knobs.operation_polls;
    let running = Operation { team: id.clone(), created_ms: call.now_ms, polls_left: polls, polls: 0 };
    call.tenant.operations.insert(operation.clone(), running);
    let headers = vec![
        ("Location", format!("/teams('{id}')/operations('{operation}')")),
        ("Content-Location", format!("/teams('{id}')")),
    ];
    Ok(Response { status: 202, headers, body: "".into() })
}

/// Reading an operation moves it on, so that a test needs no clock.
pub fn operation(call: &mut WriteCall<'_>) -> Outcome {
    let (team, id) = (call.id(0), call.id(1));
    let found = call.tenant.operations.get_mut(id).filter(|operation| operation.team == team);
    let operation = found.ok_or_else(|| GraphError::not_found("NotFound"))?;
    operation.polls += 1;
    let done = operation.polls_left == 0;
    operation.polls_left = operation.polls_left.saturating_sub(1);
    Ok(answer(
        200,
        &json!({
            "@odata.context": format!("{}/v1.0/$metadata#teams('{team}')/operations/$entity", call.request.base),
            "id": id,
            "operationType": "createTeam",
            "createdDateTime": iso(operation.created_ms),
            "status": if done { "succeeded" } else { "inProgress" },
            "lastActionDateTime": iso(call.now_ms),
            "attemptsCount": operation.polls,
            "targetResourceId": team,
            "targetResourceLocation": format!("/teams('{team}')"),
            "Value": "{\"apps\":[],\"channels\":[]}",
            "error": null,
        }),
    ))
}

pub fn complete(call: &mut WriteCall<'_>) -> Outcome {
    let id = call.id(0);
    let at = call.tenant.team_index.get(id).copied();
    let at = at.filter(|&at| access(call.tenant, call.knobs, at) == Access::Open);
    let at = at.ok_or_else(|| GraphError::no_team(id))?;
    let unfinished = call.tenant.teams[at]
        .channels
        .iter()
        .any(|channel| call.tenant.migrations.get(&channel.id).is_some_and(|migration| migration.in_progress));
    let refused = call.knobs.team_completion_refused;
    let state = call.tenant.migrated_teams.get_mut(id).filter(|state| state.in_progress);
    let state = state.ok_or_else(|| GraphError::bad_request("Team is not in migration mode."))?;
    if state.app != call.app {
        return Err(GraphError::bad_request("Request Initiator does not match the import session intiator."));
    }
    if unfinished || refused {
        return Err(GraphError::bad_request("All channels must be finalized before team."));
    }
    (call.rate)()?;
    state.in_progress = false;
    Ok(no_content())
}

/// Whether members may not be added yet.
pub fn is_closed(call: &WriteCall<'_>, id: &str) -> bool {
    call.tenant.migrated_teams.get(id).is_some_and(|state| state.in_progress)
}
