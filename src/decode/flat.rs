//! Rows of an export: roots and replies of a whole team, told apart by `replyToId`.

use serde::de::Deserializer;

use super::builder::{Context, TableBuilder};
use super::filter::Filter;
use super::row::{Head, Mark, NoNested, Rows, read_row};
use super::salvage;

/// Messages into two tables.
pub struct FlatRows<'a, 'f> {
    pub roots: &'a mut TableBuilder,
    pub replies: &'a mut TableBuilder,
    pub wants_roots: bool,
    pub wants_replies: bool,
    pub team: &'a str,
    pub filter: &'a mut Filter<'f>,
    pub head: Head,
}

impl FlatRows<'_, '_> {
    fn end(&mut self, mark: usize, is_object: bool, raw: Option<&str>) {
        let channel = self.head.channel_id().unwrap_or_default();
        let parent = self.head.reply_to.as_deref().unwrap_or_default();
        if !is_object || !self.filter.keep(&self.head, &channel, parent) {
            self.roots.truncate(mark);
            return;
        }
        let context = Context {
            team: Some(self.team),
            channel: Some(&channel),
            parent: self.head.reply_to.as_deref(),
            raw,
            ..Context::default()
        };
        let is_reply = self.head.reply_to.is_some();
        if is_reply && !self.wants_replies || !is_reply && !self.wants_roots {
            self.roots.truncate(mark);
            return;
        }
        self.roots.end_row(self.head.cursor.as_deref(), &context);
        if is_reply {
            self.roots.move_last_row(self.replies, &context);
        }
    }
}

impl Rows for FlatRows<'_, '_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, item: D) -> Result<(), D::Error> {
        let mark = self.roots.len();
        let is_object = read_row(self.roots, &mut self.head, &mut NoNested, item)?;
        self.end(mark, is_object, None);
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.roots.len(), self.replies.len())
    }

    fn truncate(&mut self, mark: Mark) {
        self.roots.truncate(mark.0);
        self.replies.truncate(mark.1);
    }

    fn forget(&mut self) {
        self.filter.forget();
    }

    fn wants_raw(&self) -> bool {
        self.roots.wants_raw()
    }

    fn read_raw(&mut self, text: &str) -> serde_json::Result<()> {
        let mark = self.roots.len();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let is_object = read_row(self.roots, &mut self.head, &mut NoNested, &mut deserializer)?;
        self.end(mark, is_object, Some(text));
        Ok(())
    }

    fn salvage(&mut self, text: &str) {
        let mark = self.roots.len();
        let is_object = salvage::row(self.roots, &mut self.head, &mut NoNested, text);
        self.end(mark, is_object, Some(text));
    }
}
