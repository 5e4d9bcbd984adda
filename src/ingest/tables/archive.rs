//! Archives of messages, team by team: whole, or an error.

use futures::FutureExt;

use crate::context::{ReadContext, into, side_by_side};
use crate::dedup::SeenKeys;
use crate::discover;
use crate::engine::Step;
use crate::messages::export_page;
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Archive, Derived, Empty, Filter, VersionRows};

/// Teams read at once: these endpoints have no limit per team.
const CONCURRENCY: usize = 16;

pub async fn read(context: &ReadContext, archive: Archive) -> Result<()> {
    let teams = teams(context, archive).await?;
    side_by_side(CONCURRENCY, teams.iter().map(|team| one(context, archive, team).boxed()).collect()).await
}

async fn teams(context: &ReadContext, archive: Archive) -> Result<Vec<String>> {
    if archive == Archive::Retained || !context.options.team_ids.is_empty() {
        return discover::teams::ids(context).await;
    }
    let request = Request::new(&endpoint::DELETED_TEAMS, &["teamwork", "deletedTeams"], "the deleted teams");
    let mut teams = context.list(&request, Empty::Usual, |team| team.id("id")).await.map(discover::sorted)?;
    teams.retain(|id| !context.options.excludes_team(id));
    Ok(teams)
}

/// One team. One that was discovered and is not found twice is reported and left out: it was removed meanwhile.
async fn one(context: &ReadContext, archive: Archive, team: &str) -> Result<()> {
    let seen_keys = SeenKeys::default();
    let is_named = !context.options.team_ids.is_empty();
    let place = [(Derived::Team, team)];
    context.unless_left_out(&place, is_named, || pages(context, archive, team, &seen_keys)).await?;
    Ok(())
}

fn request(context: &ReadContext, archive: Archive, team: &str) -> Request {
    let request = match archive {
        Archive::Retained => {
            let segments = ["teams", team, "channels", "getAllRetainedMessages"];
            Request::new(&endpoint::TEAM_RETAINED, &segments, format!("team {team}"))
        }
        Archive::DeletedTeams => {
            let segments = ["teamwork", "deletedTeams", team, "channels", "getAllMessages"];
            Request::new(&endpoint::DELETED_TEAM_EXPORT, &segments, format!("deleted team {team}"))
        }
    };
    let request = request.team(team);
    match context.options.start_date {
        Some(start) => request.query("$filter", format!("lastModifiedDateTime gt {start:.3}")),
        None => request,
    }
}

/// All pages of a team. Links that page by `$skip` may repeat a row, and a snapshot holds each key once.
async fn pages(context: &ReadContext, archive: Archive, team: &str, seen_keys: &SeenKeys) -> Result<()> {
    let first = request(context, archive, team);
    let mut place = WorkItem::parent(team);
    loop {
        let (request, page) = export_page::read(context, &first, &mut place, |builders, body| {
            let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
            let mut seen = seen_keys.lock();
            let after = context.options.start_date;
            let excluded = context.options.exclude_channel_ids.as_slice();
            let mut filter = Filter { after, is_chosen: true, excluded, seen: Some(&mut seen), ..Filter::default() };
            into(body, &mut VersionRows::new(rows, team, &mut filter))
        })
        .await?;
        match context.advance(&mut place, &request, &page)? {
            Step::More => {}
            _ => return Ok(()),
        }
    }
}
