//! `export` and `auto`: histories, lag, refusals, sweeps.

use teams_emulator::{EmulatorConfig, ExportOrder, ExportPaging, FaultKind, Mutation};

use crate::harness::*;

#[tokio::test]
async fn late_edits_of_old_replies_are_caught_by_the_sweep() {
    let emulator = with_knobs(small(), |knobs| knobs.bubble_edits = false);
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    for seed in 0..3 {
        emulator.mutate(&Mutation {
            seed,
            advance_seconds: 3600,
            edits: 4,
            reply_edits: 8,
            reply_deletes: 3,
            ..Mutation::default()
        });
        reader.round().await;
    }
    emulator.advance(25 * HOUR);
    reader.round().await;
    reader.assert_whole();
}

/// Channels that the export does not hold have no sweep.
#[tokio::test]
async fn late_edits_in_private_channels_are_found_too() {
    let emulator = with_knobs(small(), |knobs| {
        knobs.bubble_edits = false;
        knobs.export_private_channels = false;
        knobs.export_shared_channels = false;
    });
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 3600, edits: 15, reply_edits: 15, ..Mutation::default() });
    for _ in 0..8 {
        emulator.advance(25 * HOUR);
        reader.round().await;
    }
    reader.assert_whole();
}

#[tokio::test]
async fn channels_that_export_leaves_out_are_listed() {
    let emulator = with_knobs(small(), |knobs| {
        knobs.export_private_channels = false;
        knobs.export_shared_channels = false;
    });
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    reader.assert_whole();
    emulator.mutate(&Mutation { advance_seconds: 3600, ..all_kinds(2) });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn an_export_that_lags_a_day_loses_nothing() {
    for lag in [HOUR, 12 * HOUR, 24 * HOUR] {
        let emulator = with_knobs(small(), |knobs| knobs.export_lag_seconds = lag as u64);
        // The last day is busy.
        for seed in 0..4 {
            emulator.mutate(&Mutation {
                advance_seconds: 5 * 3600,
                new_channels: usize::from(seed == 1),
                ..all_kinds(seed)
            });
        }
        let mut reader = Reader::messages(&emulator, &[]);
        reader.round().await;
        reader.assert_whole();
        for seed in 4..12 {
            emulator.mutate(&Mutation { advance_seconds: 7 * 3600, ..all_kinds(seed) });
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn late_edits_behind_a_lag_are_caught_by_the_next_sweep() {
    let emulator = with_knobs(small(), |knobs| {
        knobs.export_lag_seconds = 24 * 3600;
        knobs.bubble_edits = false;
    });
    let mut reader = Reader::messages(&emulator, &[]);
    for seed in 0..9 {
        emulator.mutate(&Mutation {
            seed,
            advance_seconds: 11 * 3600,
            edits: 3,
            reply_edits: 5,
            ..Mutation::default()
        });
        reader.round().await;
    }
    // Private channels wait for their turn in the week.
    emulator.set(|knobs| knobs.export_lag_seconds = 24 * 3600);
    for _ in 0..2 {
        emulator.advance(25 * HOUR);
        reader.round().await;
    }
    reader.assert_whole();
}

#[tokio::test]
async fn the_strategy_export_covers_its_lag_again_each_round() {
    let emulator = with_knobs(small(), |knobs| knobs.export_lag_seconds = 24 * 3600);
    let mut reader = Reader::messages(&emulator, &[("strategy", "export")]);
    for seed in 0..8 {
        emulator.mutate(&Mutation { advance_seconds: 7 * 3600, ..all_kinds(seed) });
        reader.round().await;
    }
    emulator.advance(25 * HOUR);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn where_export_is_not_offered_everything_is_listed_and_swept_by_the_week() {
    for code in [402, 405, 501, 400, 404] {
        let emulator = with_knobs(EmulatorConfig { teams: 5, ..small() }, |knobs| {
            knobs.export_refused = code;
            knobs.bubble_edits = false;
        });
        let mut reader = Reader::messages(&emulator, &[]);
        reader.round().await;
        reader.assert_whole();
        assert!(reader.report().notes.iter().any(|note| note.contains("not offered here")), "{code}");
        let exports = emulator.requests().iter().filter(|r| r.template.ends_with("getAllMessages")).count();
        // A bad request may be about the size of a page: each of the three teams is asked for a small one too.
        assert!(exports <= if code == 400 { 6 } else { 3 }, "{code}: {exports}");
        emulator.mutate(&Mutation { advance_seconds: 600, edits: 9, reply_edits: 9, ..Mutation::default() });
        emulator.clear_requests();
        for _ in 0..8 {
            emulator.advance(25 * HOUR);
            reader.round().await;
        }
        reader.assert_whole();
        assert!(emulator.requests().iter().all(|request| !request.template.ends_with("getAllMessages")), "{code}");
    }
}

#[tokio::test]
async fn where_one_teams_export_is_refused_that_team_is_listed() {
    for code in [403, 404] {
        let emulator = with_knobs(small(), |knobs| knobs.bubble_edits = false);
        let team = team_ids(&emulator)[1].clone();
        emulator.set(|knobs| {
            knobs.export_refused_teams.insert(team.clone(), code);
        });
        let mut reader = Reader::messages(&emulator, &[]);
        reader.round().await;
        reader.assert_whole();
        assert!(!reader.report().notes.iter().any(|note| note.contains("not offered here")));
        let exports =
            emulator.requests().iter().filter(|r| r.template.ends_with("getAllMessages") && r.status == 200).count();
        assert!(exports >= 2, "the others are exported");
        emulator.mutate(&Mutation { advance_seconds: 600, edits: 9, reply_edits: 9, ..Mutation::default() });
        for _ in 0..8 {
            emulator.advance(25 * HOUR);
            reader.round().await;
        }
        reader.assert_whole();
    }
}

#[tokio::test]
async fn every_order_and_every_kind_of_link_gives_everything() {
    for paging in [ExportPaging::Token, ExportPaging::Skip] {
        for order in [ExportOrder::Stored, ExportOrder::Modified, ExportOrder::ModifiedDesc] {
            for pages in [100, 1] {
                let emulator = with_knobs(small(), |knobs| {
                    knobs.export_paging = paging;
                    knobs.export_order = order;
                });
                for strategy in ["auto", "export"] {
                    let mut reader = Reader::messages(&emulator, &[("top", "7"), ("strategy", strategy)]).pages(pages);
                    reader.round().await;
                    reader.assert_whole();
                }
            }
        }
    }
}

#[tokio::test]
async fn rows_that_leave_a_window_while_skip_links_are_followed_drop_no_other() {
    for order in [ExportOrder::Stored, ExportOrder::Modified, ExportOrder::ModifiedDesc] {
        for strategy in ["auto", "export"] {
            let emulator = with_knobs(EmulatorConfig { teams: 1, ..small() }, |knobs| {
                knobs.export_paging = ExportPaging::Skip;
                knobs.export_order = order;
            });
            let mut reader = Reader::messages(&emulator, &[("top", "7"), ("strategy", strategy)]).pages(1);
            for seed in 0..4 {
                reader.step().await.unwrap();
                emulator.mutate(&Mutation { seed, advance_seconds: 2, edits: 3, reactions: 3, ..Mutation::default() });
            }
            reader.round().await;
            emulator.advance(HOUR);
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn an_ignored_filter_costs_requests_but_no_rows() {
    for strategy in ["auto", "export"] {
        let emulator = start(small());
        emulator.fault(fault("getAllMessages", FaultKind::IgnoreFilter));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        for seed in 0..3 {
            emulator.mutate(&Mutation { advance_seconds: 13 * 3600, ..all_kinds(seed) });
            reader.round().await;
        }
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_second_sweep_asks_only_for_what_lies_behind_the_first() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    emulator.advance(10 * DAY);
    reader.round().await;
    emulator.advance(25 * HOUR);
    emulator.clear_requests();
    assert_eq!(reader.round().await, 0);
    let sweeps: Vec<_> = emulator.requests().into_iter().filter(|r| r.template.ends_with("getAllMessages")).collect();
    assert_eq!(sweeps.len(), team_ids(&emulator).len());
}

#[tokio::test]
async fn a_big_team_is_cut_into_windows_and_stays_whole() {
    for (order, paging) in [
        (ExportOrder::Stored, ExportPaging::Token),
        (ExportOrder::Modified, ExportPaging::Skip),
        (ExportOrder::ModifiedDesc, ExportPaging::Token),
    ] {
        for strategy in ["auto", "export"] {
            for pages in [None, Some(1), Some(3)] {
                let emulator = with_knobs(EmulatorConfig { teams: 1, messages_per_channel: 25, ..small() }, |knobs| {
                    knobs.export_order = order;
                    knobs.export_paging = paging;
                    knobs.link_lifetime_seconds = 30;
                });
                let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "10")]);
                reader.limits.max_pages = pages;
                reader.session = reader.session.with_rows_per_window(30);
                let mut steps = 0;
                while !reader.step().await.unwrap() {
                    emulator.mutate(&Mutation { advance_seconds: 40, edits: 1, ..Mutation::default() });
                    steps += 1;
                    assert!(steps < 3000, "{strategy} {order:?} {pages:?}: the round does not end");
                }
                reader.round().await;
                reader.assert_whole();
                let (found, failure) = read_once(&reader.session, &reader.pass).await;
                assert!(failure.is_none(), "{failure:?}");
                let keys: std::collections::BTreeSet<_> =
                    found.iter().map(|(table, row)| (*table, key(table, row))).collect();
                assert_eq!(keys.len(), found.len(), "a key comes twice");
                assert_eq!(keys.len(), emulator.truth("messages").len() + emulator.truth("message_replies").len());
            }
        }
    }
}
