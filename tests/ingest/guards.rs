//! Pages that loop, repeat, are empty, lead elsewhere or have no date.

use serde_json::{Value, json};
use teams_base::error::Error;
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule, Mutation};

use crate::harness::*;

const STRATEGIES: [&str; 4] = ["auto", "export", "channels", "delta"];

#[tokio::test]
async fn a_passing_loop_is_left_behind() {
    for strategy in STRATEGIES {
        for pages in [100, 1] {
            let emulator = start(small());
            emulator.fault(FaultRule { skip: 1, times: Some(1), ..fault("essages", FaultKind::Loop) });
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(pages);
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn a_lasting_loop_is_an_error_with_and_without_pauses() {
    for strategy in STRATEGIES {
        for pages in [100, 1] {
            let emulator = start(EmulatorConfig { teams: 1, ..small() });
            emulator.fault(fault("essages", FaultKind::Loop));
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(pages);
            let error = reader.until_error().await;
            assert!(matches!(error, Error::Protocol(_)), "{strategy}: {error}");
            emulator.clear_faults();
            reader.round().await;
            reader.assert_whole();
        }
    }
}

#[tokio::test]
async fn empty_pages_with_a_link_are_followed() {
    for strategy in STRATEGIES {
        let emulator = start(small());
        emulator.fault(FaultRule { probability: 0.5, times: Some(6), ..fault("essages", FaultKind::EmptyPage) });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
        reader.round().await;
        emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(1) });
        reader.round().await;
        reader.assert_whole();
    }
}

/// `$expand` is ignored, and the first chain has no readable time: it says nothing of those behind it.
#[tokio::test]
async fn an_undated_root_without_its_replies_does_not_end_the_list() {
    let emulator = start(EmulatorConfig { teams: 1, channels_per_team: 1, empty_channel: false, ..small() });
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    emulator.advance(HOUR);
    let old = emulator.truth("message_replies")[0]["parent_message_id"].clone();
    emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 3, ..Mutation::default() });
    let mut roots = emulator.truth("messages");
    roots.sort_by_key(|root| std::cmp::Reverse(root["lastModifiedDateTime"].as_str().unwrap().to_owned()));
    let mut undated = roots.iter().find(|root| root["id"] == old).unwrap().clone();
    undated["createdDateTime"] = Value::Null;
    undated["lastModifiedDateTime"] = json!("at some time");
    roots.insert(0, undated);
    let body = json!({"value": roots}).to_string();
    let template = "GET /teams/{id}/channels/{id}/messages";
    emulator.fault(FaultRule { body: Some(body), ..status(template, 200) });
    reader.round().await;
    reader.assert_whole();
}

/// Each page links to one that nobody has seen: no link repeats.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_pages_without_end_are_an_error_that_says_so() {
    let emulator = start(EmulatorConfig { teams: 1, channels_per_team: 1, ..small() });
    emulator.fault(FaultRule { skip: 1, ..fault("essages", FaultKind::Endless) });
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels"), ("top", "5")]).pages(4_000);
    let error = reader.until_error().await;
    assert!(matches!(error, Error::Protocol(_)) && error.to_string().contains("10000 pages in a row"), "{error}");
    let used = reader.requests();
    assert!((10_000..10_020).contains(&used), "{used} requests: pauses do not begin the count anew");
    // A passing fault leaves nothing behind.
    emulator.clear_faults();
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_directories_end_too() {
    let emulator = start(small());
    emulator.fault(fault("GET /users/delta", FaultKind::Endless));
    let error = Reader::new(&emulator, &["users"], &[]).pages(4_000).until_error().await.to_string();
    assert!(error.contains("10000 pages in a row"), "{error}");
    emulator.fault(fault("GET /teams", FaultKind::Endless));
    let (rows, failure) = read_once(&session(&emulator), &pass(&["teams"], &[])).await;
    let error = failure.unwrap().to_string();
    assert!(rows.is_empty() && error.contains("10000 pages in a row"), "{error}");
}

#[tokio::test]
async fn a_link_to_another_host_is_never_followed() {
    for strategy in STRATEGIES {
        let emulator = start(EmulatorConfig { teams: 1, ..small() });
        emulator.fault(fault("essages", FaultKind::ForeignLink));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
        let error = reader.until_error().await;
        assert!(matches!(error, Error::Protocol(_)), "{strategy}: {error}");
        emulator.clear_faults();
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_link_in_an_offset_to_another_host_is_not_followed_either() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(1);
    reader.step().await.unwrap();
    let offset = reader.offset.take().unwrap();
    assert!(offset.contains(&emulator.url()));
    reader.offset = Some(offset.replace(&emulator.url(), "https://evil.example"));
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn without_a_date_header_the_result_is_still_complete() {
    for strategy in STRATEGIES {
        // Only this machine's clock is left, so the tenant has to live now.
        let emulator =
            with_knobs(EmulatorConfig { start: jiff::Timestamp::now(), frozen_clock: false, ..small() }, |knobs| {
                knobs.date_header = false;
            });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.try_round().await.unwrap();
        reader.assert_whole();
        emulator.mutate(&all_kinds(1));
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        reader.try_round().await.unwrap();
        reader.assert_whole();
        assert!(reader.report().notes.iter().any(|note| note.contains("Date")));
    }
}

#[tokio::test]
async fn broken_answers_are_asked_for_again() {
    use FaultKind as K;
    for kind in [K::Reset, K::Truncate, K::GarbageHtml, K::GarbageUtf8, K::GarbageJson] {
        for strategy in STRATEGIES {
            let emulator = start(EmulatorConfig { teams: 1, ..small() });
            emulator.fault(FaultRule { skip: 1, times: Some(1), ..fault("essages", kind) });
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "7")]);
            reader.session = session_with(&emulator, &[("retry_timeout_seconds", "20")]);
            reader.round().await;
            if kind != K::GarbageUtf8 {
                reader.assert_whole();
            }
        }
    }
}
