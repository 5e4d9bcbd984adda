//! Containers of the plan that exist already: whether an import can go into them, as far as that can be seen before it.

use super::endpoint::{Address, Mode, mode};
use super::plan::Plan;
use teams_base::error::{Error, Result};
use teams_client::GraphClient;

/// Why an import cannot go into a container.
pub enum Existing {
    /// Somebody has it in migration mode. No request tells who.
    Migrates(String),
    Missing(String),
    /// Meeting chats take none.
    Meeting(String),
}

impl Existing {
    pub fn why(self) -> String {
        match self {
            Self::Migrates(why) | Self::Missing(why) | Self::Meeting(why) => why,
        }
    }
}

fn address_of(plan: &Plan, at: usize) -> Option<Address> {
    let container = &plan.containers[at];
    let id = container.id.clone().filter(|_| container.refused.is_none())?;
    match container.team {
        None => Some(Address::Chat { chat: id }),
        Some(team) => Some(Address::Channel { team: plan.teams[team].id.clone()?, channel: id }),
    }
}

/// Looks at a container; nothing where it is to be made, or takes an import.
pub async fn look(client: &GraphClient, plan: &Plan, at: usize) -> Result<Option<Existing>> {
    let Some(address) = address_of(plan, at) else { return Ok(None) };
    let container = &plan.containers[at];
    let what = format!("{} {}", if container.kind.is_chat() { "chat" } else { "channel" }, address.id());
    match mode(client, &address).await {
        Ok((Mode::InProgress, _)) => Ok(Some(Existing::Migrates(format!(
            "{what} is in migration mode already, and this import did not begin it: have it completed by the application \
             that did, or leave it out"
        )))),
        Ok((_, object)) if object["chatType"] == "meeting" => {
            Ok(Some(Existing::Meeting(format!("{what} is that of a meeting, which takes no import: leave it out"))))
        }
        Ok(_) => Ok(None),
        Err(Error::NotFound(_)) => Ok(Some(Existing::Missing(format!(
            "{what} is not in the tenant: write the id of one that is, or leave the cell empty"
        )))),
        Err(error) => Err(error),
    }
}

/// The same of all containers of a plan, by their place.
pub async fn look_at_all(client: &GraphClient, plan: &Plan) -> Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for at in 0..plan.containers.len() {
        match look(client, plan, at).await {
            Ok(Some(existing)) => found.push((at, existing.why())),
            Err(error) if error.ends_run() => return Err(error),
            // Without permission to look, nothing is known.
            Ok(None) | Err(_) => {}
        }
    }
    Ok(found)
}
