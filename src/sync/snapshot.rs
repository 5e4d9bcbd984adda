//! Snapshots: whole, or an error, because downstream a missing row is a delete.

use std::future::Future;

use futures::FutureExt;
use serde_json::value::RawValue;

use super::job::{Job, side_by_side};
use super::roster;
use crate::client::endpoint;
use crate::client::request::Request;
use crate::decode::{Context, Filter, ListRows, read_item};
use crate::error::{Error, Result};
use crate::tables::PerTeam;

/// Lists read at once; the client's budgets decide how fast.
const CONCURRENCY: usize = 24;

/// A JSON batch takes 20 requests: <https://learn.microsoft.com/graph/json-batching>.
pub const BATCH: usize = 20;

/// Batches on their way at once: each fills the budget of single reads for most of a second.
const BATCHES: usize = 4;

/// Channels or members of every team.
pub async fn per_team(job: &Job, what: PerTeam) -> Result<()> {
    let teams = roster::teams(job).await?;
    let reads = teams.iter().map(|team| team_list(job, what, team).boxed()).collect();
    side_by_side(CONCURRENCY, reads).await
}

async fn team_list(job: &Job, what: PerTeam, team: &str) -> Result<()> {
    let request = match what {
        PerTeam::Channels => roster::channels_request(team),
        PerTeam::Members => roster::members_request(job, team),
    };
    let is_named = !job.options.team_ids.is_empty();
    let context = Context { team: Some(team), ..Context::default() };
    confirmed(job, is_named, || whole_list(job, &request, context)).await
}

/// All pages of one list. A list that fails part-way fails the snapshot, so rows already given do no harm.
async fn whole_list(job: &Job, request: &Request, context: Context<'_>) -> Result<()> {
    let items = job.list_raw(request).await?;
    job.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            let mut rows = ListRows::new(rows, context, &mut filter);
            for item in &items {
                read_item(item.get(), &mut rows);
            }
        }
    });
    job.sink.flush().await
}

/// Reads a scope; one that was discovered and is not found twice is reported and left out: it was deleted meanwhile.
async fn confirmed<F: Future<Output = Result<()>>>(job: &Job, is_named: bool, read: impl Fn() -> F) -> Result<()> {
    match read().await {
        Err(Error::NotFound(_)) if !is_named => {}
        result => return result,
    }
    match read().await {
        Err(Error::NotFound(failure)) => {
            job.skip(&failure, "it is listed, but it was not found twice");
            Ok(())
        }
        result => result,
    }
}

/// Every team, with the settings that the list leaves null.
pub async fn teams(job: &Job) -> Result<()> {
    if !job.options.team_ids.is_empty() {
        return named_teams(job).await;
    }
    let listed = match job.list_raw(&roster::teams_request()).await {
        Err(error) if roster::is_refused(&error) => {
            let groups = roster::groups_request()
                .query("$select", "id,displayName,description,visibility,createdDateTime,classification");
            job.list_raw(&groups).await.map_err(|second| if roster::is_refused(&second) { error } else { second })?
        }
        teams => teams?,
    };
    let reads = listed.chunks(BATCH).map(|chunk| detailed(job, chunk).boxed()).collect();
    side_by_side(BATCHES, reads).await
}

fn team_request(id: &str) -> Request {
    Request::new(&endpoint::TEAM, &["teams", id], format!("team {id}")).team(id)
}

/// A refused single read leaves what the list gave, and never drops the team.
async fn detailed(job: &Job, listed: &[Box<RawValue>]) -> Result<()> {
    let ids: Vec<String> = listed.iter().map(|team| id_of(team)).collect();
    let requests: Vec<_> = ids.iter().map(|id| team_request(id)).collect();
    let details = match job.client.batch(&requests).await {
        Ok(details) => details,
        Err(error @ (Error::Authentication(_) | Error::Interrupted)) => return Err(error),
        Err(error) => {
            job.report().note(format!("$batch is refused, so teams are read one by one: {error}"));
            one_by_one(job, &requests).await
        }
    };
    job.sink.with(|builders| {
        for (listed, detail) in listed.iter().zip(details) {
            match detail {
                Ok(team) => {
                    note_basic_answer(job, &team);
                    push(builders, &team);
                }
                Err(error) => {
                    report_missing_settings(job, &error);
                    push(builders, listed);
                }
            }
        }
    });
    job.sink.flush().await
}

async fn one_by_one(job: &Job, requests: &[Request]) -> Vec<Result<Box<RawValue>>> {
    let mut details = Vec::new();
    for request in requests {
        details.push(job.client.get(request, read_object).await.map(|answer| answer.body));
    }
    details
}

fn read_object(body: &[u8]) -> Result<Box<RawValue>, crate::client::Malformed> {
    let text = String::from_utf8_lossy(body);
    let value: Box<RawValue> = serde_json::from_str(&text)
        .map_err(|error| crate::client::Malformed(format!("malformed JSON at line {}", error.line())))?;
    if value.get().starts_with('{') { Ok(value) } else { Err(crate::client::Malformed("no object".to_owned())) }
}

fn report_missing_settings(job: &Job, error: &Error) {
    let remedy = match error {
        Error::PermissionDenied(_) => format!(": grant {} to fill them", endpoint::TEAM.permission),
        _ => String::new(),
    };
    job.report().note(format!("settings of some teams stay null, because GET /teams/{{id}} is refused{remedy}"));
}

/// With the basic permission alone the single read succeeds, and leaves the settings null.
fn note_basic_answer(job: &Job, team: &RawValue) {
    #[derive(serde::Deserialize)]
    struct Team {
        #[serde(rename = "memberSettings")]
        settings: Option<serde::de::IgnoredAny>,
    }
    if serde_json::from_str::<Team>(team.get()).is_ok_and(|team| team.settings.is_none()) {
        let permission = endpoint::TEAM.permission;
        job.report().note(format!("settings of some teams stay null: grant {permission} to fill them"));
    }
}

fn push(builders: &mut [crate::decode::TableBuilder], team: &RawValue) {
    if let [rows, ..] = builders {
        let mut filter = Filter::default();
        read_item(team.get(), &mut ListRows::new(rows, Context::default(), &mut filter));
    }
}

fn id_of(team: &RawValue) -> String {
    #[derive(serde::Deserialize)]
    struct Team {
        id: String,
    }
    serde_json::from_str::<Team>(team.get()).map(|team| team.id).unwrap_or_default()
}

/// Teams that the options name: each has to be there.
async fn named_teams(job: &Job) -> Result<()> {
    for id in roster::teams(job).await? {
        let team = job.client.get(&team_request(&id), read_object).await?.body;
        job.sink.with(|builders| push(builders, &team));
    }
    job.sink.flush().await
}
