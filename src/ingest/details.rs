//! The tables that are taken from messages while these are read: which of them are filled, and from what.

use teams_base::error::Result;
use teams_tables::{Archive, BodyText, Column, Exploder, Projection, Reading, Table, TableBuilder, Takes, find};

use super::sink::Slot;

/// What is made of messages as soon as a page of them has been read.
#[derive(Default)]
pub struct Details {
    /// By slot of the messages: how many of its columns were asked for. The others only feed what is derived.
    shown: Vec<usize>,
    texts: Vec<(usize, BodyText)>,
    /// From one slot to another.
    exploders: Vec<(usize, usize, Exploder)>,
}

/// The message tables of a pass, in the order of their slots; none where nothing is taken from messages.
pub fn parents(reading: Reading) -> &'static [&'static str] {
    match reading {
        Reading::ChannelMessages => &["messages", "message_replies"],
        Reading::ChatMessages => &["chat_messages"],
        Reading::Archive(Archive::Retained) => &["retained_messages"],
        Reading::Archive(Archive::DeletedTeams) => &["deleted_team_messages"],
        _ => &[],
    }
}

/// Adds what is derived to the slots of a pass of messages. `slots` are those of its message tables.
pub fn add(slots: &mut Vec<Slot>, wanted: &[Projection], keeps_empty: bool) -> Result<Details> {
    let count = slots.len();
    let mut details =
        Details { shown: slots.iter().map(|slot| slot.projection.columns.len()).collect(), ..Details::default() };
    let tables = wanted.iter().filter(|projection| projection.table.takes.is_some());
    for projection in tables {
        details.shown.push(projection.columns.len());
        slots.push(Slot { projection: projection.clone(), wanted: true });
        if let Some(slot) = slots.last_mut().filter(|slot| is_hosted(slot.projection.table)) {
            // Where the bytes are is told by columns that need not be asked for.
            let missing = |column: &&Column| !slot.projection.columns.iter().any(|own| own.name == column.name);
            let missing: Vec<_> = slot.projection.table.columns.iter().filter(missing).collect();
            slot.projection.columns.extend(missing);
        }
    }
    for parent in 0..count {
        let is_fed = slots.len() > count;
        let needs_text = BodyText::is_in(&slots[parent].projection);
        let include_raw = wanted.iter().any(|projection| projection.columns.iter().any(|column| column.name == "_raw"));
        if is_fed || needs_text {
            complete(&mut slots[parent].projection, include_raw && is_fed)?;
        }
        details.texts.extend(BodyText::new(&slots[parent].projection).map(|text| (parent, text)));
        for at in count..slots.len() {
            let Some(takes) = slots[at].projection.table.takes else { continue };
            let exploder = Exploder::new(takes, &slots[parent].projection, &slots[at].projection, keeps_empty);
            details.exploders.push((parent, at, exploder));
        }
    }
    Ok(details)
}

/// Whether a table's rows stand for bytes that have to be fetched.
pub fn is_hosted(table: &Table) -> bool {
    table.takes == Some(Takes::HostedContents)
}

/// Adds the columns that are read only because something is derived from them.
fn complete(projection: &mut Projection, include_raw: bool) -> Result<()> {
    let all = Projection::new(find(projection.table.name)?, None, include_raw)?;
    for column in all.columns {
        if Exploder::needs(column) && !projection.columns.iter().any(|present| present.name == column.name) {
            projection.columns.push(column);
        }
    }
    Ok(())
}

impl Details {
    /// Whether details are taken from a slot's rows.
    pub fn are_fed_by(&self, slot: usize) -> bool {
        self.exploders.iter().any(|(parent, ..)| *parent == slot)
    }

    /// The columns of a slot that were asked for; `None` for all of them.
    pub fn shown(&self, slot: usize) -> Option<usize> {
        self.shown.get(slot).copied()
    }

    /// Derives from the rows that came after `before`.
    pub fn derive(&mut self, builders: &mut [TableBuilder], before: &[usize]) {
        for (parent, text) in &self.texts {
            let rows = before[*parent]..builders[*parent].len();
            text.fill(&mut builders[*parent], rows);
        }
        for (parent, at, exploder) in &mut self.exploders {
            let rows = before[*parent]..builders[*parent].len();
            let (parents, others) = builders.split_at_mut(*at);
            exploder.explode(&parents[*parent], rows, &mut others[0]);
        }
    }
}

/// The table of a slot of a pass of messages.
pub fn table_of(reading: Reading, tables: &[&'static Table], slot: usize) -> Option<&'static str> {
    let parents = parents(reading);
    let mut details = tables.iter().filter(|table| table.takes.is_some()).map(|table| table.name);
    parents.get(slot).copied().or_else(|| details.nth(slot.checked_sub(parents.len())?))
}
