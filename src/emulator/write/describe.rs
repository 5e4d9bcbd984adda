//! Changed names and descriptions.

use crate::handlers::call::WriteCall;
use crate::http::error::{GraphError, Outcome};
use crate::tenant::model::Object;
use crate::write::place::{Place, open_team};
use crate::write::request::{body, no_content};

fn apply<'t>(
    call: &mut WriteCall<'t>,
    known: &[&str],
    of: impl for<'c> FnOnce(&'c mut WriteCall<'t>) -> &'c mut Object,
) -> Outcome {
    let body = body(call)?;
    let given = body.as_object().filter(|given| given.keys().all(|key| known.contains(&key.as_str())));
    let given = given.ok_or_else(|| GraphError::bad_request("Invalid property."))?.clone();
    (call.rate)()?;
    of(call).extend(given);
    Ok(no_content())
}

pub fn team(call: &mut WriteCall<'_>) -> Outcome {
    let at = open_team(call)?;
    apply(call, &["displayName", "description"], |call| &mut call.tenant.teams[at].properties)
}

pub fn channel(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::channel(call)?;
    apply(call, &["displayName", "description"], |call| place.properties(call))
}

pub fn chat(call: &mut WriteCall<'_>) -> Outcome {
    let place = Place::chat(call)?;
    apply(call, &["topic"], |call| place.properties(call))
}
