//! What an item says of itself that decides whether and where it becomes a row.

use std::borrow::Cow;

use teams_base::timestamp;

/// Properties of an item that the readers look at, whether or not their columns were asked for.
#[derive(Debug, Default)]
pub struct Head<'t> {
    pub(super) id: Option<Cow<'t, str>>,
    pub(super) reply_to: Option<Cow<'t, str>>,
    /// The cursor's text, padded.
    pub(super) cursor: Option<Cow<'t, str>>,
    pub(super) created: Option<Cow<'t, str>>,
    pub(super) channel: Option<Cow<'t, str>>,
    pub(super) chat: Option<Cow<'t, str>>,
    /// The cursor's time, where it is one.
    pub modified: Option<jiff::Timestamp>,
    /// `@removed`: a tombstone of a delta query.
    pub removed: bool,
}

impl Head<'_> {
    /// Empty where the item has none.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The root that a reply belongs to.
    pub fn reply_to(&self) -> Option<&str> {
        self.reply_to.as_deref().filter(|id| !id.is_empty())
    }

    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// `channelId` of `channelIdentity`.
    pub fn channel(&self) -> Option<&str> {
        self.channel.as_deref().filter(|id| !id.is_empty())
    }

    pub fn chat(&self) -> Option<&str> {
        self.chat.as_deref()
    }

    /// Completes the cursor once the item has been read.
    pub(super) fn close(&mut self) {
        self.cursor = self.cursor.take().or_else(|| self.created.take());
        self.modified = self.cursor.as_mut().and_then(timestamp::pad);
    }
}
