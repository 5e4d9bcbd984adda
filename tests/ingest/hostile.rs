//! A server that errs in lists of scopes, in keys, or for ever: no scope is left out silently, nothing becomes null that was
//! not, and no run goes on for hours.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use teams_base::error::Error;
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule};

use crate::harness::*;

/// Instead of the list of teams.
fn instead_of_teams(body: String) -> FaultRule {
    FaultRule { body: Some(body), status: 200, ..status("GET /teams", 200) }
}

#[tokio::test]
async fn a_team_whose_id_comes_twice_is_not_left_out() {
    let emulator = start(small());
    let items: Vec<_> = team_ids(&emulator).iter().map(|id| format!(r#"{{"id":"{id}","id":"second"}}"#)).collect();
    emulator.fault(instead_of_teams(format!(r#"{{"value":[{}]}}"#, items.join(","))));
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_scope_that_cannot_be_named_is_an_error_and_not_left_out() {
    let emulator = start(small());
    let known = &team_ids(&emulator)[0];
    for bad in [json!({}), json!({"id": null}), json!({"id": ""}), json!({"id": "a/b"}), json!({"id": ["x"]}), json!(7)]
    {
        emulator.fault(instead_of_teams(json!({"value": [{"id": known}, bad]}).to_string()));
        let error = Reader::messages(&emulator, &[]).step().await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)) && error.to_string().contains("without an id"), "{bad}: {error}");
        emulator.clear_faults();
    }
}

#[tokio::test]
async fn an_id_that_is_a_number_names_its_scope() {
    let emulator = start(EmulatorConfig { teams: 1, ..small() });
    emulator.fault(instead_of_teams(r#"{"value":[{"id":4711}]}"#.to_owned()));
    let session = session(&emulator);
    let (_, failure) = read_once(&session, &pass(&["channels"], &[("fetch_all_teams", "true")])).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(session.report().snapshot().skipped[0].scope, "team 4711", "asked for, and not found");
}

#[tokio::test]
async fn settings_that_fail_to_come_do_not_become_null() {
    let emulator = start(small());
    for code in [500, 503] {
        emulator.fault(FaultRule { status: code, ..status("/teams/{id}", code) });
        let session = session_with(&emulator, &[("retry_timeout_seconds", "1")]);
        let (rows, failure) = read_once(&session, &pass(&["teams"], &[])).await;
        assert!(matches!(failure, Some(Error::Service(_))), "{code}: {failure:?}, {} rows", rows.len());
        emulator.clear_faults();
    }
}

#[tokio::test]
async fn a_tenant_that_throttles_everything_ends_the_run_in_minutes() {
    let emulator = start(EmulatorConfig { teams: 80, channels_per_team: 1, messages_per_channel: 1, ..small() });
    emulator.fault(FaultRule { retry_after: Some("1".into()), ..status("essages", 429) });
    let session = session_with(&emulator, &[("retry_timeout_seconds", "4")]);
    let begun = Instant::now();
    let (rows, failure) = read_once(&session, &pass(BOTH, &join(ALL_MESSAGES, &[("strategy", "channels")]))).await;
    assert!(rows.is_empty() && matches!(failure, Some(Error::Throttled(_))), "{failure:?}");
    // Each of 80 channels has four seconds of its own, 24 at a time; the run has hardly more than four.
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert!(failure.unwrap().to_string().contains("throttled every request for"));
}

#[tokio::test]
async fn a_tenant_that_is_down_ends_the_run_at_once_for_all_scopes() {
    let emulator = start(EmulatorConfig { teams: 80, channels_per_team: 1, messages_per_channel: 1, ..small() });
    emulator.fault(FaultRule { delay_ms: 1_000, ..fault("essages", teams_emulator::FaultKind::Slow) });
    let options = [("retry_timeout_seconds", "6"), ("request_timeout_seconds", "1")];
    let begun = Instant::now();
    let all = join(ALL_MESSAGES, &[("strategy", "channels")]);
    let (_, failure) = read_once(&session_with(&emulator, &options), &pass(BOTH, &all)).await;
    assert!(failure.is_some_and(|error| error.ends_run()));
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_chat_comes_once_however_many_list_it_at_the_same_time() {
    let emulator =
        start(EmulatorConfig { users: 24, chats: 60, messages_per_chat: 1, teams: 0, threads: 4, ..small() });
    for _ in 0..10 {
        let (found, failure) = read_once(&session(&emulator), &pass(&["chats"], ALL_CHATS)).await;
        let ids: BTreeSet<_> = found.iter().map(|(_, row)| row["id"].as_str().unwrap()).collect();
        assert!(failure.is_none() && ids.len() == found.len(), "{} rows of {} chats", found.len(), ids.len());
    }
}

#[tokio::test]
async fn byte_order_marks_before_every_answer_change_nothing() {
    let emulator = start(small());
    // Pages, batches, tokens, errors.
    emulator.fault(fault("", FaultKind::ByteOrderMark));
    assert_every_door(&emulator, BOTH, ALL_MESSAGES, "messages").await;
    assert_every_door(&emulator, &["chat_messages"], ALL_CHATS, "chat_messages").await;
    for (table, options) in
        [("teams", &[][..]), ("members", &[("fetch_all_teams", "true")]), ("users", &[]), ("chats", &[])]
    {
        let session = session(&emulator);
        let (found, failure) = read_once(&session, &pass(&[table], options)).await;
        assert!(failure.is_none(), "{table}: {failure:?}");
        let mut lake = Lakehouse::default();
        found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        assert_whole(&emulator, &lake, &[table]);
        assert_eq!(session.report().snapshot().retries, 0, "{table}");
    }
}
