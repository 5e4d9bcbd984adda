//! Rounds and offsets: they end, they pause, they resume.

use serde_json::Value;
use teams_emulator::{EmulatorConfig, Mutation};
use teams_ingest::Limits;

use crate::harness::*;

#[tokio::test]
async fn a_first_round_reads_everything() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn roots_and_replies_alone_are_whole_too() {
    let emulator = start(small());
    for table in BOTH {
        for strategy in ["auto", "export", "channels", "delta"] {
            let mut reader = Reader::new(&emulator, &[table], &join(ALL_MESSAGES, &[("strategy", strategy)]));
            reader.round().await;
            reader.assert_whole();
            emulator.mutate(&Mutation { advance_seconds: 60, ..all_kinds(3) });
            reader.round().await;
            reader.assert_whole();
            let other = BOTH.iter().find(|other| *other != table).unwrap();
            assert!(reader.lake.keys(other).is_empty(), "{other} was not asked for");
        }
    }
}

#[tokio::test]
async fn a_round_over_unchanged_data_returns_an_equal_offset() {
    let emulator = start(small());
    for strategy in ["auto", "channels", "delta"] {
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        // Past the overlap that each round repeats.
        emulator.advance(HOUR);
        reader.round().await;
        let offset = reader.offset.clone();
        emulator.advance(HOUR);
        assert_eq!(reader.round().await, 0, "{strategy}");
        assert_eq!(reader.offset, offset, "{strategy}");
    }
}

#[tokio::test]
async fn changes_come_with_the_next_round_under_every_strategy() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        for seed in 0..4 {
            reader.round().await;
            reader.assert_whole();
            emulator.mutate(&Mutation { advance_seconds: 600, undeletes: 1, ..all_kinds(seed) });
        }
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn tiny_caps_pause_and_neither_lose_nor_repeat_without_bound() {
    for strategy in ["auto", "export", "channels", "delta"] {
        for (pages, rows) in [(Some(1), None), (Some(3), None), (None, Some(1)), (None, Some(40))] {
            let emulator = start(EmulatorConfig { big_threads: 1, ..small() });
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
            reader.limits.max_pages = pages;
            reader.limits.max_rows = rows;
            let read = reader.round().await;
            reader.assert_whole();
            let held = reader.lake.keys("messages").len() + reader.lake.keys("message_replies").len();
            assert!(read <= 3 * held, "{strategy}, {pages:?} pages, {rows:?} rows: {read} rows for {held}");
            emulator.mutate(&Mutation { advance_seconds: 26 * 3600, ..all_kinds(1) });
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn a_paused_round_survives_changes_between_its_steps() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "4")]).pages(1);
        for seed in 0..200 {
            if reader.step().await.unwrap() {
                break;
            }
            if seed < 20 {
                emulator.mutate(&Mutation { advance_seconds: 30, ..all_kinds(seed) });
            }
        }
        emulator.advance(HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn links_that_died_restart_only_their_scope() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = with_knobs(small(), |knobs| knobs.link_lifetime_seconds = 60);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(2);
        reader.step().await.unwrap();
        let held = reader.lake.keys("messages");
        assert!(!held.is_empty());
        emulator.advance(HOUR);
        emulator.clear_requests();
        reader.round().await;
        reader.assert_whole();
        assert!(reader.requests() < 200, "{strategy}: {} requests", reader.requests());
    }
}

/// However long the pauses are, each step gets further.
#[tokio::test]
async fn a_round_ends_even_if_every_pause_kills_its_links() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = with_knobs(small(), |knobs| knobs.link_lifetime_seconds = 60);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "4")]).pages(1);
        let mut steps = 0;
        while !reader.step().await.unwrap() {
            emulator.advance(120);
            steps += 1;
            assert!(steps < 100, "{strategy}: the round does not end: {:?}", reader.offset);
        }
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_kill_resumes_from_the_last_committed_offset() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = with_knobs(small(), |knobs| knobs.latency_ms = 2);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(4);
        for wait in [3, 8, 15, 25, 40] {
            let killed = tokio::time::timeout(std::time::Duration::from_millis(wait), reader.step()).await;
            if matches!(killed, Ok(Ok(true))) {
                break;
            }
        }
        reader.session = session(&emulator);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn links_of_four_kilobytes_fit_into_every_offset() {
    for (strategy, teams, channels) in [("channels", 1, 40), ("delta", 1, 40), ("export", 40, 1), ("auto", 40, 1)] {
        let config = EmulatorConfig { teams, channels_per_team: channels, messages_per_channel: 30, ..small() };
        let emulator = with_knobs(config, |knobs| knobs.link_padding = 4_000);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(30);
        let read = reader.round().await;
        reader.assert_whole();
        let held = reader.lake.keys("messages").len() + reader.lake.keys("message_replies").len();
        assert!(reader.limits.max_pages == Some(30) && read <= 2 * held, "{strategy}: {read} rows for {held}");
        // With lists and exports side by side, it depends on the moment how many links are open at a pause.
        let is_told = reader.report().notes.iter().any(|note| note.contains("links are so long"));
        assert!(is_told || strategy == "auto", "{strategy}");
    }
}

#[tokio::test]
async fn an_incumbents_offset_is_recognised_reported_and_answered_by_a_full_read() {
    let emulator = start(small());
    for foreign in [r#"{"cursor":"2026-01-14T00:00:00Z"}"#, r#"{"deltaLinks":{"a/b":"https://graph.microsoft.com/x"}}"#]
    {
        let mut reader = Reader::messages(&emulator, &[]);
        reader.offset = Some(foreign.to_owned());
        reader.round().await;
        reader.assert_whole();
        assert!(reader.report().notes.iter().any(|note| note.contains("another Microsoft Teams connector")));
    }
}

#[tokio::test]
async fn an_offset_of_an_unknown_version_is_refused_with_what_to_do() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.offset = Some(r#"{"version":99}"#.to_owned());
    let message = reader.step().await.unwrap_err().to_string();
    assert!(message.contains("full refresh") && message.contains("99"), "{message}");
    assert_eq!(reader.requests(), 0);
}

#[tokio::test]
async fn offsets_are_flat_and_survive_json() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(1);
    loop {
        let finished = reader.step().await.unwrap();
        let offset: Value = serde_json::from_str(reader.offset.as_deref().unwrap()).unwrap();
        assert!(offset.as_object().unwrap().values().all(|value| !value.is_object() && !value.is_array()), "{offset}");
        // As a framework would hand it back: other order, other spaces.
        reader.offset = Some(serde_json::to_string_pretty(&offset).unwrap());
        if finished {
            break;
        }
    }
    reader.assert_whole();
}

#[tokio::test]
async fn a_finished_round_is_not_repeated_before_min_poll() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("min_poll_seconds", "300")]);
    reader.round().await;
    let offset = reader.offset.clone();
    emulator.mutate(&Mutation { advance_seconds: 10, ..all_kinds(1) });
    assert_eq!(reader.round().await, 0);
    assert_eq!(reader.offset, offset);
    emulator.advance(300);
    assert!(reader.round().await > 0);
    reader.assert_whole();
}

/// Or a stream over a quiet tenant would ask without end.
#[tokio::test]
async fn min_poll_holds_after_rounds_over_unchanged_data_too() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("min_poll_seconds", "300")]);
    reader.round().await;
    emulator.advance(HOUR);
    reader.round().await;
    emulator.advance(HOUR);
    assert_eq!(reader.round().await, 0);
    emulator.clear_requests();
    for _ in 0..5 {
        emulator.advance(5);
        assert_eq!(reader.round().await, 0);
    }
    assert!(reader.requests() <= 5, "{} requests in 25 seconds", reader.requests());
}

#[tokio::test]
async fn the_servers_clock_counts_not_this_machines() {
    // The tenant lives years ago; by this machine's clock every change would be old.
    let emulator = start(EmulatorConfig { start: "2020-03-01T00:00:00Z".parse().unwrap(), ..small() });
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    assert!(reader.offset.as_ref().unwrap().contains("2020-03-01T00:00"));
    emulator.mutate(&Mutation { advance_seconds: 60, ..all_kinds(1) });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_start_date_leaves_out_only_what_is_older() {
    let emulator = start(small());
    for strategy in ["auto", "export", "channels", "delta"] {
        let start = "2025-11-01T00:00:00Z";
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("start_date", start)]);
        reader.round().await;
        let bound: jiff::Timestamp = start.parse().unwrap();
        let newer: Vec<String> = BOTH
            .iter()
            .flat_map(|table| emulator.truth(table).into_iter().map(move |row| (table, row)))
            .filter(|(_, row)| {
                row["lastModifiedDateTime"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > bound
            })
            .map(|(table, row)| key(table, &row))
            .collect();
        assert!(newer.len() > 10);
        let held: std::collections::BTreeSet<String> = BOTH.iter().flat_map(|table| reader.lake.keys(table)).collect();
        assert!(newer.iter().all(|key| held.contains(key)), "{strategy}");
        assert!(held.len() < emulator.truth("messages").len() + emulator.truth("message_replies").len());
    }
}

#[tokio::test]
async fn a_round_tells_how_much_of_it_is_read() {
    let emulator = start(EmulatorConfig { teams: 60, channels_per_team: 1, messages_per_channel: 10, ..small() });
    let (session, pass) = (session(&emulator), pass(BOTH, &join(ALL_MESSAGES, &[("strategy", "channels")])));
    let (mut offset, mut shares) = (None, Vec::new());
    loop {
        let step = session
            .micro_batch(&pass, offset.as_deref(), Limits { max_rows: Some(100), max_pages: None })
            .await
            .unwrap();
        offset = Some(step.offset);
        if step.finished {
            assert_eq!(step.share, None, "the round is over");
            break;
        }
        shares.push(step.share.expect("the teams are listed"));
    }
    assert!(shares.len() >= 2 && shares.is_sorted(), "{shares:?}");
    assert!(shares[0] > 0.0 && shares.last().is_some_and(|share| *share > 0.5 && *share < 1.0), "{shares:?}");
}
