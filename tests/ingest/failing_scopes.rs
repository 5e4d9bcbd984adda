//! Scopes that fail for good: all others go on, each round says what is broken, and nothing is lost when it works again.

use std::collections::BTreeSet;

use teams_base::error::Error;
use teams_emulator::{Emulator, EmulatorConfig, FaultKind, FaultRule, Mutation};

use crate::harness::*;

const STRATEGIES: [&str; 4] = ["auto", "export", "channels", "delta"];

/// What differs from the truth outside of `broken`.
fn wrong_elsewhere(emulator: &Emulator, reader: &Reader<'_>, broken: &[String]) -> Vec<String> {
    let tables = reader.pass.tables.iter().map(|table| table.name);
    let wrong = tables.flat_map(|table| differences(emulator, &reader.lake, table, &BTreeSet::new()));
    wrong.filter(|text| broken.iter().all(|scope| !text.contains(scope))).collect()
}

/// Three rounds with the fault, each an error and complete for all others; then it is over.
async fn survives(emulator: &Emulator, reader: &mut Reader<'_>, faults: &[FaultRule], broken: &[String], what: &str) {
    faults.iter().for_each(|fault| emulator.fault(fault.clone()));
    for round in 0..3 {
        // `Date` tells seconds, so that a change of this second lies ahead of it.
        emulator.advance(2);
        let error = reader.until_error().await;
        assert!(!error.ends_run(), "{what}: {error}");
        let wrong = wrong_elsewhere(emulator, reader, broken);
        assert!(wrong.is_empty(), "{what}, round {round}: {:#?}", &wrong[..wrong.len().min(3)]);
        emulator.mutate(&Mutation { advance_seconds: [600, 30 * 3600, 9 * 86_400][round], ..all_kinds(round as u64) });
    }
    emulator.clear_faults();
    for _ in 0..9 {
        reader.round().await;
        emulator.advance(26 * HOUR);
    }
    reader.assert_whole();
}

#[tokio::test]
async fn all_others_get_what_is_new_in_every_round_and_it_is_read_when_it_works_again() {
    for strategy in STRATEGIES {
        for (is_channel, code) in [(false, 400), (false, 500), (true, 403), (true, 423)] {
            for is_known in [true, false] {
                let emulator = start(EmulatorConfig { channels_per_team: 2, ..small() });
                let (team, channel, _) = channel_ids(&emulator)[4].clone();
                let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(7);
                if is_known {
                    reader.round().await;
                    emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(7) });
                }
                let (path, broken) = if is_channel && strategy != "export" {
                    (format!("*teams/{team}/channels/{channel}/messages"), channel)
                } else {
                    (format!("*teams/{team}/channels"), team)
                };
                let what = format!("{strategy} {path} {code} {is_known}");
                survives(&emulator, &mut reader, &[status(&path, code)], &[broken], &what).await;
            }
        }
    }
}

#[tokio::test]
async fn chats_and_their_messages_too() {
    for (table, path) in [("chats", "/chats"), ("chat_messages", "/chats"), ("chat_messages", "/chats/getAllMessages")]
    {
        let emulator = start(small());
        let user = emulator.truth("users")[1]["id"].as_str().unwrap().to_owned();
        let options: &[(&str, &str)] = if table == "chats" { &[] } else { ALL_CHATS };
        let mut reader = Reader::new(&emulator, &[table], options);
        reader.round().await;
        emulator.fault(status(&format!("users/{user}{path}"), 423));
        for seed in 0..3 {
            emulator.mutate(&Mutation {
                advance_seconds: 30 * 3600,
                chat_messages: 5,
                chat_edits: 3,
                seed,
                ..Mutation::default()
            });
            // What one member can't list another may, so that an error need not mean a gap.
            let ended = reader.try_round().await;
            assert!(ended.is_ok() || !ended.unwrap_err().ends_run(), "{path}");
        }
        emulator.clear_faults();
        for _ in 0..3 {
            reader.round().await;
            emulator.advance(26 * HOUR);
        }
        reader.assert_whole();
    }
}

#[tokio::test]
async fn many_closed_teams_in_front_do_not_keep_the_others_from_being_read() {
    let emulator = start(EmulatorConfig { teams: 60, channels_per_team: 1, messages_per_channel: 2, ..small() });
    let closed: Vec<String> = team_ids(&emulator)[..40].to_vec();
    for strategy in ["auto", "channels"] {
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        let faults: Vec<FaultRule> = closed.iter().map(|team| status(&format!("teams/{team}/channels"), 423)).collect();
        survives(&emulator, &mut reader, &faults, &closed, strategy).await;
    }
}

#[tokio::test]
async fn the_error_of_a_round_is_told_once_and_by_each_process() {
    let emulator = start(small());
    let team = team_ids(&emulator)[1].clone();
    emulator.fault(status(&format!("teams/{team}/channels"), 423));
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels"), ("min_poll_seconds", "3600")]);
    assert!(!reader.step().await.unwrap(), "the round is not over before its error was told");
    let end = reader.offset.clone();
    // Another process does not know of the failure, and does not wait before it asks again.
    reader.session = session(&emulator);
    let error = reader.step().await.unwrap_err().to_string();
    assert!(error.contains(&team) && reader.offset == end, "{error}");
    emulator.clear_requests();
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels"), ("min_poll_seconds", "3600")]);
    reader.step().await.unwrap();
    let asked = reader.requests();
    let error = reader.step().await.unwrap_err().to_string();
    assert!(error.contains(&team) && reader.requests() == asked, "told without asking again: {error}");
    emulator.clear_faults();
    reader.round().await;
    reader.assert_whole();
}

/// A late edit of an old reply shows in the export only; the sweep that would have found it failed for this team.
#[tokio::test]
async fn a_sweep_that_failed_is_made_up_for() {
    let emulator = start(small());
    let team = team_ids(&emulator)[1].clone();
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    for seed in 0..3 {
        let edits = Mutation { reply_edits: 4, team_id: Some(team.clone()), seed, ..Mutation::default() };
        emulator.mutate(&Mutation { advance_seconds: 26 * 3600, ..edits });
        emulator.fault(status(&format!("teams/{team}/channels/getAllMessages"), 500));
        drop(reader.try_round().await);
        emulator.clear_faults();
        emulator.advance(HOUR);
    }
    for _ in 0..3 {
        reader.round().await;
        emulator.advance(26 * HOUR);
    }
    reader.assert_whole();
}

#[tokio::test]
async fn links_in_a_circle_of_any_length_end_with_and_without_pauses() {
    for strategy in STRATEGIES {
        for (length, pages) in [(1, 1), (2, 1), (2, 100), (3, 2), (7, 1)] {
            let emulator =
                start(EmulatorConfig { teams: 2, channels_per_team: 2, messages_per_channel: 40, ..small() });
            let team = team_ids(&emulator)[0].clone();
            emulator.fault(FaultRule { length, ..fault(&format!("*teams/{team}/*essages"), FaultKind::LinkCircle) });
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(pages);
            let error = reader.until_error().await;
            assert!(matches!(error, Error::Protocol(_)), "{strategy} {length}: {error}");
            let wrong = wrong_elsewhere(&emulator, &reader, &[team]);
            assert!(wrong.is_empty(), "{strategy} {length}: {:#?}", &wrong[..wrong.len().min(3)]);
            emulator.clear_faults();
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn lists_snapshots_and_directories_end_too() {
    let emulator = start(small());
    emulator.set(|knobs| (knobs.directory_delta_page, knobs.list_page) = (2, 1));
    emulator.fault(fault("GET /users/delta", FaultKind::LinkCircle));
    let error = Reader::new(&emulator, &["users"], &[]).pages(1).until_error().await;
    assert!(matches!(error, Error::Protocol(_)), "{error}");
    emulator.fault(fault("/channels", FaultKind::LinkCircle));
    let (_, failure) = read_once(&session(&emulator), &pass(&["channels"], &[("fetch_all_teams", "true")])).await;
    assert!(matches!(failure, Some(Error::Protocol(_))), "{failure:?}");
}

#[tokio::test]
async fn a_planner_leaves_a_team_that_it_cannot_list_behind() {
    for strategy in ["auto", "channels"] {
        let emulator = start(small());
        let team = team_ids(&emulator)[1].clone();
        let mut reader = Reader::new(&emulator, &["messages"], &join(ALL_MESSAGES, &[("strategy", strategy)]));
        reader.planned().await.unwrap();
        for seed in 0..3 {
            emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(seed) });
            emulator.fault(status(&format!("teams/{team}/channels"), 423));
            reader.planned().await.unwrap();
            let error = reader.planned().await.unwrap_err();
            assert!(error.to_string().contains(&team), "{error}");
            let wrong = wrong_elsewhere(&emulator, &reader, std::slice::from_ref(&team));
            assert!(wrong.is_empty(), "{strategy} {seed}: {:#?}", &wrong[..wrong.len().min(3)]);
            emulator.clear_faults();
        }
        for _ in 0..9 {
            emulator.advance(26 * HOUR);
            reader.planned().await.unwrap();
        }
        reader.assert_whole();
    }
}
