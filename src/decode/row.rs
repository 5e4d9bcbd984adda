//! One item into one row, keeping aside what decides where the row belongs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::builder::TableBuilder;
use super::cell::Cell;
use super::timestamp;
use crate::tables::Source;

/// Something that takes the items of a page, one after the other.
pub trait Rows {
    /// Reads one item. Whatever the item is, the builders end up with whole rows.
    fn read<'de, D: Deserializer<'de>>(&mut self, item: D) -> Result<(), D::Error>;

    /// The state to come back to if the page turns out to be broken.
    fn mark(&self) -> Mark;

    /// Takes rows back, whole ones and the one in progress.
    fn truncate(&mut self, mark: Mark);

    /// Forgets what was noted of the page, because it is going to be read again.
    fn forget(&mut self);

    /// Whether items are wanted as raw text too.
    fn wants_raw(&self) -> bool;

    /// Reads an item whose text is at hand.
    fn read_raw(&mut self, text: &str) -> serde_json::Result<()>;

    /// Reads an item field by field, after it was refused as a whole.
    fn salvage(&mut self, text: &str);
}

/// How many rows each builder held.
#[derive(Debug, Clone, Copy)]
pub struct Mark(pub usize, pub usize);

/// Properties of an item that the readers look at, whether or not their columns were asked for.
#[derive(Debug, Default)]
pub struct Head {
    pub id: String,
    pub reply_to: Option<String>,
    /// The cursor's text, padded; and its time where it is one.
    pub cursor: Option<String>,
    pub modified: Option<jiff::Timestamp>,
    /// `channelIdentity` as JSON text.
    pub channel_identity: Option<String>,
    pub chat: Option<String>,
    pub chat_type: Option<String>,
    pub membership: Option<String>,
    /// `@removed`: a tombstone of a delta query.
    pub removed: bool,
    pub preview_created: Option<jiff::Timestamp>,
    sent: Option<String>,
    created: Option<String>,
}

impl Head {
    fn clear(&mut self) {
        *self = Self { id: std::mem::take(&mut self.id), ..Self::default() };
        self.id.clear();
    }

    /// Settles the cursor once the item has been read.
    fn close(&mut self) {
        self.cursor = self.sent.take().or_else(|| self.created.take());
        self.modified = self.cursor.as_mut().and_then(timestamp::pad);
    }

    /// `channelId` of the item's `channelIdentity`.
    pub fn channel_id(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Identity {
            #[serde(rename = "channelId")]
            channel_id: Option<String>,
        }
        serde_json::from_str::<Identity>(self.channel_identity.as_deref()?).ok()?.channel_id
    }
}

/// What a row may hold beside its own columns: the replies of a root message.
pub trait Nested {
    /// Reads the value of `replies`; `head` is what is known of the root so far.
    fn replies<'de, A: MapAccess<'de>>(&mut self, head: &Head, map: &mut A) -> Result<(), A::Error>;
    fn replies_link(&mut self, link: String);
}

/// For items that hold no others.
pub struct NoNested;

impl Nested for NoNested {
    fn replies<'de, A: MapAccess<'de>>(&mut self, _: &Head, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }

    fn replies_link(&mut self, _: String) {}
}

/// Reads one item into the builder's row in progress; the caller ends the row, or takes it back.
/// `Ok(false)` means that the item was no object.
pub fn read_row<'de, D, N>(
    builder: &mut TableBuilder,
    head: &mut Head,
    nested: &mut N,
    item: D,
) -> Result<bool, D::Error>
where
    D: Deserializer<'de>,
    N: Nested,
{
    head.clear();
    let is_object = item.deserialize_any(RowVisitor { builder, head, nested })?;
    head.close();
    Ok(is_object)
}

/// The properties a [`Head`] keeps.
#[derive(Clone, Copy)]
enum Tap {
    Id,
    ReplyTo,
    Cursor,
    Created,
    ChannelIdentity,
    Chat,
    ChatType,
    Membership,
    Removed,
    Preview,
}

enum Field {
    Column(usize),
    Tapped(Tap, Option<usize>),
    Replies,
    RepliesLink,
    Unknown,
}

fn tap(key: &str) -> Option<Tap> {
    Some(match key {
        "id" => Tap::Id,
        "replyToId" => Tap::ReplyTo,
        "lastModifiedDateTime" | "lastUpdatedDateTime" => Tap::Cursor,
        "createdDateTime" => Tap::Created,
        "channelIdentity" => Tap::ChannelIdentity,
        "chatId" => Tap::Chat,
        "chatType" => Tap::ChatType,
        "membershipType" => Tap::Membership,
        "@removed" => Tap::Removed,
        "lastMessagePreview" => Tap::Preview,
        _ => return None,
    })
}

struct FieldKey<'b> {
    builder: &'b TableBuilder,
}

impl<'de> DeserializeSeed<'de> for FieldKey<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldKey<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property's name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Field, E> {
        Ok(match key {
            "replies" => Field::Replies,
            "replies@odata.nextLink" => Field::RepliesLink,
            _ => {
                let column = property_column(self.builder, key);
                match (tap(key), column) {
                    (Some(tap), column) => Field::Tapped(tap, column),
                    (None, Some(column)) => Field::Column(column),
                    (None, None) => Field::Unknown,
                }
            }
        })
    }
}

/// The column that a property fills. The cursor is filled when the row ends, because it may fall back on another.
fn property_column(builder: &TableBuilder, key: &str) -> Option<usize> {
    let columns = &builder.projection().columns;
    columns.iter().position(|column| column.name == key && column.source == Source::Property)
}

struct RowVisitor<'b, N> {
    builder: &'b mut TableBuilder,
    head: &'b mut Head,
    nested: &'b mut N,
}

impl<'de, N: Nested> Visitor<'de> for RowVisitor<'_, N> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(field) = map.next_key_seed(FieldKey { builder: self.builder })? {
            match field {
                Field::Column(index) => fill(self.builder, index, &mut map)?,
                Field::Tapped(tap, column) => {
                    let raw = map.next_value::<&RawValue>()?;
                    keep(self.head, tap, raw.get());
                    if let Some(index) = column {
                        fill_raw(self.builder, index, raw).map_err(serde::de::Error::custom)?;
                    }
                }
                Field::Replies => self.nested.replies(self.head, &mut map)?,
                Field::RepliesLink => {
                    if let Some(link) = text_of(map.next_value::<&RawValue>()?.get()) {
                        self.nested.replies_link(link);
                    }
                }
                Field::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(true)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<bool, A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

fn fill<'de, A: MapAccess<'de>>(builder: &mut TableBuilder, index: usize, map: &mut A) -> Result<(), A::Error> {
    // A key that comes twice keeps its first value.
    if builder.is_filled(index) {
        return map.next_value::<IgnoredAny>().map(drop);
    }
    map.next_value_seed(Cell { column: &mut builder.columns[index], wrong: &mut builder.wrong[index] })
}

pub(super) fn fill_raw(builder: &mut TableBuilder, index: usize, raw: &RawValue) -> serde_json::Result<()> {
    if builder.is_filled(index) {
        return Ok(());
    }
    Cell { column: &mut builder.columns[index], wrong: &mut builder.wrong[index] }.deserialize(raw)
}

/// The text of a JSON string; `None` for null and for anything else.
fn text_of(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().flatten()
}

fn keep(head: &mut Head, tap: Tap, json: &str) {
    match tap {
        Tap::Id => head.id = text_of(json).unwrap_or_default(),
        Tap::ReplyTo => head.reply_to = text_of(json).filter(|id| !id.is_empty()),
        Tap::Cursor => head.sent = text_of(json),
        Tap::Created => head.created = text_of(json),
        Tap::ChannelIdentity => head.channel_identity = Some(json.to_owned()),
        Tap::Chat => head.chat = text_of(json),
        Tap::ChatType => head.chat_type = text_of(json),
        Tap::Membership => head.membership = text_of(json),
        Tap::Removed => head.removed = json != "null",
        Tap::Preview => head.preview_created = preview_created(json),
    }
}

fn preview_created(json: &str) -> Option<jiff::Timestamp> {
    #[derive(serde::Deserialize)]
    struct Preview {
        #[serde(rename = "createdDateTime")]
        created: Option<String>,
    }
    let preview = serde_json::from_str::<Option<Preview>>(json).ok()??;
    timestamp::parse(&preview.created?)
}

/// Used by the slow path: one property of an item, by name.
pub(super) fn read_property<N: Nested>(
    builder: &mut TableBuilder,
    head: &mut Head,
    nested: &mut N,
    key: &str,
    raw: &RawValue,
) {
    if key == "replies@odata.nextLink" {
        if let Some(link) = text_of(raw.get()) {
            nested.replies_link(link);
        }
        return;
    }
    if let Some(tap) = tap(key) {
        keep(head, tap, raw.get());
    }
    if let Some(index) = property_column(builder, key) {
        super::salvage::cell(builder, index, raw);
    }
}

pub(super) fn begin(head: &mut Head) {
    head.clear();
}

pub(super) fn close(head: &mut Head) {
    head.close();
}
