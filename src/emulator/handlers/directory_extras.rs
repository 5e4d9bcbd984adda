//! What the directory holds beside users and groups: other members of groups, and licences. Derived from ids.

use serde_json::{Value, json};

use crate::tenant::ids::{draw, id_of};
use crate::tenant::model::{Group, Object, User, object};

/// Members of a group that are not its direct people: a nested group, a device, an application.
pub fn others(group: &Group) -> Vec<(&'static str, Object)> {
    let name = |what: &str| format!("{what} of {}", group.properties["displayName"].as_str().unwrap_or_default());
    let mut others = vec![(
        "#microsoft.graph.servicePrincipal",
        object(json!({"id": id_of(&group.id, "application"), "displayName": name("Robot")})),
    )];
    if draw(&group.id, "nested").is_multiple_of(2) {
        let nested = json!({"id": id_of(&group.id, "group"), "displayName": name("Committee"), "mail": "committee@emulated.example"});
        others.push(("#microsoft.graph.group", object(nested)));
        others.push((
            "#microsoft.graph.device",
            object(json!({"id": id_of(&group.id, "device"), "displayName": name("Tablet")})),
        ));
    }
    others
}

const SKUS: [&str; 3] = [
    "6fd2c87f-b296-42f0-b197-1e91e994b900",
    "c7df2760-2c81-4ef7-b578-5b5392b571df",
    "f30db892-07e9-47e9-837c-80727f46fd3d",
];

/// The service plan of Teams in the global cloud
/// (<https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference>).
const TEAMS_PLAN: &str = "57ff2da0-773e-42df-b2af-ffb7a2317929";

/// `assignedLicenses` and `assignedPlans`; guests have none.
pub fn licenses(user: &User) -> [(&'static str, Value); 2] {
    let has_none = user.unlicensed || user.properties["userType"] == "Guest";
    let count = if has_none { 0 } else { 1 + draw(&user.id, "licences") as usize % 2 };
    let licenses: Vec<Value> = (0..count)
        .map(|n| {
            let disabled = if n == 1 { json!([id_of(SKUS[n], "plan 1")]) } else { json!([]) };
            json!({"skuId": SKUS[n], "disabledPlans": disabled})
        })
        .collect();
    let plans: Vec<Value> = (0..count)
        .flat_map(|n| (0..2).map(move |plan| (n, plan)))
        .map(|(n, plan)| {
            json!({
                "assignedDateTime": format!("2024-0{}-01T00:00:00Z", 1 + n),
                "capabilityStatus": if n == 1 && plan == 1 { "Deleted" } else { "Enabled" },
                "service": if plan == 0 { "TeamspaceAPI" } else { "exchange" },
                "servicePlanId": if (n, plan) == (0, 0) { TEAMS_PLAN.to_owned() } else { id_of(SKUS[n], &format!("plan {plan}")) },
            })
        })
        .collect();
    [("assignedLicenses", Value::Array(licenses)), ("assignedPlans", Value::Array(plans))]
}

/// A user with licences.
pub fn licensed(user: &User) -> Object {
    let mut properties = user.properties.clone();
    properties.extend(licenses(user).map(|(name, value)| (name.to_owned(), value)));
    properties
}
