//! Knobs by name, for callers that hold names and JSON values.

use serde_json::Value;

use crate::tenant::knobs::Knobs;

/// What can be set beside the knobs: each changes one of them, or acts.
pub const ACTIONS: &[&str] = &[
    "forbid_team",
    "hide_team",
    "allow_team",
    "consent_team",
    "revoke_permission",
    "grant_permission",
    "hide_user",
    "show_user",
    "expire_tokens",
];

pub fn is_knob(name: &str) -> bool {
    names().iter().any(|known| known == name)
}

pub fn names() -> Vec<String> {
    match serde_json::to_value(Knobs::default()) {
        Ok(Value::Object(map)) => map.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("{name} takes a string or a list of strings");
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

pub fn apply(knobs: &mut Knobs, name: &str, value: &Value) -> Result<(), String> {
    let ids = || texts(name, value);
    match name {
        "forbid_team" => knobs.forbidden_team_ids.extend(ids()?),
        "hide_team" => knobs.missing_team_ids.extend(ids()?),
        "allow_team" => {
            for id in ids()? {
                knobs.forbidden_team_ids.remove(&id);
                knobs.missing_team_ids.remove(&id);
            }
        }
        "consent_team" => knobs.rsc_team_ids.extend(ids()?),
        "revoke_permission" => ids()?.iter().for_each(|role| {
            knobs.roles.remove(role);
        }),
        "grant_permission" => knobs.roles.extend(ids()?),
        "hide_user" => knobs.hidden_user_ids.extend(ids()?),
        "show_user" => ids()?.iter().for_each(|id| {
            knobs.hidden_user_ids.remove(id);
        }),
        _ => return replace(knobs, name, value),
    }
    Ok(())
}

fn replace(knobs: &mut Knobs, name: &str, value: &Value) -> Result<(), String> {
    if !is_knob(name) {
        return Err(format!("unknown knob: {name}"));
    }
    let mut all = serde_json::to_value(&*knobs).map_err(|error| error.to_string())?;
    all[name] = value.clone();
    *knobs = serde_json::from_value(all).map_err(|error| format!("{name}: {error}"))?;
    Ok(())
}
