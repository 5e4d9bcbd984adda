//! Rows of a plain list: one item, one row.

use super::context::Context;
use super::filter::Filter;
use super::head::Head;
use super::page_rows::{Mark, Rows};
use super::row::{NoNested, read_row};
use super::table_builder::TableBuilder;
use crate::json::{Json, Read};

/// Items into one table.
pub struct ListRows<'a, 'f> {
    pub builder: &'a mut TableBuilder,
    pub context: Context<'a>,
    pub filter: &'a mut Filter<'f>,
}

impl<'a, 'f> ListRows<'a, 'f> {
    pub fn new(builder: &'a mut TableBuilder, context: Context<'a>, filter: &'a mut Filter<'f>) -> Self {
        Self { builder, context, filter }
    }

    fn is_kept(&mut self, head: &Head<'_>) -> bool {
        // Most lists are of no conversation.
        let keys = self.builder.projection().table.keys;
        let none = || (!keys.contains(&"channel_id") && !keys.contains(&"chat_id")).then_some("");
        let conversation = self.context.channel.or(self.context.chat).or(head.chat()).or_else(none);
        self.filter.keep(head, conversation, self.context.parent.unwrap_or_default())
    }
}

impl Rows for ListRows<'_, '_> {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        json.peek()?;
        let (mark, start) = (self.builder.len(), json.position());
        let Some(head) = read_row(self.builder, &mut NoNested, json)? else { return Ok(()) };
        if !head.removed && self.is_kept(&head) {
            let raw = self.builder.wants_raw().then(|| json.since(start));
            let context = Context { chat: self.context.chat.or(head.chat()), raw, ..self.context };
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

    fn begin_newest(&mut self) -> bool {
        self.filter.begin_newest()
    }
}
