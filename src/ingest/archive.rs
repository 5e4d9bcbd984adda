//! Archives of messages, team by team: whole, or an error.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt;

use super::engine::Step;
use super::item::Item;
use super::job::{Job, into, side_by_side};
use super::lists::confirmed;
use super::roster;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Archive, Filter, KeySet, VersionRows};

/// Teams read at once: these endpoints have no limit per team.
const CONCURRENCY: usize = 16;

pub async fn read(job: &Job, archive: Archive) -> Result<()> {
    let teams = teams(job, archive).await?;
    side_by_side(CONCURRENCY, teams.iter().map(|team| one(job, archive, team).boxed()).collect()).await
}

async fn teams(job: &Job, archive: Archive) -> Result<Vec<String>> {
    if archive == Archive::Retained || !job.options.team_ids.is_empty() {
        return roster::teams(job).await;
    }
    let request = Request::new(&endpoint::DELETED_TEAMS, &["teamwork", "deletedTeams"], "the deleted teams");
    job.list(&request, |team| team.id("id")).await
}

/// One team. One that was discovered and is not found twice is reported and left out: it was removed meanwhile.
async fn one(job: &Job, archive: Archive, team: &str) -> Result<()> {
    let seen = Mutex::default();
    let is_named = !job.options.team_ids.is_empty();
    confirmed(job, is_named, || pages(job, archive, team, &seen)).await?;
    Ok(())
}

fn request(job: &Job, archive: Archive, team: &str) -> Request {
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
    match job.options.start_date {
        Some(start) => request.query("$filter", format!("lastModifiedDateTime gt {start:.3}")),
        None => request,
    }
}

/// All pages of a team. Links that page by `$skip` may repeat a row, and a snapshot holds each key once.
async fn pages(job: &Job, archive: Archive, team: &str, seen: &Mutex<KeySet>) -> Result<()> {
    let first = request(job, archive, team);
    let mut place = Item::parent(team);
    loop {
        let (request, page) = job
            .export_page(&first, place.link.as_ref(), |builders, body| {
                let [rows, ..] = builders else { return Err("no table to read into".to_owned()) };
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let mut filter = Filter { after: job.options.start_date, seen: Some(&mut seen), ..Filter::default() };
                into(body, &mut VersionRows::new(rows, team, &mut filter))
            })
            .await?;
        match job.advance(&mut place, &request, &page)? {
            Step::More => {}
            _ => return Ok(()),
        }
    }
}
