//! The channels of a team.

use super::{named, sorted};
use crate::context::{self, ReadContext};
use crate::state::work_item::Child;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Empty, Fields};

/// The channels of a team that the options name, or all of them, sorted, without those that are to be left out; and whether
/// the server seemed to know better at first, so that what it told of the team in this moment is not to be relied on.
pub async fn of_team(context: &ReadContext, team: &str) -> Result<(Vec<Child>, bool)> {
    let (mut channels, is_doubtful) = chosen(context, team).await?;
    channels.retain(|channel| !context.options.excludes_channel(&channel.id));
    Ok((channels, is_doubtful))
}

async fn chosen(context: &ReadContext, team: &str) -> Result<(Vec<Child>, bool)> {
    if !context.options.channel_ids.is_empty() {
        let ids = named(&context.options.channel_ids);
        return Ok((ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect(), false));
    }
    let is_special = |membership: Option<String>| membership.is_some_and(|membership| membership != "standard");
    let (listed, is_doubtful) = list(context, team).await?;
    let child = |(id, membership)| Child { id, is_special: is_special(membership), active: None };
    let mut channels: Vec<Child> = listed.into_iter().map(child).collect();
    channels.sort_by(|a, b| a.id.cmp(&b.id));
    channels.dedup_by(|a, b| a.id == b.id);
    Ok((channels, is_doubtful))
}

/// Their ids.
pub async fn ids(context: &ReadContext, team: &str) -> Result<Vec<String>> {
    let (channels, _) = of_team(context, team).await?;
    Ok(channels.into_iter().map(|channel| channel.id).collect())
}

/// The ids of a team's channels that are shared with others, sorted.
pub async fn shared_ids(context: &ReadContext, team: &str) -> Result<Vec<String>> {
    let (channels, _) = list(context, team).await?;
    let shared = channels.into_iter().filter(|(_, membership)| membership.as_deref() == Some("shared"));
    let ids = shared.map(|(id, _)| id).filter(|id| !context.options.excludes_channel(id));
    Ok(sorted(ids.collect()))
}

/// The ids and membership types, and whether they are [doubtful](of_team).
/// <https://learn.microsoft.com/graph/api/channel-list>
async fn list(context: &ReadContext, team: &str) -> Result<(Vec<(String, Option<String>)>, bool)> {
    let request = Request::new(&endpoint::CHANNELS, &["teams", team, "channels"], format!("team {team}"))
        .team(team)
        .query("$select", "id,membershipType");
    // Each team has its General channel.
    let listed = context.list_with_doubts(&request, Empty::Doubtful).await?;
    let read = |channel: &Fields<'_>| Some((channel.id("id")?, channel.text("membershipType")));
    Ok((context::named(&request, &listed.items, read)?, listed.is_doubtful))
}
