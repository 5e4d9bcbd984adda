//! Calls of the tenant, and what the meetings of each organizer left behind: whole, or an error.

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::context::{ReadContext, side_by_side};
use crate::dedup::latest;
use crate::discover;
use crate::error_policy::explain_meetings;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::{Context, Derived, Fields, Filter, ListRows, Meetings, read_item};

/// Organizers asked at once.
const CONCURRENCY: usize = 16;

/// Transcripts of one organizer fetched at once.
const TEXTS: usize = 4;

pub async fn read(context: &ReadContext, meetings: Meetings) -> Result<()> {
    let users = match meetings {
        Meetings::CallRecords => return list(context, &calls(context), None).await,
        Meetings::Transcripts | Meetings::Recordings => discover::users::all_ids(context).await?,
    };
    let lists = users.iter().map(|user| organizer(context, meetings, user).boxed()).collect();
    side_by_side(CONCURRENCY, lists).await
}

fn calls(context: &ReadContext) -> Request {
    let request = Request::new(&endpoint::CALL_RECORDS, &["communications", "callRecords"], "all calls");
    match context.options.start_date {
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

async fn organizer(context: &ReadContext, meetings: Meetings, user: &str) -> Result<()> {
    let request = request(meetings, user);
    let is_named = !context.options.user_ids.is_empty();
    context.unless_left_out(&[(Derived::User, user)], is_named, || list(context, &request, Some(user))).await?;
    Ok(())
}

/// Reads one list, whole before any row is handed on. `start_date` counts from when an item was made, where no filter
/// says so.
async fn list(context: &ReadContext, request: &Request, organizer: Option<&str>) -> Result<()> {
    let items = context.list_raw(request).await.map_err(explain_meetings)?;
    // What tells items apart beside their organizer: those of meetings have an id within their meeting.
    let keys: &[&str] = if organizer.is_some() { &["meetingId", "id"] } else { &["id"] };
    let mut items = latest(items, |item| item.get(), keys);
    if let Some(start) = context.options.start_date.filter(|_| organizer.is_some()) {
        // Before anything is fetched for them.
        items.retain(|item| made(item).is_none_or(|made| made > start));
    }
    let texts = match organizer {
        Some(user) if context.options.transcript_text => {
            texts(context, user, &items).await.map_err(explain_meetings)?
        }
        _ => Vec::new(),
    };
    context.sink.with(|builders| {
        if let [rows, ..] = builders {
            let mut filter = Filter::default();
            for (at, item) in items.iter().enumerate() {
                let transcript = texts.get(at).and_then(Option::as_deref);
                let row = Context { user: organizer, transcript, ..Context::default() };
                read_item(item.get(), &mut ListRows::new(rows, row, &mut filter));
            }
        }
    });
    context.sink.flush().await
}

/// When a recording or a transcript was made.
fn made(item: &RawValue) -> Option<Timestamp> {
    timestamp::known(&Fields::of(item.get())?.text("createdDateTime")?)
}

/// What was said, transcript by transcript.
async fn texts(context: &ReadContext, user: &str, items: &[Box<RawValue>]) -> Result<Vec<Option<String>>> {
    let fetches: Vec<_> = items.iter().map(|item| text(context, user, item).boxed()).collect();
    stream::iter(fetches).buffered(TEXTS).try_collect().await
}

/// The text of one transcript; `None` where it is gone.
/// <https://learn.microsoft.com/graph/api/calltranscript-get>
async fn text(context: &ReadContext, user: &str, item: &RawValue) -> Result<Option<String>> {
    let ids = Fields::of(item.get()).and_then(|item| Some((item.key("meetingId")?, item.key("id")?)));
    let Some((meeting, id)) = ids else { return Ok(None) };
    let path = ["users", user, "onlineMeetings", &meeting, "transcripts", &id, "content"];
    let request = Request::new(&endpoint::TRANSCRIPT_CONTENT, &path, format!("user {user}"))
        .user(user)
        .query("$format", "text/vtt");
    match context.client.get(&request, |body| Ok(String::from_utf8_lossy(body).into_owned())).await {
        Ok(answer) => Ok(Some(answer.body)),
        Err(Error::NotFound(_)) => {
            context.report().note(
                "transcript_text stays null for some transcripts: they are listed, but their content is not found (404)",
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
