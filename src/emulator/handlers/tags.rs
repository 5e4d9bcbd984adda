//! Tags of teams and who has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::list::{Rules, page};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::ids::{draw, id_of};
use crate::tenant::model::{Member, Team, Tenant};

const NAMES: [&str; 4] = ["On call", "Finance", "Legal", "Frühschicht"];

fn tag_id(tenant: &Tenant, team: &Team, n: usize) -> String {
    STANDARD.encode(format!("{}##{}##{}", tenant.id, team.id, id_of(&team.id, NAMES[n])))
}

fn count(team: &Team) -> usize {
    1 + draw(&team.id, "tags") as usize % (NAMES.len() - 1)
}

/// The first of the team's members, and every so many after.
fn people(team: &Team, n: usize) -> Vec<&Member> {
    team.members.iter().step_by(n + 1).collect()
}

pub fn of_team(tenant: &Tenant, team: &Team) -> Vec<Value> {
    (0..count(team))
        .map(|n| {
            json!({
                "@odata.type": "#microsoft.graph.teamworkTag",
                "id": tag_id(tenant, team, n),
                "teamId": team.id,
                "displayName": NAMES[n],
                "description": if n == 1 { json!("Who to ask about money") } else { Value::Null },
                "memberCount": people(team, n).len(),
                "tagType": "standard",
            })
        })
        .collect()
}

/// The members of a tag, or nothing where the team has no such tag.
pub fn members(tenant: &Tenant, team: &Team, tag: &str) -> Option<Vec<Value>> {
    let n = (0..count(team)).find(|n| tag_id(tenant, team, *n) == tag)?;
    let rows = people(team, n).into_iter().map(|member| {
        let user = &tenant.users[member.user];
        json!({
            "@odata.type": "#microsoft.graph.teamworkTagMember",
            "id": STANDARD.encode(format!("{tag}##{}", user.id)),
            "displayName": user.properties["displayName"],
            "tenantId": tenant.id,
            "userId": user.id,
        })
    });
    Some(rows.collect())
}

const RULES: Rules = Rules { options: &["$filter", "$top"], expanded: &[], selected: &[], counted: true };

pub fn list(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    page(call, &format!("teams('{}')/tags", team.id), RULES, of_team(call.tenant, team))
}

pub fn list_members(call: &Call<'_>) -> Outcome {
    let (_, team) = call.team()?;
    let rows = members(call.tenant, team, call.id(1)).ok_or_else(|| GraphError::not_found("NotFound"))?;
    page(call, &format!("teams('{}')/tags('{}')/members", team.id, call.id(1)), RULES, rows)
}
