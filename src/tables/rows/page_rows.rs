//! What a page is read into.

use crate::json::{Json, Read};

/// Something that takes the items of a page, one after the other.
pub trait Rows {
    /// Reads one item. Whatever the item is, the builders end up with whole rows, unless the text is malformed.
    fn read(&mut self, json: &mut Json<'_>) -> Read<()>;

    /// The state to come back to if the page turns out to be broken.
    fn mark(&self) -> Mark;

    /// Takes rows back, whole ones and the one in progress.
    fn truncate(&mut self, mark: Mark);

    /// Forgets what was noted of the page, because it is going to be read again.
    fn forget(&mut self);

    /// Whether the page has to be read again, because it holds newer versions of items behind older ones.
    fn begin_newest(&mut self) -> bool {
        false
    }
}

/// How many rows each builder held.
#[derive(Debug, Clone, Copy)]
pub struct Mark(pub usize, pub usize);
