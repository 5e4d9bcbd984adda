//! The `body` of a message that has been read.

use crate::columns::{Path, path};
use crate::schema::Projection;

/// A field of the message's `body`, as a path from the message.
pub(super) fn body_field(message: &Projection, field: &str) -> Option<Path> {
    let at = message.columns.iter().position(|column| column.name == "body")?;
    let mut whole = vec![at];
    whole.extend(path(&message.columns[at].kind, &[field])?);
    Some(whole)
}
