//! Apps installed in teams, chats and for people, and tabs of channels and chats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::chats;
use crate::handlers::list::{Rules, page};
use crate::http::error::Outcome;
use crate::tenant::ids::{draw, id_of};

const APPS: [(&str, &str, &str); 6] = [
    ("Planner", "com.microsoft.teamspace.tab.planner", "store"),
    ("Website", "com.microsoft.teamspace.tab.web", "store"),
    ("OneNote", "0d820ecd-def2-4297-adad-78056cde7c78", "store"),
    ("Approvals", "7c316234-ded0-4f95-8a83-8453d0876592", "store"),
    ("Rota – the \"shift\" bot", "5f6c6a8e-2f19-4d8e-9c5a-0b1a7c2d3e4f", "organization"),
    ("Trial", "c0ffee00-1234-4abc-9def-001122334455", "sideloaded"),
];

fn app(at: usize) -> Value {
    let (name, id, method) = APPS[at % APPS.len()];
    let external = if method == "store" { Value::Null } else { json!(id_of(id, "manifest")) };
    json!({"id": id, "externalId": external, "displayName": name, "distributionMethod": method})
}

fn definition(at: usize) -> Value {
    let (name, id, method) = APPS[at % APPS.len()];
    let version = format!("1.{at}.0");
    let authorization = json!({
        "requiredPermissionSet": {"resourceSpecificPermissions": [{"permissionValue": "ChannelMessage.Read.Group", "permissionType": "application"}]},
    });
    json!({
        "id": STANDARD.encode(format!("{id}##{version}##Published")),
        "teamsAppId": id,
        "azureADAppId": null,
        "displayName": name,
        "version": version,
        "publishingState": "published",
        "shortDescription": format!("{name} in short"),
        "description": if at.is_multiple_of(2) { json!(format!("What {name} does.\nAt length.")) } else { Value::Null },
        "lastModifiedDateTime": if method == "store" { Value::Null } else { json!("2025-03-04T05:06:07.8Z") },
        "createdBy": null,
        "authorization": if method == "organization" { authorization } else { Value::Null },
    })
}

/// What is installed at a team, chat or user: two to five apps.
pub fn installations(owner: &str) -> Vec<Value> {
    let first = draw(owner, "apps") as usize;
    (first..first + 2 + first % 4)
        .map(|at| at % APPS.len())
        .map(|at| {
            json!({
                "id": STANDARD.encode(format!("{owner}##{}", APPS[at].1)),
                "teamsApp": app(at),
                "teamsAppDefinition": definition(at),
            })
        })
        .collect()
}

/// The tabs of a channel or chat: up to four; a tab may have no configuration.
pub fn tabs(owner: &str) -> Vec<Value> {
    let first = draw(owner, "tabs") as usize;
    (0..first % 5)
        .map(|n| {
            let id = id_of(owner, &format!("tab {n}"));
            let configuration = json!({
                "entityId": null, "contentUrl": format!("https://www.emulated.example/{n}?a=1&b=ü"),
                "removeUrl": null, "websiteUrl": "https://www.emulated.example", "dateAdded": "2025-01-02T03:04:05.678Z",
            });
            json!({
                "id": id,
                "displayName": format!("Tab {n}"),
                "webUrl": format!("https://teams.microsoft.com/l/entity/{id}"),
                "sortOrderIndex": format!("{}", 10_000 + n * 100),
                "configuration": if n == 1 { Value::Null } else { configuration },
                "teamsApp": app(first + n),
            })
        })
        .collect()
}

pub const APP_RULES: Rules = Rules {
    options: &["$filter", "$expand"],
    expanded: &["teamsApp", "teamsAppDefinition"],
    selected: &[],
    counted: true,
};
const TAB_RULES: Rules =
    Rules { options: &["$filter", "$expand"], expanded: &["teamsApp"], selected: &[], counted: true };

pub fn of_team(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    page(call, &format!("teams('{}')/installedApps", team.id), APP_RULES, installations(&team.id))
}

pub fn of_chat(call: &Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    page(call, &format!("chats('{}')/installedApps", chat.id), APP_RULES, installations(&chat.id))
}

pub fn channel_tabs(call: &Call<'_>) -> Outcome {
    let (team, channel) = call.channel()?;
    page(call, &format!("teams('{}')/channels('{}')/tabs", team.id, channel.id), TAB_RULES, tabs(&channel.id))
}

pub fn chat_tabs(call: &Call<'_>) -> Outcome {
    let chat = chats::find(call)?;
    page(call, &format!("chats('{}')/tabs", chat.id), TAB_RULES, tabs(&chat.id))
}
