//! Calls of the last weeks, and the transcripts and recordings of meetings: derived from the users and the clock, nothing
//! is drawn at random.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::list::pages;
use crate::handlers::page::{End, Items, finish};
use crate::http::error::{GraphError, Outcome};
use crate::http::response::Response;
use crate::tenant::clock::{DAY_MS, iso};
use crate::tenant::model::Tenant;

/// The default page of call records.
const PAGE: usize = 60;
/// Call records live 30 days.
const DAYS: i64 = 30;

/// Every call that Graph still shows: one a day for each user who is not removed.
pub fn call_records(tenant: &Tenant, now_ms: i64) -> Vec<Value> {
    let today = now_ms - now_ms.rem_euclid(DAY_MS);
    let present = tenant.users.iter().enumerate().filter(|(_, user)| user.removal.is_none());
    let calls = present.flat_map(|(n, user)| (1..DAYS).map(move |day| (n as i64, user, day)));
    calls
        .map(|(n, user, day)| {
            let start = today - day * DAY_MS + n * 61_000;
            let organizer = json!({"id": user.id, "displayName": tenant.user_name(n as usize), "tenantId": tenant.id});
            json!({
                "id": format!("{:08x}-{:04x}-4000-8000-{:012x}", start / 1000, n, day),
                "version": 1 + day % 3,
                "type": if n % 2 == 0 { "groupCall" } else { "peerToPeer" },
                "modalities": ["audio", "screenSharing"],
                "lastModifiedDateTime": iso(start + 4_000_000),
                "startDateTime": iso(start),
                "endDateTime": iso(start + 1_830_000),
                "joinWebUrl": null,
                "organizer": {"user": organizer},
                "organizer_v2": {"id": user.id, "identity": {"user": organizer, "phone": null}},
            })
        })
        .collect()
}

pub fn list_calls(call: &Call<'_>) -> Outcome {
    call.query.only(&["$select", "$filter", "$skiptoken"])?;
    let since = match call.query.get("$filter") {
        None => None,
        Some(filter) => {
            let time = filter.strip_prefix("startDateTime ge ").and_then(|time| time.parse::<jiff::Timestamp>().ok());
            Some(time.ok_or_else(|| GraphError::bad_request("Invalid filter clause"))?)
        }
    };
    let start = |record: &Value| record["startDateTime"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let records = call_records(call.tenant, call.now_ms);
    let records: Vec<_> =
        records.iter().filter(|record| since.is_none_or(|since| start(record) >= Some(since))).collect();
    let from: usize = call.position()?.map_or(0, |at| at.parse().unwrap_or(0));
    let mut items = Items::new();
    records.iter().skip(from).take(PAGE).for_each(|record| items.push_value(record));
    let end = if records.len() > from + PAGE { End::Next((from + PAGE).to_string()) } else { End::Last };
    Ok(finish(call, "communications/callRecords", items, false, end))
}

/// Transcripts or recordings of the meetings of a user; every third user has none.
pub fn artifacts(tenant: &Tenant, user: usize, is_recording: bool) -> Vec<Value> {
    let id = &tenant.users[user].id;
    let created =
        tenant.users[user].properties["createdDateTime"].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let created = created.map_or(0, jiff::Timestamp::as_millisecond);
    let (kind, folder) = if is_recording { ("callRecording", "recordings") } else { ("callTranscript", "transcripts") };
    (0..user % 3)
        .map(|n| {
            let meeting = format!("MSo{user}-{n}");
            let artifact = format!("VjIj{folder}-{user}-{n}");
            let at = created + DAY_MS * (n as i64 + 1);
            let mut item = json!({
                "@odata.type": format!("#microsoft.graph.{kind}"),
                "id": artifact,
                "meetingId": meeting,
                "callId": format!("af630fe0-04d3-4559-8cf9-{user:06x}{n:06x}"),
                "contentCorrelationId": format!("{user}-{n}"),
                "createdDateTime": iso(at),
                "endDateTime": iso(at + 1_080_000),
                "meetingOrganizer": {
                    "application": null, "device": null,
                    "user": {
                        "@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": id, "displayName": null,
                        "userIdentityType": "aadUser", "tenantId": tenant.id,
                    },
                },
            });
            let url = format!(
                "https://graph.microsoft.com/v1.0/users/{id}/onlineMeetings/{meeting}/{folder}/{artifact}/content"
            );
            item[if is_recording { "recordingContentUrl" } else { "transcriptContentUrl" }] = json!(url);
            item
        })
        .collect()
}

pub fn list_transcripts(call: &Call<'_>) -> Outcome {
    list_artifacts(call, false)
}

pub fn list_recordings(call: &Call<'_>) -> Outcome {
    list_artifacts(call, true)
}

fn list_artifacts(call: &Call<'_>, is_recording: bool) -> Outcome {
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let wanted = format!("MeetingOrganizer/User/Id eq '{}'", call.tenant.users[user].id);
    if call.query.get("$filter") != Some(wanted.as_str()) {
        return Err(GraphError::bad_request("The meeting organizer's id is missing."));
    }
    let context = if is_recording { "Collection(callRecording)" } else { "Collection(callTranscript)" };
    pages(call, context, true, artifacts(call.tenant, user, is_recording).into_iter())
}

/// What was said, as WebVTT: `$format` names the only form there is.
pub fn transcript(call: &Call<'_>) -> Outcome {
    call.query.only(&["$format"])?;
    if call.query.get("$format") != Some("text/vtt") {
        return Err(GraphError::bad_request("The format of the transcript is not supported."));
    }
    let user = call.tenant.user(call.id(0)).ok_or_else(|| GraphError::no_resource(call.id(0)))?;
    let (meeting, id) = (call.id(1), call.id(2));
    let found = artifacts(call.tenant, user, false);
    if !found.iter().any(|item| item["meetingId"] == meeting && item["id"] == id) {
        return Err(GraphError::not_found("NotFound"));
    }
    let name = call.tenant.user_name(user);
    let text = format!("WEBVTT\n\n00:00:00.000 --> 00:00:18.000\n<v {name}>This is {id}.</v>\n");
    let mut response = Response::ok(text.into_bytes());
    response.headers.push(("Content-Type", "text/vtt".to_owned()));
    Ok(response)
}
