//! The journal as a table: a row per recipient, with what became of it.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::journal::{Entry, Journal};
use super::recipients::{Recipient, Recipients};
use crate::connector::State;
use teams_base::error::{Error, Result};

/// Rows of a batch.
pub const ROWS: usize = 16_384;

/// The table `deliveries`.
pub fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let time = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    Arc::new(Schema::new(vec![
        text("broadcast", false),
        text("recipient_id", false),
        text("kind", false),
        text("display_name", true),
        text("state", false),
        Field::new("attempts", DataType::Int32, false),
        Field::new("throttled", DataType::Int32, false),
        text("status_codes", true),
        text("error_code", true),
        text("error", true),
        text("conversation_id", true),
        text("activity_id", true),
        text("service_url", true),
        time("queued_at"),
        time("sent_at"),
    ]))
}

/// A recipient's state: what became of it, or why it was left out from the start.
pub fn state(recipient: &Recipient, entry: &Entry) -> State {
    if entry.state == State::Queued { recipient.state } else { entry.state }
}

/// A batch of rows from one recipient on.
pub fn batch(
    name: &str,
    recipients: &Recipients,
    journal: &Journal,
    from: usize,
    queued_ms: i64,
) -> Result<RecordBatch> {
    let mut columns = Columns::default();
    for at in from..(from + ROWS).min(recipients.len()) {
        columns.push(name, &recipients.get(at)?, &journal.entry(at), queued_ms);
    }
    columns.finish()
}

/// Texts in the order of the schema, numbers and times beside them.
#[derive(Default)]
struct Columns {
    texts: [StringBuilder; 11],
    attempts: Int32Builder,
    throttled: Int32Builder,
    queued: TimestampMicrosecondBuilder,
    sent: TimestampMicrosecondBuilder,
}

/// How many of the texts stand before the numbers.
const BEFORE: usize = 5;

impl Columns {
    fn push(&mut self, name: &str, recipient: &Recipient, entry: &Entry, queued_ms: i64) {
        let state = state(recipient, entry);
        let codes: Vec<String> = entry.codes.iter().map(ToString::to_string).collect();
        let codes = codes.join(",");
        let (code, error) = match entry.error.as_deref() {
            Some((code, why)) => (code.as_str(), why.as_str()),
            None => ("", recipient.why.as_str()),
        };
        let values = [
            name,
            &recipient.id,
            recipient.kind.as_str(),
            recipient.name.as_deref().unwrap_or_default(),
            state.as_str(),
            &codes,
            code,
            error,
            entry.conversation.as_deref().unwrap_or_default(),
            entry.activity.as_deref().unwrap_or_default(),
            entry.service.as_deref().unwrap_or_default(),
        ];
        for (builder, value) in self.texts.iter_mut().zip(values) {
            builder.append_option((!value.is_empty()).then_some(value));
        }
        self.attempts.append_value(i32::from(entry.attempts));
        self.throttled.append_value(i32::from(entry.throttled));
        self.queued.append_value(queued_ms * 1_000);
        let was_sent =
            matches!(state, State::Succeeded | State::Accepted | State::Recalled | State::Unknown | State::Attempting);
        self.sent.append_option(was_sent.then_some(entry.sent_at * 1_000));
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> =
            self.texts.iter_mut().map(|text| Arc::new(text.finish()) as ArrayRef).collect();
        columns.insert(BEFORE, Arc::new(self.attempts.finish()));
        columns.insert(BEFORE + 1, Arc::new(self.throttled.finish()));
        for mut time in [self.queued, self.sent] {
            columns.push(Arc::new(time.finish().with_timezone("UTC")));
        }
        RecordBatch::try_new(schema(), columns).map_err(|error| Error::Internal(error.to_string()))
    }
}
