//! Columns that a row's own item does not hold: what it belongs to, and when it was seen.

use crate::schema::{Column, ColumnType, Derived};

pub(super) const TEAM_ID: Column =
    Column::derived("team_id", Derived::Team, "The id of the team, which is its group's id too.");
pub(super) const CHANNEL_ID: Column = Column::derived("channel_id", Derived::Channel, "The id of the channel.");
pub(super) const CHAT_ID: Column = Column::derived("chat_id", Derived::Chat, "The id of the chat.");
pub(super) const USER_ID: Column =
    Column::derived("user_id", Derived::User, "The Entra ID object id of the person it was read for.");
pub(super) const GROUP_ID: Column = Column::derived("group_id", Derived::Group, "The Entra ID object id of the group.");
pub(super) const OBSERVED_AT: Column = Column {
    kind: ColumnType::Time,
    ..Column::derived("observed_at", Derived::ObservedAt, "When the connector saw this version.")
};
