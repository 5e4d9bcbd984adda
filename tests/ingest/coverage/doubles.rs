//! Each key once, whatever comes twice.

use serde_json::Value;
use teams_emulator::{EmulatorConfig, FaultKind};
use teams_ingest::Pass;
use teams_tables::{Archive, Meetings, Reading, TABLES, Table};

use super::compare::options;
use crate::harness::*;

/// Options that discover everything a table is made of.
fn everything(table: &Table) -> Vec<(&'static str, &'static str)> {
    match table.reading {
        Reading::List(list) => options(list.parent),
        Reading::ChannelMessages => ALL_MESSAGES.to_vec(),
        Reading::Archive(Archive::Retained) => vec![("fetch_all_teams", "true")],
        Reading::Chats | Reading::ChatMessages | Reading::Meetings(Meetings::Transcripts | Meetings::Recordings) => {
            ALL_CHATS.to_vec()
        }
        Reading::Teams
        | Reading::Report(_)
        | Reading::Archive(Archive::DeletedTeams)
        | Reading::Meetings(Meetings::CallRecords)
        | Reading::DirectoryDelta(_) => Vec::new(),
    }
}

fn sorted_keys(table: &Table, rows: &[(&str, Value)]) -> Vec<String> {
    let text = |row: &Value| table.keys.iter().map(|key| row[*key].to_string()).collect::<Vec<_>>().join("/");
    let mut keys: Vec<String> = rows.iter().map(|(_, row)| text(row)).collect();
    keys.sort();
    keys
}

/// Reads a table as Spark does: by its scopes, where it has any.
async fn read_by_scopes(session: &teams_ingest::Session, pass: &Pass) -> Vec<(&'static str, Value)> {
    let scopes = session.scopes(pass).await.unwrap();
    let mut rows = Vec::new();
    for share in scopes.chunks(2) {
        let share = Pass { scopes: Some(share.to_vec()), ..pass.clone() };
        let (found, failure) = read_once(session, &share).await;
        assert!(failure.is_none(), "{}: {failure:?}", pass.tables[0].name);
        rows.extend(found);
    }
    rows
}

#[tokio::test]
async fn an_item_on_two_pages_is_one_row_of_every_table() {
    let emulator = with_knobs(EmulatorConfig { teams: 8, members_per_team: 7, chats: 20, ..small() }, |knobs| {
        knobs.list_page = 1;
        knobs.directory_delta_page = 4;
    });
    emulator.mutate(&teams_emulator::Mutation { deleted_teams: 3, ..Default::default() });
    for table in TABLES {
        let pass = pass(&[table.name], &join(&everything(table), &[("top", "4")]));
        emulator.clear_faults();
        let (rows, failure) = read_once(&session(&emulator), &pass).await;
        assert!(failure.is_none() && !rows.is_empty(), "{}: {failure:?}", table.name);
        let wanted = sorted_keys(table, &rows);
        assert!(wanted.windows(2).all(|pair| pair[0] != pair[1]), "{}", table.name);
        emulator.fault(fault("/", FaultKind::RepeatItems));
        emulator.clear_requests();
        let (rows, failure) = read_once(&session(&emulator), &pass).await;
        assert!(failure.is_none(), "{}: {failure:?}", table.name);
        assert_eq!(sorted_keys(table, &rows), wanted, "{}", table.name);
        let is_paged = |request: &teams_emulator::RequestLogEntry| request.query.contains("$skip");
        // One object or file; lists that are short here; and `teams` has a test of its own.
        let is_one_page = matches!(
            table.name,
            "schedules" | "group_owners" | "incoming_channels" | "team_device_usage_report" | "teams"
        );
        assert!(is_one_page || emulator.requests().iter().any(is_paged), "{}: nothing is paged", table.name);
        let shares = read_by_scopes(&session(&emulator), &pass).await;
        assert!(shares.is_empty() || sorted_keys(table, &shares) == wanted, "{} by scopes", table.name);
    }
}

/// The list of teams comes in pages of 100.
#[tokio::test]
async fn a_team_on_two_pages_is_one_team() {
    let emulator = start(EmulatorConfig { teams: 130, channels_per_team: 1, messages_per_channel: 0, ..small() });
    emulator.fault(fault("GET /teams", FaultKind::RepeatItems));
    for (name, options) in [("teams", vec![]), ("channels", vec![("fetch_all_teams", "true")])] {
        let (rows, failure) = read_once(&session(&emulator), &pass(&[name], &options)).await;
        assert!(failure.is_none(), "{failure:?}");
        assert_eq!(rows.len(), emulator.truth(name).len(), "{name}");
    }
    assert!(emulator.requests().iter().any(|request| request.template == "/teams" && request.query.contains("$skip")));
}
