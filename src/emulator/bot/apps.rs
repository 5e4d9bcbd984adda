//! The app in the organisation's catalogue, and for whom it is installed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bot::{address, mirror};
use crate::handlers::apps::{APP_RULES, installations};
use crate::handlers::call::{Call, WriteCall};
use crate::handlers::list::{Rules, page};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::Tenant;
use crate::write::request::{answer, body, no_content};

const CATALOGUE_RULES: Rules = Rules { options: &["$filter", "$expand"], expanded: &[], selected: &[], counted: true };

/// `NAME eq 'VALUE'`: the value.
fn equals<'f>(filter: &'f str, name: &str) -> Option<&'f str> {
    filter.trim().strip_prefix(name)?.trim_start().strip_prefix("eq")?.trim().strip_prefix('\'')?.strip_suffix('\'')
}

fn app(app: &str) -> Value {
    json!({
        "id": address::catalogue_id(app), "externalId": app, "displayName": "Emulated bot",
        "distributionMethod": "organization",
    })
}

fn installation_id(user: &str, app: &str) -> String {
    STANDARD.encode(format!("{user}##{}", address::catalogue_id(app)))
}

pub fn catalogue(call: &Call<'_>) -> Outcome {
    let filter = call.query.get("$filter").unwrap_or_default();
    let is_ours = call.knobs.app_in_catalogue
        && (filter.is_empty()
            || equals(filter, "externalId") == Some(call.tenant.bot.app.as_str())
            || equals(filter, "id") == Some(address::catalogue_id(&call.tenant.bot.app).as_str()));
    let apps = if is_ours { vec![app(&call.tenant.bot.app)] } else { Vec::new() };
    page(call, "appCatalogs/teamsApps", CATALOGUE_RULES, apps)
}

/// What a user has installed, the bot's app among it.
pub fn of_user(tenant: &Tenant, knobs: &Knobs, id: &str) -> Vec<Value> {
    let mut all = installations(id);
    let client = tenant.bot.app.as_str();
    if tenant.bot.has_app(knobs, id) {
        all.push(json!({
            "id": installation_id(id, client), "teamsApp": app(client),
            "teamsAppDefinition": {
                "id": STANDARD.encode(format!("{}##1.0.0##Published", address::catalogue_id(client))),
                "teamsAppId": address::catalogue_id(client), "azureADAppId": client, "displayName": "Emulated bot",
                "version": "1.0.0", "publishingState": "published", "shortDescription": "A bot",
                "description": "A bot that tests talk to.", "lastModifiedDateTime": "2025-03-04T05:06:07.8Z",
                "createdBy": null, "authorization": null,
            },
        }));
    }
    all
}

pub fn list(call: &Call<'_>) -> Outcome {
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let id = &call.tenant.users[user].id;
    let mut apps = of_user(call.tenant, call.knobs, id);
    if let Some(filter) = call.query.get("$filter") {
        if let Some(wanted) = equals(filter, "teamsApp/id") {
            apps.retain(|row| row["teamsApp"]["id"] == wanted);
        } else if let Some(wanted) = equals(filter, "teamsApp/externalId") {
            apps.retain(|row| row["teamsApp"]["externalId"] == wanted);
        }
    }
    page(call, &format!("users('{id}')/teamwork/installedApps"), APP_RULES, apps)
}

/// 201 without a body; 409 where it is there already.
pub fn install(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call)?;
    let bound = body["teamsApp@odata.bind"].as_str().unwrap_or_default();
    let wanted = bound.rsplit('/').next().unwrap_or_default();
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    if !call.knobs.app_in_catalogue || wanted != address::catalogue_id(&call.tenant.bot.app) {
        return Err(GraphError::not_found("App with id is not found in the app catalog."));
    }
    let id = call.tenant.users[user].id.clone();
    if call.knobs.app_blocked_user_ids.contains(&id) {
        return Err(GraphError::new(403, "Forbidden", "App is blocked by app permission policy."));
    }
    if call.tenant.bot.has_app(call.knobs, &id) {
        return Err(GraphError::new(409, "Conflict", "App is already installed in the user's personal scope."));
    }
    call.tenant.bot.installed.insert(id, true);
    mirror::open_chat(call, user);
    Ok(answer(201, &Value::Null))
}

/// The position of the user whose installation the path names.
fn installed(call: &WriteCall<'_>) -> Result<usize, GraphError> {
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let id = &call.tenant.users[user].id;
    let is_there = call.id(1) == installation_id(id, &call.tenant.bot.app) && call.tenant.bot.has_app(call.knobs, id);
    if is_there { Ok(user) } else { Err(GraphError::not_found("NotFound")) }
}

pub fn remove(call: &mut WriteCall<'_>) -> Outcome {
    let user = installed(call)?;
    let id = call.tenant.users[user].id.clone();
    call.tenant.bot.installed.insert(id, false);
    Ok(no_content())
}

/// The chat of the user with the app.
pub fn chat(call: &mut WriteCall<'_>) -> Outcome {
    let user = installed(call)?;
    let id = mirror::open_chat(call, user);
    let chat = &call.tenant.chats[call.tenant.chat_index[&id]];
    Ok(answer(200, &Value::Object(chat.properties.clone())))
}
