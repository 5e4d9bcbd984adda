//! An item on its way in.

use jiff::Timestamp;

use crate::notify::item::Collection;
use teams_base::text::without_mark;

/// An item, and when it came.
#[derive(Debug, Clone, Copy)]
pub struct Received<'t> {
    pub text: &'t str,
    pub arrived: Timestamp,
}

impl<'t> Received<'t> {
    /// The items of a value of a hub, each with its time. What is no notification is one item that is malformed.
    pub fn of_value(value: &'t [u8], arrived: Timestamp) -> Vec<Self> {
        let text = std::str::from_utf8(without_mark(value)).unwrap_or_default();
        match Collection::read_value(text) {
            Some(collection) => collection.items.iter().map(|item| Self { text: item.get(), arrived }).collect(),
            None => vec![Self { text: "", arrived }],
        }
    }
}
