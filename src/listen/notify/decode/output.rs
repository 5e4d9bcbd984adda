//! One table's rows of what changed, with the schema that reading gives.

use std::sync::Arc;

use arrow_array::RecordBatch;

use super::changes::Changes;
use super::open::Change;
use super::scope::Scope;
use crate::notify::item::{ChangeKind, Members, joined};
use crate::notify::resource::Resource;
use teams_base::error::Result;
use teams_base::options::{Extras, TableOptions};
use teams_base::timestamp;
use teams_tables::{
    BodyText, Column, Context, Derived, Exploder, Known, Part, Projection, Source, Table, TableBuilder, Takes, find,
    read_known,
};

/// What Graph sends of an object although it does not tell it there: null then means nothing
/// (`teams-changenotifications-teammembership`, and the samples of channels).
const UNTOLD: &[(&str, &str)] =
    &[("members", "displayName"), ("members", "email"), ("channels", "email"), ("teams", "summary")];

/// A table that is kept fresh.
pub struct Output {
    pub projection: Arc<Projection>,
    scope: Scope,
    /// The tables whose objects its rows are made of: its own, or those of messages.
    sources: Vec<Origin>,
}

/// Objects of one kind, and what is made of them.
struct Origin {
    table: &'static Table,
    /// Everything that is read of an object, which may be more than is shown.
    projection: Projection,
    text: Option<BodyText>,
    exploder: Option<Exploder>,
}

/// The tables whose objects a table's rows are made of; empty for those that no notification is of.
pub fn sources(table: &Table) -> &'static [&'static str] {
    match (table.takes, table.reading.as_str(), table.name) {
        (Some(_), "channel_messages", _) => &["messages", "message_replies"],
        (Some(_), "chat_messages", _) | (None, _, "chat_messages") => &["chat_messages"],
        (None, _, "messages") => &["messages"],
        (None, _, "message_replies") => &["message_replies"],
        (None, _, "chats") => &["chats"],
        (None, _, "teams") => &["teams"],
        (None, _, "channels") => &["channels"],
        (None, _, "members") => &["members"],
        _ => &[],
    }
}

impl Output {
    pub fn new(table: &'static Table, options: &TableOptions, columns: Option<&[String]>) -> Result<Self> {
        let projection = Projection::with(table, columns, options.extras())?;
        let sources = sources(table).iter().map(|name| Origin::new(find(name)?, &projection, options.extras()));
        Ok(Self {
            sources: sources.collect::<Result<_>>()?,
            projection: Arc::new(projection),
            scope: Scope::new(options),
        })
    }

    pub fn table(&self) -> &'static str {
        self.projection.table.name
    }

    /// The position of what is made of this object; `None` where it is not asked for.
    fn source_of(&self, resource: &Resource) -> Option<usize> {
        let found = self.sources.iter().position(|source| source.table.name == resource.table())?;
        self.scope.takes(resource).then_some(found)
    }
}

impl Origin {
    fn new(table: &'static Table, wanted: &Projection, extras: Extras) -> Result<Self> {
        let Some(takes) = wanted.table.takes else {
            let mut projection = wanted.clone();
            if BodyText::is_in(&projection) {
                complete(&mut projection, extras)?;
            }
            return Ok(Self { table, text: BodyText::new(&projection), projection, exploder: None });
        };
        let mut projection = Projection { table, columns: Vec::new(), timestamps: wanted.timestamps };
        complete(&mut projection, extras)?;
        let exploder = Exploder::new(takes, &projection, wanted, true);
        Ok(Self { table, text: None, projection, exploder: Some(exploder) })
    }
}

/// Adds the columns that something is derived from.
fn complete(projection: &mut Projection, extras: Extras) -> Result<()> {
    let all = Projection::new(projection.table, None, extras.raw)?;
    for column in all.columns {
        if Exploder::needs(column) && !projection.columns.iter().any(|present| present.name == column.name) {
            projection.columns.push(column);
        }
    }
    Ok(())
}

/// A table's rows on their way.
pub struct Filling<'o> {
    output: &'o Output,
    /// Of each source.
    builders: Vec<TableBuilder>,
    /// Of details.
    rows: Option<TableBuilder>,
    changes: Changes,
}

/// Rows, and what is told of each beside.
pub struct Filled {
    pub projection: Arc<Projection>,
    pub rows: RecordBatch,
    pub changes: RecordBatch,
}

/// What became of a change in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    NotWanted,
    Rows,
    /// It is no such object.
    Broken,
}

impl<'o> Filling<'o> {
    pub fn new(output: &'o Output) -> Self {
        let builder = |projection: &Projection| TableBuilder::new(projection.clone());
        let is_detail = output.projection.table.takes.is_some();
        Self {
            output,
            builders: output.sources.iter().map(|source| builder(&source.projection)).collect(),
            rows: is_detail.then(|| builder(&output.projection)),
            changes: Changes::default(),
        }
    }

    pub fn take(&mut self, change: &Change) -> Taken {
        let Some(at) = self.output.source_of(&change.resource) else { return Taken::NotWanted };
        let source = &self.output.sources[at];
        let builder = &mut self.builders[at];
        let text = change.payload.as_ref().map_or("{}", |text| text.as_str());
        let Some(members) = Members::of(text) else { return Taken::Broken };
        let told = Told { members: &members, table: source.table, change };

        let first = builder.len();
        if !read(builder, text, &told) {
            return Taken::Broken;
        }
        if let Some(text) = &source.text {
            text.fill(builder, first..first + 1);
        }
        match (&source.exploder, &mut self.rows) {
            (Some(exploder), Some(rows)) => {
                let before = rows.len();
                // What the payload does not show has not been emptied.
                if told.shows(self.output.projection.table.takes) {
                    exploder.explode(builder, first..first + 1, rows);
                }
                builder.truncate(0);
                (before..rows.len()).for_each(|_| self.changes.push(change, None));
            }
            _ => self.changes.push(change, told.carried(&self.output.projection).as_deref()),
        }
        Taken::Rows
    }

    /// `None` where there are no rows.
    pub fn finish(self) -> Option<Filled> {
        let shown = self.output.projection.columns.len();
        let rows = match self.rows {
            Some(mut rows) => rows.finish(),
            None => self.builders.into_iter().next()?.finish(),
        };
        let rows = rows.project(&(0..shown).collect::<Vec<_>>()).expect("the columns asked for come first");
        let filled = Filled { projection: Arc::clone(&self.output.projection), rows, changes: self.changes.finish() };
        (filled.rows.num_rows() > 0).then_some(filled)
    }
}

/// Reads an object into a row.
fn read(builder: &mut TableBuilder, text: &str, told: &Told<'_>) -> bool {
    let Change { resource, kind, arrived, payload, .. } = told.change;
    let deleted = (*kind == ChangeKind::Deleted).then(|| timestamp::to_text(*arrived));
    let known = Known {
        id: resource.id(),
        deleted: deleted.as_deref(),
        context: Context {
            team: resource.team(),
            channel: resource.channel(),
            chat: resource.chat(),
            parent: resource.root(),
            raw: payload.as_ref().map(|_| text),
            ..Context::default()
        },
    };
    match told.as_read() {
        Some(text) => read_known(builder, &text, &known),
        None => read_known(builder, text, &known),
    }
}

/// What a payload tells of its object.
struct Told<'t> {
    members: &'t Members<'t>,
    table: &'static Table,
    change: &'t Change,
}

impl Told<'_> {
    fn tells(&self, property: &str) -> bool {
        let is_untold = UNTOLD.contains(&(self.table.name, property));
        let found = self.members.iter().find(|(name, _)| *name == property);
        found.is_some_and(|(_, value)| !is_untold || value.get() != "null")
    }

    /// Whether what details are made of is there.
    fn shows(&self, takes: Option<Takes>) -> bool {
        match takes {
            Some(Takes::Items(list)) => self.tells(list),
            Some(Takes::Event) => self.tells("eventDetail") || self.tells("messageType"),
            Some(Takes::HostedContents) => self.tells("body"),
            None => false,
        }
    }

    /// The columns that are told; `None` for all.
    fn carried(&self, projection: &Projection) -> Option<Vec<&'static str>> {
        let columns = &projection.columns;
        let told: Vec<_> = columns.iter().filter(|column| self.carries(column)).map(|column| column.name).collect();
        (told.len() < columns.len()).then_some(told)
    }

    fn carries(&self, column: &Column) -> bool {
        match column.source {
            Source::Property if column.name == "id" => true,
            Source::Property if column.name == "deletedDateTime" && self.change.kind == ChangeKind::Deleted => true,
            Source::Property => self.tells(column.name),
            Source::Named(property) => self.tells(property),
            // A new object that has not changed may tell only when it was made.
            Source::Cursor => {
                let is_new = self.change.kind == ChangeKind::Created;
                self.tells(column.name) || is_new && self.tells("createdDateTime")
            }
            Source::Derived(Derived::Raw) => self.change.payload.is_some(),
            Source::Derived(_) => true,
            Source::Detail(Part::BodyText) => self.tells("body"),
            Source::Detail(_) => false,
        }
    }

    /// The object with what notifications write differently: the roles of members begin with a capital.
    fn as_read(&self) -> Option<String> {
        let has_roles = self.table.name == "members" && self.members.get("roles").is_some();
        has_roles.then(|| {
            let lower = |name: &str, value: &str| {
                if name == "roles" { value.to_ascii_lowercase() } else { value.to_owned() }
            };
            let members: Vec<_> = self.members.iter().map(|(name, value)| (name, lower(name, value.get()))).collect();
            joined(members.iter().map(|(name, value)| (*name, value.as_str())))
        })
    }
}
