//! The ledger as a table: a row per post, with its state.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int32Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Serialize;

use super::journal::{Entry, Journal, State};
use super::plan::Plan;
use super::spool::{Item, Spool};
use teams_base::error::{Error, Result};

const ROWS: usize = 8_192;

/// How many posts of a container are in each state. They add up to the posts of the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct States {
    pub pending: u64,
    pub attempting: u64,
    pub posted: u64,
    pub refused: u64,
    pub skipped: u64,
}

/// The state of a post in the ledger's words.
pub fn state(item: &Item, entry: &Entry) -> &'static str {
    match (&item.left, entry.state) {
        (Some(left), _) => {
            if left.skipped {
                "skipped"
            } else {
                "refused"
            }
        }
        (None, State::Pending) => "pending",
        (None, State::Attempting) => "attempting",
        (None, State::Posted) => "posted",
        (None, State::Refused) => "refused",
    }
}

impl States {
    pub fn count(&mut self, state: &str) {
        *match state {
            "pending" => &mut self.pending,
            "attempting" => &mut self.attempting,
            "posted" => &mut self.posted,
            "refused" => &mut self.refused,
            _ => &mut self.skipped,
        } += 1;
    }
}

pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let created = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let notes = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    Arc::new(Schema::new(vec![
        text("container", false),
        text("source_id", false),
        text("source_parent", true),
        Field::new("part", DataType::Int32, false),
        text("author_id", true),
        Field::new("created", created, false),
        text("state", false),
        text("teams_id", true),
        Field::new("attempts", DataType::Int32, false),
        text("code", true),
        text("reason", true),
        Field::new("notes", notes, false),
    ]))
}

struct Columns {
    texts: [StringBuilder; 8],
    part: Int32Builder,
    created: TimestampMillisecondBuilder,
    attempts: Int32Builder,
    notes: ListBuilder<StringBuilder>,
}

impl Columns {
    fn new() -> Self {
        Self {
            texts: std::array::from_fn(|_| StringBuilder::new()),
            part: Int32Builder::new(),
            created: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            attempts: Int32Builder::new(),
            notes: ListBuilder::new(StringBuilder::new()),
        }
    }

    fn push(&mut self, container: &str, item: &Item, entry: &Entry) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let more = entry.more.as_deref();
        let author = more.and_then(|more| more.author.clone()).or_else(|| some(&item.author));
        let (code, reason) = match (&item.left, more) {
            (Some(left), _) => (some(&left.code), some(&left.reason)),
            (None, Some(more)) => (some(&more.code), some(&more.reason)),
            (None, None) => (None, None),
        };
        let texts = [
            Some(container.to_owned()),
            Some(item.source_id.clone()),
            item.source_parent.clone(),
            author,
            Some(state(item, entry).to_owned()),
            entry.id.as_deref().map(str::to_owned),
            code,
            reason,
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option(text);
        }
        self.part.append_value(item.part as i32);
        self.created.append_value(if entry.attempts > 0 { entry.at } else { item.at });
        self.attempts.append_value(i32::from(entry.attempts));
        let late = more.map(|more| more.notes.as_slice()).unwrap_or_default();
        for note in item.notes.iter().chain(late) {
            self.notes.values().append_value(note);
        }
        self.notes.append(true);
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        let [container, source_id, parent, author, state, id, code, reason] =
            self.texts.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let columns: Vec<ArrayRef> = vec![
            container,
            source_id,
            parent,
            Arc::new(self.part.finish()),
            author,
            Arc::new(self.created.finish()),
            state,
            id,
            Arc::new(self.attempts.finish()),
            code,
            reason,
            Arc::new(self.notes.finish()),
        ];
        RecordBatch::try_new(schema(), columns).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// The rows of a container, some thousand at a time.
pub fn batches(plan: &Plan, folder: &Path, journal: &Journal, container: usize) -> Result<Vec<RecordBatch>> {
    let mut columns = Columns::new();
    let mut full = Vec::new();
    each(folder, journal, container, |_, item, entry| {
        columns.push(&plan.containers[container].source, item, entry);
        if columns.part.len() >= ROWS {
            full.push(columns.finish()?);
        }
        Ok(())
    })?;
    if !columns.part.is_empty() {
        full.push(columns.finish()?);
    }
    Ok(full)
}

/// The posts of a container with what became of them, in their order.
pub fn each(
    folder: &Path,
    journal: &Journal,
    container: usize,
    mut take: impl FnMut(usize, &Item, &Entry) -> Result<()>,
) -> Result<()> {
    let failed = |error: std::io::Error| Error::Configuration(format!("The staged posts cannot be read: {error}"));
    for (place, item) in Spool::of(folder, container).items().map_err(failed)?.enumerate() {
        take(place, &item.map_err(failed)?, &journal.post(container, place))?;
    }
    Ok(())
}
