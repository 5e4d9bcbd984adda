//! Users and groups: deltas, deletes, lost tokens.

use teams_emulator::{DeltaExpiry, EmulatorConfig, FaultKind, FaultRule, Mutation};

use crate::harness::*;

fn tenant() -> EmulatorConfig {
    EmulatorConfig { users: 25, teams: 6, messages_per_channel: 1, ..small() }
}

fn changes(seed: u64) -> Mutation {
    Mutation {
        seed,
        new_users: 2,
        user_changes: 3,
        deleted_users: 3,
        restored_users: 1,
        deleted_teams: 1,
        new_teams: 1,
        renamed_teams: 1,
        ..Mutation::default()
    }
}

#[tokio::test]
async fn changes_and_deletes_arrive() {
    for table in ["users", "groups"] {
        let emulator = start(tenant());
        let mut reader = Reader::new(&emulator, &[table], &[]);
        for seed in 0..6 {
            reader.round().await;
            reader.assert_whole();
            let restored = usize::from(seed % 2 == 1);
            emulator.mutate(&Mutation {
                advance_seconds: 600,
                purged_users: 1,
                restored_teams: restored,
                ..changes(seed)
            });
        }
    }
}

/// Nothing but the order tells them apart: the `Date` header has seconds only.
#[tokio::test]
async fn a_delete_right_after_its_row_wins_and_so_does_a_restore_right_after_its_delete() {
    let emulator = start(tenant());
    let mut reader = Reader::new(&emulator, &["users"], &[]);
    for seed in 0..20 {
        // Another session each time, as after a restart.
        reader.session = session(&emulator);
        reader.round().await;
        reader.assert_whole();
        emulator.mutate(&Mutation {
            seed,
            deleted_users: 2,
            restored_users: usize::from(seed > 0),
            ..Mutation::default()
        });
    }
}

#[tokio::test]
async fn a_delta_pauses_and_resumes_and_survives_dead_links() {
    for table in ["users", "groups"] {
        for lifetime in [0, 30] {
            let emulator = with_knobs(tenant(), |knobs| {
                knobs.directory_delta_page = 3;
                knobs.link_lifetime_seconds = lifetime;
            });
            let mut reader = Reader::new(&emulator, &[table], &[]).pages(1);
            let mut steps = 0;
            while !reader.step().await.unwrap() {
                emulator.advance(60);
                steps += 1;
                assert!(steps < 60, "{table}: the round does not end");
            }
            reader.assert_whole();
            emulator.mutate(&Mutation { advance_seconds: 600, ..changes(1) });
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn deletes_during_a_lost_token_are_found_among_the_deleted_items() {
    for expiry in [DeltaExpiry::Gone, DeltaExpiry::SyncStateNotFound, DeltaExpiry::ResyncRequired] {
        for table in ["users", "groups"] {
            for pages in [None, Some(1)] {
                let emulator = with_knobs(tenant(), |knobs| {
                    knobs.delta_expiry = expiry;
                    knobs.directory_delta_page = 4;
                });
                let mut reader = Reader::new(&emulator, &[table], &[]);
                reader.limits.max_pages = pages;
                reader.round().await;
                emulator.mutate(&Mutation { advance_seconds: 600, ..changes(1) });
                emulator.advance(8 * DAY);
                reader.round().await;
                reader.assert_whole();
                assert!(reader.report().notes.iter().any(|note| note.contains("expired")));
            }
        }
    }
}

#[tokio::test]
async fn nothing_changed_means_an_equal_offset_until_the_token_is_renewed() {
    let emulator = start(tenant());
    let mut reader = Reader::new(&emulator, &["users"], &[]);
    reader.round().await;
    let offset = reader.offset.clone();
    emulator.advance(HOUR);
    assert_eq!(reader.round().await, 0);
    assert_eq!(reader.offset, offset);
    for _ in 0..10 {
        emulator.advance(2 * DAY);
        assert_eq!(reader.round().await, 0);
    }
    assert_eq!(reader.report().notes.len(), 0, "the token was renewed in time");
    emulator.mutate(&Mutation { advance_seconds: 600, ..changes(1) });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_delta_without_links_is_read_whole_each_time() {
    let emulator = start(tenant());
    emulator.fault(fault("/users/delta", FaultKind::NoLinks));
    let mut reader = Reader::new(&emulator, &["users"], &[]);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 600, ..changes(1) });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn loops_repeats_and_empty_pages_do_no_harm() {
    for kind in [FaultKind::Loop, FaultKind::Repeat, FaultKind::EmptyPage] {
        let emulator = with_knobs(tenant(), |knobs| knobs.directory_delta_page = 5);
        emulator.fault(FaultRule { times: Some(1), skip: 1, ..fault("/users/delta", kind) });
        let mut reader = Reader::new(&emulator, &["users"], &[]);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn observed_at_is_never_null() {
    let emulator = start(tenant());
    let mut reader = Reader::new(&emulator, &["users"], &[]);
    reader.round().await;
    for key in reader.lake.keys("users") {
        assert!(reader.lake.row("users", &key)["observed_at"].is_string());
    }
}

/// What a round tells of one user in several steps: removed and restored, changed and removed. The last one counts, on one
/// page and on several, in one micro-batch and in several.
#[tokio::test]
async fn the_last_that_a_round_tells_of_an_object_counts() {
    for page in [1, 3, 200] {
        for pages in [None, Some(1), Some(2)] {
            let emulator = with_knobs(tenant(), |knobs| {
                knobs.directory_delta_steps = true;
                knobs.directory_delta_page = page;
            });
            let mut reader = Reader::new(&emulator, &["users"], &[]);
            reader.limits.max_pages = pages;
            reader.round().await;
            for change in removed_and_restored(&emulator) {
                emulator.mutate(&change);
            }
            reader.round().await;
            reader.assert_whole();
        }
    }
}

/// Two users that were removed and are back, and one that was changed and is gone.
fn removed_and_restored(emulator: &teams_emulator::Emulator) -> Vec<Mutation> {
    let ids: Vec<String> =
        emulator.truth("users").iter().take(3).map(|user| user["id"].as_str().unwrap().to_owned()).collect();
    let of = |at: usize, change: Mutation| Mutation { user_id: Some(ids[at].clone()), ..change };
    let deleted = Mutation { deleted_users: 1, ..Mutation::default() };
    let restored = Mutation { restored_users: 1, ..Mutation::default() };
    vec![
        of(0, deleted.clone()),
        of(1, deleted.clone()),
        of(2, Mutation { user_changes: 1, ..Mutation::default() }),
        of(0, restored.clone()),
        of(2, deleted),
        of(1, restored),
    ]
}

/// A stream's rows and deletes are read by different readers, of which either may be the later one.
#[tokio::test]
async fn a_partition_tells_of_an_object_only_what_is_so_in_the_end() {
    for page in [1, 200] {
        let emulator = with_knobs(tenant(), |knobs| {
            knobs.directory_delta_steps = true;
            knobs.directory_delta_page = page;
        });
        let session = session(&emulator);
        let pass = pass(&["users"], &[]);
        let start = session.plan(&pass, None, None, None).await.unwrap().offset;
        let changes = removed_and_restored(&emulator);
        let ids: Vec<_> = changes.iter().take(3).map(|change| change.user_id.clone().unwrap()).collect();
        changes.iter().for_each(|change| drop(emulator.mutate(change)));
        emulator.advance(2);
        let plan = session.plan(&pass, Some(&start), None, None).await.unwrap();
        let mut told = Vec::new();
        for deletes in [false, true] {
            let mut found = std::collections::BTreeSet::new();
            for partition in &plan.partitions {
                let partition = teams_ingest::Partition::parse(partition).unwrap();
                let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
                session.read_partition(&pass, &partition, deletes, sender).await;
                while let Some(batch) = receiver.recv().await {
                    let batch = rows(&batch.unwrap().1);
                    found.extend(batch.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
                }
            }
            told.push(found);
        }
        assert!(told[0].contains(&ids[0]) && told[0].contains(&ids[1]) && !told[0].contains(&ids[2]), "{told:?}");
        assert_eq!(told[1].iter().collect::<Vec<_>>(), [&ids[2]]);
    }
}

/// Rows and deletes are streams of their own, each with its offset, its pages and its time.
#[tokio::test]
async fn streams_of_rows_and_of_deletes_agree_whichever_is_read_first() {
    for first in ["rows", "deletes"] {
        for page in [1, 3] {
            let emulator = with_knobs(tenant(), |knobs| {
                knobs.directory_delta_steps = true;
                knobs.directory_delta_page = page;
            });
            let mut streams = [(); 2].map(|()| Reader::new(&emulator, &["users"], &[]).pages(1));
            let mut lake = Lakehouse::default();
            for round in 0..2 {
                if round == 1 {
                    removed_and_restored(&emulator).iter().for_each(|change| drop(emulator.mutate(change)));
                }
                for (stream, takes_rows) in streams.iter_mut().zip([first == "rows", first != "rows"]) {
                    loop {
                        emulator.advance(5);
                        let (session, offset) = (&stream.session, stream.offset.as_deref());
                        let mut step = session.micro_batch(&stream.pass, offset, stream.limits).await.unwrap();
                        if takes_rows {
                            step.deletes.clear();
                        } else {
                            step.rows.clear();
                        }
                        lake.merge(&step);
                        stream.offset = Some(step.offset);
                        if step.finished {
                            break;
                        }
                    }
                }
            }
            assert_whole(&emulator, &lake, &["users"]);
        }
    }
}

/// After a lost token everything is read again, and what does not come is gone: a tenant without users is none.
#[tokio::test]
async fn a_directory_that_is_empty_for_a_moment_loses_nobody() {
    for table in ["users", "groups"] {
        for (times, is_error) in [(Some(1), false), (None, true)] {
            let emulator = start(tenant());
            let mut reader = Reader::new(&emulator, &[table], &[]);
            reader.round().await;
            let offset = reader.offset.clone();
            emulator.advance(8 * DAY);
            // The first request is refused, because its token has expired.
            let rule = fault(&format!("/{table}/delta"), FaultKind::EmptyList);
            emulator.fault(FaultRule { times, skip: 1, ..rule });
            if is_error {
                let error = reader.try_round().await.unwrap_err();
                assert!(matches!(error, teams_base::error::Error::Protocol(_)), "{error}");
                assert_eq!(reader.offset, offset);
                emulator.clear_faults();
            }
            reader.round().await;
            reader.assert_whole();
        }
    }
}
