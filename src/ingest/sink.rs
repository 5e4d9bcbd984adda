//! Where rows go: shared builders, flushed as batches into a list or into a bounded channel.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use tokio::sync::mpsc;

use super::details::{Details, is_hosted};
use super::hosted::Fetcher;
use teams_base::error::{Error, Result};
use teams_client::metrics::Report;
use teams_tables::{Projection, TableBuilder};

/// A batch is closed at this many rows or bytes, whichever comes first. Spark and Delta take batches of any size, and
/// half a mebibyte stays in a core's cache while it is filled: with sixteen, decoding takes a quarter more time.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 512 << 10;
/// Contents are fetched in turns of so many, and so many of their bytes count as a row, so that the caps of a micro-batch
/// hold for them too.
const FETCHED_ROWS: usize = 64;
const BYTES_PER_ROW: usize = 16 << 10;

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
    /// What is taken from messages; locked after the builders.
    details: Mutex<Details>,
    /// Fetches the bytes of hosted contents, where they are asked for.
    fetcher: Option<Fetcher>,
    /// Slots that only feed others.
    feeds: Vec<bool>,
    /// How many columns of each slot are handed on.
    shown: Vec<Option<usize>>,
    wanted: Vec<bool>,
    /// Whether a consumer who waits has been given anything of each slot.
    begun: Vec<AtomicBool>,
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
            begun: slots.iter().map(|_| AtomicBool::new(matches!(output, Output::Collect(_)))).collect(),
            names: slots.iter().map(|slot| slot.projection.table.name).collect(),
            builders: Mutex::new(slots.into_iter().map(|slot| TableBuilder::new(slot.projection)).collect()),
            details: Mutex::default(),
            fetcher: None,
            feeds: Vec::new(),
            shown: Vec::new(),
            output,
            report,
            rows: AtomicUsize::new(0),
        }
    }

    /// Takes details from the messages that come.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        let slots = 0..self.wanted.len();
        self.feeds = slots.clone().map(|slot| details.are_fed_by(slot)).collect();
        self.shown = slots.map(|slot| details.shown(slot)).collect();
        self.details = Mutex::new(details);
        self
    }

    /// Fetches the bytes of hosted contents.
    #[must_use]
    pub fn with_fetcher(mut self, fetcher: Option<Fetcher>) -> Self {
        self.fetcher = fetcher;
        self
    }

    /// Whether a slot's rows are to be read.
    pub fn wants(&self, slot: usize) -> bool {
        self.wanted[slot] || self.feeds(slot)
    }

    fn feeds(&self, slot: usize) -> bool {
        self.feeds.get(slot).copied().unwrap_or_default()
    }

    /// Rows given so far.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Works on the builders, alone. Rows of a page that is refused must have been taken back on return.
    pub fn with<T>(&self, work: impl FnOnce(&mut [TableBuilder]) -> T) -> T {
        self.with_count(work).0
    }

    /// The same, and how many rows came.
    pub fn with_count<T>(&self, work: impl FnOnce(&mut [TableBuilder]) -> T) -> (T, usize) {
        let mut builders = self.lock();
        let before: Vec<usize> = builders.iter().map(TableBuilder::len).collect();
        let result = work(&mut builders);
        self.details.lock().unwrap_or_else(PoisonError::into_inner).derive(&mut builders, &before);
        let after: usize = builders.iter().map(TableBuilder::len).sum();
        let rows = after.saturating_sub(before.iter().sum());
        self.rows.fetch_add(rows, Ordering::Relaxed);
        for (slot, builder) in builders.iter_mut().enumerate() {
            if self.feeds(slot) && !self.wanted[slot] {
                builder.truncate(0);
            }
        }
        (result, rows)
    }

    /// Builders of the same shape, for rows that are judged only after further requests.
    pub fn scratch(&self) -> Vec<TableBuilder> {
        self.lock().iter().map(|builder| TableBuilder::new(builder.projection().clone())).collect()
    }

    /// Hands full batches on, and the first rows at once: whoever waits for them begins with the first page.
    pub async fn flush(&self) -> Result<()> {
        let fetched = |builder: &TableBuilder| self.fetcher.is_some() && is_hosted(builder.projection().table);
        let most = |builder: &TableBuilder| if fetched(builder) { FETCHED_ROWS } else { BATCH_ROWS };
        let is_full = |builder: &TableBuilder| builder.len() >= most(builder) || builder.bytes() >= BATCH_BYTES;
        let is_first = |slot: usize| !self.begun[slot].load(Ordering::Relaxed);
        self.hand_on(|slot, builder| is_full(builder) || (is_first(slot) && !builder.is_empty())).await
    }

    /// Hands on what is left.
    pub async fn finish(&self) -> Result<()> {
        self.hand_on(|_, builder| !builder.is_empty()).await?;
        let mut builders = self.lock();
        builders.iter_mut().enumerate().for_each(|(slot, builder)| self.count_oddities(slot, builder));
        Ok(())
    }

    async fn hand_on(&self, is_due: impl Fn(usize, &TableBuilder) -> bool) -> Result<()> {
        let due: Vec<Batch> = {
            let mut builders = self.lock();
            let slots = builders.iter_mut().enumerate();
            slots
                .filter(|(slot, b)| self.wanted[*slot] && is_due(*slot, b))
                .map(|(slot, b)| (slot, self.close(slot, b)))
                .collect()
        };
        for (slot, batch) in due {
            for batch in self.fetched(batch, slot).await? {
                self.give(slot, batch).await?;
            }
        }
        Ok(())
    }

    /// A batch with what has to be fetched for it.
    async fn fetched(&self, batch: RecordBatch, slot: usize) -> Result<Vec<RecordBatch>> {
        let fetcher = self.fetcher.as_ref().filter(|_| batch.schema().column_with_name("contentBytes").is_some());
        let Some(fetcher) = fetcher else { return Ok(vec![self.shown(slot, batch)]) };
        let filled = fetcher.fill(&batch).await?;
        let bytes: usize = filled.iter().map(RecordBatch::get_array_memory_size).sum();
        self.rows.fetch_add(bytes / BYTES_PER_ROW, Ordering::Relaxed);
        Ok(filled.into_iter().map(|batch| self.shown(slot, batch)).collect())
    }

    async fn give(&self, slot: usize, batch: RecordBatch) -> Result<()> {
        self.report.add_rows(self.names[slot], batch.num_rows() as u64);
        match &self.output {
            Output::Collect(batches) => batches.lock().unwrap_or_else(PoisonError::into_inner).push((slot, batch)),
            // The reader has gone away: nobody wants the rest.
            Output::Stream(sender) => sender.send(Ok((slot, batch))).await.map_err(|_| Error::Interrupted)?,
        }
        Ok(())
    }

    fn close(&self, slot: usize, builder: &mut TableBuilder) -> RecordBatch {
        self.begun[slot].store(true, Ordering::Relaxed);
        self.count_oddities(slot, builder);
        let batch = builder.finish();
        self.count_nameless(slot, builder.projection().table.keys, &batch);
        batch
    }

    /// The columns that were asked for.
    fn shown(&self, slot: usize, batch: RecordBatch) -> RecordBatch {
        match self.shown.get(slot).copied().flatten() {
            Some(shown) if shown < batch.num_columns() => {
                batch.project(&(0..shown).collect::<Vec<_>>()).expect("the columns asked for come first")
            }
            _ => batch,
        }
    }

    /// Reports values of the wrong type, and properties that nobody knows.
    fn count_oddities(&self, slot: usize, builder: &mut TableBuilder) {
        for (column, count) in builder.take_wrong_types() {
            self.report.add_wrong_types(&format!("{}.{column}", self.names[slot]), count);
        }
        for (property, count) in builder.take_unknown() {
            self.report.add_unknown(&format!("{}.{property}", self.names[slot]), count);
        }
    }

    /// Reports rows that no merge can match.
    fn count_nameless(&self, slot: usize, keys: &[&str], batch: &RecordBatch) {
        for key in keys {
            let nameless = batch.column_by_name(key).map_or(0, without_value);
            if nameless > 0 {
                self.report.add_without_key(&format!("{}.{key}", self.names[slot]), nameless as u64);
            }
        }
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

/// Rows in which a key is null, or an empty text; a position is a number.
fn without_value(column: &ArrayRef) -> usize {
    match column.as_string_opt::<i32>() {
        Some(texts) => texts.iter().filter(|text| text.is_none_or(str::is_empty)).count(),
        None => column.null_count(),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use teams_tables::{Context, Filter, ListRows, find, read_page};

    #[tokio::test]
    async fn the_first_page_is_handed_on_at_once_and_later_ones_together() {
        let slot = || Slot { projection: Projection::new(find("chats").unwrap(), None, false).unwrap(), wanted: true };
        let page = br#"{"value":[{"id":"x"},{"id":"y"}]}"#;
        let read = async |sink: &Sink| {
            sink.with(|builders| {
                let mut filter = Filter::default();
                read_page(page, &mut ListRows::new(&mut builders[0], Context::default(), &mut filter)).unwrap()
            });
            sink.flush().await.unwrap();
        };
        let (sender, mut receiver) = mpsc::channel(2);
        let sink = Sink::stream(vec![slot()], sender, Arc::new(Report::new()));
        for _ in 0..3 {
            read(&sink).await;
        }
        sink.finish().await.unwrap();
        assert_eq!(receiver.recv().await.unwrap().unwrap().1.num_rows(), 2);
        assert_eq!(receiver.recv().await.unwrap().unwrap().1.num_rows(), 4);
        let sink = Sink::collect(vec![slot()], Arc::new(Report::new()));
        read(&sink).await;
        assert!(sink.take().is_empty(), "a micro-batch is given whole");
    }

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
