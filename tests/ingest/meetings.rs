//! Calls, transcripts and recordings.

use std::collections::BTreeMap;

use serde_json::Value;
use teams_emulator::{Emulator, FaultRule};

use crate::harness::*;

const TABLES: &[&str] = &["call_records", "online_meeting_transcripts", "online_meeting_recordings"];

fn options(table: &str) -> &'static [(&'static str, &'static str)] {
    if table == "call_records" { &[] } else { ALL_CHATS }
}

/// Every plain property that both have, by key.
fn essence(table: &str, rows: &[Value]) -> BTreeMap<String, Vec<(String, Value)>> {
    let plain = |row: &Value| {
        let members = row.as_object().unwrap().iter();
        let members = members.filter(|(name, value)| !name.starts_with('@') && !value.is_null() && !value.is_object());
        members
            .filter(|(name, _)| !name.ends_with("ModifiedDateTime"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    rows.iter()
        .map(|row| {
            let mut row = row.clone();
            if let Some(organizer) = row["organizer"].as_str() {
                row["organizer"] = serde_json::from_str(organizer).unwrap();
                row["organizer_v2"] = serde_json::from_str(row["organizer_v2"].as_str().unwrap()).unwrap();
            }
            (key(table, &row), plain(&row))
        })
        .collect()
}

async fn read(emulator: &Emulator, table: &str, options: &[(&str, &str)]) -> Vec<Value> {
    let (found, failure) = read_once(&session(emulator), &pass(&[table], options)).await;
    assert!(failure.is_none(), "{table}: {failure:?}");
    found.into_iter().map(|(_, row)| row).collect()
}

#[tokio::test]
async fn every_table_is_whole() {
    let emulator = start(small());
    for table in TABLES {
        let found = read(&emulator, table, options(table)).await;
        let truth = emulator.truth(table);
        assert_eq!(found.len(), truth.len(), "{table}");
        assert_eq!(essence(table, &found), essence(table, &truth), "{table}");
        assert!(found.len() > 4);
    }
    let calls = emulator.requests().iter().filter(|request| request.path.ends_with("/callRecords")).count();
    assert!(calls > 1, "calls come in pages");
}

#[tokio::test]
async fn a_start_date_and_named_organizers_bound_what_is_read() {
    let emulator = start(small());
    let start = emulator.now().checked_sub(jiff::SignedDuration::from_hours(72)).unwrap().to_string();
    let all = emulator.truth("call_records");
    let newer = all.iter().filter(|row| row["startDateTime"].as_str().unwrap() >= start.as_str()).count();
    let found = read(&emulator, "call_records", &[("start_date", &start)]).await;
    assert_eq!(found.len(), newer);
    assert!(newer > 0 && newer < all.len());
    let transcripts = emulator.truth("online_meeting_transcripts");
    let user = transcripts[0]["user_id"].as_str().unwrap();
    let own = read(&emulator, "online_meeting_transcripts", &[("user_id", user)]).await;
    assert_eq!(own.len(), transcripts.iter().filter(|row| row["user_id"] == user).count());
}

#[tokio::test]
async fn what_is_refused_names_permission_and_prerequisite() {
    for (table, path, permission) in [
        ("call_records", "callRecords", "CallRecords.Read.All"),
        ("online_meeting_transcripts", "getAllTranscripts", "OnlineMeetingTranscript.Read.All"),
        ("online_meeting_recordings", "getAllRecordings", "OnlineMeetingRecording.Read.All"),
    ] {
        let emulator = with_knobs(small(), |knobs| assert!(knobs.roles.remove(permission)));
        let (_, failure) = read_once(&session(&emulator), &pass(&[table], options(table))).await;
        let message = failure.expect(path).to_string();
        assert!(message.contains(permission), "{message}");
        assert_eq!(message.contains("CsApplicationAccessPolicy"), table != "call_records", "{message}");
    }
}

#[tokio::test]
async fn what_was_said_is_fetched_only_when_asked_for() {
    let emulator = start(small());
    let table = "online_meeting_transcripts";
    let contents = || emulator.requests().iter().filter(|request| request.path.ends_with("/content")).count();
    let plain = read(&emulator, table, ALL_CHATS).await;
    assert!(plain.iter().all(|row| row["transcript_text"].is_null()));
    assert_eq!(contents(), 0);
    let rows = read(&emulator, table, &[ALL_CHATS, &[("transcript_text", "true")]].concat()).await;
    assert_eq!(rows.len(), emulator.truth(table).len());
    for row in &rows {
        let text = row["transcript_text"].as_str().unwrap();
        assert!(text.starts_with("WEBVTT") && text.contains(row["id"].as_str().unwrap()), "{text}");
    }
    assert_eq!(contents(), rows.len());
}

#[tokio::test]
async fn what_is_too_old_is_not_fetched_and_what_is_gone_is_noted() {
    let emulator = start(small());
    let table = "online_meeting_transcripts";
    let contents = || emulator.requests().iter().filter(|request| request.path.ends_with("/content")).count();
    let mut times: Vec<String> =
        emulator.truth(table).iter().map(|row| row["createdDateTime"].as_str().unwrap().to_owned()).collect();
    times.sort();
    let start = times[times.len() / 2].clone();
    let newer = times.iter().filter(|time| **time > start).count();
    let with_text = [ALL_CHATS, &[("transcript_text", "true"), ("start_date", &start)]].concat();
    assert_eq!(read(&emulator, table, &with_text).await.len(), newer);
    assert!(newer > 0 && newer < times.len());
    assert_eq!(contents(), newer, "only of what is wanted");

    emulator.fault(FaultRule { times: Some(1), ..status("/content", 404) });
    let session = session(&emulator);
    let (rows, failure) = read_once(&session, &pass(&[table], &with_text)).await;
    assert!(failure.is_none() && rows.len() == newer, "{failure:?}");
    assert_eq!(rows.iter().filter(|(_, row)| row["transcript_text"].is_null()).count(), 1);
    let notes = session.report().snapshot().notes;
    assert!(notes.iter().any(|note| note.contains("transcript_text stays null")), "{notes:?}");
}

#[tokio::test]
async fn a_missing_access_policy_is_named_once() {
    let emulator = start(small());
    let rule = FaultRule { message: Some("No application access policy found for this app.".into()), ..refusal() };
    for rule in [rule, refusal()] {
        emulator.clear_faults();
        emulator.fault(rule);
        let table = "online_meeting_transcripts";
        let (_, failure) = read_once(&session(&emulator), &pass(&[table], ALL_CHATS)).await;
        let text = failure.unwrap().to_string();
        assert_eq!(text.matches("New-CsApplicationAccessPolicy").count(), 1, "{text}");
    }
}

fn refusal() -> FaultRule {
    status("/onlineMeetings/getAllTranscripts", 403)
}
