//! Where rows go: shared builders, flushed as batches into a list or into a bounded channel.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use tokio::sync::mpsc;

use crate::client::report::Report;
use crate::decode::TableBuilder;
use crate::error::{Error, Result};
use crate::tables::Projection;

/// A batch is closed at this many rows or bytes, whichever comes first: Spark and Delta take batches of any size, and
/// 16 MiB keeps a reader's memory small.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 16 << 20;

/// A batch and the slot of the table it belongs to.
pub type Batch = (usize, RecordBatch);

/// What is read into each table of a pass, and whether the caller wants it.
pub struct Slot {
    pub projection: Projection,
    pub wanted: bool,
}

enum Output {
    Collect(Mutex<Vec<Batch>>),
    /// A slow consumer stops the reading: the channel holds few batches.
    Stream(mpsc::Sender<Result<Batch>>),
}

pub struct Sink {
    builders: Mutex<Vec<TableBuilder>>,
    wanted: Vec<bool>,
    names: Vec<&'static str>,
    output: Output,
    report: Arc<Report>,
    rows: AtomicUsize,
}

impl Sink {
    pub fn collect(slots: Vec<Slot>, report: Arc<Report>) -> Self {
        Self::new(slots, Output::Collect(Mutex::default()), report)
    }

    pub fn stream(slots: Vec<Slot>, sender: mpsc::Sender<Result<Batch>>, report: Arc<Report>) -> Self {
        Self::new(slots, Output::Stream(sender), report)
    }

    fn new(slots: Vec<Slot>, output: Output, report: Arc<Report>) -> Self {
        Self {
            wanted: slots.iter().map(|slot| slot.wanted).collect(),
            names: slots.iter().map(|slot| slot.projection.table.name).collect(),
            builders: Mutex::new(slots.into_iter().map(|slot| TableBuilder::new(slot.projection)).collect()),
            output,
            report,
            rows: AtomicUsize::new(0),
        }
    }

    pub fn wants(&self, slot: usize) -> bool {
        self.wanted[slot]
    }

    /// Rows given so far.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Works on the builders, alone. Rows of a page that is refused must have been taken back on return.
    pub fn with<T>(&self, work: impl FnOnce(&mut [TableBuilder]) -> T) -> T {
        let mut builders = self.lock();
        let before: usize = builders.iter().map(TableBuilder::len).sum();
        let result = work(&mut builders);
        let after: usize = builders.iter().map(TableBuilder::len).sum();
        self.rows.fetch_add(after.saturating_sub(before), Ordering::Relaxed);
        result
    }

    /// Builders of the same shape, for rows that are judged only after further requests.
    pub fn scratch(&self) -> Vec<TableBuilder> {
        self.lock().iter().map(|builder| TableBuilder::new(builder.projection().clone())).collect()
    }

    /// Hands full batches on.
    pub async fn flush(&self) -> Result<()> {
        self.hand_on(|builder| builder.len() >= BATCH_ROWS || builder.bytes() >= BATCH_BYTES).await
    }

    /// Hands on what is left.
    pub async fn finish(&self) -> Result<()> {
        self.hand_on(|builder| !builder.is_empty()).await
    }

    async fn hand_on(&self, is_due: impl Fn(&TableBuilder) -> bool) -> Result<()> {
        let due: Vec<Batch> = {
            let mut builders = self.lock();
            let slots = builders.iter_mut().enumerate();
            slots
                .filter(|(slot, b)| self.wanted[*slot] && is_due(b))
                .map(|(slot, b)| (slot, self.close(slot, b)))
                .collect()
        };
        for (slot, batch) in due {
            self.report.add_rows(self.names[slot], batch.num_rows() as u64);
            match &self.output {
                Output::Collect(batches) => batches.lock().unwrap_or_else(PoisonError::into_inner).push((slot, batch)),
                // The reader has gone away: nobody wants the rest.
                Output::Stream(sender) => sender.send(Ok((slot, batch))).await.map_err(|_| Error::Interrupted)?,
            }
        }
        Ok(())
    }

    fn close(&self, slot: usize, builder: &mut TableBuilder) -> RecordBatch {
        for (column, count) in builder.take_wrong_types() {
            self.report.add_wrong_types(&format!("{}.{column}", self.names[slot]), count);
        }
        let keys = builder.projection().table.keys;
        let batch = builder.finish();
        for key in keys {
            let nameless = batch.column_by_name(key).map_or(0, without_value);
            if nameless > 0 {
                self.report.add_without_key(&format!("{}.{key}", self.names[slot]), nameless as u64);
            }
        }
        batch
    }

    /// The batches collected, and the names of their tables' slots.
    pub fn take(&self) -> Vec<Batch> {
        match &self.output {
            Output::Collect(batches) => std::mem::take(&mut *batches.lock().unwrap_or_else(PoisonError::into_inner)),
            Output::Stream(_) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TableBuilder>> {
        self.builders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows in which a column of text is null or empty.
fn without_value(column: &ArrayRef) -> usize {
    let texts = column.as_string::<i32>();
    texts.iter().filter(|text| text.is_none_or(str::is_empty)).count()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::decode::{Context, Filter, ListRows, read_page};
    use crate::tables::find;

    #[tokio::test]
    async fn a_slow_consumer_stops_the_reading() {
        let projection = Projection::new(find("chats").unwrap(), None, false).unwrap();
        let (sender, mut receiver) = mpsc::channel(2);
        let sink = Sink::stream(vec![Slot { projection, wanted: true }], sender, Arc::new(Report::new()));
        let page = format!("{{\"value\":[{}]}}", vec![r#"{"id":"x"}"#; BATCH_ROWS].join(","));
        let read = || {
            sink.with(|builders| {
                let mut filter = Filter::default();
                read_page(page.as_bytes(), &mut ListRows::new(&mut builders[0], Context::default(), &mut filter))
                    .unwrap()
            })
        };
        for _ in 0..2 {
            read();
            assert!(sink.flush().now_or_never().is_some());
        }
        read();
        let mut full = Box::pin(sink.flush());
        assert!(full.as_mut().now_or_never().is_none(), "the channel is full");
        assert_eq!(receiver.recv().await.unwrap().unwrap().1.num_rows(), BATCH_ROWS);
        assert!(full.now_or_never().is_some());
    }
}
