//! One item into one row, keeping aside what decides where the row belongs.

use std::borrow::Cow;

use super::head::Head;
use super::properties::Use;
use super::table_builder::{LastChannel, TableBuilder};
use crate::columns::{ColumnBuilder, read_cell};
use crate::json::{First, Json, Member, Read, Walk};

/// Reads what an item holds beside its own columns: the replies of a root message.
pub trait Nested {
    /// Reads the value of `replies`; `head` is what is known of the root so far.
    fn replies(&mut self, head: &Head<'_>, json: &mut Json<'_>) -> Read<()>;
    fn replies_link(&mut self, link: String);
    /// `replies@odata.count`.
    fn replies_count(&mut self, count: usize);
}

/// For items that hold no others.
pub struct NoNested;

impl Nested for NoNested {
    fn replies(&mut self, _: &Head<'_>, json: &mut Json<'_>) -> Read<()> {
        json.skip()
    }

    fn replies_link(&mut self, _: String) {}

    fn replies_count(&mut self, _: usize) {}
}

/// Reads one item into the builder's row in progress; the caller ends the row, or takes it back.
/// `None` means that the item was no object.
pub fn read_row<'t, N: Nested>(
    builder: &mut TableBuilder,
    nested: &mut N,
    json: &mut Json<'t>,
) -> Read<Option<Head<'t>>> {
    if json.peek()? != b'{' {
        json.skip()?;
        return Ok(None);
    }
    let mut head = Head::default();
    let mut walk = Walk::default();
    while let Some(member) = builder.properties.keys.next(&mut walk, json)? {
        let Member::Known(property, first) = member else {
            json.skip()?;
            continue;
        };
        match builder.properties.get(property) {
            (Use::Column, Some(column)) => fill(builder, column, json, first)?,
            (Use::Column, None) => {
                builder.properties.keys.note(property);
                json.skip()?;
            }
            (usage, column) => read_marked(builder, &mut head, nested, (usage, column), json, first)?,
        }
    }
    head.close();
    Ok(Some(head))
}

/// Reads a property that is of use beside its column.
fn read_marked<'t, N: Nested>(
    builder: &mut TableBuilder,
    head: &mut Head<'t>,
    nested: &mut N,
    (usage, column): (Use, Option<usize>),
    json: &mut Json<'t>,
    first: First,
) -> Read<()> {
    match usage {
        Use::Id => keep_id(builder, column, &mut head.id, json, first),
        Use::ReplyTo => keep_id(builder, column, &mut head.reply_to, json, first),
        Use::Cursor => keep(builder, column, &mut head.cursor, json, first),
        Use::Created => keep(builder, column, &mut head.created, json, first),
        Use::Chat => keep_id(builder, column, &mut head.chat, json, first),
        Use::ChannelIdentity => keep_channel(builder, column, &mut head.channel, json, first),
        Use::Replies => nested.replies(head, json),
        Use::RepliesLink if first == b'"' => {
            nested.replies_link(json.string()?.into_owned());
            Ok(())
        }
        Use::RepliesCount if first.is_ascii_digit() => {
            if let Ok(count) = json.number()?.parse() {
                nested.replies_count(count);
            }
            Ok(())
        }
        Use::Removed => {
            head.removed = true;
            fill_or_skip(builder, column, json, first)
        }
        Use::Column | Use::RepliesLink | Use::RepliesCount => json.skip(),
    }
}

/// Reads a value into its column.
#[inline]
fn fill(builder: &mut TableBuilder, column: usize, json: &mut Json<'_>, first: First) -> Read<()> {
    let row = builder.len();
    read_cell(&mut builder.columns[column], row, &mut builder.wrong[column], json, first)
}

fn fill_or_skip(builder: &mut TableBuilder, column: Option<usize>, json: &mut Json<'_>, first: First) -> Read<()> {
    match column {
        Some(column) => fill(builder, column, json, first),
        None => json.skip(),
    }
}

/// Reads a string into its column and keeps it.
fn keep<'t>(
    builder: &mut TableBuilder,
    column: Option<usize>,
    kept: &mut Option<Cow<'t, str>>,
    json: &mut Json<'t>,
    first: First,
) -> Read<()> {
    let start = json.position();
    fill_or_skip(builder, column, json, first)?;
    if first == b'"' && kept.is_none() {
        *kept = Some(json.string_since(start));
    }
    Ok(())
}

/// Reads an id. One that was sent as a number is kept as its text: without its key a row is lost to every merge.
fn keep_id<'t>(
    builder: &mut TableBuilder,
    column: Option<usize>,
    kept: &mut Option<Cow<'t, str>>,
    json: &mut Json<'t>,
    first: First,
) -> Read<()> {
    if !matches!(first, b'-' | b'0'..=b'9') {
        return keep(builder, column, kept, json, first);
    }
    let row = builder.len();
    let start = json.position();
    let digits = match column.map(|column| &mut builder.columns[column]) {
        Some(ColumnBuilder::Text(text)) if !text.has(row) => {
            let digits = json.number()?;
            text.append(row, digits);
            digits
        }
        _ => {
            fill_or_skip(builder, column, json, first)?;
            json.since(start)
        }
    };
    kept.get_or_insert(Cow::Borrowed(digits));
    Ok(())
}

/// Reads a `channelIdentity` into its column and keeps the `channelId`.
fn keep_channel<'t>(
    builder: &mut TableBuilder,
    column: Option<usize>,
    channel: &mut Option<Cow<'t, str>>,
    json: &mut Json<'t>,
    first: First,
) -> Read<()> {
    if channel.is_some() || first != b'{' {
        return fill_or_skip(builder, column, json, first);
    }
    let start = json.position();
    let LastChannel { identity, id } = &mut builder.last_channel;
    if !identity.is_empty() && json.step_over(identity.as_bytes()) {
        *channel = Some(Cow::Borrowed(&json.since(start)[id.clone()]));
    } else {
        identity.clear();
        let mut at = 0;
        json.object(|json| {
            if json.key()? != "channelId" || channel.is_some() {
                return json.skip();
            }
            let first = json.peek()?;
            at = json.position() + usize::from(first == b'"');
            let found = match first {
                b'"' => json.string()?,
                b'-' | b'0'..=b'9' => Cow::Borrowed(json.number()?),
                _ => return json.skip(),
            };
            *channel = Some(found);
            Ok(())
        })?;
        if let Some(Cow::Borrowed(found)) = channel {
            identity.push_str(json.since(start));
            *id = at - start..at - start + found.len();
        }
    }
    let row = builder.len();
    match column.map(|index| &mut builder.columns[index]) {
        Some(column @ ColumnBuilder::Json(_)) if !column.is_filled(row) => column.append_text(row, json.since(start)),
        _ => {}
    }
    Ok(())
}
