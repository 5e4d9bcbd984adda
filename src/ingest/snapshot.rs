//! The table `teams`. Snapshots are whole, or an error, because downstream a missing row is a delete.

use futures::FutureExt;
use serde_json::value::RawValue;

use super::job::{Job, side_by_side};
use super::roster;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Context, Fields, Filter, ListRows, read_item};

/// A JSON batch takes 20 requests: <https://learn.microsoft.com/graph/json-batching>.
pub const BATCH: usize = 20;

/// Batches on their way at once: each fills the budget of single reads for most of a second.
const BATCHES: usize = 4;

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
        Err(error) if error.ends_run() => return Err(error),
        Err(error) => {
            job.report().note(format!("$batch is refused, so teams are read one by one: {error}"));
            one_by_one(job, &requests).await
        }
    };
    // A snapshot replaces what is stored: settings that could not be read this time must not become null.
    if let Some(Err(error)) = details.iter().find(|detail| detail.as_ref().is_err_and(|error| !is_refusal(error))) {
        return Err(error.clone());
    }
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

/// The server has said no, and would say it again.
fn is_refusal(error: &Error) -> bool {
    error.status().is_some_and(|status| matches!(status, 400..=407 | 409..=428 | 501))
}

async fn one_by_one(job: &Job, requests: &[Request]) -> Vec<Result<Box<RawValue>>> {
    let mut details = Vec::new();
    for request in requests {
        let detail = job.client.get(request, read_object).await.map(|answer| answer.body);
        let is_over = detail.as_ref().is_err_and(|error| !is_refusal(error));
        details.push(detail);
        if is_over {
            break;
        }
    }
    details
}

pub fn read_object(body: &[u8]) -> Result<Box<RawValue>, teams_client::Malformed> {
    let text = String::from_utf8_lossy(body);
    let value: Box<RawValue> = serde_json::from_str(&text)
        .map_err(|error| teams_client::Malformed(format!("malformed JSON at line {}", error.line())))?;
    if value.get().starts_with('{') { Ok(value) } else { Err(teams_client::Malformed("no object".to_owned())) }
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
    if Fields::of(team.get()).is_some_and(|team| team.object("memberSettings").is_none()) {
        let permission = endpoint::TEAM.permission;
        job.report().note(format!("settings of some teams stay null: grant {permission} to fill them"));
    }
}

fn push(builders: &mut [teams_tables::TableBuilder], team: &RawValue) {
    if let [rows, ..] = builders {
        let mut filter = Filter::default();
        read_item(team.get(), &mut ListRows::new(rows, Context::default(), &mut filter));
    }
}

fn id_of(team: &RawValue) -> String {
    Fields::of(team.get()).and_then(|team| team.id("id")).unwrap_or_default()
}

/// Teams that the options name: each has to be there.
async fn named_teams(job: &Job) -> Result<()> {
    for id in roster::teams(job).await? {
        let team = job.client.get(&team_request(&id), read_object).await?.body;
        job.sink.with(|builders| push(builders, &team));
    }
    job.sink.flush().await
}
