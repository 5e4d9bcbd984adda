//! Rows of an archive: roots and replies of a team in one table, at times several versions of each.

use super::context::Context;
use super::filter::Filter;
use super::page_rows::{Mark, Rows};
use super::row::{NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::json::{Json, Read};

/// Messages into one table, each version once.
pub struct VersionRows<'a, 'f> {
    builder: &'a mut TableBuilder,
    team: &'a str,
    filter: &'a mut Filter<'f>,
}

impl<'a, 'f> VersionRows<'a, 'f> {
    pub fn new(builder: &'a mut TableBuilder, team: &'a str, filter: &'a mut Filter<'f>) -> Self {
        Self { builder, team, filter }
    }
}

impl Rows for VersionRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.builder.len(), json.position());
        let Some(head) = read_row(self.builder, &mut NoNested, json)? else { return Ok(()) };
        let channel = head.channel();
        let root = head.reply_to().unwrap_or(head.id());
        let version = format!("{root}/{}", head.cursor().unwrap_or_default());
        if self.filter.keep(&head, channel, &version) {
            let raw = self.builder.wants_raw().then(|| json.since(start));
            let context = Context { team: Some(self.team), channel, parent: Some(root), raw, ..Context::default() };
            self.builder.end_row(head.cursor(), &context);
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
