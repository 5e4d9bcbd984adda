//! A file of events, a line of JSON each, that only grows. Whoever needs an event on disk waits for it, and one sync serves all
//! who wait. After a crash the file is read again, without its last line where that is not whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use teams_base::error::{Error, Result};

struct Order {
    line: Vec<u8>,
    /// Told once the line is on disk.
    durable: Option<oneshot::Sender<Result<(), String>>>,
}

/// An event that is on its way to the disk.
#[must_use = "it is on disk only once this says so"]
pub struct Durable(oneshot::Receiver<Result<(), String>>);

impl Durable {
    /// Returns once the event is on disk.
    pub async fn done(self) -> Result<()> {
        let lost = || Err("its writer has ended".to_owned());
        self.0.await.unwrap_or_else(|_| lost()).map_err(|text| failed(&io::Error::other(text)))
    }
}

/// An event as a line of a log.
pub fn line(event: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event).map_err(|error| Error::Internal(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

pub struct AppendLog {
    orders: Option<Sender<Order>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

fn failed(error: &io::Error) -> Error {
    Error::Configuration(format!("The journal cannot be read or written: {error}"))
}

impl AppendLog {
    /// Reads what is there, event by event, and goes on writing behind it.
    pub fn open<E: DeserializeOwned>(path: &Path, take: impl FnMut(E)) -> Result<Self> {
        let end = read_lines(path, take).map_err(|error| failed(&error))?;
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|error| failed(&error))?;
        let (orders, inbox) = channel();
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || write(file, end, &inbox));
        let writer = writer.map_err(|error| failed(&error))?;
        Ok(Self { orders: Some(orders), writer: Some(writer) })
    }

    fn order(&self, line: Vec<u8>, durable: Option<oneshot::Sender<Result<(), String>>>) -> Result<()> {
        let gone = || failed(&io::Error::other("its writer has ended"));
        self.orders.as_ref().ok_or_else(gone)?.send(Order { line, durable }).map_err(|_| gone())
    }

    /// Writes an event; it is on disk at the latest with the next one that waits.
    pub fn note(&self, event: &impl Serialize) -> Result<()> {
        self.order(line(event)?, None)
    }

    /// Takes its place among the events now, without waiting for the disk. `line` is made by [`line`].
    pub fn begin(&self, line: Vec<u8>) -> Result<Durable> {
        let (durable, done) = oneshot::channel();
        self.order(line, Some(durable))?;
        Ok(Durable(done))
    }

    /// Writes an event, and returns once it is on disk.
    pub async fn keep(&self, event: &impl Serialize) -> Result<()> {
        self.begin(line(event)?)?.done().await
    }

    /// Waits until everything written is on disk.
    pub fn close(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Drop for AppendLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// Everything a file tells.
pub fn read<E: DeserializeOwned>(path: &Path, take: impl FnMut(E)) -> Result<()> {
    read_lines(path, take).map(drop).map_err(|error| failed(&error))
}

/// The same, and how long its whole lines are.
fn read_lines<E: DeserializeOwned>(path: &Path, mut take: impl FnMut(E)) -> io::Result<u64> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::with_capacity(1 << 18, file);
    let (mut line, mut end) = (Vec::new(), 0);
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)?;
        if length == 0 || !line.ends_with(b"\n") {
            return Ok(end);
        }
        match serde_json::from_slice::<E>(&line) {
            Ok(event) => take(event),
            // A page that was never written before the power failed; what follows it was not acknowledged either.
            Err(_) if line.contains(&0) => return Ok(end),
            Err(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("line at byte {end} is not readable")));
            }
        }
        end += length as u64;
    }
}

/// Writes what has come in together, and syncs once for all who wait. What a full disk has no place for is taken back and told to
/// all who wait for it; where somebody relied on it without waiting, that is the end.
fn write(mut file: File, mut end: u64, inbox: &Receiver<Order>) {
    while let Ok(first) = inbox.recv() {
        let mut batch = Vec::new();
        let mut waiting = Vec::new();
        let mut all_wait = true;
        for order in std::iter::once(first).chain(inbox.try_iter()) {
            batch.extend_from_slice(&order.line);
            all_wait &= order.durable.is_some();
            waiting.extend(order.durable);
        }
        let written = file.write_all(&batch);
        // What was not synced may be lost or not, and is never known.
        let synced = if written.is_err() || waiting.is_empty() { Ok(()) } else { file.sync_data() };
        let told = written.as_ref().and(synced.as_ref()).map_err(ToString::to_string).copied();
        let goes_on = match (&written, &synced) {
            (Ok(()), Ok(())) => {
                end += batch.len() as u64;
                true
            }
            // Later lines must not follow a torn one.
            (Err(_), _) => all_wait && file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).is_ok(),
            (_, Err(_)) => false,
        };
        for durable in waiting {
            let _ = durable.send(told.clone());
        }
        if !goes_on {
            return;
        }
    }
    let _ = file.sync_data();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_on_disk_is_read_again_and_a_torn_line_is_cut_off() {
        let folder = std::env::temp_dir().join(format!("append-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let _ = std::fs::remove_file(&path);
        let log = AppendLog::open(&path, |_: u32| ()).unwrap();
        log.note(&1).unwrap();
        let (two, three) = (log.begin(line(&2).unwrap()).unwrap(), log.begin(line(&3).unwrap()).unwrap());
        three.done().await.unwrap();
        two.done().await.unwrap();
        drop(log);
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"4").unwrap();
        let mut seen = Vec::new();
        let log = AppendLog::open(&path, |event: u32| seen.push(event)).unwrap();
        log.keep(&5).await.unwrap();
        drop(log);
        assert_eq!(seen, [1, 2, 3]);
        let mut seen = Vec::new();
        read(&path, |event: u32| seen.push(event)).unwrap();
        assert_eq!(seen, [1, 2, 3, 5]);
    }
}
