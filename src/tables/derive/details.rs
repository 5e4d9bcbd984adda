//! From messages that have been read to the rows of what they hold, without reading anything twice.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::body::body_field;
use super::hosted_contents::{self, HostedContent};
use crate::columns::{ColumnBuilder, Path, append_int, follow, identity, items_of, path};
use crate::json::Json;
use crate::rows::{Context, NoNested, TableBuilder, read_row};
use crate::schema::{Column, ColumnType, Derived, Part, Projection, Source, Takes};

/// Where a detail's column gets its value.
enum Fill {
    /// A column of the message.
    Message(usize),
    Position,
    SetSize,
    /// A field of the item; the path starts at the item.
    Item(Path),
    IdentityKind(Path, &'static [Column]),
    IdentityId(Path),
    Hosted(Part),
    Raw,
}

/// What a row is made from, beside its message.
enum Item<'a> {
    /// The message has none.
    Nothing,
    Listed {
        items: &'a ColumnBuilder,
        at: usize,
        raw: Option<&'a str>,
    },
    Hosted {
        hosted: &'a HostedContent<'a>,
        raw: Option<&'a str>,
    },
}

/// Makes the rows of one detail table from those of one message table.
pub struct Exploder {
    takes: Takes,
    /// A changed message without items gets a row that says so.
    keeps_empty: bool,
    fills: Vec<(usize, Fill)>,
    event: Event,
    message: Message,
}

/// Where a message has what decides.
struct Message {
    list: Option<usize>,
    body: Option<Path>,
    event: Option<usize>,
    kind: Option<usize>,
    created: Option<usize>,
    modified: Option<usize>,
    raw: Option<usize>,
    /// Fields of items whose text may hold addresses of hosted contents.
    shows: Vec<(usize, Path, &'static str)>,
}

impl Message {
    fn new(message: &Projection, takes: Takes) -> Self {
        let find = |name: &str| message.columns.iter().position(|column| column.name == name);
        let shows = [("attachments", "content"), ("attachments", "contentUrl"), ("reactions", "reactionContentUrl")];
        let shows = shows.into_iter().filter_map(|(list, field)| {
            let at = find(list)?;
            let ColumnType::List(item) = message.columns[at].kind else { return None };
            let shown_in = list.strip_suffix('s').unwrap_or(list);
            Some((at, path(item, &[field])?, shown_in))
        });
        Self {
            list: match takes {
                Takes::Items(list) => find(list),
                Takes::Event | Takes::HostedContents => None,
            },
            body: body_field(message, "content"),
            event: find("eventDetail"),
            kind: find("messageType"),
            created: find("createdDateTime"),
            modified: find("lastModifiedDateTime"),
            raw: find("_raw"),
            shows: shows.collect(),
        }
    }

    fn text(messages: &TableBuilder, column: Option<usize>, row: usize) -> Option<&str> {
        messages.columns[column?].text_at(row)
    }

    /// Whether an earlier version may have held something else.
    fn has_changed(&self, messages: &TableBuilder, row: usize) -> bool {
        let created = Self::text(messages, self.created, row).map(without_zeros);
        created.is_none() || created != Self::text(messages, self.modified, row).map(without_zeros)
    }

    fn raw<'m>(&self, messages: &'m TableBuilder, row: usize) -> Option<&'m str> {
        Self::text(messages, self.raw, row)
    }
}

/// Columns of an event's own row.
#[derive(Default)]
struct Event {
    kind: Option<usize>,
    duration: Option<usize>,
    seconds: Option<usize>,
    initiator: Option<(usize, &'static [Column])>,
    initiator_kind: Option<usize>,
    initiator_id: Option<usize>,
}

impl Event {
    fn new(detail: &Projection) -> Self {
        let of = |part: Part| detail.columns.iter().position(|column| column.source == Source::Detail(part));
        let named = |name: &str| {
            detail.columns.iter().position(|column| column.name == name && column.source == Source::Property)
        };
        let initiator = named("initiator").and_then(|at| match detail.columns[at].kind {
            ColumnType::Struct(fields) => Some((at, fields)),
            _ => None,
        });
        Self {
            kind: of(Part::EventType),
            duration: named("callDuration"),
            seconds: of(Part::CallSeconds),
            initiator,
            initiator_kind: of(Part::IdentityKind("initiator")),
            initiator_id: of(Part::IdentityId("initiator")),
        }
    }

    /// Fills what is derived from the event's own columns.
    fn derive(&self, into: &mut TableBuilder, text: &str) {
        #[derive(Deserialize)]
        struct Typed<'t> {
            #[serde(rename = "@odata.type", borrow, default)]
            name: Option<Cow<'t, str>>,
        }
        let row = into.len();
        if let (Some(at), Ok(Typed { name: Some(name) })) = (self.kind, serde_json::from_str(text)) {
            let name = name.trim_start_matches('#').trim_start_matches("microsoft.graph.");
            into.columns[at].append_text(row, name.trim_end_matches("EventMessageDetail"));
        }
        let duration = self.duration.and_then(|at| into.columns[at].text_at(row)).and_then(seconds);
        if let (Some(at), Some(seconds)) = (self.seconds, duration) {
            append_int(&mut into.columns[at], row, seconds);
        }
        let Some((at, names)) = self.initiator else { return };
        let found = identity(&into.columns[at], row, names).map(|(kind, id)| (kind, id.map(str::to_owned)));
        if let (Some(at), Some((kind, _))) = (self.initiator_kind, &found) {
            into.columns[at].append_text(row, kind);
        }
        if let (Some(at), Some((_, Some(id)))) = (self.initiator_id, &found) {
            into.columns[at].append_text(row, id);
        }
    }
}

impl Exploder {
    /// Whether details are taken from a column of a message.
    pub fn needs(column: &Column) -> bool {
        const NEEDED: [&str; 9] = [
            "id",
            "messageType",
            "createdDateTime",
            "deletedDateTime",
            "body",
            "attachments",
            "mentions",
            "reactions",
            "eventDetail",
        ];
        column.source != Source::Property || NEEDED.contains(&column.name)
    }

    pub fn new(takes: Takes, message: &Projection, detail: &Projection, keeps_empty: bool) -> Self {
        let place = Message::new(message, takes);
        let item = place.list.and_then(|list| match message.columns[list].kind {
            ColumnType::List(item) => Some(item),
            _ => None,
        });
        let fills = detail.columns.iter().enumerate();
        let fills = fills.filter_map(|(at, column)| Some((at, fill(column, takes, item, message)?)));
        Self { takes, keeps_empty, fills: fills.collect(), event: Event::new(detail), message: place }
    }

    /// Adds the rows of messages that have just been read.
    pub fn explode(&self, messages: &TableBuilder, rows: Range<usize>, into: &mut TableBuilder) {
        for row in rows {
            match self.takes {
                Takes::Items(list) => self.items(messages, row, list, into),
                Takes::Event => self.event(messages, row, into),
                Takes::HostedContents => self.hosted(messages, row, into),
            }
        }
    }

    fn items(&self, messages: &TableBuilder, row: usize, list: &str, into: &mut TableBuilder) {
        let found = self.message.list.and_then(|at| items_of(&messages.columns[at], row));
        let Some((range, items)) = found.filter(|(range, _)| !range.is_empty()) else {
            self.nothing(messages, row, into);
            return;
        };
        let raw = self.message.raw(messages, row).map(|raw| raw_items(raw, list)).unwrap_or_default();
        let size = range.len();
        for (position, at) in range.enumerate() {
            let item = Item::Listed { items, at, raw: raw.get(position).map(|raw| raw.get()) };
            self.write(messages, row, &item, (position, size), into);
        }
    }

    fn nothing(&self, messages: &TableBuilder, row: usize, into: &mut TableBuilder) {
        if self.keeps_empty && self.message.has_changed(messages, row) {
            self.write(messages, row, &Item::Nothing, (0, 0), into);
        }
    }

    fn hosted(&self, messages: &TableBuilder, row: usize, into: &mut TableBuilder) {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        if let Some((column, path)) = self.message.body.as_ref().and_then(|path| path.split_first()) {
            let body = follow(&messages.columns[*column], row, path).and_then(|body| body.text_at(row));
            body.into_iter().for_each(|body| hosted_contents::find(body, "body", &mut seen, &mut found));
        }
        for (list, path, shown_in) in &self.message.shows {
            let Some((range, items)) = items_of(&messages.columns[*list], row) else { continue };
            for at in range {
                let text = follow(items, at, path).and_then(|field| field.text_at(at));
                text.into_iter().for_each(|text| hosted_contents::find(text, shown_in, &mut seen, &mut found));
            }
        }
        if found.is_empty() {
            self.nothing(messages, row, into);
        }
        let raw = self.message.raw(messages, row);
        for (position, hosted) in found.iter().enumerate() {
            self.write(messages, row, &Item::Hosted { hosted, raw }, (position, found.len()), into);
        }
    }

    fn event(&self, messages: &TableBuilder, row: usize, into: &mut TableBuilder) {
        let text = Message::text(messages, self.message.event, row);
        let is_event = Message::text(messages, self.message.kind, row) == Some("systemEventMessage");
        if let Some(text) = text {
            let at = into.len();
            if let Ok(Some(_)) = read_row(into, &mut NoNested, &mut Json::new(text)) {
                self.event.derive(into, text);
            } else {
                into.truncate(at);
            }
        } else if !is_event {
            return;
        }
        self.write(messages, row, &Item::Nothing, (0, 0), into);
    }

    /// Ends a row with what the message and the item say.
    fn write(
        &self,
        messages: &TableBuilder,
        row: usize,
        item: &Item<'_>,
        (position, size): (usize, usize),
        into: &mut TableBuilder,
    ) {
        let at = into.len();
        for (column, fill) in &self.fills {
            let target = &mut into.columns[*column];
            match (fill, item) {
                (Fill::Message(column), _) => target.copy(at, &messages.columns[*column], row),
                (Fill::Position, _) => append_int(target, at, position),
                (Fill::SetSize, _) => append_int(target, at, size),
                (Fill::Item(path), Item::Listed { items, at: from, .. }) => {
                    if let Some(field) = follow(items, *from, path) {
                        target.copy(at, field, *from);
                    }
                }
                (Fill::IdentityKind(path, names), Item::Listed { items, at: from, .. }) => {
                    let found = follow(items, *from, path).and_then(|set| identity(set, *from, names));
                    found.into_iter().for_each(|(kind, _)| target.append_text(at, kind));
                }
                (Fill::IdentityId(path), Item::Listed { items, at: from, .. }) => {
                    let found = follow(items, *from, path).and_then(|set| identity(set, *from, &[]));
                    found.and_then(|(_, id)| id).into_iter().for_each(|id| target.append_text(at, id));
                }
                (Fill::Hosted(part), Item::Hosted { hosted, .. }) => match part {
                    Part::HostedId => target.append_text(at, hosted.id),
                    Part::HostedUrl => target.append_text(at, hosted.url),
                    _ => target.append_text(at, hosted.shown_in),
                },
                (Fill::Raw, Item::Listed { raw: Some(raw), .. } | Item::Hosted { raw: Some(raw), .. }) => {
                    target.append_text(at, raw);
                }
                _ => {}
            }
        }
        into.end_row(None, &Context::default());
    }
}

/// How a column of a detail table is filled; `None` for one that is filled in another way, or not at all.
fn fill(
    column: &'static Column,
    takes: Takes,
    item: Option<&'static ColumnType>,
    message: &Projection,
) -> Option<Fill> {
    let of_message = |name: &str| message.columns.iter().position(|column| column.name == name);
    let is_item = matches!(takes, Takes::Items(_));
    match column.source {
        Source::Property => path(item?, &[column.name]).map(Fill::Item),
        Source::Named(property) => path(item?, &[property]).map(Fill::Item),
        Source::Derived(Derived::Raw) if takes == Takes::Event => of_message("_raw").map(Fill::Message),
        Source::Derived(Derived::Raw) => Some(Fill::Raw),
        Source::Cursor | Source::Derived(_) => of_message(column.name).map(Fill::Message),
        Source::Detail(part) => match part {
            Part::Message => of_message("id").map(Fill::Message),
            Part::Root => of_message("parent_message_id").or_else(|| of_message("id")).map(Fill::Message),
            Part::Of(name) => of_message(name).map(Fill::Message),
            Part::Position => Some(Fill::Position),
            Part::SetSize => Some(Fill::SetSize),
            Part::Nested(names) => path(item?, names).map(Fill::Item),
            Part::IdentityKind(name) if is_item => {
                let ColumnType::Struct(fields) = item? else { return None };
                let set = fields.iter().find(|field| field.name == name)?;
                let ColumnType::Struct(names) = set.kind else { return None };
                Some(Fill::IdentityKind(path(item?, &[name])?, names))
            }
            Part::IdentityId(name) if is_item => path(item?, &[name]).map(Fill::IdentityId),
            Part::HostedId | Part::HostedUrl | Part::HostedSource => Some(Fill::Hosted(part)),
            _ => None,
        },
    }
}

/// A timestamp without the zeros that Graph leaves out and cursors put back.
fn without_zeros(time: &str) -> &str {
    let time = time.strip_suffix('Z').unwrap_or(time);
    if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time }
}

/// An ISO 8601 duration in whole seconds.
fn seconds(duration: &str) -> Option<i64> {
    duration.parse::<jiff::SignedDuration>().ok().map(|duration| duration.as_secs())
}

/// The items of a list of a message as they were sent.
fn raw_items<'m>(message: &'m str, list: &str) -> Vec<&'m RawValue> {
    let members: HashMap<Cow<'m, str>, &'m RawValue> = serde_json::from_str(message).unwrap_or_default();
    members.get(list).and_then(|items| serde_json::from_str(items.get()).ok()).unwrap_or_default()
}
