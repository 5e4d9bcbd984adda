//! How many rows a page of an export is asked for, and what becomes of a server that gives fewer.

use teams_emulator::{Emulator, EmulatorConfig, ExportPaging, FaultKind, FaultRule, Mutation, TopOverMax};
use teams_ingest::Session;

use crate::archive;
use crate::harness::*;

/// A read of each kind of export, with the parents that it reads at once before it knows of any page.
struct Read {
    table: &'static str,
    options: &'static [(&'static str, &'static str)],
    at_once: usize,
}

const TEAM_OPTIONS: &[(&str, &str)] =
    &[("fetch_all_teams", "true"), ("fetch_all_channels", "true"), ("strategy", "export")];
const CHAT_OPTIONS: &[(&str, &str)] = &[("fetch_all_users", "true"), ("strategy", "export")];
const READS: [Read; 6] = [
    Read { table: "messages", options: ALL_MESSAGES, at_once: 3 },
    Read { table: "messages", options: TEAM_OPTIONS, at_once: 3 },
    Read { table: "chat_messages", options: ALL_CHATS, at_once: 3 },
    Read { table: "chat_messages", options: CHAT_OPTIONS, at_once: 3 },
    Read { table: "retained_messages", options: &[("fetch_all_teams", "true")], at_once: 16 },
    Read { table: "deleted_team_messages", options: &[], at_once: 16 },
];

impl Read {
    fn tables(&self) -> Vec<&'static str> {
        if self.table == "messages" { BOTH.to_vec() } else { vec![self.table] }
    }

    /// Reads once; every row is there, and once.
    async fn whole(&self, emulator: &Emulator, session: &Session, extra: &[(&str, &str)]) {
        let (found, failure) = read_once(session, &pass(&self.tables(), &join(self.options, extra))).await;
        assert!(failure.is_none(), "{}: {failure:?}", self.table);
        if matches!(self.table, "retained_messages" | "deleted_team_messages") {
            return archive::assert_whole(emulator, self.table, &found);
        }
        let mut lake = Lakehouse::default();
        let rows = found.len();
        found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        assert_whole(emulator, &lake, &self.tables());
        assert_eq!(rows, self.tables().iter().map(|table| lake.keys(table).len()).sum::<usize>(), "a key comes twice");
    }
}

/// A tenant with several pages of each export, in which two teams were deleted.
fn tenant(teams: usize, messages: usize) -> Emulator {
    let config = EmulatorConfig {
        teams,
        channels_per_team: 2,
        messages_per_channel: messages,
        chats: 20,
        messages_per_chat: messages,
        empty_channel: false,
        ..small()
    };
    let emulator = start(config);
    emulator.mutate(&Mutation { advance_seconds: 60, deleted_teams: 2, ..Mutation::default() });
    emulator.advance(2 * DAY);
    emulator
}

/// An answered request for a page of an export: rows asked for, status, and whether it followed a link.
struct Asked {
    top: u32,
    status: u16,
    is_link: bool,
}

fn asked(emulator: &Emulator) -> Vec<Asked> {
    let is_export = |template: &str| template.ends_with("/getAllMessages") || template.ends_with("RetainedMessages");
    let exports = emulator.requests().into_iter().filter(|entry| is_export(&entry.template));
    let read = |query: &str| {
        let named: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let is_link = named.contains_key("$skiptoken") || named.contains_key("$skip");
        (named["$top"].parse().unwrap(), is_link)
    };
    exports
        .map(|entry| {
            let (top, is_link) = read(&entry.query);
            Asked { top, status: entry.status, is_link }
        })
        // One row is asked for to know whether anything has changed.
        .filter(|asked| asked.top != 1)
        .collect()
}

fn notes(session: &Session) -> Vec<String> {
    let notes = session.report().snapshot().notes;
    notes.into_iter().filter(|note| note.contains("gives no page of")).collect()
}

#[tokio::test]
async fn a_page_is_asked_for_250_rows_and_an_export_needs_a_fifth_of_the_pages() {
    let emulator = tenant(3, 260);
    for read in &READS {
        let mut pages = Vec::new();
        for (extra, top) in [(vec![], 250), (vec![("top", "50")], 50), (vec![("top", "999")], 250)] {
            emulator.clear_requests();
            let session = session(&emulator);
            read.whole(&emulator, &session, &extra).await;
            let asked = asked(&emulator);
            assert!(asked.iter().all(|page| (page.top, page.status) == (top, 200)), "{} {extra:?}", read.table);
            assert!(notes(&session).is_empty());
            pages.push((asked.iter().filter(|page| !page.is_link).count(), asked.len()));
        }
        let [(parents, large), (same, small), again] = pages[..] else { unreachable!() };
        assert_eq!((parents, (parents, large)), (same, again), "{}", read.table);
        // Of n rows, n / 50 rounded up is at most 5 times n / 250 rounded up, and more than that of one page less.
        assert!(small <= 5 * large && small >= 5 * (large - parents) + parents, "{}: {large}, {small}", read.table);
        assert!(large >= 2 * parents, "{}: {large} pages of {parents} say little", read.table);
    }
}

#[tokio::test]
async fn where_more_than_50_is_refused_50_is_asked_for_and_said_once() {
    let emulator = tenant(22, 20);
    emulator.set(|knobs| knobs.export_top_max = 50);
    for read in &READS {
        emulator.clear_requests();
        let session = session(&emulator);
        read.whole(&emulator, &session, &[]).await;
        let first = asked(&emulator);
        let large = first.iter().filter(|page| page.top > 50).count();
        assert!(first.iter().all(|page| (page.top, page.status) == if page.top > 50 { (250, 400) } else { (50, 200) }));
        assert!(first.iter().all(|page| page.top == 50 || !page.is_link));
        assert!((1..=read.at_once).contains(&large), "{}: {large} of {}", read.table, first.len());
        // Another read through the same connection knows from the beginning.
        emulator.clear_requests();
        read.whole(&emulator, &session, &[]).await;
        let again = asked(&emulator);
        assert!(again.iter().all(|page| page.top == 50), "{}", read.table);
        assert_eq!(again.len(), first.len() - large, "{}", read.table);
        let notes = notes(&session);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("250") && notes[0].contains("50 at a time") && notes[0].contains("400"), "{notes:?}");
    }
}

/// Each step of an incremental read has a job of its own; what the first one learned is kept.
#[tokio::test]
async fn what_is_refused_is_asked_for_no_more_in_later_steps_and_rounds() {
    for (tables, options) in [(BOTH, ALL_MESSAGES), (&["chat_messages"][..], ALL_CHATS)] {
        let emulator = tenant(9, 40);
        emulator.set(|knobs| knobs.export_top_max = 50);
        let mut reader = Reader::new(&emulator, tables, options).pages(1);
        reader.round().await;
        reader.assert_whole();
        let first = asked(&emulator);
        assert_eq!(first.iter().filter(|page| page.top > 50).count(), 1, "one page at a time, so one is refused");
        assert!(first.iter().any(|page| page.is_link), "pages that are small");
        for seed in 0..3 {
            emulator.mutate(&Mutation { advance_seconds: 26 * 3600, chat_messages: 3, ..all_kinds(seed) });
            emulator.clear_requests();
            reader.round().await;
            let later = asked(&emulator);
            assert!(!later.is_empty() && later.iter().all(|page| page.top == 50), "the sweep of a day");
        }
        emulator.advance(26 * HOUR);
        reader.round().await;
        reader.assert_whole();
        assert_eq!(notes(&reader.session).len(), 1);
    }
}

/// A choice of fewer rows is kept, and one between is lowered like the default.
#[tokio::test]
async fn the_option_is_never_raised() {
    let emulator = tenant(4, 20);
    emulator.set(|knobs| knobs.export_top_max = 50);
    for (top, refused, given) in [("7", 0, 7), ("50", 0, 50), ("51", 51, 50), ("100", 100, 50)] {
        emulator.clear_requests();
        let session = session(&emulator);
        READS[1].whole(&emulator, &session, &[("top", top)]).await;
        let asked = asked(&emulator);
        assert!(asked.iter().all(|page| page.top == if page.status == 400 { refused } else { given }), "{top}");
        assert_eq!(notes(&session).len(), usize::from(refused > 0), "{top}");
    }
}

#[tokio::test]
async fn pages_that_are_smaller_than_asked_for_lose_nothing() {
    let emulator = tenant(4, 100);
    for paging in [ExportPaging::Token, ExportPaging::Skip] {
        for is_ignored in [false, true] {
            emulator.clear_faults();
            emulator.set(|knobs| {
                knobs.export_paging = paging;
                knobs.export_top_max = if is_ignored { 250 } else { 30 };
                knobs.top_over_max = TopOverMax::Cap;
            });
            if is_ignored {
                emulator.fault(fault("getAll", FaultKind::IgnoreTop));
            }
            for read in &READS {
                emulator.clear_requests();
                let session = session(&emulator);
                read.whole(&emulator, &session, &[]).await;
                let asked = asked(&emulator);
                assert!(asked.iter().all(|page| (page.top, page.status) == (250, 200)), "{}", read.table);
                // Of 400 rows in a team: two pages, if they held as many as they were asked for.
                let links = asked.iter().filter(|page| page.is_link).count();
                assert!(links >= 3 * (asked.len() - links), "{}: {links} links", read.table);
                assert!(notes(&session).is_empty());
            }
        }
    }
}

/// An offset holds a link of 250 rows, or, of an earlier release, of 50. The server may have come to refuse it meanwhile.
#[tokio::test]
async fn a_chain_of_pages_is_resumed_in_its_middle_by_another_process() {
    for paging in [ExportPaging::Token, ExportPaging::Skip] {
        for (before, refuses) in [(250, false), (50, false), (250, true)] {
            let config = EmulatorConfig { teams: 1, channels_per_team: 2, messages_per_channel: 260, ..small() };
            let emulator = with_knobs(config, |knobs| knobs.export_paging = paging);
            let size = before.to_string();
            let mut reader = Reader::messages(&emulator, &[("strategy", "export"), ("top", &size)]).pages(2);
            reader.step().await.unwrap();
            assert_eq!(asked(&emulator).len(), 2);
            assert!(
                reader.offset.as_ref().unwrap().contains(&format!("top={size}")),
                "half a chain: {:?}",
                reader.offset
            );
            if refuses {
                emulator.set(|knobs| knobs.export_top_max = 50);
            }
            emulator.clear_requests();
            reader.session = session(&emulator);
            reader.pass = pass(BOTH, TEAM_OPTIONS);
            reader.round().await;
            reader.assert_whole();
            let asked = asked(&emulator);
            assert!(asked[0].is_link && asked[0].top == before, "{paging:?}: begun anew");
            let firsts: Vec<_> = asked.iter().filter(|page| !page.is_link && page.status == 200).collect();
            if refuses {
                assert!(firsts.len() == 1 && firsts[0].top == 50, "{paging:?}: a dead link begins its window anew");
                assert_eq!(notes(&reader.session).len(), 1);
            } else {
                assert!(firsts.is_empty() && asked.iter().all(|page| page.top == before), "links stay as they are");
                assert!(notes(&reader.session).is_empty());
            }
        }
    }
}

/// Only that 50 are refused says something about the export itself.
#[tokio::test]
async fn an_export_that_refuses_any_size_is_given_up_after_three_parents() {
    for (tables, options) in [(BOTH, ALL_MESSAGES), (&["chat_messages"][..], ALL_CHATS)] {
        let emulator = tenant(8, 20);
        emulator.set(|knobs| knobs.export_refused = 400);
        let session = session(&emulator);
        let (found, failure) = read_once(&session, &pass(tables, options)).await;
        assert!(failure.is_none(), "{failure:?}");
        let mut lake = Lakehouse::default();
        found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        assert_whole(&emulator, &lake, tables);
        let mut sizes: Vec<_> = asked(&emulator).iter().map(|page| page.top).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [50, 50, 50, 250, 250, 250]);
        assert!(notes(&session).is_empty(), "no size was given");
        assert!(session.report().snapshot().notes.iter().any(|note| note.contains("not offered here")));
    }
}

/// One team's refusal costs that team a request, and the others nothing.
#[tokio::test]
async fn a_team_whose_export_is_refused_makes_no_other_teams_pages_small() {
    let emulator = tenant(6, 20);
    let team = team_ids(&emulator)[2].clone();
    emulator.set(|knobs| {
        knobs.export_refused_teams.insert(team, 400);
    });
    let session = session(&emulator);
    READS[0].whole(&emulator, &session, &[]).await;
    let asked = asked(&emulator);
    assert_eq!(asked.iter().filter(|page| page.status == 400).count(), 2);
    assert!(asked.iter().all(|page| page.top == 250 || page.status == 400));
    assert!(notes(&session).is_empty());
}

#[tokio::test]
async fn a_large_page_that_comes_too_late_is_asked_for_with_50() {
    let emulator = tenant(5, 20);
    let late = FaultRule { delay_ms: 5_000, ..fault("getAll*top=250", FaultKind::Slow) };
    for (rule, said) in [(status("getAll*top=250", 504), "status 504"), (late, "no answer in time")] {
        emulator.clear_faults();
        emulator.fault(rule);
        for read in &READS {
            emulator.clear_requests();
            let session = session_with(&emulator, &[("request_timeout_seconds", "1")]);
            read.whole(&emulator, &session, &[]).await;
            let notes = notes(&session);
            assert!(notes.len() == 1 && notes[0].contains(said), "{}: {notes:?}", read.table);
            let given: Vec<_> =
                asked(&emulator).into_iter().filter(|page| page.status == 200 && page.top == 50).collect();
            assert!(given.iter().any(|page| page.is_link), "{}: small pages say little", read.table);
        }
    }
}

/// Where nothing but exports is read, all of them too late, the host seems to be down.
#[tokio::test]
async fn a_host_that_was_given_up_over_large_pages_is_asked_for_small_ones() {
    let emulator = tenant(5, 20);
    emulator.fault(status("getAll*top=250", 504));
    for read in [&READS[1], &READS[3], &READS[4]] {
        emulator.clear_requests();
        let session = session_with(&emulator, &[("retry_timeout_seconds", "3")]);
        read.whole(&emulator, &session, &[]).await;
        assert_eq!(notes(&session).len(), 1);
        assert!(asked(&emulator).iter().filter(|page| page.status == 504).count() > read.at_once.min(3), "tried again");
    }
    // An outage that has nothing to do with it is one all the same.
    emulator.fault(status("getAll", 504));
    let session = session_with(&emulator, &[("retry_timeout_seconds", "3")]);
    let (_, failure) = read_once(&session, &pass(BOTH, TEAM_OPTIONS)).await;
    assert!(failure.is_some_and(|error| error.ends_run()));
    assert!(notes(&session).is_empty());
}

/// Nothing of this is about a page's size: a server that is down for a while, a refusal, a dead link.
#[tokio::test]
async fn other_failures_are_not_asked_again_with_50() {
    for (path, code) in [("getAll", 503), ("getAll", 403), ("getAll*$skip", 400)] {
        let emulator = start(EmulatorConfig { teams: 1, messages_per_channel: 60, ..small() });
        emulator.fault(status(path, code));
        let session = session(&emulator);
        let (_, failure) = read_once(&session, &pass(BOTH, TEAM_OPTIONS)).await;
        assert_eq!(failure.and_then(|error| error.status()), Some(code), "{path}");
        assert!(asked(&emulator).iter().all(|page| page.top == 250), "{path} {code}");
        assert!(notes(&session).is_empty());
    }
}
