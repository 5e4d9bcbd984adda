//! Rows of an archive: roots and replies of a team in one table, at times several versions of each.

use super::builder::{Context, TableBuilder};
use super::filter::Filter;
use super::json::{Json, Read};
use super::row::{Head, Mark, NoNested, Rows, read_row};

/// Messages into one table, each version once.
pub struct VersionRows<'a, 'f> {
    builder: &'a mut TableBuilder,
    team: &'a str,
    filter: &'a mut Filter<'f>,
    head: Head,
}

impl<'a, 'f> VersionRows<'a, 'f> {
    pub fn new(builder: &'a mut TableBuilder, team: &'a str, filter: &'a mut Filter<'f>) -> Self {
        Self { builder, team, filter, head: Head::default() }
    }
}

impl Rows for VersionRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.builder.len(), json.position());
        let is_object = read_row(self.builder, &mut self.head, &mut NoNested, json)?;
        let channel = self.head.channel();
        let root = self.head.reply_to().unwrap_or(self.head.id());
        let version = format!("{root}/{}", self.head.cursor().unwrap_or_default());
        if is_object && self.filter.keep(&self.head, channel, &version) {
            let raw = self.builder.wants_raw().then(|| json.since(start));
            let context = Context { team: Some(self.team), channel, parent: Some(root), raw, ..Context::default() };
            self.builder.end_row(self.head.cursor(), &context);
        } else {
            self.builder.truncate(mark);
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.builder.len(), 0)
    }

    fn truncate(&mut self, mark: Mark) {
        self.builder.truncate(mark.0);
    }

    fn forget(&mut self) {
        self.filter.forget();
    }
}
