//! Schedules and shifts. Two teams of three have set Shifts up.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::list::{Rules, object, page};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::ids::id_of;
use crate::tenant::model::{Team, Tenant};

fn has_one(at: usize) -> bool {
    at % 3 != 2
}

/// The schedule of the team at this position.
pub fn of_team(at: usize, team: &Team) -> Option<Value> {
    has_one(at).then(|| {
        json!({
            "id": id_of(&team.id, "schedule"),
            "enabled": true,
            "timeZone": "Europe/Amsterdam",
            "provisionStatus": "Completed",
            "provisionStatusCode": null,
            "startDayOfWeek": "monday",
            "timeClockEnabled": at.is_multiple_of(2),
            "timeClockSettings": {"approvedLocation": {"altitude": null, "latitude": 52.37, "longitude": 4.9}},
            "openShiftsEnabled": true,
            "swapShiftsRequestsEnabled": true,
            "offerShiftRequestsEnabled": false,
            "timeOffRequestsEnabled": true,
            "workforceIntegrationIds": [],
        })
    })
}

fn detail(n: usize, name: &str) -> Value {
    json!({
        "displayName": name,
        "notes": if n.is_multiple_of(2) { json!("Bring the keys") } else { Value::Null },
        "startDateTime": format!("2026-01-{:02}T08:00:00Z", 1 + n % 28),
        "endDateTime": format!("2026-01-{:02}T16:30:00Z", 1 + n % 28),
        "theme": "blue",
        "activities": [{
            "isPaid": true, "code": "", "displayName": "Lunch", "theme": "yellow",
            "startDateTime": format!("2026-01-{:02}T12:00:00Z", 1 + n % 28),
            "endDateTime": format!("2026-01-{:02}T12:30:00Z", 1 + n % 28),
        }],
    })
}

/// A shift for each member; every third exists as a draft only.
pub fn shifts(tenant: &Tenant, at: usize, team: &Team) -> Option<Vec<Value>> {
    let by = json!({"application": null, "device": null, "conversation": null, "user": {"id": tenant.users[0].id, "displayName": "Planner"}});
    let rows = team.members.iter().enumerate().map(|(n, member)| {
        json!({
            "id": format!("SHFT_{}", id_of(&team.id, &format!("shift {n}"))),
            "createdDateTime": "2025-12-20T09:00:00.5Z",
            "lastModifiedDateTime": "2025-12-21T10:11:12.13Z",
            "schedulingGroupId": format!("TAG_{}", id_of(&team.id, "scheduling group")),
            "userId": tenant.users[member.user].id,
            "createdBy": by,
            "lastModifiedBy": by,
            "isStagedForDeletion": false,
            "sharedShift": if n % 3 == 2 { Value::Null } else { detail(n, "Day") },
            "draftShift": if n % 3 == 1 { Value::Null } else { detail(n, "Early") },
        })
    });
    has_one(at).then(|| rows.collect())
}

fn none() -> GraphError {
    GraphError::not_found("The schedule was not found.")
}

pub fn get(call: &Call<'_>) -> Outcome {
    let (at, team) = call.team()?;
    object(call, &format!("teams('{}')/schedule/$entity", team.id), of_team(at, team).ok_or_else(none)?)
}

pub fn list_shifts(call: &Call<'_>) -> Outcome {
    let (at, team) = call.team()?;
    let rules = Rules { options: &["$filter"], ..Rules::default() };
    let rows = shifts(call.tenant, at, team).ok_or_else(none)?;
    page(call, &format!("teams('{}')/schedule/shifts", team.id), rules, rows)
}
