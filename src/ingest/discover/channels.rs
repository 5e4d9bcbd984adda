//! The channels of a team.

use super::{named, sorted};
use crate::context::ReadContext;
use crate::state::work_item::Child;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Empty, Fields};

/// The channels of a team that the options name, or all of them, sorted, without those that are to be left out.
pub async fn of_team(context: &ReadContext, team: &str) -> Result<Vec<Child>> {
    let mut channels = chosen(context, team).await?;
    channels.retain(|channel| !context.options.excludes_channel(&channel.id));
    Ok(channels)
}

async fn chosen(context: &ReadContext, team: &str) -> Result<Vec<Child>> {
    if !context.options.channel_ids.is_empty() {
        let ids = named(&context.options.channel_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let is_special = |membership: Option<String>| membership.is_some_and(|membership| membership != "standard");
    let listed = list(context, team).await?.into_iter();
    let mut channels: Vec<Child> =
        listed.map(|(id, membership)| Child { id, is_special: is_special(membership), active: None }).collect();
    channels.sort_by(|a, b| a.id.cmp(&b.id));
    channels.dedup_by(|a, b| a.id == b.id);
    Ok(channels)
}

/// The ids of a team's channels that are shared with others, sorted.
pub async fn shared_ids(context: &ReadContext, team: &str) -> Result<Vec<String>> {
    let channels = list(context, team).await?.into_iter();
    let shared = channels.filter(|(_, membership)| membership.as_deref() == Some("shared"));
    let ids = shared.map(|(id, _)| id).filter(|id| !context.options.excludes_channel(id));
    Ok(sorted(ids.collect()))
}

/// The ids and membership types. <https://learn.microsoft.com/graph/api/channel-list>
async fn list(context: &ReadContext, team: &str) -> Result<Vec<(String, Option<String>)>> {
    let request = Request::new(&endpoint::CHANNELS, &["teams", team, "channels"], format!("team {team}"))
        .team(team)
        .query("$select", "id,membershipType");
    // Each team has its General channel.
    let read = |channel: &Fields<'_>| Some((channel.id("id")?, channel.text("membershipType")));
    context.list(&request, Empty::Never, read).await
}
