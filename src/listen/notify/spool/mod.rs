//! Items that were acknowledged and are not kept elsewhere yet: on disk before the answer, in segments that are removed once
//! they are done. One sync serves all who wait. What was acknowledged survives a crash; what was not may be there all the same.
//!
//! [`record`]: one item; [`segments`]: the files.

mod record;
mod segments;

use std::fs;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::private_file;
pub use record::Record;
use segments::Segment;
pub use segments::{Survey, survey};
use teams_base::error::{Error, Result};

/// A segment is closed at this size.
const SEGMENT_BYTES: u64 = 64 << 20;
/// What is written at once, at most.
const BATCH_BYTES: usize = 8 << 20;

/// Why items could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// As much waits as may.
    Full,
    /// The disk refuses.
    Disk,
}

struct Order {
    bytes: Vec<u8>,
    items: u64,
    durable: oneshot::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// In their order; the last one grows.
    segments: Vec<Segment>,
    /// Bytes that are on their way to the disk.
    reserved: u64,
    /// What was handed on, and what is kept elsewhere.
    read: u64,
    done: u64,
    /// Of what is on disk and not done.
    items: u64,
    /// How many items end at or before each position that was handed on, to count what [`Spool::done`] takes away.
    handed_on: Vec<(u64, u64)>,
    /// Bytes that turned out to be unreadable, and were left out.
    damaged: u64,
}

impl State {
    fn end(&self) -> u64 {
        self.segments.last().map_or(self.done, Segment::end)
    }
}

struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
    arrived: Condvar,
}

pub struct Spool {
    shared: Arc<Shared>,
    capacity: u64,
    orders: Option<Sender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// Records that follow each other, and the position behind them.
#[derive(Debug)]
pub struct Stretch {
    pub records: Vec<Record>,
    pub position: u64,
}

impl Spool {
    /// Opens a folder, which is made if it is not there. `capacity`: how many bytes may wait.
    pub fn open(folder: &Path, capacity: u64) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::configuration(format!("The spool {} cannot be read or written: {error}", folder.display()))
        };
        private_file::folder(folder).map_err(failed)?;
        let survey = survey(folder).map_err(failed)?;
        let state = State {
            read: survey.done,
            done: survey.done,
            items: survey.items,
            damaged: survey.damaged,
            segments: survey.segments,
            ..State::default()
        };
        let shared = Arc::new(Shared { folder: folder.to_owned(), state: Mutex::new(state), arrived: Condvar::new() });
        shared.remove_done().map_err(failed)?;
        let (orders, inbox) = channel();
        let writer = Writer { shared: Arc::clone(&shared), file: None };
        let writer = std::thread::Builder::new().name("spool".to_owned()).spawn(move || writer.run(&inbox));
        Ok(Self { shared, capacity, orders: Some(orders), writer: Some(writer.map_err(failed)?) })
    }

    /// Keeps items together; they are on disk on return.
    pub async fn append(&self, records: &[Record]) -> Result<(), NotKept> {
        let mut bytes = Vec::with_capacity(records.iter().map(|record| record.length() as usize).sum());
        records.iter().for_each(|record| record.write(&mut bytes));
        let length = bytes.len() as u64;
        {
            let mut state = self.shared.state.lock();
            if state.end() - state.done + state.reserved + length > self.capacity {
                return Err(NotKept::Full);
            }
            state.reserved += length;
        }
        let (durable, done) = oneshot::channel();
        let order = Order { bytes, items: records.len() as u64, durable };
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if sent && done.await.unwrap_or_default() { Ok(()) } else { Err(NotKept::Disk) }
    }

    /// The next records that were not handed on before; waits for the first as long as it may.
    pub fn next(&self, most: usize, wait: Duration) -> Result<Option<Stretch>> {
        let until = Instant::now() + wait;
        let (segments, read) = {
            let mut state = self.shared.state.lock();
            while state.read >= state.end() {
                if self.shared.arrived.wait_until(&mut state, until).timed_out() {
                    return Ok(None);
                }
            }
            (state.segments.clone(), state.read)
        };
        let failed = |error: io::Error| {
            Error::configuration(format!("The spool {} cannot be read: {error}", self.folder().display()))
        };
        let stretch = self.read(&segments, read, most).map_err(failed)?;
        let mut state = self.shared.state.lock();
        state.read = stretch.position;
        state.handed_on.push((stretch.position, stretch.records.len() as u64));
        Ok(Some(stretch))
    }

    fn read(&self, segments: &[Segment], from: u64, most: usize) -> io::Result<Stretch> {
        let mut stretch = Stretch { records: Vec::new(), position: from };
        for segment in segments.iter().filter(|segment| segment.end() > from) {
            let mut records = segment.read(self.folder(), stretch.position.max(segment.base))?;
            while stretch.records.len() < most {
                let Some(record) = records.next()? else { break };
                stretch.records.push(record);
            }
            stretch.position = records.position;
            if stretch.records.len() >= most {
                break;
            }
            if records.position < segment.end() {
                let lost = segment.end() - records.position;
                log::error!("{lost} bytes of the spool are damaged: what was in them is found by polling only");
                self.shared.state.lock().damaged += lost;
            }
            stretch.position = segment.end();
        }
        Ok(stretch)
    }

    /// [`Self::next`] begins behind what is done.
    pub fn rewind(&self) {
        let mut state = self.shared.state.lock();
        state.read = state.done;
        state.handed_on.clear();
    }

    /// Everything up to a position is kept elsewhere. Durable on return.
    pub fn done(&self, position: u64) -> Result<()> {
        {
            let mut state = self.shared.state.lock();
            if position <= state.done {
                return Ok(());
            }
            if position > state.read {
                return Err(Error::configuration(format!("Position {position} was not handed on by the spool yet")));
            }
            let failed = |error: io::Error| {
                Error::configuration(format!("The spool {} cannot be written: {error}", self.folder().display()))
            };
            segments::set_mark(self.folder(), position).map_err(failed)?;
            state.done = position;
            let taken: u64 = state.handed_on.iter().filter(|(at, _)| *at <= position).map(|(_, items)| items).sum();
            state.handed_on.retain(|(at, _)| *at > position);
            state.items = state.items.saturating_sub(taken);
        }
        self.shared.remove_done().map_err(|error| {
            Error::configuration(format!("The spool {} cannot be written: {error}", self.folder().display()))
        })
    }

    fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// What waits.
    pub fn waiting(&self) -> Waiting {
        let (segments, done, waiting) = {
            let state = self.shared.state.lock();
            let bytes = state.end().saturating_sub(state.done);
            (
                state.segments.clone(),
                state.done,
                Waiting { items: state.items, bytes, damaged: state.damaged, oldest: None },
            )
        };
        let oldest =
            self.read(&segments, done, 1).ok().and_then(|stretch| stretch.records.first().map(|one| one.arrived));
        Waiting { oldest, ..waiting }
    }
}

/// What a spool holds that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub items: u64,
    pub bytes: u64,
    pub damaged: u64,
    pub oldest: Option<Timestamp>,
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// Removes segments of which everything is done, but for the one that grows.
    fn remove_done(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        while state.segments.len() > 1 && state.segments[0].end() <= state.done {
            let base = state.segments[0].base;
            match fs::remove_file(Segment::path(&self.folder, base)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => drop(state.segments.remove(0)),
            }
        }
        Ok(())
    }
}

/// The one thread that writes.
struct Writer {
    shared: Arc<Shared>,
    /// The segment that grows; `None` before the first write, and after one that failed.
    file: Option<File>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Order>) {
        while let Ok(first) = inbox.recv() {
            let mut orders = vec![first];
            let mut size = orders[0].bytes.len();
            while size < BATCH_BYTES {
                let Ok(order) = inbox.try_recv() else { break };
                size += order.bytes.len();
                orders.push(order);
            }
            let written = self.write(&orders);
            if let Err(error) = &written {
                log::error!("the spool cannot be written: {error}");
                // What was half written is never read: the next segment begins where the last sync ended.
                self.file = None;
            }
            {
                let mut state = self.shared.state.lock();
                state.reserved -= size as u64;
                if written.is_ok() {
                    state.items += orders.iter().map(|order| order.items).sum::<u64>();
                    if let Some(last) = state.segments.last_mut() {
                        last.length += size as u64;
                    }
                }
            }
            self.shared.arrived.notify_all();
            for order in orders {
                let _ = order.durable.send(written.is_ok());
            }
        }
    }

    fn write(&mut self, orders: &[Order]) -> io::Result<()> {
        let file = self.segment()?;
        for order in orders {
            file.write_all(&order.bytes)?;
        }
        file.sync_data()
    }

    /// The segment to write to.
    fn segment(&mut self) -> io::Result<&mut File> {
        let (end, is_full) = {
            let state = self.shared.state.lock();
            (state.end(), state.segments.last().is_some_and(|last| last.length >= SEGMENT_BYTES))
        };
        if self.file.is_none() || is_full {
            let file = Segment::create(&self.shared.folder, end)?;
            let mut state = self.shared.state.lock();
            // One without a byte begins at the same place, and has just been made anew.
            state.segments.retain(|segment| segment.base != end);
            state.segments.push(Segment { base: end, length: 0 });
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the spool has no segment"))
    }
}

#[cfg(test)]
mod tests;
