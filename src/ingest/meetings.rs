//! Calls of the tenant, and what the meetings of each organizer left behind: whole, or an error.

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::job::{Job, side_by_side};
use super::lists::confirmed;
use super::roster;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::{Context, Fields, Filter, ListRows, Meetings, read_item};

/// Organizers asked at once.
const CONCURRENCY: usize = 16;

/// Transcripts of one organizer fetched at once.
const TEXTS: usize = 4;

pub async fn read(job: &Job, meetings: Meetings) -> Result<()> {
    let users = match meetings {
        Meetings::CallRecords => return list(job, &calls(job), None).await,
        Meetings::Transcripts | Meetings::Recordings => roster::every_user(job).await?,
    };
    let lists = users.iter().map(|user| organizer(job, meetings, user).boxed()).collect();
    side_by_side(CONCURRENCY, lists).await
}

fn calls(job: &Job) -> Request {
    let request = Request::new(&endpoint::CALL_RECORDS, &["communications", "callRecords"], "all calls");
    match job.options.start_date {
        Some(start) => request.query("$filter", format!("startDateTime ge {start:.3}")),
        None => request,
    }
}

/// The request for what the meetings of one organizer left behind.
pub fn request(meetings: Meetings, user: &str) -> Request {
    let (endpoint, function) = match meetings {
        Meetings::Transcripts | Meetings::CallRecords => (&endpoint::TRANSCRIPTS, "getAllTranscripts"),
        Meetings::Recordings => (&endpoint::RECORDINGS, "getAllRecordings"),
    };
    Request::new(endpoint, &["users", user, "onlineMeetings", function], format!("user {user}"))
        .user(user)
        .query("$filter", format!("MeetingOrganizer/User/Id eq '{}'", user.replace('\'', "''")))
}

async fn organizer(job: &Job, meetings: Meetings, user: &str) -> Result<()> {
    let request = request(meetings, user);
    let is_named = !job.options.user_ids.is_empty();
    confirmed(job, is_named, || list(job, &request, Some(user))).await?;
    Ok(())
}

/// One list, whole before any of it is given. `start_date` holds for when a thing was made, where no filter says so.
async fn list(job: &Job, request: &Request, organizer: Option<&str>) -> Result<()> {
    let mut items = job.list_raw(request).await.map_err(explained)?;
    if let Some(start) = job.options.start_date.filter(|_| organizer.is_some()) {
        // Before anything is fetched for them.
        items.retain(|item| made(item).is_none_or(|made| made > start));
    }
    let texts = match organizer {
        Some(user) if job.options.transcript_text => texts(job, user, &items).await.map_err(explained)?,
        _ => Vec::new(),
    };
    job.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            for (at, item) in items.iter().enumerate() {
                let transcript = texts.get(at).and_then(Option::as_deref);
                let context = Context { user: organizer, transcript, ..Context::default() };
                read_item(item.get(), &mut ListRows::new(rows, context, &mut filter));
            }
        }
    });
    job.sink.flush().await
}

/// When a recording or a transcript was made.
fn made(item: &RawValue) -> Option<Timestamp> {
    timestamp::parse(&Fields::of(item.get())?.text("createdDateTime")?)
}

/// What was said, transcript by transcript.
async fn texts(job: &Job, user: &str, items: &[Box<RawValue>]) -> Result<Vec<Option<String>>> {
    let fetches: Vec<_> = items.iter().map(|item| text(job, user, item).boxed()).collect();
    stream::iter(fetches).buffered(TEXTS).try_collect().await
}

/// One that is gone has no text.
/// `api-reference/v1.0/api/calltranscript-get.md`: <https://learn.microsoft.com/graph/api/calltranscript-get>
async fn text(job: &Job, user: &str, item: &RawValue) -> Result<Option<String>> {
    let ids = Fields::of(item.get()).and_then(|item| Some((item.key("meetingId")?, item.key("id")?)));
    let Some((meeting, id)) = ids else { return Ok(None) };
    let path = ["users", user, "onlineMeetings", &meeting, "transcripts", &id, "content"];
    let request = Request::new(&endpoint::TRANSCRIPT_CONTENT, &path, format!("user {user}"))
        .user(user)
        .query("$format", "text/vtt");
    match job.client.get(&request, |body| Ok(String::from_utf8_lossy(body).into_owned())).await {
        Ok(answer) => Ok(Some(answer.body)),
        Err(Error::NotFound(_)) => {
            job.report().note(
                "transcript_text stays null for some transcripts: they are listed, but their content is not found (404)",
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A refusal with what the tenant may lack beside the permission.
fn explained(mut error: Error) -> Error {
    if let Error::PermissionDenied(failure) = &mut error
        && failure.endpoint != endpoint::CALL_RECORDS.template
    {
        failure.remedy.push_str(
            ". Meetings also need an application access policy that is granted to their organizers \
             (New-CsApplicationAccessPolicy, Grant-CsApplicationAccessPolicy)",
        );
    }
    error
}
