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
    /// That time is when the item was created: when it was changed is not known.
    pub is_substitute: bool,
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

    /// Completes the cursor once the item has been read. One without a time gives way to the time of creation, and stays
    /// as it came where that is none either.
    pub(super) fn close(&mut self) {
        let time = |text: &mut Option<Cow<'_, str>>| text.as_mut().and_then(timestamp::pad).filter(timestamp::is_known);
        self.modified = time(&mut self.cursor);
        if self.modified.is_some() {
            return;
        }
        self.modified = time(&mut self.created);
        self.is_substitute = self.modified.is_some();
        if self.is_substitute || self.cursor.is_none() {
            self.cursor = self.created.take();
        }
    }
}
