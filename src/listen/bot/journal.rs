//! Activities that came in, on disk before they are acknowledged, and what became of them. A repeat is known as one; what was
//! acknowledged and not handled is handled after a crash.
//!
//! The journal is a few files of events, the older of which are deleted once everything in them is handled, stands in the table,
//! and is too old to come again. A token is good for an hour, and with it a copy of an activity.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::activity::Activity;
use super::entry::{Entry, Event, State};
use teams_base::error::{Error, Result};
use teams_journal::append_log::{AppendLog, line};

/// An activity is known again for this long, in milliseconds: a day, which is longer than any token lives.
const MEMORY_MS: i64 = 24 * 3_600_000;
/// A file of events is ended by the first event beyond this, or of this age.
const FILE_BYTES: u64 = 64 << 20;
const FILE_MS: i64 = 6 * 3_600_000;
/// So often a handler may end with its process before its activity is given up: it may be what ends it.
const MOST_ATTEMPTS: u32 = 20;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Something new, with its number.
    New(u64),
    /// It came before.
    Again { number: u64, state: State, answer: Option<Arc<str>> },
}

/// One file of events.
struct Segment {
    path: PathBuf,
    /// The first activity in it.
    first: u64,
    /// When its last event was written.
    last_ms: i64,
    bytes: u64,
    began_ms: i64,
}

struct Known {
    folder: PathBuf,
    log: AppendLog,
    segments: Vec<Segment>,
    entries: BTreeMap<u64, Entry>,
    keys: HashMap<u128, u64>,
    /// Events and activities so far.
    version: u64,
    number: u64,
    /// Everything up to this event stands in the table.
    filed: u64,
    /// Activities that are not in the table, by the event that they came with.
    unfiled: BTreeMap<u64, u64>,
    /// Activities in the table that changed since.
    changed: BTreeSet<u64>,
    /// Activities that are still to be handled.
    pending: BTreeSet<u64>,
}

/// The journal of a bot.
pub struct Journal(Mutex<Known>);

/// What is to be written into the table.
pub struct Unfiled {
    /// With these everything up to this event stands there.
    pub version: u64,
    pub new: Vec<(u64, Entry)>,
    pub changed: Vec<(u64, Entry)>,
}

fn failed(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("The journal of activities {}: {why}", path.display()))
}

/// A file that is new is found after a power failure too.
fn sync(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// One line, whatever white space it came with. JSON has no line break within a text.
fn raw(body: &str) -> Result<Box<RawValue>> {
    let flat = if body.contains(['\n', '\r']) { body.replace(['\n', '\r'], " ") } else { body.to_owned() };
    RawValue::from_string(flat).map_err(|error| Error::Internal(error.to_string()))
}

impl Known {
    fn take(&mut self, event: Event) {
        match event {
            Event::Received { v, n, t, a } => {
                self.version = self.version.max(v);
                let Ok(activity) = Activity::parse(a.get()) else { return };
                let entry = Entry::new(activity.key(a.get()), v, t, a.get().into());
                self.insert(n, entry);
            }
            Event::Again { v, n, t } => self.change(v, n, |entry| entry.again(t)),
            Event::Begun { v, n } => self.change(v, n, |entry| entry.attempts += 1),
            Event::Ended { v, n, t, s, c, a } => {
                let answer = a.map(|answer| answer.get().into());
                self.change(v, n, |entry| entry.end(t, s, c, answer));
            }
        }
    }

    fn insert(&mut self, number: u64, entry: Entry) {
        self.number = self.number.max(number);
        self.keys.insert(entry.key, number);
        self.unfiled.insert(entry.received, number);
        self.pending.insert(number);
        self.entries.insert(number, entry);
    }

    fn change(&mut self, version: u64, number: u64, change: impl FnOnce(&mut Entry)) {
        self.version = self.version.max(version);
        let Some(entry) = self.entries.get_mut(&number) else { return };
        change(entry);
        entry.changed = version;
        if entry.state != State::Pending {
            self.pending.remove(&number);
        }
        if !self.unfiled.contains_key(&entry.received) {
            self.changed.insert(number);
        }
        self.forget_body(number);
    }

    /// A body is needed until it is handled and stands in the table.
    fn forget_body(&mut self, number: u64) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        if entry.state != State::Pending && !self.unfiled.contains_key(&entry.received) {
            entry.body = None;
        }
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Writes an event, to which nobody waits; it is on disk soon.
    fn note(&mut self, event: &Event, now_ms: i64) -> Result<()> {
        drop(self.write(event, now_ms)?);
        Ok(())
    }

    fn write(&mut self, event: &Event, now_ms: i64) -> Result<teams_journal::append_log::Durable> {
        let line = line(event)?;
        self.roll(now_ms)?;
        if let Some(segment) = self.segments.last_mut() {
            segment.bytes += line.len() as u64;
            segment.last_ms = now_ms;
        }
        self.log.begin(line)
    }

    /// Goes on in a new file once the last one is large or old.
    fn roll(&mut self, now_ms: i64) -> Result<()> {
        let is_full = |last: &Segment| last.bytes > FILE_BYTES || last.bytes > 0 && now_ms - last.began_ms > FILE_MS;
        if !self.segments.last().is_none_or(is_full) {
            return Ok(());
        }
        let segment = Segment::new(&self.folder, self.number + 1, now_ms);
        let log = AppendLog::open(&segment.path, |_: Event| ())?;
        sync(&self.folder)?;
        let old = std::mem::replace(&mut self.log, log);
        // It ends once what it has is on disk.
        std::thread::spawn(move || drop(old));
        self.segments.push(segment);
        Ok(())
    }

    /// Deletes the files whose activities are all handled, filed and too old to come again.
    fn forget(&mut self, now_ms: i64) {
        while let [oldest, next, ..] = self.segments.as_slice() {
            let is_needed = |number: &u64, entry: &Entry| {
                entry.state == State::Pending
                    || self.unfiled.contains_key(&entry.received)
                    || self.changed.contains(number)
            };
            if oldest.last_ms > now_ms - MEMORY_MS
                || self.entries.range(..next.first).any(|(number, entry)| is_needed(number, entry))
            {
                return;
            }
            if let Err(error) = std::fs::remove_file(&oldest.path) {
                log::warn!("{}", failed(&oldest.path, error));
                return;
            }
            let kept = self.entries.split_off(&next.first);
            for entry in std::mem::replace(&mut self.entries, kept).values() {
                self.keys.remove(&entry.key);
            }
            self.segments.remove(0);
        }
    }
}

impl Segment {
    fn new(folder: &Path, first: u64, now_ms: i64) -> Self {
        let path = folder.join(format!("activities-{first:015}.jsonl"));
        Self { path, first, last_ms: now_ms, bytes: 0, began_ms: now_ms }
    }

    /// The first activity that the file's name tells.
    fn first(path: &Path) -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("activities-")?.strip_suffix(".jsonl")?.parse().ok()
    }
}

impl Journal {
    /// Reads what is there, and goes on writing behind it.
    pub fn open(folder: &Path, now_ms: i64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let listed = std::fs::read_dir(folder).map_err(|error| failed(folder, error))?;
        let mut files: Vec<(u64, PathBuf)> = listed
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter_map(|path| Some((Segment::first(&path)?, path)))
            .collect();
        files.sort();
        if files.is_empty() {
            files.push((1, Segment::new(folder, 1, now_ms).path));
        }
        // The last one is opened below, where its events are taken.
        let mut events = Vec::new();
        let mut log = None;
        let mut segments = Vec::new();
        for (first, path) in files {
            log = Some(AppendLog::open(&path, |event: Event| events.push(event))?);
            let times = |event: &Event| match event {
                Event::Received { t, .. } | Event::Again { t, .. } | Event::Ended { t, .. } => Some(*t),
                Event::Begun { .. } => None,
            };
            let began_ms = events.iter().find_map(times).unwrap_or(now_ms);
            let bytes = path.metadata().map_or(0, |about| about.len());
            let last_ms = events.iter().rev().find_map(times).unwrap_or(now_ms);
            segments.push((Segment { path, first, last_ms, bytes, began_ms }, std::mem::take(&mut events)));
        }
        let log = log.ok_or_else(|| failed(folder, "there is no file"))?;
        sync(folder)?;
        let mut known = Known {
            folder: folder.to_owned(),
            log,
            segments: Vec::new(),
            entries: BTreeMap::new(),
            keys: HashMap::new(),
            version: 0,
            number: segments.first().map_or(0, |(segment, _)| segment.first - 1),
            filed: 0,
            unfiled: BTreeMap::new(),
            changed: BTreeSet::new(),
            pending: BTreeSet::new(),
        };
        for (segment, events) in segments {
            events.into_iter().for_each(|event| known.take(event));
            known.segments.push(segment);
        }
        Ok(Self(Mutex::new(known)))
    }

    /// Keeps an activity; once this returns it is on disk. What came before is only counted.
    pub async fn take(&self, activity: &Activity, body: &str, now_ms: i64) -> Result<Taken> {
        let key = activity.key(body);
        let body = raw(body)?;
        loop {
            match self.begin(key, &body, now_ms)? {
                Begun::New { number, durable, turn } => {
                    let kept = durable.done().await;
                    let mut known = self.0.lock();
                    match &kept {
                        Ok(()) => {
                            if let Some(entry) = known.entries.get_mut(&number) {
                                entry.coming = None;
                            }
                        }
                        Err(_) => known.lose(number),
                    }
                    drop(turn);
                    return kept.map(|()| Taken::New(number));
                }
                // The first one is on its way to the disk.
                Begun::Coming(turn) => drop(turn.lock().await),
                Begun::Again { taken, durable } => {
                    durable.done().await?;
                    return Ok(taken);
                }
            }
        }
    }

    fn begin(&self, key: u128, body: &RawValue, now_ms: i64) -> Result<Begun> {
        let mut known = self.0.lock();
        let Some(&number) = known.keys.get(&key) else {
            let (v, n) = (known.next_version(), known.number + 1);
            let durable = known.write(&Event::Received { v, n, t: now_ms, a: body.to_owned() }, now_ms)?;
            let mut entry = Entry::new(key, v, now_ms, body.get().into());
            let turn = Arc::new(Turn::new(()));
            entry.coming = Some(Arc::clone(&turn));
            known.insert(n, entry);
            let turn = turn.try_lock_owned().map_err(|_| Error::Internal("a turn that nobody has".to_owned()))?;
            return Ok(Begun::New { number: n, durable, turn });
        };
        let entry = known.entries.get(&number).ok_or_else(|| Error::Internal("a key without entry".to_owned()))?;
        if let Some(turn) = &entry.coming {
            return Ok(Begun::Coming(Arc::clone(turn)));
        }
        let taken = Taken::Again { number, state: entry.state, answer: entry.answer.clone() };
        let v = known.next_version();
        let durable = known.write(&Event::Again { v, n: number, t: now_ms }, now_ms)?;
        known.change(v, number, |entry| entry.again(now_ms));
        Ok(Begun::Again { taken, durable })
    }

    /// Acknowledged, and not handled: numbers and bodies, in their order.
    pub fn pending(&self) -> Vec<(u64, Arc<str>)> {
        let known = self.0.lock();
        let entries = known.pending.iter().filter_map(|number| Some((*number, known.entries.get(number)?)));
        let kept = entries.filter(|(_, entry)| entry.coming.is_none());
        kept.filter_map(|(number, entry)| Some((number, entry.body.clone()?))).collect()
    }

    /// A handler is about to begin; false where it ended with the process too often already.
    pub fn attempt(&self, number: u64, now_ms: i64) -> Result<bool> {
        let mut known = self.0.lock();
        if known.entries.get(&number).is_none_or(|entry| entry.attempts >= MOST_ATTEMPTS) {
            return Ok(false);
        }
        let v = known.next_version();
        known.note(&Event::Begun { v, n: number }, now_ms)?;
        known.change(v, number, |entry| entry.attempts += 1);
        Ok(true)
    }

    /// Notes what became of an activity. `answer` is JSON.
    pub fn end(&self, number: u64, state: State, code: &str, answer: Option<&str>, now_ms: i64) -> Result<()> {
        let mut known = self.0.lock();
        let v = known.next_version();
        let a = answer.map(raw).transpose()?;
        known.note(&Event::Ended { v, n: number, t: now_ms, s: state, c: code.to_owned(), a }, now_ms)?;
        let answer = answer.map(Into::into);
        known.change(v, number, |entry| entry.end(now_ms, state, code.to_owned(), answer));
        Ok(())
    }

    /// What the table lacks.
    pub fn unfiled(&self) -> Unfiled {
        let known = self.0.lock();
        let is_coming = |number: &u64| known.entries.get(number).is_some_and(|entry| entry.coming.is_some());
        // What is not on disk yet comes with the next ones.
        let coming = known.unfiled.iter().find(|(_, number)| is_coming(number)).map(|(version, _)| version - 1);
        let version = coming.unwrap_or(known.version);
        let entry = |number: &u64| Some((*number, known.entries.get(number)?.clone()));
        Unfiled {
            version,
            new: known.unfiled.range(..=version).filter_map(|(_, number)| entry(number)).collect(),
            changed: known.changed.iter().filter_map(entry).collect(),
        }
    }

    /// Everything up to this event stands in the table.
    pub fn filed(&self, version: u64, now_ms: i64) {
        let mut known = self.0.lock();
        known.filed = known.filed.max(version);
        let rest = known.unfiled.split_off(&(version + 1));
        let filed: Vec<u64> = std::mem::replace(&mut known.unfiled, rest).into_values().collect();
        for number in filed {
            if known.entries.get(&number).is_some_and(|entry| entry.changed > version) {
                known.changed.insert(number);
            }
            known.forget_body(number);
        }
        let known = &mut *known;
        let entries = &known.entries;
        known.changed.retain(|number| entries.get(number).is_some_and(|entry| entry.changed > version));
        known.forget(now_ms);
    }

    /// How many activities are known, and how many of them are still to be handled and to be filed.
    pub fn counts(&self) -> (usize, usize, usize) {
        let known = self.0.lock();
        (known.entries.len(), known.pending.len(), known.unfiled.len() + known.changed.len())
    }
}

enum Begun {
    New { number: u64, durable: teams_journal::append_log::Durable, turn: OwnedMutexGuard<()> },
    Coming(Arc<Turn<()>>),
    Again { taken: Taken, durable: teams_journal::append_log::Durable },
}

impl Known {
    /// It could not be kept.
    fn lose(&mut self, number: u64) {
        if let Some(entry) = self.entries.remove(&number) {
            self.keys.remove(&entry.key);
            self.unfiled.remove(&entry.received);
            self.pending.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bot-journal-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    fn body(id: u64) -> String {
        format!("{{\"type\":\"message\",\n\"id\":\"{id}\",\"conversation\":{{\"id\":\"a:1\"}}}}")
    }

    async fn take(journal: &Journal, id: u64, now_ms: i64) -> Taken {
        let body = body(id);
        journal.take(&Activity::parse(&body).unwrap(), &body, now_ms).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_taken_is_known_after_a_crash_and_a_repeat_is_only_counted() {
        let folder = folder("crash");
        let journal = Journal::open(&folder, 0).unwrap();
        let both = tokio::join!(take(&journal, 1, 1), take(&journal, 1, 2));
        assert_eq!(both.0, Taken::New(1));
        assert!(matches!(both.1, Taken::Again { number: 1, state: State::Pending, .. }));
        assert_eq!(take(&journal, 2, 3).await, Taken::New(2));
        assert!(journal.attempt(1, 4).unwrap());
        journal.end(1, State::Handled, "", Some("{\"a\":1}"), 4).unwrap();
        // Without the end of the process: what is on disk is all that is left.
        assert_eq!(take(&journal, 3, 5).await, Taken::New(3));
        std::mem::forget(journal);
        let journal = Journal::open(&folder, 6).unwrap();
        assert_eq!(journal.pending().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3]);
        let again = take(&journal, 1, 7).await;
        assert_eq!(again, Taken::Again { number: 1, state: State::Handled, answer: Some("{\"a\":1}".into()) });
        let unfiled = journal.unfiled();
        assert_eq!(
            unfiled.new.iter().map(|(number, entry)| (*number, entry.arrivals)).collect::<Vec<_>>(),
            [(1, 3), (2, 1), (3, 1)]
        );
        assert_eq!(take(&journal, 4, 8).await, Taken::New(4));
    }

    #[tokio::test]
    async fn a_handler_that_ends_with_the_process_is_not_begun_for_ever() {
        let folder = folder("poison");
        for _ in 0..MOST_ATTEMPTS {
            let journal = Journal::open(&folder, 0).unwrap();
            take(&journal, 1, 1).await;
            assert!(journal.attempt(1, 1).unwrap());
            take(&journal, 2, 1).await;
        }
        assert!(!Journal::open(&folder, 0).unwrap().attempt(1, 2).unwrap());
    }

    #[tokio::test]
    async fn rows_that_changed_after_they_were_filed_are_told_again() {
        let folder = folder("filed");
        let journal = Journal::open(&folder, 0).unwrap();
        take(&journal, 1, 1).await;
        take(&journal, 2, 1).await;
        let first = journal.unfiled();
        assert_eq!((first.new.len(), first.changed.len()), (2, 0));
        journal.end(2, State::Ignored, "", None, 2).unwrap();
        journal.filed(first.version, 2);
        let second = journal.unfiled();
        assert_eq!((second.new.len(), second.changed[0].0, second.changed.len()), (0, 2, 1));
        journal.filed(second.version, 2);
        assert_eq!(journal.unfiled().changed.len(), 0);
        take(&journal, 1, 3).await;
        drop(journal);
        let journal = Journal::open(&folder, 4).unwrap();
        journal.filed(second.version, 4);
        let third = journal.unfiled();
        assert_eq!((third.new.len(), third.changed.len(), third.changed[0].1.arrivals), (0, 1, 2));
    }

    #[tokio::test]
    async fn a_file_is_deleted_once_nothing_in_it_is_needed() {
        let folder = folder("forget");
        let files = || std::fs::read_dir(&folder).unwrap().count();
        let journal = Journal::open(&folder, 0).unwrap();
        take(&journal, 1, 0).await;
        take(&journal, 2, FILE_MS + 1).await;
        assert_eq!(files(), 2);
        let late = FILE_MS + MEMORY_MS + 10;
        journal.filed(journal.unfiled().version, late);
        assert_eq!(files(), 2, "it is not handled");
        journal.end(1, State::Handled, "", None, FILE_MS + 2).unwrap();
        journal.filed(journal.unfiled().version, late);
        assert_eq!(files(), 1);
        drop(journal);
        let journal = Journal::open(&folder, late).unwrap();
        assert_eq!(journal.pending().len(), 1);
        assert_eq!(take(&journal, 3, late).await, Taken::New(3), "numbers go on");
        assert_eq!(take(&journal, 1, late).await, Taken::New(4), "it is too old to be known");
    }
}
