//! The bytes of hosted contents, fetched one by one where they are asked for.
//! <https://learn.microsoft.com/graph/api/chatmessagehostedcontent-get>

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::content_address::{Place, decode};
use crate::error_policy::{FORBIDDEN, is_final, missing_content, skipped};
use teams_base::error::{Error, Result};
use teams_base::options::{OnForbidden, TableOptions};
use teams_client::GraphClient;

/// Bytes that one batch may hold, unless a single content is larger.
const BATCH_BYTES: usize = 16 << 20;

/// Contents fetched at once; those of one channel or chat come at the pace of its messages.
const CONCURRENCY: usize = 16;

pub struct Fetcher {
    client: GraphClient,
    max_bytes: usize,
    on_forbidden: OnForbidden,
}

/// What became of one content.
#[derive(Default)]
struct Content {
    bytes: Option<Vec<u8>>,
    length: Option<i32>,
    status: Option<&'static str>,
}

impl Fetcher {
    /// `None` where the bytes are not asked for.
    pub fn new(client: &GraphClient, options: &TableOptions) -> Option<Self> {
        let max_bytes = options.hosted_contents_max_bytes;
        (max_bytes > 0).then(|| Self { client: client.clone(), max_bytes, on_forbidden: options.on_forbidden })
    }

    /// The rows of a batch with their bytes, in batches that are no larger than a reader expects.
    pub async fn fill(&self, batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let rows = (BATCH_BYTES / self.max_bytes).clamp(1, batch.num_rows().max(1));
        let mut filled = Vec::new();
        for start in (0..batch.num_rows()).step_by(rows) {
            let slice = batch.slice(start, rows.min(batch.num_rows() - start));
            let places: Vec<_> = (0..slice.num_rows()).map(|row| Places::of(&slice, row)).collect();
            let contents = stream::iter(places.into_iter().map(|places| self.fetch(places)));
            let contents: Vec<Content> = contents.buffered(CONCURRENCY).try_collect().await?;
            filled.push(replace(&slice, &contents).expect("the columns are those of the declaration"));
        }
        Ok(filled)
    }

    /// From where the address says, and from the message itself where nothing is there.
    async fn fetch(&self, places: Places) -> Result<Content> {
        let Places { named, own } = places;
        if let Some(named) = named {
            match self.bytes(&named).await {
                // What anyone may write into a message must not end the read.
                Err(error) if is_final(&error) => {}
                content => return content,
            }
        }
        let Some(own) = own else { return Ok(Content::default()) };
        self.bytes(&own).await.or_else(|error| {
            let status = missing_content(&error, self.on_forbidden);
            if let Error::PermissionDenied(failure) = &error
                && status.is_some()
            {
                self.client.report().skip(skipped(failure, FORBIDDEN));
            }
            status.map(|status| Content { status: Some(status), ..Content::default() }).ok_or(error)
        })
    }

    async fn bytes(&self, place: &Place) -> Result<Content> {
        let max_bytes = self.max_bytes;
        let read = |body: &[u8]| {
            let is_whole = body.len() <= max_bytes;
            Ok(Content {
                bytes: is_whole.then(|| body.to_vec()),
                length: i32::try_from(body.len()).ok(),
                status: Some(if is_whole { "ok" } else { "too_large" }),
            })
        };
        Ok(self.client.get(&place.request(), read).await?.body)
    }
}

/// Where a row's content may be.
struct Places {
    /// What its address names, where that is not the message itself.
    named: Option<Place>,
    /// `None` for a row that says that there is no content.
    own: Option<Place>,
}

impl Places {
    fn of(batch: &RecordBatch, row: usize) -> Self {
        let text = |name: &str| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let own = || {
            let (id, message) = (decode(&text("id")?), text("message_id")?);
            if let Some(chat) = text("chat_id") {
                return Some(Place::Chat { chat, message, id });
            }
            let (team, channel, root) = (text("team_id")?, text("channel_id")?, text("root_message_id")?);
            Some(Place::Channel { team, channel, root, message, id })
        };
        let own = own();
        let named =
            text("url").and_then(|url| Place::parse(&url)).filter(|named| own.as_ref().is_some_and(|own| own != named));
        Self { named, own }
    }
}

fn replace(batch: &RecordBatch, contents: &[Content]) -> Result<RecordBatch, ArrowError> {
    let each = || contents.iter();
    let types: StringArray = each().map(|content| content.bytes.as_deref().and_then(content_type)).collect();
    let bytes: BinaryArray = each().map(|content| content.bytes.as_deref()).collect();
    let lengths: Int32Array = each().map(|content| content.length).collect();
    let statuses: StringArray = each().map(|content| content.status).collect();
    let (types, bytes): (ArrayRef, ArrayRef) = (Arc::new(types), Arc::new(bytes));
    let (lengths, statuses): (ArrayRef, ArrayRef) = (Arc::new(lengths), Arc::new(statuses));
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match field.name().as_str() {
        "contentType" => Arc::clone(&types),
        "contentBytes" => Arc::clone(&bytes),
        "content_length" => Arc::clone(&lengths),
        "content_status" => Arc::clone(&statuses),
        _ => Arc::clone(column),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
}

/// What the first bytes say. Lists leave the type null, and what the service says with the bytes is often no more.
fn content_type(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 6] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"BM", "image/bmp"),
        (b"%PDF-", "application/pdf"),
        (b"<svg", "image/svg+xml"),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}
