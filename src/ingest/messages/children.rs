//! The children of a parent: the channels of a team, the chats of a user.

use std::sync::Arc;

use jiff::Timestamp;

use crate::context::ReadContext;
use crate::discover::{channels, chats};
use crate::state::discovery_cache::Key;
use crate::state::round_kind::{Family, RoundKind};
use crate::state::work_item::WorkItem;
use teams_base::error::Result;

/// Lists an item's children, unless it has them or an earlier step of the round that began at `until` has listed them.
pub async fn list(context: &ReadContext, family: Family, until: Timestamp, item: &mut WorkItem) -> Result<()> {
    if item.children.is_none() {
        let (parent, _) = item.ids();
        let key = Key { kind: RoundKind::Messages(family), options: Arc::clone(&context.options), until };
        item.children = Some(match (context.discovered.children(&key, parent), family) {
            (Some(children), _) => children,
            (None, Family::Channels) => {
                let (channels, is_doubtful) = channels::of_team(context, parent).await?;
                item.is_doubtful = is_doubtful;
                channels.into()
            }
            (None, Family::Chats) => chats::of_user(context, parent).await?.into(),
        });
    }
    Ok(())
}
