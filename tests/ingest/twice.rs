//! Channels that an export may not hold are listed too: what both give comes once, as long as one session reads on.

use std::collections::{BTreeMap, BTreeSet};

use teams_emulator::Mutation;
use teams_ingest::Session;

use crate::harness::*;

/// How often rows of channels that are not standard came.
#[derive(Default)]
struct Times(BTreeMap<String, usize>);

impl Times {
    /// Takes a step, and returns whether the round is over.
    async fn step(&mut self, reader: &mut Reader<'_>, special: &BTreeSet<String>) -> bool {
        let step = reader.session.micro_batch(&reader.pass, reader.offset.as_deref(), reader.limits).await.unwrap();
        for (table, batch) in &step.rows {
            for row in rows(batch).iter().filter(|row| special.contains(row["channel_id"].as_str().unwrap())) {
                *self.0.entry(format!("{table} {}", key(table, row))).or_default() += 1;
            }
        }
        reader.lake.merge(&step);
        reader.offset = Some(step.offset);
        step.finished
    }
}

fn special(emulator: &teams_emulator::Emulator) -> BTreeSet<String> {
    let found: BTreeSet<String> =
        channel_ids(emulator).into_iter().filter(|(_, _, kind)| kind != "standard").map(|(_, id, _)| id).collect();
    assert!(!found.is_empty());
    found
}

#[tokio::test]
async fn rows_that_are_exported_and_listed_come_once() {
    for pages in [1, 7, 1000] {
        let emulator = start(small());
        let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(pages);
        let (special, mut times) = (special(&emulator), Times::default());
        while !times.step(&mut reader, &special).await {}
        reader.assert_whole();
        assert!(times.0.len() > 20);
        let twice: Vec<_> = times.0.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{pages} pages a step: {twice:?}");
    }
}

#[tokio::test]
async fn a_version_that_came_since_the_export_comes_with_the_list() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(1);
    let (special, mut times) = (special(&emulator), Times::default());
    for seed in 0.. {
        let finished = times.step(&mut reader, &special).await;
        if finished {
            break;
        }
        emulator.mutate(&Mutation { advance_seconds: 1, edits: 6, reply_edits: 6, seed, ..Mutation::default() });
    }
    assert!(times.0.values().any(|times| *times > 1), "nothing was changed between the two");
    emulator.advance(HOUR);
    reader.round().await;
    reader.assert_whole();
}

#[tokio::test]
async fn a_step_that_is_taken_again_leaves_nothing_out() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(1);
    loop {
        // Its rows are lost, as where another ingest committed first.
        drop(reader.session.micro_batch(&reader.pass, reader.offset.as_deref(), reader.limits).await.unwrap());
        if reader.step().await.unwrap() {
            break;
        }
    }
    reader.assert_whole();
}

#[tokio::test]
async fn a_session_that_goes_on_for_another_one_leaves_nothing_out() {
    let emulator = start(small());
    let mut reader = Reader::messages(&emulator, &[("top", "5")]).pages(1);
    let ahead: Session = session(&emulator);
    while !reader.step().await.unwrap() {
        // It reads on from the same offset, and nobody keeps its rows.
        drop(ahead.micro_batch(&reader.pass, reader.offset.as_deref(), reader.limits).await.unwrap());
    }
    reader.assert_whole();
}
