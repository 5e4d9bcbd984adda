//! The journal as a table: a row per activity, with what became of it.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::activity::Activity;
use super::entry::{Entry, State};
use teams_base::error::{Error, Result};
use teams_base::timestamp;

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn time(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), nullable)
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Int32, false)
}

/// Texts of an activity, in the order of the table.
const TEXTS: [&str; 13] = [
    "type",
    "activity_id",
    "name",
    "conversation_id",
    "conversation_type",
    "tenant_id",
    "team_id",
    "channel_id",
    "user_id",
    "from_id",
    "reply_to_id",
    "service_url",
    "activity",
];

/// What tells a row: its number, and when it came first.
fn key() -> [Field; 2] {
    [Field::new("sequence", DataType::Int64, false), time("received_at", false)]
}

/// What changes of a row.
fn mutable() -> [Field; 6] {
    [
        number("arrivals"),
        time("last_arrival_at", false),
        text("state"),
        text("code"),
        number("attempts"),
        time("handled_at", true),
    ]
}

/// The table `bot_activities`.
pub fn schema() -> SchemaRef {
    let texts = TEXTS.map(text).into_iter().chain([time("sent_at", true)]);
    Arc::new(Schema::new(key().into_iter().chain(mutable()).chain(texts).collect::<Vec<_>>()))
}

/// Of rows that are there already: their keys, and what changes.
pub fn changed_schema() -> SchemaRef {
    Arc::new(Schema::new(key().into_iter().chain(mutable()).collect::<Vec<_>>()))
}

#[derive(Default)]
struct Columns {
    sequence: Int64Builder,
    received: TimestampMicrosecondBuilder,
    arrivals: Int32Builder,
    last: TimestampMicrosecondBuilder,
    state: StringBuilder,
    code: StringBuilder,
    attempts: Int32Builder,
    handled: TimestampMicrosecondBuilder,
}

fn utc(mut builder: TimestampMicrosecondBuilder) -> ArrayRef {
    Arc::new(builder.finish().with_timezone("UTC"))
}

impl Columns {
    fn push(&mut self, sequence: u64, entry: &Entry) {
        self.sequence.append_value(sequence as i64);
        self.received.append_value(entry.received_ms * 1_000);
        self.arrivals.append_value(entry.arrivals as i32);
        self.last.append_value(entry.last_ms * 1_000);
        self.state.append_value(entry.state.as_str());
        self.code.append_option((!entry.code.is_empty()).then_some(&entry.code));
        self.attempts.append_value(entry.attempts as i32);
        self.handled.append_option((entry.state != State::Pending).then_some(entry.ended_ms * 1_000));
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.sequence.finish()),
            utc(self.received),
            Arc::new(self.arrivals.finish()),
            utc(self.last),
            Arc::new(self.state.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.attempts.finish()),
            utc(self.handled),
        ]
    }
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(|error| Error::Internal(error.to_string()))
}

/// Whole rows.
pub fn rows(entries: &[(u64, Entry)]) -> Result<RecordBatch> {
    let mut states = Columns::default();
    let mut texts: [StringBuilder; TEXTS.len()] = std::array::from_fn(|_| StringBuilder::new());
    let mut sent = TimestampMicrosecondBuilder::new();
    for (sequence, entry) in entries {
        states.push(*sequence, entry);
        let body = entry.body.as_deref().unwrap_or_default();
        let activity = Activity::parse(body).unwrap_or_default();
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let values: [&str; TEXTS.len()] = [
            &activity.kind,
            &of(&activity.id),
            &of(&activity.name),
            activity.conversation(),
            &of(&activity.conversation.conversation_type),
            activity.tenant().unwrap_or_default(),
            activity.team().unwrap_or_default(),
            activity.channel().unwrap_or_default(),
            &of(&activity.from.aad_object_id),
            &of(&activity.from.id),
            &of(&activity.reply_to_id),
            &of(&activity.service_url),
            body,
        ];
        for (builder, value) in texts.iter_mut().zip(values) {
            builder.append_option((!value.is_empty()).then_some(value));
        }
        let at = activity.timestamp.as_deref().and_then(timestamp::known);
        sent.append_option(at.map(jiff::Timestamp::as_microsecond));
    }
    let mut columns = states.finish();
    columns.extend(texts.iter_mut().map(|text| Arc::new(text.finish()) as ArrayRef));
    columns.push(utc(sent));
    batch(schema(), columns)
}

/// What changed of rows that are there already.
pub fn changes(entries: &[(u64, Entry)]) -> Result<RecordBatch> {
    let mut states = Columns::default();
    entries.iter().for_each(|(sequence, entry)| states.push(*sequence, entry));
    batch(changed_schema(), states.finish())
}
