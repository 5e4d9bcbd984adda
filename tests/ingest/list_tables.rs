//! `channels` and `delta`: whole chains, newest first.

use teams_emulator::{EmulatorConfig, FaultKind, FaultRule, Mutation};

use crate::harness::*;

#[tokio::test]
async fn a_chain_of_more_than_200_replies_is_drained() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(EmulatorConfig { teams: 1, big_threads: 2, big_thread_replies: 470, ..small() });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        reader.assert_whole();
        emulator.mutate(&Mutation { advance_seconds: 600, late_replies: 5, reply_edits: 30, ..Mutation::default() });
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_chain_that_moves_while_its_channel_is_paged_loses_nothing() {
    for strategy in ["channels", "delta"] {
        let emulator = with_knobs(EmulatorConfig { messages_per_channel: 40, ..small() }, |knobs| knobs.latency_ms = 3);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
        let mover = async {
            for seed in 0..15 {
                tokio::time::sleep(std::time::Duration::from_millis(4)).await;
                emulator.mutate(&Mutation {
                    seed,
                    advance_seconds: 1,
                    late_replies: 4,
                    reactions: 4,
                    ..Mutation::default()
                });
            }
        };
        let (rows, ()) = futures::join!(reader.round(), mover);
        assert!(rows > 0);
        emulator.advance(HOUR);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn increments_ask_a_small_first_page() {
    let emulator = start(EmulatorConfig { messages_per_channel: 60, ..small() });
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 2, ..Mutation::default() });
    emulator.clear_requests();
    reader.round().await;
    reader.assert_whole();
    let lists: Vec<_> = emulator.requests().into_iter().filter(|r| r.template.ends_with("/messages")).collect();
    assert!(lists.iter().all(|request| !request.query.contains("top=50")), "{lists:#?}");
}

#[tokio::test]
async fn an_increment_larger_than_a_small_page_is_complete() {
    let emulator = start(EmulatorConfig { teams: 1, messages_per_channel: 60, ..small() });
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    let (_, channel, _) = channel_ids(&emulator)[0].clone();
    let change = Mutation {
        advance_seconds: 600,
        channel_id: Some(channel),
        late_replies: 70,
        edits: 20,
        ..Mutation::default()
    };
    emulator.mutate(&change);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn the_list_is_complete_when_expand_is_ignored() {
    for strategy in ["channels", "delta"] {
        for table in [&["messages"][..], &["message_replies"], BOTH] {
            let emulator = start(EmulatorConfig { teams: 1, big_threads: 1, ..small() });
            emulator.fault(fault("/messages", FaultKind::IgnoreExpand));
            let mut reader = Reader::new(&emulator, table, &join(ALL_MESSAGES, &[("strategy", strategy)]));
            reader.round().await;
            reader.assert_whole();
            emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(5) });
            reader.round().await;
            reader.assert_whole();
            // Delta's roots alone need no replies.
            let is_slow = reader.report().notes.iter().any(|note| note.contains("slow way"));
            assert_eq!(is_slow, strategy == "channels" || table.contains(&"message_replies"));
        }
    }
}

#[tokio::test]
async fn the_list_is_complete_when_top_is_ignored() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        emulator.fault(fault("essages", FaultKind::IgnoreTop));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "3")]);
        reader.round().await;
        emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(5) });
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn what_a_list_returns_is_a_root_whatever_it_replies_to() {
    for strategy in ["channels", "delta"] {
        let emulator = start(small());
        emulator.fault(fault("/messages", FaultKind::ReplytoidOnRoots));
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn a_delta_without_links_at_its_end_is_complete() {
    let emulator = start(small());
    // Its pages are of 50, and no channel has more.
    emulator.fault(fault("messages/delta", FaultKind::NoLinks));
    let mut reader = Reader::messages(&emulator, &[("strategy", "delta")]);
    reader.round().await;
    emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(5) });
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn delta_keeps_no_links_and_says_what_it_cannot_see() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("strategy", "delta")]);
    reader.round().await;
    assert!(!reader.offset.as_ref().unwrap().contains("http"));
    assert!(reader.report().notes.iter().any(|note| note.contains("eight months")));
}

#[tokio::test]
async fn where_delta_is_refused_channels_are_listed() {
    for code in [400, 404, 405, 501] {
        let emulator = with_knobs(small(), |knobs| knobs.channel_delta_refused = code);
        for pages in [100, 1] {
            let mut reader = Reader::messages(&emulator, &[("strategy", "delta"), ("top", "5")]).pages(pages);
            reader.round().await;
            reader.assert_whole();
            emulator.mutate(&Mutation { advance_seconds: 600, ..all_kinds(5) });
            reader.round().await;
            reader.assert_whole();
            assert!(reader.report().notes.iter().any(|note| note.contains("refused")), "{code}");
        }
    }
}

#[tokio::test]
async fn an_empty_channel_is_known_and_costs_one_request() {
    let emulator = start(EmulatorConfig { empty_teams: 1, ..small() });
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    reader.assert_whole();
    emulator.advance(HOUR);
    reader.round().await;
    emulator.clear_requests();
    reader.round().await;
    let lists = emulator.requests().iter().filter(|request| request.template.ends_with("/messages")).count();
    assert_eq!(lists, channel_ids(&emulator).len());
}

#[tokio::test]
async fn undated_messages_are_neither_lost_nor_left_out() {
    for strategy in ["auto", "channels", "export", "delta"] {
        let emulator = start(EmulatorConfig { null_modified: true, messages_per_channel: 150, teams: 1, ..small() });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        // An export or a delta that filters by a time leaves out what has none; whatever it gives is kept.
        if strategy == "channels" {
            reader.assert_whole();
        }
    }
}

/// Late edits of old replies do not move a chain: where nothing is swept, every channel is read whole once a week.
#[tokio::test]
async fn channels_alone_finds_late_edits_within_the_resweep_cycle() {
    let emulator = with_knobs(small(), |knobs| knobs.bubble_edits = false);
    let mut reader = Reader::messages(&emulator, &[("strategy", "channels")]);
    reader.round().await;
    emulator.mutate(&Mutation {
        advance_seconds: 600,
        edits: 10,
        reply_edits: 10,
        reactions: 10,
        ..Mutation::default()
    });
    for _ in 0..8 {
        emulator.advance(25 * HOUR);
        reader.round().await;
    }
    reader.assert_whole();
}

#[tokio::test]
async fn the_same_message_on_two_pages_is_one_row() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(small());
        emulator.fault(FaultRule { probability: 0.3, times: Some(6), ..fault("essages", FaultKind::Repeat) });
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy), ("top", "5")]);
        reader.round().await;
        reader.assert_whole();
    }
}

#[tokio::test]
async fn named_threads_are_drained() {
    let emulator = start(EmulatorConfig { big_threads: 1, ..small() });
    let replies = emulator.truth("message_replies");
    let text = |name: &str| replies[0][name].as_str().unwrap();
    let (team, channel, root) = (text("team_id"), text("channel_id"), text("parent_message_id"));
    let options = [("team_id", team), ("channel_id", channel), ("message_id", root)];
    let mut reader = Reader::new(&emulator, &["message_replies"], &options);
    reader.round().await;
    let wanted = replies.iter().filter(|row| row["channel_id"] == channel && row["parent_message_id"] == root).count();
    assert_eq!(reader.lake.keys("message_replies").len(), wanted);
}

/// The reply that was edited is not among those that come with the root, so that the chain looks old.
#[tokio::test]
async fn an_edit_deep_in_a_long_chain_hides_nothing_behind_it() {
    for strategy in ["auto", "channels", "delta"] {
        let emulator =
            with_knobs(EmulatorConfig { teams: 1, replies_per_message: 6.0, ..small() }, |knobs| knobs.reply_cap = 2);
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        for seed in 0..4 {
            // The edits of replies come last, and so on top.
            let shown =
                emulator.mutate(&Mutation { seed, advance_seconds: 600, new_messages: 6, ..Mutation::default() });
            emulator.mutate(&Mutation { seed, advance_seconds: 60, reply_edits: 12, ..Mutation::default() });
            reader.round().await;
            let held = reader.lake.keys("messages");
            for message in shown.of("new_messages") {
                assert!(held.iter().any(|key| key.ends_with(&message.id)), "{strategy}: {message:?} is hidden");
            }
        }
        // The edits themselves wait for the sweep, or for their turn in the week.
        for _ in 0..9 {
            emulator.advance(26 * HOUR);
            reader.round().await;
        }
        reader.assert_whole();
    }
}
