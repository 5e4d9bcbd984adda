//! startMigration and completeMigration of channels and chats.

use serde_json::json;

use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::clock::iso;
use crate::tenant::model::{Migration, Tenant};
use crate::write::place::Place;
use crate::write::request::{body, no_content, time};

/// Puts a conversation into migration mode for an application.
pub fn begin(tenant: &mut Tenant, id: &str, app: &str, floor_ms: i64) {
    let taken = match tenant.migrations.remove(id) {
        Some(earlier) => earlier.taken,
        None => std::collections::HashSet::new(),
    };
    let migration = Migration { app: app.to_owned(), in_progress: true, floor_ms, taken };
    tenant.migrations.insert(id.to_owned(), migration);
}

/// The conversation's migration, if it is going on and the application owns it.
pub fn running<'t>(tenant: &'t mut Tenant, id: &str) -> Option<&'t mut Migration> {
    tenant.migrations.get_mut(id).filter(|migration| migration.in_progress)
}

fn start(call: &mut WriteCall<'_>, place: Place) -> Outcome {
    let id = place.id(call);
    let body = body(call)?;
    if running(call.tenant, &id).is_some() {
        return Err(GraphError::bad_request("The conversation is already in migration mode."));
    }
    if let Place::Chat(chat) = place {
        let kind = &call.tenant.chats[chat].properties["chatType"];
        if kind == "meeting" {
            return Err(GraphError::bad_request("Migration is not supported for meeting chats."));
        }
        if kind == "oneOnOne" && call.knobs.one_on_one_migration_refused {
            return Err(GraphError::new(412, "PreconditionFailed", "Version mismatch for thread resource."));
        }
    }
    let current = time(&place.properties(call)["createdDateTime"], "createdDateTime")?;
    let asked = &body["conversationCreationDateTime"];
    let floor_ms = if asked.is_null() {
        // "Defaults to now": no older message fits.
        call.now_ms
    } else {
        let asked = time(asked, "conversationCreationDateTime")?;
        if asked >= current {
            let message = "conversationCreationDateTime must be earlier than the conversation's current creation time.";
            return Err(GraphError::bad_request(message));
        }
        asked
    };
    (call.rate)()?;
    begin(call.tenant, &id, call.app, floor_ms);
    let existing: Vec<i64> = place.thread(call).messages.iter().map(|message| message.created_ms).collect();
    if let Some(migration) = running(call.tenant, &id) {
        migration.taken.extend(existing);
    }
    let properties = place.properties(call);
    properties.insert("migrationMode".to_owned(), json!("inProgress"));
    if floor_ms < current {
        if properties["originalCreatedDateTime"].is_null() {
            properties.insert("originalCreatedDateTime".to_owned(), json!(iso(current)));
        }
        properties.insert("createdDateTime".to_owned(), json!(iso(floor_ms)));
    }
    Ok(no_content())
}

fn complete(call: &mut WriteCall<'_>, place: Place) -> Outcome {
    let id = place.id(call);
    let app = call.app;
    let migration = running(call.tenant, &id);
    let migration = migration.ok_or_else(|| GraphError::bad_request("The conversation is not in migration mode."))?;
    if migration.app != app {
        return Err(GraphError::bad_request("Request Initiator does not match the import session intiator."));
    }
    (call.rate)()?;
    migration.in_progress = false;
    place.properties(call).insert("migrationMode".to_owned(), json!("completed"));
    if let Place::Channel(team, 0) = place {
        let team = call.tenant.teams[team].id.clone();
        if let Some(state) = call.tenant.migrated_teams.get_mut(&team) {
            state.general_completed = true;
        }
    }
    Ok(no_content())
}

pub fn start_channel(call: &mut WriteCall<'_>) -> Outcome {
    start(call, Place::channel(call)?)
}

pub fn start_chat(call: &mut WriteCall<'_>) -> Outcome {
    start(call, Place::chat(call)?)
}

pub fn complete_channel(call: &mut WriteCall<'_>) -> Outcome {
    complete(call, Place::channel(call)?)
}

pub fn complete_chat(call: &mut WriteCall<'_>) -> Outcome {
    complete(call, Place::chat(call)?)
}
