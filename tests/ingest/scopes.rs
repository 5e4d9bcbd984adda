//! Scopes that come, go, fail and heal.

use std::collections::BTreeSet;

use teams_base::error::Error;
use teams_emulator::{EmulatorConfig, Mutation};

use crate::harness::*;

#[tokio::test]
async fn a_team_skipped_for_three_rounds_and_then_allowed_is_read_whole() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let team = team_ids(&emulator)[1].clone();
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("on_forbidden", "skip")]);
        reader.round().await;
        for seed in 0..3 {
            let change = Mutation { advance_seconds: 26 * 3600, team_id: Some(team.clone()), ..all_kinds(seed) };
            emulator.mutate(&change);
            emulator.set(|knobs| {
                knobs.forbidden_team_ids.insert(team.clone());
            });
            reader.round().await;
            assert!(reader.report().skipped.iter().any(|skipped| skipped.status == Some(403)), "{strategy}");
        }
        emulator.set(|knobs| knobs.forbidden_team_ids.clear());
        emulator.advance(26 * HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_team_that_is_deleted_and_restored_is_read_whole() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        // Changed just before it went, so that nobody saw the change.
        emulator.mutate(&Mutation {
            advance_seconds: 60,
            edits: 20,
            reply_edits: 20,
            late_replies: 20,
            ..Mutation::default()
        });
        emulator.mutate(&Mutation { deleted_teams: 1, ..Mutation::default() });
        emulator.advance(26 * HOUR);
        reader.round().await;
        emulator.advance(26 * HOUR);
        reader.round().await;
        emulator.mutate(&Mutation { advance_seconds: 60, restored_teams: 1, ..Mutation::default() });
        reader.round().await;
        reader.assert_whole();
    }
}

/// A team whose export was half read when it went away.
#[tokio::test]
async fn a_half_exported_team_that_goes_and_comes_back_is_read_whole() {
    let emulator = start(EmulatorConfig { teams: 1, messages_per_channel: 60, ..small() });
    let team = team_ids(&emulator)[0].clone();
    let mut reader = Reader::messages(&emulator, &[("on_forbidden", "skip"), ("top", "50")]).pages(1);
    reader.step().await.unwrap();
    assert!(!reader.lake.keys("messages").is_empty());
    emulator.set(|knobs| {
        knobs.missing_team_ids.insert(team.clone());
    });
    reader.round().await;
    emulator.set(|knobs| knobs.missing_team_ids.clear());
    emulator.advance(HOUR);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_named_team_that_is_forbidden_or_missing_is_the_documented_error() {
    let emulator = start(small());
    let teams = team_ids(&emulator);
    let (good, bad) = (&teams[1], &teams[0]);
    let both = format!("{good},{bad}");
    for strategy in ["auto", "export", "channels", "delta"] {
        for named in [bad.as_str(), both.as_str()] {
            let options =
                [("team_id", named), ("fetch_all_channels", "true"), ("strategy", strategy), ("on_forbidden", "skip")];
            emulator.set(|knobs| {
                knobs.forbidden_team_ids.insert(bad.clone());
            });
            let mut reader = Reader::new(&emulator, BOTH, &options);
            let error = reader.until_error().await;
            assert!(matches!(error, Error::PermissionDenied(_)), "{strategy}: {error}");
            assert!(error.to_string().starts_with("Forbidden (403). Please verify the app has required permissions"));
            if named == both {
                assert!(reader.lake.keys("messages").iter().any(|key| key.starts_with(good)), "the good one was read");
            }
            emulator.set(|knobs| {
                knobs.forbidden_team_ids.clear();
                knobs.missing_team_ids.insert(bad.clone());
            });
            let error = Reader::new(&emulator, BOTH, &options).until_error().await;
            assert!(matches!(error, Error::NotFound(_)), "{strategy}: {error}");
            emulator.set(|knobs| knobs.missing_team_ids.clear());
        }
    }
}

#[tokio::test]
async fn a_named_channel_that_is_missing_is_the_documented_error() {
    let emulator = start(small());
    let (team, channel, _) = &channel_ids(&emulator)[0];
    let named = format!("{channel},19:nowhere@thread.tacv2");
    for strategy in ["auto", "channels", "delta"] {
        let options = [("team_id", team.as_str()), ("channel_id", &named), ("strategy", strategy)];
        let mut reader = Reader::new(&emulator, BOTH, &options);
        let error = reader.until_error().await;
        assert!(matches!(error, Error::NotFound(_)), "{strategy}: {error}");
        assert!(!reader.lake.keys("messages").is_empty());
    }
}

#[tokio::test]
async fn a_discovered_team_that_is_not_found_twice_is_skipped_and_reported() {
    let emulator = start(small());
    let gone = team_ids(&emulator)[1].clone();
    emulator.fault(status(&format!("teams/{gone}/channels"), 404));
    for strategy in ["auto", "export", "channels", "delta"] {
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        let skipped = reader.report().skipped;
        assert!(
            skipped.iter().any(|skip| skip.scope.contains(&gone) && skip.status == Some(404)),
            "{strategy}: {skipped:?}"
        );
        let asked = emulator.requests().iter().filter(|request| request.path.contains(&gone)).count();
        assert!(asked >= 2, "confirmed by one more read");
        // The next day it is asked for again, and swept.
        emulator.advance(26 * HOUR);
        reader.round().await;
        assert_eq!(reader.report().skipped_count, 1, "{strategy}: {:?}", reader.report().skipped);
        for table in BOTH {
            let wrong = differences(&emulator, &reader.lake, table, &BTreeSet::new());
            assert!(wrong.iter().all(|text| text.contains(&gone)), "{wrong:#?}");
        }
    }
}

#[tokio::test]
async fn one_passing_404_is_not_believed() {
    for (path, times) in [("GET /teams/{id}/channels", 1), ("/channels/{id}/messages", 1), ("getAllMessages", 1)] {
        let emulator = start(small());
        let path = if path.starts_with("/channels") { "GET /teams/{id}/channels/{id}/messages" } else { path };
        emulator.fault(teams_emulator::FaultRule { times: Some(times), ..status(path, 404) });
        let mut reader = Reader::messages(&emulator, &[]);
        reader.round().await;
        assert_eq!(reader.report().skipped_count, 0, "{path}");
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_discovered_team_that_is_forbidden_fails_at_the_end_after_all_others() {
    let emulator = start(small());
    let team = team_ids(&emulator)[0].clone();
    emulator.set(|knobs| {
        knobs.forbidden_team_ids.insert(team.clone());
    });
    for strategy in ["auto", "export", "channels", "delta"] {
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        let error = reader.until_error().await;
        assert!(matches!(error, Error::PermissionDenied(_)), "{error}");
        let held = reader.lake.keys("messages");
        for other in &team_ids(&emulator) {
            assert!(held.iter().any(|key| key.starts_with(other)), "{strategy}: {other} was not read");
        }
    }
}

#[tokio::test]
async fn a_failing_scope_is_picked_up_when_it_heals_and_ends_nothing_else() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let team = team_ids(&emulator)[1].clone();
        emulator.fault(status(&format!("teams/{team}/channels"), 500));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        let error = reader.until_error().await;
        assert!(matches!(error, Error::Service(_)), "{error}");
        let held: BTreeSet<String> =
            reader.lake.keys("messages").iter().map(|key| key.split('|').next().unwrap().to_owned()).collect();
        assert_eq!(held.len(), 2, "{strategy}: {held:?}");
        emulator.clear_faults();
        reader.round().await;
        reader.assert_whole();
    }
}

/// A failure in the sweep does not keep what the round read from being committed.
#[tokio::test]
async fn a_failing_sweep_does_not_hold_back_what_was_read() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    let done = emulator.mutate(&Mutation { advance_seconds: 26 * 3600, new_messages: 5, ..Mutation::default() });
    emulator.fault(status("GET /teams/{id}/channels/getAllMessages", 500));
    let error = reader.until_error().await;
    assert!(matches!(error, Error::Service(_)), "{error}");
    let held = reader.lake.keys("messages");
    for message in done.of("new_messages") {
        assert!(held.iter().any(|key| key.ends_with(&message.id)), "{message:?} was read and not returned");
    }
    emulator.clear_faults();
    reader.round().await;
    reader.assert_whole();
}

/// The second page fails for good, whatever is tried: an error comes, not the first page again and again.
#[tokio::test]
async fn a_page_that_never_answers_ends_in_an_error_not_in_a_loop() {
    for (strategy, path) in [("channels", "*/messages?*skiptoken"), ("export", "*getAllMessages?*skiptoken")] {
        for code in [400, 404, 410, 500] {
            let emulator = start(EmulatorConfig { teams: 1, ..small() });
            emulator.fault(status(path, code));
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
            let error = reader.until_error().await;
            assert!(error.status() == Some(code), "{strategy} {code}: {error}");
            emulator.clear_faults();
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn many_failing_channels_keep_the_offset_bounded() {
    let emulator = start(EmulatorConfig { teams: 1, channels_per_team: 300, messages_per_channel: 1, ..small() });
    emulator.fault(status("GET /teams/{id}/channels/{id}/messages", 500));
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    let error = reader.until_error().await;
    assert!(matches!(error, Error::Service(_)));
    if let Some(offset) = &reader.offset {
        assert!(offset.len() < 16 * 1024, "{}", offset.len());
    }
    let pass = reader.pass.clone();
    let step = reader.session.micro_batch(&pass, None, reader.limits).await;
    assert!(step.is_err() || step.unwrap().offset.len() < 16 * 1024);
    emulator.clear_faults();
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_channel_that_appears_mid_round_is_read_whole() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(1);
        for seed in 0..6 {
            reader.step().await.unwrap();
            let change = Mutation {
                seed,
                new_channels: 1,
                new_teams: usize::from(seed == 2),
                new_messages: 6,
                ..Mutation::default()
            };
            emulator.mutate(&Mutation { advance_seconds: 30, ..change });
        }
        reader.round().await;
        emulator.advance(HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_team_and_a_channel_added_to_the_options_are_read_whole() {
    let emulator = start(small());
    let teams = team_ids(&emulator);
    for strategy in ["auto", "export", "channels"] {
        let options = [("team_id", teams[0].as_str()), ("fetch_all_channels", "true"), ("strategy", strategy)];
        let mut reader = Reader::new(&emulator, BOTH, &options);
        reader.round().await;
        let all = teams.join(",");
        reader.pass = pass(BOTH, &[("team_id", all.as_str()), ("fetch_all_channels", "true"), ("strategy", strategy)]);
        emulator.advance(30 * DAY);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn named_channels_are_read_alone_and_kept_up_to_date() {
    let emulator = with_knobs(small(), |knobs| knobs.bubble_edits = false);
    let channels = channel_ids(&emulator);
    let (team, channel, _) = channels.iter().find(|(_, _, kind)| kind == "standard").unwrap();
    let mut reader = Reader::new(&emulator, BOTH, &[("team_id", team), ("channel_id", channel)]);
    reader.round().await;
    for seed in 0..3 {
        let change = Mutation { advance_seconds: 25 * 3600, channel_id: Some(channel.clone()), ..all_kinds(seed) };
        emulator.mutate(&change);
        reader.round().await;
    }
    emulator.advance(26 * HOUR);
    reader.round().await;
    let prefix = format!("{team}|{channel}|");
    for table in BOTH {
        assert!(reader.lake.keys(table).iter().all(|key| key.starts_with(&prefix)));
        let wrong: Vec<_> = differences(&emulator, &reader.lake, table, &BTreeSet::new());
        assert!(wrong.iter().all(|text| !text.contains(&prefix)), "{wrong:#?}");
    }
}

#[tokio::test]
async fn a_team_that_is_forbidden_only_while_the_others_are_swept_is_read_whole() {
    let emulator = with_knobs(small(), |knobs| knobs.bubble_edits = false);
    let team = team_ids(&emulator)[1].clone();
    let mut reader = Reader::messages(&emulator, &[("on_forbidden", "skip")]);
    reader.round().await;
    let edits = Mutation { team_id: Some(team.clone()), edits: 15, reply_edits: 15, ..Mutation::default() };
    emulator.mutate(&Mutation { advance_seconds: 600, ..edits });
    emulator.advance(26 * HOUR);
    reader.limits.max_pages = Some(1);
    while !reader.offset.as_ref().unwrap().contains("\"sweep\"") {
        assert!(!reader.step().await.unwrap());
    }
    emulator.set(|knobs| {
        knobs.forbidden_team_ids.insert(team.clone());
    });
    reader.round().await;
    emulator.set(|knobs| knobs.forbidden_team_ids.clear());
    for _ in 0..2 {
        emulator.advance(50 * HOUR);
        reader.round().await;
    }
    reader.assert_whole();
}

/// The page was read, its long chain was not found, and the page count is used up: the second question comes before the
/// pause, or the step would repeat without end.
#[tokio::test]
async fn a_scope_that_is_not_found_is_confirmed_before_a_pause() {
    for strategy in ["channels", "delta"] {
        let config = EmulatorConfig { teams: 1, channels_per_team: 1, replies_per_message: 6.0, ..small() };
        let emulator = with_knobs(config, |knobs| knobs.reply_cap = 2);
        emulator.fault(status("/replies", 404));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]).pages(1);
        reader.round().await;
        assert!(reader.report().skipped_count > 0, "{strategy}");
        emulator.clear_faults();
        emulator.advance(HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn what_is_excluded_is_neither_asked_nor_read_and_comes_back_whole() {
    for strategy in ["auto", "channels"] {
        let emulator = start(small());
        let (team, channel) = (team_ids(&emulator)[0].clone(), channel_ids(&emulator).pop().unwrap().1);
        let out =
            [("exclude_team_id", team.as_str()), ("exclude_channel_id", channel.as_str()), ("strategy", strategy)];
        let mut reader = Reader::messages(&emulator, &out);
        for seed in 0..2 {
            emulator.clear_requests();
            reader.round().await;
            let asked = emulator.requests();
            assert!(asked.iter().all(|request| !request.path.contains(&team)), "{strategy}");
            let is_out = |row: &&serde_json::Value| row["team_id"] == *team || row["channel_id"] == *channel;
            let wanted = emulator.truth("messages").iter().filter(|row| !is_out(row)).count();
            assert_eq!((reader.lake.rows("messages").iter().filter(|row| is_out(row)).count(), wanted), (0, wanted));
            assert_eq!(reader.lake.rows("messages").len(), wanted, "{strategy}");
            emulator.mutate(&Mutation {
                advance_seconds: 26 * 3600,
                new_messages: 30,
                late_replies: 5,
                seed,
                ..Mutation::default()
            });
        }
        let mut whole = Reader::messages(&emulator, &[("strategy", strategy)]);
        (whole.lake, whole.offset) = (reader.lake, reader.offset);
        whole.round().await;
        whole.assert_whole();
    }
}

#[tokio::test]
async fn a_snapshot_leaves_out_what_refuses_only_where_its_reader_keeps_it() {
    let emulator = start(small());
    let team = team_ids(&emulator)[0].clone();
    emulator.set(|knobs| {
        knobs.forbidden_team_ids.insert(team.clone());
    });
    let options = [("fetch_all_teams", "true"), ("on_forbidden", "skip")];
    for table in ["channels", "members", "team_tags"] {
        let (_, error) = read_once(&session(&emulator), &pass(&[table], &options)).await;
        assert!(matches!(error, Some(Error::PermissionDenied(_))), "{table}: {error:?}");
        let left_out = teams_ingest::LeftOut::default();
        let keeping = teams_ingest::Pass { left_out: Some(left_out.clone()), ..pass(&[table], &options) };
        let (found, error) = read_once(&session(&emulator), &keeping).await;
        assert!(error.is_none() && !found.is_empty(), "{table}: {error:?}");
        assert_eq!(*left_out.lock(), [[(teams_tables::Derived::Team, team.clone())]], "{table}");
    }
}

#[tokio::test]
async fn a_refusal_of_one_team_is_not_taken_for_a_missing_permission() {
    let emulator = start(small());
    let team = team_ids(&emulator)[0].clone();
    emulator.set(|knobs| {
        knobs.forbidden_team_ids.insert(team.clone());
    });
    let members = pass(&["members"], &[("fetch_all_teams", "true")]);
    let text = read_once(&session(&emulator), &members).await.1.unwrap().to_string();
    assert!(
        text.contains("The token holds TeamMember.Read.All") && text.contains(&format!("exclude_team_id={team}")),
        "{text}"
    );
    emulator.set(|knobs| {
        knobs.roles.remove("TeamMember.Read.All");
    });
    let text = read_once(&session(&emulator), &members).await.1.unwrap().to_string();
    assert!(text.contains("Grant the application permission TeamMember.Read.All"), "{text}");
}

#[tokio::test]
async fn a_server_whose_clock_is_behind_the_offset_is_named() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    let earlier = start(EmulatorConfig { start: "2026-01-10T00:00:00Z".parse().unwrap(), ..small() });
    let mut behind = Reader::messages(&earlier, &[]);
    behind.offset = reader.offset;
    behind.round().await;
    let notes = behind.report().notes.join(" ");
    assert!(
        notes.contains("the server's clock (2026-01-10T00:00") && notes.contains("is behind the stored offset"),
        "{notes}"
    );
}
