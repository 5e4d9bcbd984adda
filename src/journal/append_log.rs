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
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || write(file, &inbox));
        let writer = writer.map_err(|error| failed(&error))?;
        Ok(Self { orders: Some(orders), writer: Some(writer) })
    }

    fn order(&self, event: &impl Serialize, durable: Option<oneshot::Sender<Result<(), String>>>) -> Result<()> {
        let mut line = serde_json::to_vec(event).map_err(|error| Error::Internal(error.to_string()))?;
        line.push(b'\n');
        let gone = || failed(&io::Error::other("its writer has ended"));
        self.orders.as_ref().ok_or_else(gone)?.send(Order { line, durable }).map_err(|_| gone())
    }

    /// Writes an event; it is on disk at the latest with the next one that waits.
    pub fn note(&self, event: &impl Serialize) -> Result<()> {
        self.order(event, None)
    }

    /// Writes an event, and returns once it is on disk.
    pub async fn keep(&self, event: &impl Serialize) -> Result<()> {
        let (durable, done) = oneshot::channel();
        self.order(event, Some(durable))?;
        let lost = || "its writer has ended".to_owned();
        done.await.unwrap_or_else(|_| Err(lost())).map_err(|text| failed(&io::Error::other(text)))
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

/// Writes what has come in together, and syncs once for all who wait.
fn write(mut file: File, inbox: &Receiver<Order>) {
    while let Ok(first) = inbox.recv() {
        let mut batch = Vec::new();
        let mut waiting = Vec::new();
        for order in std::iter::once(first).chain(inbox.try_iter()) {
            batch.extend_from_slice(&order.line);
            waiting.extend(order.durable);
        }
        let written = file.write_all(&batch).and_then(|()| if waiting.is_empty() { Ok(()) } else { file.sync_data() });
        let told = written.as_ref().map_err(ToString::to_string).copied();
        for durable in waiting {
            let _ = durable.send(told.clone());
        }
        if written.is_err() {
            // Later lines must not follow a torn one.
            return;
        }
    }
    let _ = file.sync_data();
}
