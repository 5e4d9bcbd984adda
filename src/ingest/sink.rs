//! Where rows go: shared builders, flushed as batches into a list or into a bounded channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::attach::details::{Details, is_hosted};
use crate::attach::hosted_contents::Fetcher;
use crate::output::Output;
use teams_base::error::{Error, Result};
use teams_client::metrics::Report;
use teams_tables::TableBuilder;

/// A batch is closed at this many rows or bytes, whichever comes first. Spark and Delta take batches of any size, and
/// half a mebibyte stays in a core's cache while it is filled: with sixteen, decoding takes a quarter more time.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 512 << 10;
/// Hosted contents are fetched for this many rows at once, and this many of their bytes count as a row, so that the caps
/// of a micro-batch hold for them too.
const FETCHED_ROWS: usize = 64;
const BYTES_PER_ROW: usize = 16 << 10;

/// A batch, and the position of its output.
pub type Batch = (usize, RecordBatch);

enum Destination {
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
    /// In the order of the builders.
    outputs: Vec<State>,
    destination: Destination,
    report: Arc<Report>,
    rows: AtomicUsize,
}

/// What the sink keeps of each output beside its builder.
struct State {
    table: &'static str,
    wanted: bool,
    /// Other tables are made of its rows.
    is_source: bool,
    /// How many of its columns are handed on; `None` for all.
    shown: Option<usize>,
    /// A batch of it has been handed on, or no consumer waits for the first one.
    begun: AtomicBool,
}

impl Sink {
    pub fn collect(outputs: Vec<Output>, report: Arc<Report>) -> Self {
        Self::new(outputs, Destination::Collect(Mutex::default()), report)
    }

    pub fn stream(outputs: Vec<Output>, sender: mpsc::Sender<Result<Batch>>, report: Arc<Report>) -> Self {
        Self::new(outputs, Destination::Stream(sender), report)
    }

    fn new(outputs: Vec<Output>, destination: Destination, report: Arc<Report>) -> Self {
        let is_collected = matches!(destination, Destination::Collect(_));
        let state = |output: &Output| State {
            table: output.projection.table.name,
            wanted: output.wanted,
            is_source: false,
            shown: None,
            begun: AtomicBool::new(is_collected),
        };
        Self {
            outputs: outputs.iter().map(state).collect(),
            builders: Mutex::new(outputs.into_iter().map(|output| TableBuilder::new(output.projection)).collect()),
            details: Mutex::default(),
            fetcher: None,
            destination,
            report,
            rows: AtomicUsize::new(0),
        }
    }

    /// Takes details from the messages that come.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        for (position, output) in self.outputs.iter_mut().enumerate() {
            output.is_source = details.are_made_of(position);
            output.shown = details.shown(position);
        }
        self.details = Mutex::new(details);
        self
    }

    /// Fetches the bytes of hosted contents.
    #[must_use]
    pub fn with_fetcher(mut self, fetcher: Option<Fetcher>) -> Self {
        self.fetcher = fetcher;
        self
    }

    /// Whether an output's rows are to be read.
    pub fn wants(&self, output: usize) -> bool {
        let output = &self.outputs[output];
        output.wanted || output.is_source
    }

    /// Rows read so far.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Works on the builders, alone. Rows of a page that is refused must have been taken back on return.
    pub fn with<T>(&self, work: impl FnOnce(&mut [TableBuilder]) -> T) -> T {
        self.with_count(work).0
    }

    /// The same, and how many rows came.
    pub fn with_count<T>(&self, work: impl FnOnce(&mut [TableBuilder]) -> T) -> (T, usize) {
        let mut builders = self.builders.lock();
        let before: Vec<usize> = builders.iter().map(TableBuilder::len).collect();
        let result = work(&mut builders);
        self.details.lock().derive(&mut builders, &before);
        let after: usize = builders.iter().map(TableBuilder::len).sum();
        let rows = after.saturating_sub(before.iter().sum());
        self.rows.fetch_add(rows, Ordering::Relaxed);
        for (output, builder) in self.outputs.iter().zip(builders.iter_mut()) {
            if output.is_source && !output.wanted {
                builder.truncate(0);
            }
        }
        (result, rows)
    }

    /// Builders of the same shape, for rows that are taken only after further requests.
    pub fn scratch(&self) -> Vec<TableBuilder> {
        self.builders.lock().iter().map(|builder| TableBuilder::new(builder.projection().clone())).collect()
    }

    /// Hands full batches on, and the first rows at once, so that a consumer can begin with the first page.
    pub async fn flush(&self) -> Result<()> {
        let fetched = |builder: &TableBuilder| self.fetcher.is_some() && is_hosted(builder.projection().table);
        let most = |builder: &TableBuilder| if fetched(builder) { FETCHED_ROWS } else { BATCH_ROWS };
        let is_full = |builder: &TableBuilder| builder.len() >= most(builder) || builder.bytes() >= BATCH_BYTES;
        let is_first = |output: &State| !output.begun.load(Ordering::Relaxed);
        self.hand_on(|output, builder| is_full(builder) || (is_first(output) && !builder.is_empty())).await
    }

    /// Hands on what is left.
    pub async fn finish(&self) -> Result<()> {
        self.hand_on(|_, builder| !builder.is_empty()).await?;
        let mut builders = self.builders.lock();
        self.outputs.iter().zip(builders.iter_mut()).for_each(|(output, builder)| self.count_oddities(output, builder));
        Ok(())
    }

    async fn hand_on(&self, is_due: impl Fn(&State, &TableBuilder) -> bool) -> Result<()> {
        let due: Vec<Batch> = {
            let mut builders = self.builders.lock();
            let outputs = self.outputs.iter().zip(builders.iter_mut()).enumerate();
            outputs
                .filter(|(_, (output, builder))| output.wanted && is_due(output, builder))
                .map(|(position, (output, builder))| (position, self.close(output, builder)))
                .collect()
        };
        for (position, batch) in due {
            let output = &self.outputs[position];
            for batch in self.fetched(output, batch).await? {
                self.report.add_rows(output.table, batch.num_rows() as u64);
                self.give((position, batch)).await?;
            }
        }
        Ok(())
    }

    /// A batch with what has to be fetched for it.
    async fn fetched(&self, output: &State, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let fetcher = self.fetcher.as_ref().filter(|_| batch.schema().column_with_name("contentBytes").is_some());
        let Some(fetcher) = fetcher else { return Ok(vec![shown(output, batch)]) };
        let filled = fetcher.fill(&batch).await?;
        let bytes: usize = filled.iter().map(RecordBatch::get_array_memory_size).sum();
        self.rows.fetch_add(bytes / BYTES_PER_ROW, Ordering::Relaxed);
        Ok(filled.into_iter().map(|batch| shown(output, batch)).collect())
    }

    async fn give(&self, batch: Batch) -> Result<()> {
        match &self.destination {
            Destination::Collect(batches) => batches.lock().push(batch),
            // The consumer has gone away, so that reading on would be in vain.
            Destination::Stream(sender) => sender.send(Ok(batch)).await.map_err(|_| Error::Interrupted)?,
        }
        Ok(())
    }

    fn close(&self, output: &State, builder: &mut TableBuilder) -> RecordBatch {
        output.begun.store(true, Ordering::Relaxed);
        let batch = builder.finish();
        self.count_oddities(output, builder);
        self.count_without_key(output, builder.projection().table.keys, &batch);
        batch
    }

    /// Reports values of the wrong type, and properties without a column.
    fn count_oddities(&self, output: &State, builder: &mut TableBuilder) {
        for (column, count) in builder.take_wrong_types() {
            self.report.add_wrong_types(&format!("{}.{column}", output.table), count);
        }
        for (property, count) in builder.take_unknown() {
            self.report.add_unknown(&format!("{}.{property}", output.table), count);
        }
    }

    /// Reports rows that no merge can match.
    fn count_without_key(&self, output: &State, keys: &[&str], batch: &RecordBatch) {
        for key in keys {
            let count = batch.column_by_name(key).map_or(0, without_value);
            if count > 0 {
                self.report.add_without_key(&format!("{}.{key}", output.table), count as u64);
            }
        }
    }

    /// The batches collected so far.
    pub fn take(&self) -> Vec<Batch> {
        match &self.destination {
            Destination::Collect(batches) => std::mem::take(&mut *batches.lock()),
            Destination::Stream(_) => Vec::new(),
        }
    }
}

/// The columns that were asked for.
fn shown(output: &State, batch: RecordBatch) -> RecordBatch {
    match output.shown {
        Some(shown) if shown < batch.num_columns() => {
            batch.project(&(0..shown).collect::<Vec<_>>()).expect("the columns asked for come first")
        }
        _ => batch,
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
    use teams_tables::{Context, Filter, ListRows, read_page};
    use teams_tables::{Projection, find};

    #[tokio::test]
    async fn the_first_page_is_handed_on_at_once_and_later_ones_together() {
        let output = || Output::wanted(Projection::new(find("chats").unwrap(), None, false).unwrap());
        let page = br#"{"value":[{"id":"x"},{"id":"y"}]}"#;
        let read = async |sink: &Sink| {
            sink.with(|builders| {
                let mut filter = Filter::default();
                read_page(page, &mut ListRows::new(&mut builders[0], Context::default(), &mut filter)).unwrap()
            });
            sink.flush().await.unwrap();
        };
        let (sender, mut receiver) = mpsc::channel(2);
        let sink = Sink::stream(vec![output()], sender, Arc::new(Report::new()));
        for _ in 0..3 {
            read(&sink).await;
        }
        sink.finish().await.unwrap();
        assert_eq!(receiver.recv().await.unwrap().unwrap().1.num_rows(), 2);
        assert_eq!(receiver.recv().await.unwrap().unwrap().1.num_rows(), 4);
        let sink = Sink::collect(vec![output()], Arc::new(Report::new()));
        read(&sink).await;
        assert!(sink.take().is_empty(), "a micro-batch is given whole");
    }

    #[tokio::test]
    async fn a_slow_consumer_stops_the_reading() {
        let projection = Projection::new(find("chats").unwrap(), None, false).unwrap();
        let (sender, mut receiver) = mpsc::channel(2);
        let sink = Sink::stream(vec![Output::wanted(projection)], sender, Arc::new(Report::new()));
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
