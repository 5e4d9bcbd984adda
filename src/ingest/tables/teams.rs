//! The table `teams`. Snapshots are whole, or an error, because downstream a missing row is a delete.

use futures::FutureExt;
use serde_json::value::RawValue;

use crate::context::{ReadContext, read_object, side_by_side};
use crate::discover;
use crate::error_policy::is_final;
use crate::page_sizes::TEAMS_PER_BATCH;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_client::request::Request;
use teams_tables::{Context, Fields, Filter, ListRows, read_item};

/// Batches on their way at once: each fills the budget of single reads for most of a second.
const BATCHES: usize = 4;

/// Every team, with the settings that the list leaves null.
pub async fn read(context: &ReadContext) -> Result<()> {
    if !context.options.team_ids.is_empty() {
        return named_teams(context).await;
    }
    let listed = discover::teams::all(context).await?;
    let reads = listed.chunks(TEAMS_PER_BATCH).map(|chunk| detailed(context, chunk).boxed()).collect();
    side_by_side(BATCHES, reads).await
}

fn team_request(id: &str) -> Request {
    Request::new(&endpoint::TEAM, &["teams", id], format!("team {id}")).team(id)
}

/// A refused single read leaves what the list gave, and never drops the team.
async fn detailed(context: &ReadContext, listed: &[Box<RawValue>]) -> Result<()> {
    let ids: Vec<String> = listed.iter().map(|team| id_of(team)).collect();
    let requests: Vec<_> = ids.iter().map(|id| team_request(id)).collect();
    let details = match context.client.batch(&requests).await {
        Ok(details) => details,
        Err(error) if error.ends_run() => return Err(error),
        Err(error) => {
            context.report().note(format!("$batch is refused, so teams are read one by one: {error}"));
            one_by_one(context, &requests).await
        }
    };
    // A snapshot replaces what is stored: settings that could not be read this time must not become null.
    if let Some(Err(error)) = details.iter().find(|detail| detail.as_ref().is_err_and(|error| !is_final(error))) {
        return Err(error.clone());
    }
    context.sink.with(|builders| {
        for (listed, detail) in listed.iter().zip(details) {
            match detail {
                Ok(team) => {
                    note_basic_answer(context, &team);
                    push(builders, &team);
                }
                Err(error) => {
                    report_missing_settings(context, &error);
                    push(builders, listed);
                }
            }
        }
    });
    context.sink.flush().await
}

async fn one_by_one(context: &ReadContext, requests: &[Request]) -> Vec<Result<Box<RawValue>>> {
    let mut details = Vec::new();
    for request in requests {
        let detail = context.client.get(request, read_object).await.map(|answer| answer.body);
        let is_over = detail.as_ref().is_err_and(|error| !is_final(error));
        details.push(detail);
        if is_over {
            break;
        }
    }
    details
}

fn report_missing_settings(context: &ReadContext, error: &Error) {
    let remedy = match error {
        Error::PermissionDenied(failure) if failure.tells_why => format!(". {}", failure.remedy),
        Error::PermissionDenied(_) => format!(": grant {} to fill them", endpoint::TEAM.permission),
        _ => String::new(),
    };
    context.report().note(format!("settings of some teams stay null, because GET /teams/{{id}} is refused{remedy}"));
}

/// With the basic permission alone the single read succeeds, and leaves the settings null.
fn note_basic_answer(context: &ReadContext, team: &RawValue) {
    if Fields::of(team.get()).is_some_and(|team| team.object("memberSettings").is_none()) {
        let permission = endpoint::TEAM.permission;
        context.report().note(format!("settings of some teams stay null: grant {permission} to fill them"));
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
async fn named_teams(context: &ReadContext) -> Result<()> {
    for id in discover::teams::ids(context).await? {
        let team = context.client.get(&team_request(&id), read_object).await?.body;
        context.sink.with(|builders| push(builders, &team));
    }
    context.sink.flush().await
}
