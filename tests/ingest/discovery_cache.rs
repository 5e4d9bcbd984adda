//! How often a run that pauses asks who is there.

use teams_emulator::{Emulator, EmulatorConfig, Mutation};
use teams_ingest::Limits;

use crate::harness::*;

fn tenant() -> EmulatorConfig {
    EmulatorConfig { teams: 30, channels_per_team: 3, empty_channel: false, ..small() }
}

fn count(emulator: &Emulator, endpoint: &str) -> u64 {
    emulator.request_counts().get(&format!("GET {endpoint}")).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_round_in_many_steps_lists_teams_and_channels_once() {
    let emulator = start(tenant());
    let teams = team_ids(&emulator).len() as u64;
    for strategy in ["auto", "channels", "delta"] {
        emulator.clear_requests();
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
        reader.limits = Limits { max_rows: Some(100), max_pages: None };
        let mut steps = 1;
        while !reader.step().await.unwrap() {
            steps += 1;
        }
        reader.assert_whole();
        assert!(steps > 8, "{strategy}: {steps} steps prove nothing");
        assert_eq!(count(&emulator, "/teams"), 1, "{strategy}: in {steps} steps");
        assert_eq!(count(&emulator, "/teams/{id}/channels"), teams, "{strategy}: in {steps} steps");
    }
}

#[tokio::test]
async fn a_round_in_many_steps_lists_users_and_their_chats_once() {
    let emulator = start(EmulatorConfig { users: 30, chats: 60, ..small() });
    let users = emulator.truth("users").len() as u64;
    for table in ["chats", "chat_messages"] {
        emulator.clear_requests();
        let mut reader = Reader::new(&emulator, &[table], &join(ALL_CHATS, &[("strategy", "channels")])).pages(8);
        let mut steps = 1;
        while !reader.step().await.unwrap() {
            steps += 1;
        }
        reader.assert_whole();
        assert!(steps > 3, "{table}: {steps} steps prove nothing");
        assert_eq!(count(&emulator, "/users"), 1, "{table}: in {steps} steps");
        assert_eq!(count(&emulator, "/users/{id}/chats"), users, "{table}: in {steps} steps");
    }
}

#[tokio::test]
async fn a_plan_in_many_pieces_lists_once_and_so_does_its_replay() {
    let emulator = start(tenant());
    let pass = pass(BOTH, ALL_MESSAGES);
    let session = session(&emulator);
    let (mut offset, mut ends) = (None, vec![None]);
    loop {
        let plan = session.plan(&pass, offset.as_deref(), None, Some(4)).await.unwrap();
        ends.push(Some(plan.offset.clone()));
        offset = Some(plan.offset);
        if offset.as_ref().unwrap().contains(r#""phase":"done""#) {
            break;
        }
        assert!(ends.len() < 20);
    }
    assert_eq!((ends.len() - 1, count(&emulator, "/teams")), (8, 1));
    // As after a crash: another process knows nothing but the offsets.
    let other = session_with(&emulator, &[]);
    emulator.clear_requests();
    other.plan(&pass, ends[1].as_deref(), ends[2].as_deref(), None).await.unwrap();
    assert_eq!(count(&emulator, "/teams"), 1);
}

#[tokio::test]
async fn a_team_that_appears_while_a_round_is_paused_comes_with_the_next() {
    for new in 1..6 {
        let emulator = start(EmulatorConfig { teams: 4, seed: new, ..small() });
        let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(3);
        assert!(!reader.step().await.unwrap());
        let fresh = Mutation { seed: new, advance_seconds: 60, new_teams: 2, new_channels: 2, ..all_kinds(new) };
        emulator.mutate(&fresh);
        emulator.mutate(&Mutation { new_messages: 40, ..all_kinds(new) });
        reader.round().await;
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_team_that_goes_while_a_round_is_paused_is_left_out_and_reported() {
    let emulator = start(tenant());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(3);
    assert!(!reader.step().await.unwrap());
    emulator.mutate(&Mutation { advance_seconds: 60, deleted_teams: 5, ..Mutation::default() });
    reader.round().await;
    let gone = tenant().teams - team_ids(&emulator).len();
    let skipped = reader.report().skipped;
    assert!(gone == 5 && !skipped.is_empty() && skipped.len() <= gone, "{gone} gone, {skipped:?}");
    // Nobody asks for them again.
    emulator.advance(HOUR);
    reader.round().await;
    assert_eq!(reader.report().skipped_count, skipped.len() as u64);
}

#[tokio::test]
async fn a_round_that_takes_hours_lists_again() {
    let emulator = start(tenant());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(3);
    assert!(!reader.step().await.unwrap());
    emulator.advance(2 * HOUR);
    // The clock of the session goes by the answers it has had.
    for _ in 0..2 {
        assert!(!reader.step().await.unwrap());
    }
    assert_eq!(count(&emulator, "/teams"), 2);
    reader.round().await;
    reader.assert_whole();
}

/// Two reads through one connection have rounds of their own.
#[tokio::test]
async fn reads_side_by_side_do_not_take_each_others_lists() {
    let emulator = start(tenant());
    let ids = team_ids(&emulator);
    let some = ids[..3].join(",");
    let mut all = Reader::messages(&emulator, &[("top", "5")]).pages(4);
    let mut few = Reader::new(&emulator, BOTH, &[("team_id", &some), ("fetch_all_channels", "true"), ("top", "5")]);
    few.session = all.session.clone();
    few.limits.max_pages = Some(4);
    let (mut is_over, mut steps) = ((false, false), 0);
    while !(is_over.0 && is_over.1) {
        is_over.0 = is_over.0 || all.step().await.unwrap();
        is_over.1 = is_over.1 || few.step().await.unwrap();
        steps += 1;
        assert!(steps < 500);
    }
    all.assert_whole();
    let named = few.lake.rows("messages").iter().all(|row| ids[..3].iter().any(|id| row["team_id"] == **id));
    assert!(named && !few.lake.rows("messages").is_empty());
}
