//! Rows and tombstones of a delta query: it may tell of one object several times, and what it tells last is so.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::context::Context;
use super::page_rows::{Mark, Rows};
use super::row::{NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::dedup::{KeyHasher, KeySet, key_hash};
use crate::json::{Fields, Json, Read};

/// What was told of each object since [`DeltaLog::settle`], in the order in which it was told.
#[derive(Debug, Default)]
pub struct DeltaLog {
    /// One entry for each of the last rows of the builder.
    rows: Vec<Told>,
    deletes: Vec<Told>,
    told: u64,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    /// The hash of its id, where it has one.
    object: Option<u64>,
    order: u64,
}

impl DeltaLog {
    /// Rows and tombstones that are held.
    pub fn len(&self) -> usize {
        self.rows.len() + self.deletes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next(&mut self, id: &str) -> Told {
        self.told += 1;
        Told { object: (!id.is_empty()).then(|| key_hash("", "", id)), order: self.told }
    }

    /// Notes a deleted item of which the text is at hand.
    pub fn append_deleted(&mut self, deletes: &mut TableBuilder, item: &str, observed_at: &str) {
        if let Some(id) = Fields::of(item).and_then(|fields| fields.id("id")) {
            let context = Context { observed_at: Some(observed_at), ..Context::default() };
            deletes.append_tombstone(&id, &context);
            let told = self.next(&id);
            self.deletes.push(told);
        }
    }

    /// Takes back what was told of an object before the last time. Objects `handed_on` before come no second time.
    pub fn settle(&mut self, rows: &mut TableBuilder, deletes: &mut TableBuilder, mut handed_on: Option<&mut KeySet>) {
        let mut last: HashMap<u64, u64, BuildHasherDefault<KeyHasher>> = HashMap::default();
        for (object, order) in self.rows.iter().chain(&self.deletes).filter_map(|told| Some((told.object?, told.order)))
        {
            let last = last.entry(object).or_default();
            *last = order.max(*last);
        }
        let is_last = |told: &Told| told.object.is_none_or(|object| last.get(&object) == Some(&told.order));
        let mut is_new = |told: &Told| match (told.object, &mut handed_on) {
            (Some(object), Some(handed_on)) => handed_on.insert(object),
            _ => true,
        };
        rows.keep_of_last(&self.rows.iter().map(|told| is_last(told) && is_new(told)).collect::<Vec<_>>());
        deletes.keep_of_last(&self.deletes.iter().map(is_last).collect::<Vec<_>>());
        self.rows.clear();
        self.deletes.clear();
    }
}

/// Objects of a delta query into the rows of one table, and tombstones into those of another.
pub struct DeltaRows<'a> {
    pub rows: &'a mut TableBuilder,
    pub deletes: &'a mut TableBuilder,
    pub context: Context<'a>,
    pub log: &'a mut DeltaLog,
}

impl Rows for DeltaRows<'_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.rows.len(), json.position());
        let Some(head) = read_row(self.rows, &mut NoNested, json)? else { return Ok(()) };
        let told = self.log.next(head.id());
        let raw = self.rows.wants_raw().then(|| json.since(start));
        let context = Context { raw, ..self.context };
        if head.removed {
            self.rows.truncate(mark);
            self.deletes.append_tombstone(head.id(), &context);
            self.log.deletes.push(told);
        } else {
            self.rows.end_row(head.cursor(), &context);
            self.log.rows.push(told);
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.rows.len(), self.deletes.len())
    }

    fn truncate(&mut self, mark: Mark) {
        self.log.rows.truncate(self.log.rows.len() + mark.0 - self.rows.len());
        self.log.deletes.truncate(self.log.deletes.len() + mark.1 - self.deletes.len());
        self.rows.truncate(mark.0);
        self.deletes.truncate(mark.1);
    }

    fn forget(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use teams_base::options::Timestamps;

    use crate::page::read_page;
    use crate::schema::Projection;
    use crate::{Column, find};

    fn builders() -> (TableBuilder, TableBuilder) {
        let table = find("users").unwrap();
        (
            TableBuilder::new(Projection::new(table, None, false).unwrap()),
            TableBuilder::new(Projection::keys_and_cursor(table, Timestamps::Text)),
        )
    }

    fn texts(builder: &TableBuilder, name: &str) -> Vec<String> {
        let at = builder.projection().columns.iter().position(|column: &&Column| column.name == name).unwrap();
        (0..builder.len()).map(|row| builder.columns[at].text_at(row).unwrap_or("").to_owned()).collect()
    }

    #[test]
    fn the_last_that_is_told_of_an_object_is_so() {
        let (mut rows, mut deletes) = builders();
        let mut log = DeltaLog::default();
        let page = |body: &str, rows: &mut TableBuilder, deletes: &mut TableBuilder, log: &mut DeltaLog| {
            let context = Context { observed_at: Some("t"), ..Context::default() };
            read_page(body.as_bytes(), &mut DeltaRows { rows, deletes, context, log }).is_ok()
        };
        let first = r#"{"value":[{"id":"z"},{"id":"a","@removed":{}},{"id":"a","displayName":"back"},{"id":"b","@removed":{}},
            {"id":"c","displayName":"new"},{"id":"c","@removed":{}},{"id":"d","displayName":"1"},{"displayName":"none"}]}"#;
        assert!(page(first, &mut rows, &mut deletes, &mut log));
        let second =
            r#"{"value":[{"id":"b","displayName":"back"},{"id":"d","displayName":"2"},{"displayName":"none"}]}"#;
        for end in 1..second.len() {
            assert!(!page(&second[..end], &mut rows, &mut deletes, &mut log), "a broken page leaves nothing");
        }
        assert!(page(second, &mut rows, &mut deletes, &mut log));
        assert_eq!(log.len(), 11);
        let mut handed_on = KeySet::from_iter([key_hash("", "", "z")]);
        log.settle(&mut rows, &mut deletes, Some(&mut handed_on));
        assert_eq!(texts(&rows, "id"), ["a", "", "b", "d", ""]);
        assert_eq!(texts(&rows, "displayName"), ["back", "none", "back", "2", "none"]);
        assert_eq!(texts(&deletes, "id"), ["c"]);
        assert!(log.is_empty() && handed_on.len() == 4);
    }
}
