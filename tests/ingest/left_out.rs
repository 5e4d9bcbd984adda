//! Rows that a server hides: replies behind no link, messages that do not tell when they were changed, chats that no list
//! shows. They come through every door.

use teams_emulator::{EmulatorConfig, Mutation, ReplyCount, UnsetTime};

use crate::harness::*;

#[tokio::test]
async fn replies_that_did_not_come_with_their_root_are_asked_for_without_a_link_too() {
    for (cap, count) in [(200, ReplyCount::Absent), (200, ReplyCount::All), (60, ReplyCount::All)] {
        let config = EmulatorConfig { teams: 1, big_threads: 1, big_thread_replies: 230, ..small() };
        let emulator = with_knobs(config, |knobs| {
            (knobs.reply_cap, knobs.reply_links, knobs.reply_count) = (cap, false, count);
        });
        for strategy in ["channels", "delta"] {
            for tables in [BOTH, &["message_replies"]] {
                let options = join(ALL_MESSAGES, &[("strategy", strategy)]);
                assert_every_door(&emulator, tables, &options, &format!("{cap} {count:?} {strategy}")).await;
            }
        }
    }
}

#[tokio::test]
async fn threads_that_came_whole_cost_no_request() {
    let emulator = with_knobs(EmulatorConfig { teams: 1, ..small() }, |knobs| knobs.reply_links = false);
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    reader.assert_whole();
    assert!(emulator.requests().iter().all(|request| !request.path.ends_with("/replies")));
}

#[tokio::test]
async fn a_message_that_does_not_tell_when_it_was_changed_is_read() {
    for unset in [UnsetTime::Null, UnsetTime::YearOne, UnsetTime::Epoch] {
        for strategy in ["auto", "channels", "delta"] {
            let emulator = start(small());
            let options = [("strategy", strategy)];
            let mut reader = Reader::messages(&emulator, &options);
            let mut chats = Reader::new(&emulator, &["chat_messages"], &join(ALL_CHATS, &options[..]));
            reader.round().await;
            chats.round().await;
            for seed in 0..3 {
                emulator.mutate(&Mutation {
                    advance_seconds: 7200,
                    seed,
                    new_messages: 3,
                    late_replies: 3,
                    chat_messages: 4,
                    unset_modified: Some(unset),
                    ..Mutation::default()
                });
                reader.round().await;
                reader.assert_whole();
                chats.round().await;
                chats.assert_whole();
            }
            emulator.advance(HOUR);
            reader.round().await;
            let offset = reader.offset.clone();
            emulator.advance(HOUR);
            assert_eq!((reader.round().await, &reader.offset), (0, &offset), "{unset:?} {strategy}: nothing is new");
        }
    }
}

#[tokio::test]
async fn messages_without_a_time_come_through_every_door() {
    for unset in [UnsetTime::Null, UnsetTime::YearOne, UnsetTime::Epoch] {
        let emulator = start(EmulatorConfig { unset_modified: Some(unset), messages_per_channel: 60, ..small() });
        for strategy in ["channels", "delta"] {
            let options = join(ALL_MESSAGES, &[("strategy", strategy)]);
            assert_every_door(&emulator, BOTH, &options, &format!("{unset:?} {strategy}")).await;
        }
    }
}

#[tokio::test]
async fn chats_that_only_exports_show_come_through_every_door() {
    for strategy in ["auto", "export"] {
        let emulator = start(EmulatorConfig { unlisted_chats: 6, chats: 12, ..small() });
        let options = join(ALL_CHATS, &[("strategy", strategy)]);
        assert_every_door(&emulator, &["chat_messages"], &options, strategy).await;
    }
}

/// Nothing but their own export shows what they hold: neither a list of chats nor another member's export leads there.
#[tokio::test]
async fn users_without_a_chat_in_their_list_are_exported_too() {
    for strategy in ["auto", "export"] {
        let emulator = start(EmulatorConfig { unlisted_chats: 6, chats: 0, ..small() });
        let options = join(ALL_CHATS, &[("strategy", strategy)]);
        assert_every_door(&emulator, &["chat_messages"], &options, strategy).await;
    }
}

/// Whatever the exports of others have brought of the chats that a user lists.
#[tokio::test]
async fn each_user_is_exported_once_though_others_have_read_the_same_chats() {
    let emulator = start(EmulatorConfig { unlisted_chats: 6, chats: 12, ..small() });
    let mut reader = Reader::new(&emulator, &["chat_messages"], ALL_CHATS).pages(1);
    reader.round().await;
    reader.assert_whole();
    emulator.clear_requests();
    emulator.advance(HOUR);
    reader.round().await;
    let exports = emulator.requests().iter().filter(|request| request.path.contains("getAllMessages")).count();
    assert_eq!(exports, 0, "what has been exported is not exported again");
}

/// What a plan calls known is read from where it stood, as in rounds.
#[tokio::test]
async fn planned_increments_read_what_is_new() {
    for (table, all, strategies) in [
        ("chat_messages", ALL_CHATS, ["auto", "channels", "export"]),
        ("messages", ALL_MESSAGES, ["auto", "channels", "export"]),
    ] {
        for strategy in strategies {
            let emulator = start(EmulatorConfig { chats: 12, ..small() });
            let mut reader = Reader::new(&emulator, &[table], &join(all, &[("strategy", strategy)]));
            reader.planned().await.unwrap();
            reader.assert_whole();
            let everything = emulator.truth(table).len();
            for seed in 0..3 {
                let new = Mutation { new_messages: 2, chat_messages: 2, new_chats: 1, seed, ..Mutation::default() };
                emulator.mutate(&Mutation { advance_seconds: 7200, ..new });
                emulator.advance(2);
                reader.planned().await.unwrap();
                reader.assert_whole();
                assert!(reader.rows < everything / 2, "{table} {strategy}: {} of {everything} rows again", reader.rows);
            }
        }
    }
}
