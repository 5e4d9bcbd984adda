//! Reading once: each key exactly once, whatever the strategy and the faults.

use std::collections::BTreeSet;

use teams_base::error::Error;
use teams_emulator::{Emulator, EmulatorConfig, FaultKind, FaultRule, Mutation};
use teams_ingest::Pass;

use crate::harness::*;

async fn assert_once(emulator: &Emulator, tables: &[&str], options: &[(&str, &str)], what: &str) {
    let session = session_with(emulator, &[("retry_timeout_seconds", "20")]);
    let (found, failure) = read_once(&session, &pass(tables, options)).await;
    assert!(failure.is_none(), "{what}: {failure:?}");
    let mut lake = Lakehouse::default();
    let mut seen = BTreeSet::new();
    for (table, row) in found {
        assert!(seen.insert((table, key(table, &row))), "{what}: {table} {} comes twice", key(table, &row));
        lake.upsert(table, row);
    }
    for table in tables {
        let wrong = differences(emulator, &lake, table, &BTreeSet::new());
        assert!(wrong.is_empty(), "{what}: {} differences: {:#?}", wrong.len(), &wrong[..wrong.len().min(4)]);
    }
}

#[tokio::test]
async fn messages_once_under_every_strategy() {
    let emulator = start(EmulatorConfig { big_threads: 1, ..small() });
    for strategy in ["auto", "export", "channels", "delta"] {
        for tables in [BOTH, &["messages"], &["message_replies"]] {
            assert_once(&emulator, tables, &join(ALL_MESSAGES, &[("strategy", strategy), ("top", "6")]), strategy)
                .await;
        }
    }
}

#[tokio::test]
async fn messages_once_with_a_busy_last_day_and_a_lagging_export() {
    for lag in [0, 6, 24] {
        let emulator = with_knobs(small(), |knobs| {
            knobs.export_lag_seconds = lag * 3600;
            knobs.export_private_channels = false;
        });
        for seed in 0..4 {
            emulator.mutate(&Mutation { advance_seconds: 5 * 3600, new_channels: 1, ..all_kinds(seed) });
        }
        emulator.advance(2);
        assert_once(&emulator, BOTH, ALL_MESSAGES, &format!("lag {lag}")).await;
    }
}

/// Lists have a tenth of the budget of exports: whatever is exported meanwhile costs no time.
#[tokio::test]
async fn exports_do_not_wait_for_the_last_list() {
    let config = EmulatorConfig { teams: 12, channels_per_team: 6, messages_per_channel: 5, ..small() };
    let emulator = with_knobs(config, |knobs| knobs.latency_ms = 5);
    emulator.mutate(&Mutation { advance_seconds: 600, new_messages: 600, ..Mutation::default() });
    emulator.advance(2);
    assert_once(&emulator, BOTH, &join(ALL_MESSAGES, &[("top", "2")]), "12 teams").await;
    let paths: Vec<_> = emulator.requests().into_iter().map(|entry| entry.path).collect();
    let exported = paths.iter().position(|path| path.ends_with("/getAllMessages")).unwrap();
    let lists = |paths: &[String]| paths.iter().filter(|path| path.ends_with("/messages")).count();
    let (before, all) = (lists(&paths[..exported]), lists(&paths));
    assert!(before < all * 2 / 3, "{before} of {all} lists came before the first export");
}

/// As a task of Spark reads them: in a process of its own, where nothing has been listed.
#[tokio::test]
async fn a_share_of_the_scopes_is_read_by_the_servers_clock() {
    // By this machine's clock nothing is fresh, and the export does not hold the last day.
    let config = EmulatorConfig { start: "2020-03-01T00:00:00Z".parse().unwrap(), ..small() };
    let emulator = with_knobs(config, |knobs| knobs.export_lag_seconds = 20 * 3600);
    emulator.mutate(&Mutation { advance_seconds: 3600, new_messages: 6, late_replies: 6, ..Mutation::default() });
    let pass = Pass { scopes: Some(team_ids(&emulator)), ..pass(BOTH, ALL_MESSAGES) };
    let session = session(&emulator);
    let (found, failure) = read_once(&session, &pass).await;
    assert!(failure.is_none(), "{failure:?}");
    let mut lake = Lakehouse::default();
    found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
    assert_whole(&emulator, &lake, BOTH);
    assert!(session.report().snapshot().notes.iter().all(|note| !note.contains("clock of this machine")));
}

#[tokio::test]
async fn chat_messages_once_under_every_strategy() {
    let emulator = start(EmulatorConfig { chats: 12, ..small() });
    emulator.mutate(&Mutation { advance_seconds: 600, chat_messages: 9, chat_edits: 5, ..Mutation::default() });
    emulator.advance(2);
    for strategy in ["auto", "export", "channels"] {
        assert_once(&emulator, &["chat_messages"], &join(ALL_CHATS, &[("strategy", strategy)]), strategy).await;
    }
}

#[tokio::test]
async fn the_other_tables_once() {
    let emulator = start(EmulatorConfig { chats: 12, ..small() });
    assert_once(&emulator, &["chats"], &[], "chats").await;
    for table in ["users", "groups"] {
        assert_once(&emulator, &[table], &[], table).await;
    }
}

#[tokio::test]
async fn faults_neither_lose_nor_double_a_row() {
    use FaultKind as K;
    let kinds = [
        K::Reset,
        K::Truncate,
        K::GarbageHtml,
        K::GarbageJson,
        K::Loop,
        K::Repeat,
        K::EmptyPage,
        K::IgnoreExpand,
        K::IgnoreFilter,
        K::IgnoreTop,
    ];
    for kind in kinds {
        let lasting = matches!(kind, K::Repeat | K::EmptyPage | K::IgnoreExpand | K::IgnoreFilter | K::IgnoreTop);
        let emulator = start(EmulatorConfig { teams: 2, ..small() });
        emulator.mutate(&Mutation { advance_seconds: 3600, chat_messages: 5, ..all_kinds(1) });
        emulator.advance(2);
        for strategy in ["auto", "export", "channels", "delta"] {
            emulator.clear_faults();
            let rule = || FaultRule {
                skip: 1,
                // Of the links to one place there are seven.
                times: match kind {
                    K::Repeat | K::EmptyPage => Some(6),
                    _ => (!lasting).then_some(1),
                },
                probability: if matches!(kind, K::Repeat | K::EmptyPage) { 0.4 } else { 1.0 },
                ..fault("essages", kind)
            };
            emulator.fault(rule());
            assert_once(
                &emulator,
                BOTH,
                &join(ALL_MESSAGES, &[("strategy", strategy), ("top", "9")]),
                &format!("{kind:?} {strategy}"),
            )
            .await;
            if strategy != "delta" {
                emulator.clear_faults();
                emulator.fault(rule());
                assert_once(
                    &emulator,
                    &["chat_messages"],
                    &join(ALL_CHATS, &[("strategy", strategy), ("top", "9")]),
                    &format!("chats, {kind:?} {strategy}"),
                )
                .await;
            }
        }
    }
}

#[tokio::test]
async fn refused_exports_are_listed() {
    for code in [402, 403, 404, 501] {
        let emulator = with_knobs(small(), |knobs| knobs.export_refused = code);
        assert_once(&emulator, BOTH, ALL_MESSAGES, &format!("messages {code}")).await;
        assert_once(&emulator, &["chat_messages"], ALL_CHATS, &format!("chat messages {code}")).await;
    }
}

#[tokio::test]
async fn one_bad_team_fails_the_read_after_the_others_were_given() {
    let emulator = start(small());
    let team = team_ids(&emulator)[0].clone();
    emulator.set(|knobs| {
        knobs.forbidden_team_ids.insert(team.clone());
    });
    for strategy in ["auto", "export", "channels", "delta"] {
        let options = join(ALL_MESSAGES, &[("strategy", strategy)]);
        let (found, failure) = read_once(&session(&emulator), &pass(BOTH, &options)).await;
        assert!(matches!(failure, Some(Error::PermissionDenied(_))), "{failure:?}");
        let expected = emulator.truth("messages").len() + emulator.truth("message_replies").len();
        assert_eq!(found.len(), expected, "{strategy}");
    }
}

#[tokio::test]
async fn an_empty_tenant_is_no_error() {
    let emulator = start(EmulatorConfig { teams: 0, chats: 0, ..small() });
    let (found, failure) = read_once(&session(&emulator), &pass(BOTH, ALL_MESSAGES)).await;
    assert!(found.is_empty() && failure.is_none(), "{failure:?}");
    let mut reader = Reader::messages(&emulator, &[]);
    assert_eq!(reader.round().await, 0);
}
