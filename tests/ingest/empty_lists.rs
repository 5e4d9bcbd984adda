//! Lists that hold nothing for a moment, where Graph cannot mean it.

use teams_base::error::Error;
use teams_emulator::{FaultKind, FaultRule, Mutation};

use crate::harness::*;

const CHANNELS: &str = "GET /teams/{id}/channels";
const TEAMS: &str = "GET /teams";
const USERS: &str = "GET /users";

/// A table, what it is discovered by, and the list that is empty.
type Case = (&'static str, Vec<(&'static str, &'static str)>, &'static str);

fn cases() -> Vec<Case> {
    let teams = vec![("fetch_all_teams", "true")];
    vec![
        ("channels", teams.clone(), CHANNELS),
        ("channel_members", ALL_MESSAGES.to_vec(), CHANNELS),
        ("shared_channel_teams", ALL_MESSAGES.to_vec(), CHANNELS),
        ("teams", vec![], TEAMS),
        ("channels", teams.clone(), TEAMS),
        ("members", teams, TEAMS),
        ("messages", ALL_MESSAGES.to_vec(), TEAMS),
        ("user_licenses", vec![], USERS),
        ("user_apps", ALL_CHATS.to_vec(), USERS),
        ("chats", ALL_CHATS.to_vec(), USERS),
        ("online_meeting_recordings", ALL_CHATS.to_vec(), USERS),
    ]
}

#[tokio::test]
async fn a_list_that_is_empty_for_a_moment_is_asked_for_again() {
    let emulator = start(small());
    for (table, options, list) in cases() {
        emulator.clear_faults();
        let (wanted, failure) = read_once(&session(&emulator), &pass(&[table], &options)).await;
        assert!(failure.is_none() && !wanted.is_empty(), "{table}: {failure:?}");
        emulator.fault(FaultRule { times: Some(1), ..fault(list, FaultKind::EmptyList) });
        let (rows, failure) = read_once(&session(&emulator), &pass(&[table], &options)).await;
        assert!(failure.is_none(), "{table}: {failure:?}");
        assert_eq!(rows.len(), wanted.len(), "{table}");
    }
}

#[tokio::test]
async fn a_list_that_stays_empty_is_an_error_and_no_delete() {
    let emulator = start(small());
    for (table, options, list) in cases() {
        for kind in [FaultKind::EmptyList, FaultKind::NullValue, FaultKind::NoValue] {
            emulator.clear_faults();
            emulator.fault(fault(list, kind));
            let error = read_once(&session(&emulator), &pass(&[table], &options)).await.1.expect(table);
            assert!(matches!(error, Error::Protocol(_)), "{table}: {error}");
            if kind == FaultKind::EmptyList {
                assert!(error.to_string().contains("Nothing is taken for deleted"), "{table}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn null_is_no_list() {
    let emulator = start(small());
    let patient = session_with(&emulator, &[("retry_timeout_seconds", "20")]);
    emulator.fault(FaultRule { times: Some(1), ..fault("GET /teams/{id}/members", FaultKind::NullValue) });
    let options = [("fetch_all_teams", "true")];
    let (rows, failure) = read_once(&patient, &pass(&["members"], &options)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(rows.len(), emulator.truth("members").len());
}

/// A tenant may have no team: then its groups say so too.
#[tokio::test]
async fn that_there_is_no_team_is_believed_of_two_lists() {
    let emulator = start(small());
    emulator.fault(fault(TEAMS, FaultKind::EmptyList));
    let read = async || read_once(&session(&emulator), &pass(&["teams"], &[])).await;
    let error = read().await.1.unwrap().to_string();
    assert!(error.contains("3 groups have one") && error.contains("team_id"), "{error}");
    emulator.fault(status("GET /groups", 403));
    let error = read().await.1.unwrap().to_string();
    assert!(error.contains("the groups could not be asked") && error.contains("Group.ReadBasic.All"), "{error}");
    emulator.clear_faults();
    emulator.fault(fault(TEAMS, FaultKind::EmptyList));
    emulator.fault(fault("GET /groups", FaultKind::EmptyList));
    let (rows, failure) = read().await;
    assert!(rows.is_empty() && failure.is_none(), "{failure:?}");
}

/// The team's scope fails, and the others are read; once the list is back, only what is new is read.
#[tokio::test]
async fn a_round_forgets_no_channel_of_a_list_that_is_empty_for_a_moment() {
    for strategy in ["auto", "channels"] {
        for times in [Some(1), None] {
            let emulator = start(small());
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
            let all = reader.round().await;
            emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 4, ..Mutation::default() });
            let path = format!("/teams/{}/channels", team_ids(&emulator)[1]);
            emulator.fault(FaultRule { times, skip: 0, ..fault(&format!("{path}?"), FaultKind::EmptyList) });
            emulator.advance(2);
            if times.is_none() {
                assert!(matches!(reader.until_error().await, Error::Protocol(_)));
                emulator.clear_faults();
            }
            let rows = reader.round().await;
            reader.assert_whole();
            assert!(rows < all / 2, "{strategy}: {rows} of {all} rows are read anew");
        }
    }
}
