//! One item into one row, keeping aside what decides where the row belongs.

use super::builder::TableBuilder;
use super::cell;
use super::column::ColumnBuilder;
use super::json::{Json, Read};
use super::keys::{Member, Walk};
use super::timestamp;

/// Something that takes the items of a page, one after the other.
pub trait Rows {
    /// Reads one item. Whatever the item is, the builders end up with whole rows, unless the text is at fault.
    fn read(&mut self, json: &mut Json<'_>) -> Read<()>;

    /// The state to come back to if the page turns out to be broken.
    fn mark(&self) -> Mark;

    /// Takes rows back, whole ones and the one in progress.
    fn truncate(&mut self, mark: Mark);

    /// Forgets what was noted of the page, because it is going to be read again.
    fn forget(&mut self);
}

/// How many rows each builder held.
#[derive(Debug, Clone, Copy)]
pub struct Mark(pub usize, pub usize);

/// Text whose memory serves for the next item again.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    is_set: bool,
}

impl Kept {
    fn get(&self) -> Option<&str> {
        self.is_set.then_some(self.text.as_str())
    }

    /// Keeps the first text, as columns do where a key comes twice.
    fn set(&mut self, text: &str) {
        if !self.is_set {
            self.is_set = true;
            self.text.clear();
            self.text.push_str(text);
        }
    }
}

/// Properties of an item that the readers look at, whether or not their columns were asked for.
#[derive(Debug, Default)]
pub struct Head {
    id: Kept,
    reply_to: Kept,
    /// The cursor's text, padded.
    cursor: Kept,
    created: Kept,
    channel: Kept,
    /// The `channelIdentity` that the channel was read from: neighbours are mostly of one channel.
    identity: String,
    chat: Kept,
    /// The cursor's time, where it is one.
    pub modified: Option<jiff::Timestamp>,
    /// Where `replyToId` stood in an item that had one.
    pub(super) reply_at: Option<usize>,
    /// `@removed`: a tombstone of a delta query.
    pub removed: bool,
}

impl Head {
    /// Empty where the item has none.
    pub fn id(&self) -> &str {
        self.id.get().unwrap_or_default()
    }

    /// The root that a reply belongs to.
    pub fn reply_to(&self) -> Option<&str> {
        self.reply_to.get().filter(|id| !id.is_empty())
    }

    pub fn cursor(&self) -> Option<&str> {
        self.cursor.get()
    }

    /// `channelId` of `channelIdentity`.
    pub fn channel(&self) -> Option<&str> {
        self.channel.get().filter(|id| !id.is_empty())
    }

    pub fn chat(&self) -> Option<&str> {
        self.chat.get()
    }

    fn clear(&mut self) {
        for kept in
            [&mut self.id, &mut self.reply_to, &mut self.cursor, &mut self.created, &mut self.channel, &mut self.chat]
        {
            kept.is_set = false;
        }
        self.modified = None;
        self.removed = false;
    }

    /// Settles the cursor once the item has been read.
    fn close(&mut self) {
        if !self.cursor.is_set {
            std::mem::swap(&mut self.cursor, &mut self.created);
        }
        self.modified = if self.cursor.is_set { timestamp::pad(&mut self.cursor.text) } else { None };
    }
}

/// What a row may hold beside its own columns: the replies of a root message.
pub trait Nested {
    /// Reads the value of `replies`; `head` is what is known of the root so far.
    fn replies(&mut self, head: &Head, json: &mut Json<'_>) -> Read<()>;
    fn replies_link(&mut self, link: String);
}

/// For items that hold no others.
pub struct NoNested;

impl Nested for NoNested {
    fn replies(&mut self, _: &Head, json: &mut Json<'_>) -> Read<()> {
        json.skip()
    }

    fn replies_link(&mut self, _: String) {}
}

/// What a property is read for, beside its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Column,
    Id,
    ReplyTo,
    Cursor,
    Created,
    Chat,
    ChannelIdentity,
    Removed,
    Replies,
    RepliesLink,
}

/// The properties that are read whether or not they have a column.
pub(super) const USES: [(&str, Use); 10] = [
    ("id", Use::Id),
    ("replyToId", Use::ReplyTo),
    ("lastModifiedDateTime", Use::Cursor),
    ("lastUpdatedDateTime", Use::Cursor),
    ("createdDateTime", Use::Created),
    ("chatId", Use::Chat),
    ("channelIdentity", Use::ChannelIdentity),
    ("@removed", Use::Removed),
    ("replies", Use::Replies),
    ("replies@odata.nextLink", Use::RepliesLink),
];

/// Reads one item into the builder's row in progress; the caller ends the row, or takes it back.
/// `Ok(false)` means that the item was no object.
pub fn read_row<N: Nested>(
    builder: &mut TableBuilder,
    head: &mut Head,
    nested: &mut N,
    json: &mut Json<'_>,
) -> Read<bool> {
    head.clear();
    if json.peek()? != b'{' {
        json.skip()?;
        return Ok(false);
    }
    let mut walk = Walk::default();
    while let Some(member) = builder.properties.keys.next(&mut walk, json)? {
        match member {
            Member::Known(property) => read_property(builder, head, nested, property, json)?,
            Member::Other => json.skip()?,
        }
    }
    head.close();
    Ok(true)
}

fn read_property<N: Nested>(
    builder: &mut TableBuilder,
    head: &mut Head,
    nested: &mut N,
    property: usize,
    json: &mut Json<'_>,
) -> Read<()> {
    let (usage, column) = builder.properties.get(property);
    match usage {
        Use::Column if column.is_none() => {
            builder.properties.keys.note(property);
            json.skip()
        }
        Use::Column => fill(builder, column, json),
        Use::Id => keep_id(builder, column, &mut head.id, json),
        Use::ReplyTo => keep_id(builder, column, &mut head.reply_to, json),
        Use::Cursor => keep(builder, column, &mut head.cursor, json),
        Use::Created => keep(builder, column, &mut head.created, json),
        Use::Chat => keep_id(builder, column, &mut head.chat, json),
        Use::ChannelIdentity => keep_channel(builder, column, head, json),
        Use::Removed => {
            head.removed = json.peek()? != b'n';
            fill(builder, column, json)
        }
        Use::Replies => nested.replies(head, json),
        Use::RepliesLink => {
            if json.peek()? != b'"' {
                return json.skip();
            }
            nested.replies_link(json.string()?.into_owned());
            Ok(())
        }
    }
}

/// Reads a value into its column. A key that comes twice keeps its first value.
fn fill(builder: &mut TableBuilder, column: Option<usize>, json: &mut Json<'_>) -> Read<()> {
    let row = builder.len();
    match column {
        Some(index) if !builder.columns[index].is_filled(row) => {
            cell::read(&mut builder.columns[index], row, &mut builder.wrong[index], json)
        }
        _ => json.skip(),
    }
}

/// Reads a string into its column and keeps it.
fn keep(builder: &mut TableBuilder, column: Option<usize>, kept: &mut Kept, json: &mut Json<'_>) -> Read<()> {
    if json.peek()? != b'"' {
        return fill(builder, column, json);
    }
    let start = json.position();
    let text = json.string()?;
    keep_text(builder, column, kept, &text, start, json)
}

/// Reads an id. One that was sent as a number is kept as its text: without its key a row is lost to every merge.
fn keep_id(builder: &mut TableBuilder, column: Option<usize>, kept: &mut Kept, json: &mut Json<'_>) -> Read<()> {
    if !matches!(json.peek()?, b'-' | b'0'..=b'9') {
        return keep(builder, column, kept, json);
    }
    let start = json.position();
    let digits = json.number()?;
    keep_text(builder, column, kept, digits, start, json)
}

fn keep_text(
    builder: &mut TableBuilder,
    column: Option<usize>,
    kept: &mut Kept,
    text: &str,
    start: usize,
    json: &mut Json<'_>,
) -> Read<()> {
    kept.set(text);
    let row = builder.len();
    match column.map(|index| &mut builder.columns[index]) {
        None => Ok(()),
        Some(column @ ColumnBuilder::Text(_)) => {
            if !column.is_filled(row) {
                column.append_text(row, text);
            }
            Ok(())
        }
        Some(_) => {
            json.go_back(start);
            fill(builder, column, json)
        }
    }
}

/// Reads a `channelIdentity` into its column and keeps the `channelId`.
fn keep_channel(builder: &mut TableBuilder, column: Option<usize>, head: &mut Head, json: &mut Json<'_>) -> Read<()> {
    let Head { channel, identity, .. } = head;
    if channel.is_set || json.peek()? != b'{' {
        return fill(builder, column, json);
    }
    let start = json.position();
    if !identity.is_empty() && json.step_over(identity.as_bytes()) {
        channel.is_set = true;
    } else {
        identity.clear();
        json.object(|json| {
            if json.key()? != "channelId" {
                return json.skip();
            }
            match json.peek()? {
                b'"' => channel.set(&json.string()?),
                b'-' | b'0'..=b'9' => channel.set(json.number()?),
                _ => json.skip()?,
            }
            Ok(())
        })?;
        if channel.is_set {
            identity.push_str(json.since(start));
        }
    }
    let row = builder.len();
    match column.map(|index| &mut builder.columns[index]) {
        Some(column @ ColumnBuilder::Json(_)) if !column.is_filled(row) => column.append_text(row, json.since(start)),
        _ => {}
    }
    Ok(())
}
