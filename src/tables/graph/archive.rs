//! Messages that the lists no longer show: what retention keeps of edited and deleted ones, and those of deleted teams.
//!
//! Both are snapshots. When an older version became retained is nowhere said, and its own time is that of its making, so that
//! no filter on it finds what is new.

use super::messages::ARCHIVE_COLUMNS;
use crate::schema::{Archive, Reading, Table};

/// <https://learn.microsoft.com/graph/api/channel-getallretainedmessages>
pub(super) static RETAINED_MESSAGES: Table = Table {
    name: "retained_messages",
    description: "Channel messages as retention keeps them: a row for each version, edited and deleted ones included. \
        Needs a Purview retention policy for Teams; of private channels only what changed after their storage was migrated.",
    columns: ARCHIVE_COLUMNS,
    keys: &["team_id", "channel_id", "root_message_id", "id", "lastModifiedDateTime"],
    ..Table::of(Reading::Archive(Archive::Retained))
};

/// <https://learn.microsoft.com/graph/api/deletedteam-getallmessages>
pub(super) static DELETED_TEAM_MESSAGES: Table = Table {
    name: "deleted_team_messages",
    description: "The messages of teams that were deleted and can still be restored, roots and replies.",
    columns: ARCHIVE_COLUMNS,
    keys: &["team_id", "channel_id", "root_message_id", "id"],
    ..Table::of(Reading::Archive(Archive::DeletedTeams))
};
