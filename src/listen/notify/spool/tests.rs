//! A spool, over restarts and torn files.

use std::fs::OpenOptions;

use super::*;

const CAPACITY: u64 = 1 << 20;

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("spool-{}", uuid::Uuid::new_v4()))
}

fn records(texts: &[&str]) -> Vec<Record> {
    let arrived = Timestamp::from_second(1_800_000_000).unwrap();
    texts.iter().map(|text| Record { arrived, item: text.as_bytes().to_vec() }).collect()
}

fn append(spool: &Spool, texts: &[&str]) -> Result<(), NotKept> {
    futures::executor::block_on(spool.append(&records(texts)))
}

fn next(spool: &Spool, most: usize) -> (Vec<String>, u64) {
    match spool.next(most, Duration::ZERO).unwrap() {
        None => (Vec::new(), 0),
        Some(stretch) => {
            let texts = stretch.records.into_iter().map(|record| String::from_utf8(record.item).unwrap());
            (texts.collect(), stretch.position)
        }
    }
}

#[test]
fn what_is_not_done_comes_again_after_a_restart() {
    let folder = folder();
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    append(&spool, &["a", "b"]).unwrap();
    append(&spool, &["c"]).unwrap();
    let (texts, position) = next(&spool, 2);
    assert_eq!(texts, ["a", "b"]);
    assert_eq!(next(&spool, 9).0, ["c"]);
    assert_eq!(next(&spool, 9).0, [""; 0]);
    assert_eq!(spool.waiting().items, 3);
    spool.done(position).unwrap();
    assert_eq!((spool.waiting().items, spool.waiting().oldest.is_some()), (1, true));
    spool.rewind();
    assert_eq!(next(&spool, 9).0, ["c"]);
    drop(spool);

    let spool = Spool::open(&folder, CAPACITY).unwrap();
    assert_eq!(spool.waiting().items, 1);
    append(&spool, &["d"]).unwrap();
    let (texts, position) = next(&spool, 9);
    assert_eq!(texts, ["c", "d"], "over two segments");
    spool.done(position).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "the segment that grows, and the mark");
    drop(spool);
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    assert_eq!((next(&spool, 9).0.len(), spool.waiting().items, spool.waiting().bytes), (0, 0, 0));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_torn_end_costs_what_was_not_acknowledged() {
    let folder = folder();
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    append(&spool, &["a"]).unwrap();
    drop(spool);
    for torn in [
        &b"\x09\x00\x00"[..],
        &[0; 100],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let last = survey(&folder).unwrap().segments.last().copied().unwrap();
        let mut file = OpenOptions::new().append(true).open(Segment::path(&folder, last.base)).unwrap();
        file.write_all(torn).unwrap();
        let spool = Spool::open(&folder, CAPACITY).unwrap();
        append(&spool, &["b"]).unwrap();
    }
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    assert_eq!(next(&spool, 9).0, ["a", "b", "b", "b"]);
    assert_eq!(spool.waiting().damaged, 0);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_full_spool_takes_nothing_more_until_something_is_done() {
    let folder = folder();
    let spool = Spool::open(&folder, 100).unwrap();
    append(&spool, &["0123456789", "0123456789"]).unwrap();
    assert_eq!(append(&spool, &["0123456789", "0123456789"]), Err(NotKept::Full));
    append(&spool, &["0123456789"]).unwrap();
    let (_, position) = next(&spool, 9);
    spool.done(position).unwrap();
    append(&spool, &["0123456789", "0123456789", "0123456789"]).unwrap();
    assert!(spool.done(u64::MAX).is_err(), "it was not handed on");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_disk_that_refuses_is_told_and_serves_again_later() {
    let folder = folder();
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    append(&spool, &["a"]).unwrap();
    let aside = folder.with_extension("aside");
    fs::rename(&folder, &aside).unwrap();
    drop(spool);
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(append(&spool, &["b"]), Err(NotKept::Disk));
    fs::rename(&aside, &folder).unwrap();
    fs::remove_file(Segment::path(&folder, 0)).unwrap();
    append(&spool, &["c"]).unwrap();
    assert_eq!(next(&spool, 9).0, ["c"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn one_who_waits_gets_what_comes() {
    let folder = folder();
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| spool.next(9, Duration::from_secs(30)).unwrap().unwrap().records.len());
        append(&spool, &["a"]).unwrap();
        assert_eq!(reader.join().unwrap(), 1);
    });
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn many_writers_share_syncs_and_lose_nothing() {
    let folder = folder();
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..25 {
                    append(spool, &[&format!("{writer}/{number}")]).unwrap();
                }
            });
        }
    });
    let (mut texts, position) = next(&spool, 1000);
    let of_one: Vec<_> = texts.iter().filter(|text| text.starts_with("3/")).cloned().collect();
    assert_eq!(of_one, (0..25).map(|number| format!("3/{number}")).collect::<Vec<_>>(), "in their order");
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 200);
    spool.done(position).unwrap();
    assert_eq!(spool.waiting().items, 0);
    fs::remove_dir_all(folder).unwrap();
}

const FOLDER: &str = "SPOOL_OF_A_KILLED_PROCESS";

#[test]
#[ignore = "runs in a process of its own, until that is killed"]
fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let spool = Spool::open(Path::new(&folder), CAPACITY).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..1_000_000 {
                    let text = format!("{writer}/{number}");
                    append(spool, &[&text]).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "kept {text}").and_then(|()| out.flush()).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    use std::io::{BufRead, BufReader};

    let folder = folder();
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "notify::spool::tests::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut acknowledged =
            lines.map_while(Result::ok).filter_map(|line| line.split_once("kept ").map(|(_, text)| text.to_owned()));
        kept.extend(acknowledged.by_ref().take(60));
        process.kill().unwrap();
        // What it still said before it died was acknowledged too.
        kept.extend(acknowledged);
        process.wait().unwrap();
    }
    let spool = Spool::open(&folder, CAPACITY).unwrap();
    let (texts, _) = next(&spool, usize::MAX);
    let missing: Vec<_> = kept.iter().filter(|text| !texts.contains(text)).collect();
    assert!(kept.len() >= 120 && missing.is_empty(), "{missing:?} of {}", kept.len());
    fs::remove_dir_all(folder).unwrap();
}
