//! Items kept as text.

use serde_json::value::RawValue;

use super::page_rows::{Mark, Rows};
use crate::json::{FaultKind, Json, Read};

/// Items as they were sent, each of which needs requests of its own before it becomes rows.
#[derive(Default)]
pub struct RawItems {
    pub items: Vec<Box<RawValue>>,
}

impl Rows for RawItems {
    fn read(&mut self, json: &mut Json<'_>) -> Read<()> {
        let text = json.raw()?;
        self.items.push(raw_item(text, json)?);
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark(self.items.len(), 0)
    }

    fn truncate(&mut self, mark: Mark) {
        self.items.truncate(mark.0);
    }

    fn forget(&mut self) {}
}

/// The text of an item that has been read.
pub(super) fn raw_item(text: &str, json: &mut Json<'_>) -> Read<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).or_else(|_| json.fail(FaultKind::Syntax))
}
