//! Lists that hold nothing for a moment, where Graph cannot mean it.

use std::collections::BTreeSet;

use teams_base::error::Error;
use teams_emulator::{FaultKind, FaultRule, Mutation};
use teams_ingest::{Doubts, Pass};

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
async fn a_list_that_stays_empty_is_an_error_of_a_snapshot_and_no_delete() {
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

/// A caller that keeps what is stored of such a team is told which they are, and reads all others.
#[tokio::test]
async fn a_team_whose_channels_stay_missing_is_told_to_who_keeps_what_is_stored() {
    let emulator = start(small());
    let team = team_ids(&emulator)[1].clone();
    for table in ["channels", "channel_members"] {
        let doubts = Doubts::default();
        let options = [("fetch_all_teams", "true"), ("fetch_all_channels", "true")];
        let options = if table == "channels" { &options[..1] } else { &options[..] };
        let pass = Pass { doubts: Some(doubts.clone()), ..pass(&[table], options) };
        let session = session(&emulator);
        emulator.fault(FaultRule { times: Some(2), ..fault(&format!("/teams/{team}/channels"), FaultKind::EmptyList) });
        let (rows, failure) = read_once(&session, &pass).await;
        assert!(failure.is_none(), "{table}: {failure:?}");
        assert_eq!(doubts.teams(), std::slice::from_ref(&team), "{table}");
        let wanted = emulator.truth(table).into_iter().filter(|row| row["team_id"] != team.as_str()).count();
        assert_eq!(rows.len(), wanted, "{table}");
        let notes = session.report().snapshot().notes;
        assert!(
            notes.iter().any(|note| note.contains(&team) && note.contains("Nothing is taken for deleted")),
            "{notes:?}"
        );
    }
}

/// What the server told of the team in such a moment is not relied on: the next round reads it whole. All others go on.
#[tokio::test]
async fn a_team_whose_channels_are_missing_for_a_moment_is_read_whole_again() {
    for strategy in ["auto", "channels", "delta"] {
        for (kind, times) in [
            (FaultKind::EmptyList, Some(1)),
            (FaultKind::EmptyList, None),
            (FaultKind::NullValue, Some(1)),
            (FaultKind::NoValue, Some(1)),
        ] {
            for is_planned in [false, true] {
                let what = format!("{strategy} {kind:?} {times:?} {is_planned}");
                let emulator = start(small());
                let team = team_ids(&emulator)[1].clone();
                let mut reader = Reader::new(&emulator, &["messages"], &join(ALL_MESSAGES, &[("strategy", strategy)]));
                reader.session = session_with(&emulator, &[("retry_timeout_seconds", "20")]);
                let round = async |reader: &mut Reader<'_>| {
                    emulator.advance(2);
                    if is_planned {
                        reader.planned().await.map_or_else(|error| panic!("{what}: {error}"), drop);
                        reader.rows
                    } else {
                        reader.round().await
                    }
                };
                round(&mut reader).await;
                emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 4, ..Mutation::default() });
                emulator.fault(FaultRule { times, ..fault(&format!("/teams/{team}/channels?"), kind) });
                round(&mut reader).await;
                let wrong = differences(&emulator, &reader.lake, "messages", &BTreeSet::new());
                assert!(wrong.iter().all(|text| times.is_none() && text.contains(&team)), "{what}: {wrong:#?}");
                emulator.clear_faults();
                let of_team = emulator.truth("messages").iter().filter(|row| row["team_id"] == team.as_str()).count();
                let all = emulator.truth("messages").len();
                let rows = round(&mut reader).await;
                reader.assert_whole();
                assert!(rows >= of_team && rows < all, "{what}: {rows} of {of_team} and {all}");
                assert!(round(&mut reader).await < of_team, "{what}: and then no more");
            }
        }
    }
}
