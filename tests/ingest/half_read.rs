//! First histories that fail behind their beginning: they go on from where they stood, in an offset that stays small.

use std::collections::{BTreeMap, BTreeSet};

use teams_base::error::Error;
use teams_emulator::{Emulator, EmulatorConfig, FaultKind, FaultRule, Mutation, Pages};
use teams_ingest::{Offset, Parsed};

use crate::harness::*;

fn tenant() -> EmulatorConfig {
    EmulatorConfig { teams: 2, channels_per_team: 2, messages_per_channel: 60, ..small() }
}

/// Every page behind the first `pages` linked ones fails.
fn behind(path: &str, pages: u32, code: u16) -> FaultRule {
    FaultRule { pages: Pages::Linked, skip: pages, ..status(path, code) }
}

/// The team and the channel with the most messages.
fn longest(emulator: &Emulator) -> (String, String) {
    let mut counts = BTreeMap::<(String, String), usize>::new();
    for row in emulator.truth("messages") {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        *counts.entry((text("team_id"), text("channel_id"))).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0
}

fn asked(emulator: &Emulator, path: &str) -> usize {
    emulator.requests().iter().filter(|request| request.path.contains(path)).count()
}

/// Half-read scopes that the offset holds.
fn standing(reader: &Reader<'_>) -> usize {
    let Parsed::Offset(offset) = Offset::parse(reader.offset.as_deref().unwrap()).unwrap() else { panic!("no offset") };
    offset.stood.len()
}

/// Three rounds that fail, each of which asks once, and one that reads the rest.
async fn goes_on(mut reader: Reader<'_>, fault: FaultRule, path: &str, what: &str) {
    let emulator = reader.emulator;
    emulator.fault(fault);
    emulator.clear_requests();
    let error = reader.until_error().await;
    assert!(!error.ends_run(), "{what}: {error}");
    let before = asked(emulator, path);
    for round in 0..3 {
        assert!(standing(&reader) > 0, "{what}, round {round}");
        emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(round) });
        emulator.clear_requests();
        reader.until_error().await;
        assert!(asked(emulator, path) <= 2, "{what}: {} pages are read again", asked(emulator, path));
    }
    emulator.clear_faults();
    emulator.clear_requests();
    reader.round().await;
    assert_eq!(standing(&reader), 0, "{what}");
    let rest = asked(emulator, path);
    reader.round().await;
    emulator.advance(26 * HOUR);
    reader.round().await;
    reader.assert_whole();
    assert!(before > 4 && rest > 2, "{what}: {before} pages before, {rest} after");
}

#[tokio::test]
async fn a_channel_goes_on_at_the_page_that_failed() {
    for strategy in ["channels", "delta"] {
        for code in [423, 500, 503] {
            for pages in [1, 3, 100] {
                let emulator = start(tenant());
                let (team, channel) = longest(&emulator);
                let path = format!("teams/{team}/channels/{channel}/messages");
                let reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]).pages(pages);
                goes_on(reader, behind(&path, 5, code), &path, &format!("{strategy} {code} {pages}")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_chat_goes_on_at_the_page_that_failed() {
    let emulator = start(EmulatorConfig { chats: 4, messages_per_chat: 60, ..small() });
    let chat = emulator.truth("chats")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("chats/{chat}/messages");
    let options = join(ALL_CHATS, &[("strategy", "channels"), ("top", "5")]);
    let reader = Reader::new(&emulator, &["chat_messages"], &options);
    goes_on(reader, behind(&path, 5, 423), &path, "chat").await;
}

#[tokio::test]
async fn an_export_goes_on_at_the_page_that_failed() {
    for strategy in ["auto", "export"] {
        for (rows_per_window, pages) in [(100_000, 100), (100_000, 2), (30, 100), (30, 2)] {
            let emulator = start(tenant());
            let team = team_ids(&emulator)[0].clone();
            let path = format!("teams/{team}/channels/getAllMessages");
            let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "10")]).pages(pages);
            reader.session = session(&emulator).with_rows_per_window(rows_per_window);
            let fault = behind(&path, 5, 423);
            if rows_per_window == 100_000 {
                goes_on(reader, fault, &path, &format!("{strategy} {pages}")).await;
                continue;
            }
            // Each of the windows may fail.
            emulator.fault(fault);
            for round in 0..3 {
                reader.until_error().await;
                emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(round) });
            }
            emulator.clear_faults();
            for _ in 0..4 {
                reader.round().await;
                emulator.advance(26 * HOUR);
            }
            reader.assert_whole();
        }
    }
}

/// A link that leads nowhere any more is not followed for ever, and one that has died not once more.
#[tokio::test]
async fn a_history_whose_link_stays_broken_begins_again() {
    for code in [410, 500] {
        let emulator = start(tenant());
        let (team, channel) = longest(&emulator);
        let path = format!("teams/{team}/channels/{channel}/messages");
        let mut reader = Reader::messages(&emulator, &[("strategy", "channels"), ("top", "5")]);
        emulator.fault(behind(&path, 5, 423));
        reader.until_error().await;
        emulator.clear_faults();
        let times = (code == 410).then_some(1);
        emulator.fault(FaultRule { pages: Pages::Linked, times, ..status(&path, code) });
        let mut again = 0;
        for round in 1.. {
            emulator.advance(60);
            emulator.clear_requests();
            let ended = reader.try_round().await;
            if emulator.requests().iter().any(|request| request.path.contains(&path) && !request.query.contains("skip"))
            {
                again = round;
                break;
            }
            assert!(ended.is_err() && round < 20, "{code}: nothing is asked anew");
        }
        // One that is told that it failed, and one that goes on, of each.
        assert_eq!(again, if code == 410 { 1 } else { 6 }, "{code}");
        emulator.clear_faults();
        drop(reader.try_round().await);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn more_histories_than_have_room_begin_again_and_nothing_is_lost() {
    for strategy in ["auto", "channels", "export"] {
        let emulator = start(EmulatorConfig { teams: 20, channels_per_team: 2, messages_per_channel: 12, ..small() });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "2")]);
        reader.session = session(&emulator).with_rows_per_window(9);
        emulator.fault(FaultRule { pages: Pages::Linked, probability: 0.3, ..status("essages", 423) });
        for round in 0..4 {
            reader.until_error().await;
            assert!(standing(&reader) > 0, "{strategy}");
            emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(round) });
        }
        emulator.clear_faults();
        for _ in 0..10 {
            reader.round().await;
            emulator.advance(26 * HOUR);
        }
        reader.assert_whole();
    }
}

/// As where its first page fails: lists stand in, and a key comes once where everything is read at once.
#[tokio::test]
async fn lists_stand_in_for_an_export_that_fails_behind_its_first_page() {
    for (code, pages) in [(403, 0), (403, 2), (409, 2), (424, 2), (500, 0), (500, 2), (502, 2), (504, 2)] {
        let emulator = start(tenant());
        let team = team_ids(&emulator)[0].clone();
        let path = format!("teams/{team}/channels/getAllMessages");
        emulator.fault(behind(&path, pages, code));
        let options = join(ALL_MESSAGES, &[("top", "10")]);
        // The rule counts over all doors.
        emulator.fault(behind(&path, 0, code));
        assert_every_door(&emulator, BOTH, &options, &format!("{code} {pages}")).await;
        emulator.clear_faults();
        emulator.fault(behind(&path, pages, code));
        let mut reader = Reader::messages(&emulator, &[("top", "10")]).pages(1);
        reader.session = session(&emulator).with_rows_per_window(if pages == 0 { 100_000 } else { 15 });
        reader.round().await;
        reader.assert_whole();
        let lists = asked(&emulator, "/messages");
        emulator.clear_faults();
        emulator.clear_requests();
        emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 2, ..Mutation::default() });
        reader.round().await;
        reader.assert_whole();
        assert!(asked(&emulator, "/messages") < lists / 2, "what was read by lists is not read again");
    }
}

#[tokio::test]
async fn lists_stand_in_for_an_export_whose_links_go_in_a_circle() {
    let emulator = start(tenant());
    let team = team_ids(&emulator)[0].clone();
    let circle =
        FaultRule { length: 2, ..fault(&format!("teams/{team}/channels/getAllMessages"), FaultKind::LinkCircle) };
    emulator.fault(circle.clone());
    assert_every_door(&emulator, BOTH, &join(ALL_MESSAGES, &[("top", "10")]), "circle").await;
    let mut export = Reader::messages(&emulator, &[("top", "10"), ("strategy", "export")]);
    assert!(matches!(export.until_error().await, Error::Protocol(_)));
    let others: BTreeSet<String> = team_ids(&emulator).into_iter().skip(1).collect();
    let keys = export.lake.keys("messages");
    assert!(others.iter().all(|team| keys.iter().any(|key| key.starts_with(team))), "the others were read");
}
