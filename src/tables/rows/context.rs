//! The values of derived columns.

use crate::schema::Derived;

/// What an item's surroundings say of it: the values of the derived columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    pub team: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub chat: Option<&'a str>,
    pub parent: Option<&'a str>,
    pub user: Option<&'a str>,
    pub transcript: Option<&'a str>,
    pub group: Option<&'a str>,
    pub item: Option<&'a str>,
    pub observed_at: Option<&'a str>,
    pub raw: Option<&'a str>,
}

impl<'a> Context<'a> {
    pub(crate) fn value(&self, derived: Derived) -> Option<&'a str> {
        match derived {
            Derived::Team => self.team,
            Derived::Channel => self.channel,
            Derived::Chat => self.chat,
            Derived::Parent => self.parent,
            Derived::User => self.user,
            Derived::Transcript => self.transcript,
            Derived::Group => self.group,
            Derived::Item => self.item,
            Derived::ObservedAt => self.observed_at,
            Derived::Raw => self.raw,
        }
    }
}
