//! Messages that the lists no longer show: retained versions, and those of deleted teams.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use teams_base::error::Error;
use teams_emulator::{Emulator, EmulatorConfig, Mutation};

use crate::harness::*;

fn key(row: &Value) -> String {
    let ids = ["team_id", "channel_id", "root_message_id", "id"].map(|name| row[name].as_str().unwrap().to_owned());
    let time = row["lastModifiedDateTime"].as_str().unwrap_or(row["createdDateTime"].as_str().unwrap());
    format!("{}|{}", ids.join("|"), time.parse::<Timestamp>().unwrap())
}

#[track_caller]
pub fn assert_whole(emulator: &Emulator, table: &str, found: &[(&'static str, Value)]) {
    let essence = |row: &Value| (row["body"]["content"].clone(), row["deletedDateTime"].clone());
    let truth: BTreeMap<_, _> = emulator.truth(table).iter().map(|row| (key(row), essence(row))).collect();
    let rows: BTreeMap<_, _> = found.iter().map(|(_, row)| (key(row), essence(row))).collect();
    assert_eq!(rows.len(), found.len(), "{table}: a key comes twice");
    assert_eq!(rows, truth, "{table}");
    assert!(!truth.is_empty());
}

/// A tenant in which things were edited, deleted and lost.
fn lived_in() -> Emulator {
    let emulator = start(small());
    for seed in 0..3 {
        emulator.mutate(&Mutation { advance_seconds: 3600, hard_deletes: 2, ..all_kinds(seed) });
    }
    emulator.advance(2);
    emulator
}

const TEAMS: &[(&str, &str)] = &[("fetch_all_teams", "true")];

#[tokio::test]
async fn retention_keeps_every_version() {
    let emulator = lived_in();
    let options = join(TEAMS, &[("include_raw", "true"), ("body_text", "true"), ("top", "7")]);
    let (found, failure) = read_once(&session(&emulator), &pass(&["retained_messages"], &options)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_whole(&emulator, "retained_messages", &found);
    let shown = emulator.truth("messages").len() + emulator.truth("message_replies").len();
    assert!(found.len() > shown + 20, "older versions and lost messages are among them");
    let deleted: Vec<_> =
        found.iter().filter(|(_, row)| !row["deletedDateTime"].is_null()).map(|(_, row)| row).collect();
    assert!(
        deleted.iter().any(|row| found.iter().any(|(_, other)| {
            other["id"] == row["id"] && other["channel_id"] == row["channel_id"] && other["deletedDateTime"].is_null()
        })),
        "what a deleted message said"
    );
    assert!(found.iter().all(|(_, row)| row["_raw"].is_string()));
    assert!(found.iter().any(|(_, row)| row["body_text"].as_str().is_some_and(|text| !text.contains('<'))));
}

#[tokio::test]
async fn a_start_date_bounds_what_is_read() {
    let emulator = lived_in();
    let start = emulator.now().checked_sub(jiff::SignedDuration::from_hours(2)).unwrap();
    let text = start.to_string();
    let options = join(TEAMS, &[("start_date", text.as_str())]);
    let (found, failure) = read_once(&session(&emulator), &pass(&["retained_messages"], &options)).await;
    assert!(failure.is_none(), "{failure:?}");
    let newer = emulator
        .truth("retained_messages")
        .iter()
        .filter(|row| key(row).rsplit('|').next().unwrap().parse::<Timestamp>().unwrap() > start)
        .count();
    assert_eq!(found.len(), newer);
    assert!(newer > 0 && newer < emulator.truth("retained_messages").len());
}

#[tokio::test]
async fn a_deleted_team_is_read_while_it_can_be_restored() {
    let emulator = start(EmulatorConfig { teams: 4, ..small() });
    let changes = emulator.mutate(&Mutation { advance_seconds: 60, deleted_teams: 2, ..Mutation::default() });
    let gone = changes.of("deleted_teams");
    assert_eq!(gone.len(), 2);
    let (found, failure) = read_once(&session(&emulator), &pass(&["deleted_team_messages"], &[])).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_whole(&emulator, "deleted_team_messages", &found);
    assert!(gone.iter().all(|team| found.iter().any(|(_, row)| row["team_id"] == team.id.as_str())));
    let named = [("team_id", gone[0].id.as_str())];
    let (one, failure) = read_once(&session(&emulator), &pass(&["deleted_team_messages"], &named)).await;
    assert!(failure.is_none() && !one.is_empty() && one.len() < found.len());
    emulator.advance(31 * DAY);
    let (found, failure) = read_once(&session(&emulator), &pass(&["deleted_team_messages"], &[])).await;
    assert!(failure.is_none() && found.is_empty());
    let (_, failure) = read_once(&session(&emulator), &pass(&["deleted_team_messages"], &named)).await;
    assert!(matches!(failure, Some(Error::NotFound(_))), "{failure:?}");
}

#[tokio::test]
async fn a_refused_archive_is_an_error_that_names_the_permission() {
    let emulator = lived_in();
    emulator.fault(status("getAllRetainedMessages", 403));
    let options = join(TEAMS, &[("on_forbidden", "skip")]);
    let (_, failure) = read_once(&session(&emulator), &pass(&["retained_messages"], &options)).await;
    let message = failure.expect("a snapshot is whole or an error").to_string();
    assert!(message.contains("ChannelMessage.Read.All"), "{message}");
    emulator.clear_faults();
    emulator.fault(status("getAllRetainedMessages", 404));
    let one = session(&emulator);
    let (found, failure) = read_once(&one, &pass(&["retained_messages"], TEAMS)).await;
    assert!(failure.is_none() && found.is_empty(), "{failure:?}");
    assert_eq!(one.report().snapshot().skipped_count, 3, "each team is said to be left out");
}
