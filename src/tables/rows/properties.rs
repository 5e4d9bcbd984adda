//! What each property of an item is read for: its column, or a decision about the row.

use crate::json::ObjectKeys;
use crate::schema::{Projection, Source};

/// What a property is read for, beside its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Column,
    Id,
    ReplyTo,
    Cursor,
    Created,
    Chat,
    ChannelIdentity,
    Removed,
    Replies,
    RepliesLink,
    RepliesCount,
}

/// The properties that are read whether or not they have a column.
pub(crate) const USES: [(&str, Use); 11] = [
    ("id", Use::Id),
    ("replyToId", Use::ReplyTo),
    ("lastModifiedDateTime", Use::Cursor),
    ("lastUpdatedDateTime", Use::Cursor),
    ("createdDateTime", Use::Created),
    ("chatId", Use::Chat),
    ("channelIdentity", Use::ChannelIdentity),
    ("@removed", Use::Removed),
    ("replies", Use::Replies),
    ("replies@odata.nextLink", Use::RepliesLink),
    ("replies@odata.count", Use::RepliesCount),
];

/// What each property of an item is read for, and the column it fills.
pub(crate) struct Properties {
    pub(crate) keys: ObjectKeys,
    uses: Vec<(Use, Option<usize>)>,
}

impl Properties {
    pub(super) fn new(projection: &Projection) -> Self {
        let mut names: Vec<_> = USES.iter().map(|(name, _)| *name).collect();
        let mut uses: Vec<_> = USES.iter().map(|(_, usage)| (*usage, None)).collect();
        for (index, column) in projection.columns.iter().enumerate() {
            // The cursor is filled when the row ends, because it may fall back on another property.
            let property = match column.source {
                Source::Property => column.name,
                Source::Named(property) => property,
                Source::Cursor | Source::Derived(_) | Source::Detail(_) => continue,
            };
            if let Some(place) = names.iter().position(|name| *name == property) {
                uses[place].1 = Some(index);
            } else {
                names.push(property);
                uses.push((Use::Column, Some(index)));
            }
        }
        Self { keys: ObjectKeys::new(names.into_iter()), uses }
    }

    /// What a key is read for, and its column.
    pub(crate) fn get(&self, key: usize) -> (Use, Option<usize>) {
        self.uses.get(key).copied().unwrap_or((Use::Column, None))
    }
}
