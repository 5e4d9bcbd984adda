//! Chats and the messages in them.

use std::collections::BTreeSet;

use teams_emulator::{EmulatorConfig, Mutation};

use crate::harness::*;

fn changes(seed: u64) -> Mutation {
    Mutation { seed, chat_messages: 4, chat_edits: 4, chat_deletes: 2, ..Mutation::default() }
}

#[tokio::test]
async fn chats_come_once_whoever_takes_part() {
    let emulator = start(EmulatorConfig { chats: 30, ..small() });
    let mut reader = Reader::new(&emulator, &["chats"], &[]);
    let read = reader.round().await;
    reader.assert_whole();
    assert_eq!(read, reader.lake.keys("chats").len());
    emulator.mutate(&Mutation { advance_seconds: 600, new_chats: 3, new_users: 1, ..Mutation::default() });
    reader.round().await;
    reader.assert_whole();
    emulator.advance(HOUR);
    reader.round().await;
    let offset = reader.offset.clone();
    emulator.advance(HOUR);
    assert_eq!(reader.round().await, 0);
    assert_eq!(reader.offset, offset);
}

#[tokio::test]
async fn chats_pause_and_resume() {
    for lifetime in [0, 30] {
        let emulator =
            with_knobs(EmulatorConfig { chats: 40, ..small() }, |knobs| knobs.link_lifetime_seconds = lifetime);
        let mut reader = Reader::new(&emulator, &["chats"], &[("top", "3")]).pages(1);
        let mut steps = 0;
        while !reader.step().await.unwrap() {
            emulator.advance(60);
            steps += 1;
            assert!(steps < 200, "the round does not end");
        }
        reader.assert_whole();
    }
}

#[tokio::test]
async fn chat_messages_by_export_and_by_lists() {
    for strategy in ["auto", "export", "channels"] {
        let emulator = start(small());
        let mut reader = Reader::new(&emulator, &["chat_messages"], &join(ALL_CHATS, &[("strategy", strategy)]));
        for seed in 0..4 {
            reader.round().await;
            if strategy != "auto" || seed == 0 {
                reader.assert_whole();
            }
            emulator.mutate(&Mutation { advance_seconds: 7200, new_chats: 1, ..changes(seed) });
        }
        emulator.advance(25 * HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn chat_messages_where_export_is_refused() {
    for code in [402, 404, 501, 403] {
        let emulator = with_knobs(small(), |knobs| knobs.export_refused = code);
        let mut reader = Reader::new(&emulator, &["chat_messages"], ALL_CHATS);
        reader.round().await;
        reader.assert_whole();
        emulator.mutate(&Mutation { advance_seconds: 7200, ..changes(1) });
        for _ in 0..8 {
            emulator.advance(25 * HOUR);
            reader.round().await;
        }
        reader.assert_whole();
    }
}

/// Where nothing is swept, an edit that moves no preview is found by asking.
#[tokio::test]
async fn edits_of_old_chat_messages_are_found_by_lists() {
    let emulator = start(small());
    let mut reader = Reader::new(&emulator, &["chat_messages"], &join(ALL_CHATS, &[("strategy", "channels")]));
    reader.round().await;
    emulator.advance(DAY);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 60, chat_edits: 6, chat_deletes: 4, ..Mutation::default() });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn named_chats_and_users() {
    let emulator = start(small());
    let chats: Vec<String> =
        emulator.truth("chats").iter().map(|chat| chat["id"].as_str().unwrap().to_owned()).collect();
    let named = chats[..2].join(",");
    let mut reader = Reader::new(&emulator, &["chat_messages"], &[("chat_id", named.as_str())]);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 600, ..changes(1) });
    reader.round().await;
    let held: BTreeSet<String> =
        reader.lake.keys("chat_messages").iter().map(|key| key.split('|').next().unwrap().to_owned()).collect();
    assert_eq!(held, chats[..2].iter().cloned().collect());
    let wrong = differences(&emulator, &reader.lake, "chat_messages", &BTreeSet::new());
    assert!(wrong.iter().all(|text| !chats[..2].iter().any(|chat| text.contains(chat.as_str()))), "{wrong:#?}");
    let user = emulator.truth("users")[0]["userPrincipalName"].as_str().unwrap().to_owned();
    let mut reader = Reader::new(&emulator, &["chat_messages"], &[("user_id", &user)]);
    reader.round().await;
    assert!(!reader.lake.keys("chat_messages").is_empty());
}

#[tokio::test]
async fn chat_types_choose() {
    let emulator = start(EmulatorConfig { chats: 12, ..small() });
    for strategy in ["auto", "export", "channels"] {
        for kind in ["oneOnOne", "group", "meeting"] {
            let chats: BTreeSet<String> = emulator
                .truth("chats")
                .iter()
                .filter(|chat| chat["chatType"] == kind)
                .map(|chat| chat["id"].as_str().unwrap().to_owned())
                .collect();
            let options = join(ALL_CHATS, &[("strategy", strategy), ("chat_types", kind)]);
            let mut reader = Reader::new(&emulator, &["chat_messages"], &options);
            reader.round().await;
            let held: BTreeSet<String> =
                reader.lake.keys("chat_messages").iter().map(|key| key.split('|').next().unwrap().to_owned()).collect();
            assert_eq!(held, chats, "{strategy} {kind}");
            let wrong = differences(&emulator, &reader.lake, "chat_messages", &BTreeSet::new());
            assert!(wrong.iter().all(|text| !chats.iter().any(|chat| text.contains(chat.as_str()))), "{wrong:#?}");
        }
    }
}

#[tokio::test]
async fn chat_messages_pause_resume_and_survive_dead_links() {
    for strategy in ["auto", "export", "channels"] {
        for lifetime in [0, 30] {
            let emulator = with_knobs(small(), |knobs| knobs.link_lifetime_seconds = lifetime);
            let options = join(ALL_CHATS, &[("strategy", strategy), ("top", "4")]);
            let mut reader = Reader::new(&emulator, &["chat_messages"], &options).pages(1);
            let mut steps = 0;
            while !reader.step().await.unwrap() {
                emulator.advance(60);
                steps += 1;
                assert!(steps < 300, "{strategy}: the round does not end");
            }
            reader.assert_whole();
        }
    }
}

/// A chat half read for a member who left the tenant.
#[tokio::test]
async fn a_chat_whose_first_reader_goes_is_read_whole_for_the_next() {
    let emulator = start(EmulatorConfig { users: 3, chats: 2, messages_per_chat: 40, ..small() });
    let mut reader = Reader::new(&emulator, &["chat_messages"], &join(ALL_CHATS, &[("top", "10")])).pages(1);
    reader.step().await.unwrap();
    assert!(!reader.lake.keys("chat_messages").is_empty());
    emulator.mutate(&Mutation { deleted_users: 1, ..Mutation::default() });
    reader.round().await;
    emulator.advance(HOUR);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn an_ignored_filter_or_expand_costs_requests_but_no_rows() {
    use teams_emulator::FaultKind as K;
    for (path, kind) in [("/chats", K::IgnoreFilter), ("/chats", K::IgnoreExpand), ("/chats", K::IgnoreTop)] {
        for strategy in ["auto", "export", "channels"] {
            let emulator = start(small());
            emulator.fault(fault(path, kind));
            let mut reader = Reader::new(&emulator, &["chat_messages"], &join(ALL_CHATS, &[("strategy", strategy)]));
            reader.round().await;
            emulator.mutate(&Mutation { advance_seconds: 7200, ..changes(1) });
            emulator.advance(25 * HOUR);
            reader.round().await;
            reader.assert_whole();
        }
    }
}

/// The export is given up only when a sweep asks for it, and quiet chats were not asked before that.
#[tokio::test]
async fn edits_of_quiet_chats_are_found_though_their_sweep_is_refused() {
    for users in [2, 8] {
        let emulator = with_knobs(EmulatorConfig { users, chats: 6, ..small() }, |knobs| knobs.export_refused = 404);
        let mut reader = Reader::new(&emulator, &["chat_messages"], ALL_CHATS);
        reader.round().await;
        emulator.mutate(&Mutation { advance_seconds: 7200, chat_edits: 20, ..Mutation::default() });
        for _ in 0..9 {
            emulator.advance(26 * HOUR);
            reader.round().await;
        }
        reader.assert_whole();
    }
}
