//! Where the Bot Connector is, and what it calls people, bots and conversations.

use crate::tenant::ids::{draw, id_of};

/// First contact, and the regions that conversations name.
const BASES: [&str; 4] = ["/teams", "/amer", "/emea", "/de"];

/// The part of a path that the connector's endpoints are named by: from `/v3` on.
pub fn below_service<'p>(path: &'p str, tenant: &str) -> Option<&'p str> {
    let rest = BASES.iter().find_map(|base| path.strip_prefix(base))?;
    let rest = rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(tenant)).unwrap_or(rest);
    rest.strip_prefix("/v3").map(|_| rest).filter(|rest| rest[3..].starts_with('/'))
}

/// The service URL of a conversation: the newer form with the tenant's id, or the older one.
pub fn service_url(base: &str, tenant: &str, conversation: &str) -> String {
    match draw(conversation, "region") % 3 {
        0 => format!("{base}/amer/{tenant}/"),
        1 => format!("{base}/emea/{tenant}/"),
        _ => format!("{base}/de/"),
    }
}

/// What the Bot Framework calls a person. It is not the object id.
pub fn person(user: &str) -> String {
    format!("29:1{}", id_of(user, "person").replace('-', ""))
}

pub fn bot(app: &str) -> String {
    format!("28:{app}")
}

/// The personal conversation of a user with a bot. With sessions on, each creation has a number of its own.
pub fn personal(user: &str, app: &str, session: usize) -> String {
    let of = if session == 0 { app.to_owned() } else { format!("{app}|{session}") };
    format!("a:1{}", id_of(user, &of).replace('-', ""))
}

/// The chat that Graph shows of it.
pub fn chat(user: &str, app: &str) -> String {
    format!("19:{user}_{app}@unq.gbl.spaces")
}

/// The app in the organisation's catalogue; its manifest id is the bot's application id.
pub fn catalogue_id(app: &str) -> String {
    id_of(app, "catalogue")
}
