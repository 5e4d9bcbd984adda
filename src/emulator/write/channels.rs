//! New channels: in migration mode, or ordinary ones that are private or shared.

use serde_json::{Value, json};

use crate::generate::directory::add_named_channel;
use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::ids::id_of;
use crate::tenant::model::{Member, Membership, Role};
use crate::write::migration::begin;
use crate::write::place::open_team;
use crate::write::request::{answer, body, bound_user, text, time};

const MODE: &str = "@microsoft.graph.channelCreationMode";
const NAME_LENGTH: usize = 50;
const FORBIDDEN: &str = "~#%&*{}+/\\:<>?|'\",";
const MOST_MEMBERS: usize = 200;

pub fn create(call: &mut WriteCall<'_>) -> Outcome {
    let body = body(call)?;
    let team = open_team(call)?;
    let name = text(&body, "displayName")?;
    check_name(call, team, name)?;
    let migrates = !body[MODE].is_null();
    if migrates && body[MODE] != "migration" || !migrates && !body["createdDateTime"].is_null() {
        return Err(GraphError::bad_request("createdDateTime needs channelCreationMode 'migration'."));
    }
    let created_ms = if migrates { time(&body["createdDateTime"], "createdDateTime")? } else { call.now_ms };
    if created_ms > call.now_ms {
        return Err(GraphError::bad_request("createdDateTime cannot be set to future."));
    }
    let id = &call.tenant.teams[team].id;
    if migrates && call.tenant.migrated_teams.get(id).is_some_and(|state| state.general_completed) {
        return Err(GraphError::bad_request("The team has completed its migration."));
    }
    // Asking for a private one in migration mode silently gives a standard one.
    let membership = match body["membershipType"].as_str() {
        Some("private") if !migrates => Membership::Private,
        Some("shared") if !migrates => Membership::Shared,
        _ => Membership::Standard,
    };
    let members = if membership == Membership::Standard { Vec::new() } else { members(call, &body, membership)? };
    (call.rate)()?;
    let seq = call.tenant.next_seq().to_string();
    let id = format!("19:{}@thread.tacv2", id_of("channel", &seq).replace('-', ""));
    let at = add_named_channel(call.tenant, team, &id, name, &body["description"], membership, created_ms);
    let channel = &mut call.tenant.teams[team].channels[at];
    channel.members = members;
    if migrates {
        channel.properties.insert("migrationMode".to_owned(), json!("inProgress"));
        begin(call.tenant, &id, call.app, created_ms);
    }
    let team = &call.tenant.teams[team].id;
    let mut response = answer(
        201,
        &json!({
            "@odata.context": format!("{}/v1.0/$metadata#teams('{team}')/channels/$entity", call.request.base),
            "id": id, "createdDateTime": null, "displayName": name, "description": body["description"],
            "isFavoriteByDefault": null, "email": null, "webUrl": null, "membershipType": null,
        }),
    );
    response.headers.push(("Location", format!("/teams('{team}')/channels('{id}')")));
    Ok(response)
}

fn check_name(call: &WriteCall<'_>, team: usize, name: &str) -> Result<(), GraphError> {
    let wrong = name.chars().count() > NAME_LENGTH
        || name.chars().any(|letter| FORBIDDEN.contains(letter) || letter.is_control())
        || name.contains("..")
        || name.starts_with(['_', '.'])
        || name.ends_with('.');
    if wrong {
        return Err(GraphError::bad_request("Channel name is not valid."));
    }
    let channels = &call.tenant.teams[team].channels;
    let is_taken = channels.iter().any(|channel| {
        !channel.removed
            && channel.properties["displayName"]
                .as_str()
                .is_some_and(|taken| taken.to_lowercase() == name.to_lowercase())
    });
    if is_taken {
        return Err(GraphError::bad_request("Channel name already existed, please use other name."));
    }
    Ok(())
}

/// A private channel takes up to 200 members with an owner among them; a shared one exactly one owner.
fn members(call: &WriteCall<'_>, body: &Value, membership: Membership) -> Result<Vec<Member>, GraphError> {
    let mut members = Vec::new();
    for member in body["members"].as_array().map_or(&[][..], Vec::as_slice) {
        let user = bound_user(member).and_then(|id| call.tenant.user(id));
        let user = user.ok_or_else(|| GraphError::not_found("NotFound"))?;
        let owns = member["roles"].as_array().is_some_and(|roles| roles.contains(&json!("owner")));
        members.push(Member { user, role: if owns { Role::Owner } else { Role::Member } });
    }
    let owners = members.iter().filter(|member| member.role == Role::Owner).count();
    let wrong = owners == 0
        || members.len() > MOST_MEMBERS
        || membership == Membership::Shared && (members.len() != 1 || owners != 1);
    if wrong {
        return Err(GraphError::bad_request("Private and shared channels need an owner among their members."));
    }
    Ok(members)
}
