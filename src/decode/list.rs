//! Rows of a plain list: one item, one row.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::builder::{Context, TableBuilder};
use super::filter::Filter;
use super::row::{Head, Mark, NoNested, Rows, read_row};
use super::salvage;

/// Items into one table.
pub struct ListRows<'a, 'f> {
    pub builder: &'a mut TableBuilder,
    /// Where the tombstones of a delta query go.
    pub deletes: Option<&'a mut TableBuilder>,
    pub context: Context<'a>,
    pub filter: &'a mut Filter<'f>,
    head: Head,
}

impl<'a, 'f> ListRows<'a, 'f> {
    pub fn new(builder: &'a mut TableBuilder, context: Context<'a>, filter: &'a mut Filter<'f>) -> Self {
        Self { builder, deletes: None, context, filter, head: Head::default() }
    }

    fn end(&mut self, mark: usize, is_object: bool, raw: Option<&str>) {
        let head = &self.head;
        let context = Context { chat: self.context.chat.or(head.chat.as_deref()), raw, ..self.context };
        if is_object && head.removed {
            self.builder.truncate(mark);
            if let Some(deletes) = &mut self.deletes {
                deletes.append_tombstone(&head.id, &context);
            }
        } else if is_object
            && self.filter.keep(
                head,
                context.channel.or(context.chat).unwrap_or_default(),
                context.parent.unwrap_or_default(),
            )
        {
            self.builder.end_row(head.cursor.as_deref(), &context);
        } else {
            self.builder.truncate(mark);
        }
    }
}

impl Rows for ListRows<'_, '_> {
    fn read<'de, D: Deserializer<'de>>(&mut self, item: D) -> Result<(), D::Error> {
        let mark = self.builder.len();
        let is_object = read_row(self.builder, &mut self.head, &mut NoNested, item)?;
        self.end(mark, is_object, None);
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.builder.len(), self.deletes.as_ref().map_or(0, |deletes| deletes.len()))
    }

    fn truncate(&mut self, mark: Mark) {
        self.builder.truncate(mark.0);
        if let Some(deletes) = &mut self.deletes {
            deletes.truncate(mark.1);
        }
    }

    fn forget(&mut self) {
        self.filter.forget();
    }

    fn wants_raw(&self) -> bool {
        self.builder.wants_raw()
    }

    fn read_raw(&mut self, text: &str) -> serde_json::Result<()> {
        let mark = self.builder.len();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let is_object = read_row(self.builder, &mut self.head, &mut NoNested, &mut deserializer)?;
        self.end(mark, is_object, Some(text));
        Ok(())
    }

    fn salvage(&mut self, text: &str) {
        let mark = self.builder.len();
        let is_object = salvage::row(self.builder, &mut self.head, &mut NoNested, text);
        self.end(mark, is_object, Some(text));
    }
}

/// Items as they were sent, for what has to be asked about each of them first.
#[derive(Default)]
pub struct RawItems {
    pub items: Vec<Box<RawValue>>,
}

impl Rows for RawItems {
    fn read<'de, D: Deserializer<'de>>(&mut self, item: D) -> Result<(), D::Error> {
        self.items.push(Box::<RawValue>::deserialize(item)?);
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.items.len(), 0)
    }

    fn truncate(&mut self, mark: Mark) {
        self.items.truncate(mark.0);
    }

    fn forget(&mut self) {}

    fn wants_raw(&self) -> bool {
        false
    }

    fn read_raw(&mut self, text: &str) -> serde_json::Result<()> {
        self.items.push(serde_json::from_str(text)?);
        Ok(())
    }

    fn salvage(&mut self, _: &str) {}
}
