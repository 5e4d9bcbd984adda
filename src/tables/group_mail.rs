//! What groups have beside their teams: the mail of the group's mailbox, and document libraries.

use super::list::{GROUPS, List, Parent, TEAMS};
use super::{Column, Derived, Ingestion, Kind, Reading, Table};
use teams_base::graph::endpoint::{Endpoint, RateClass};

const RECIPIENT: Kind =
    Kind::Struct(&[Column::new("emailAddress", Kind::Struct(&[Column::text("name"), Column::text("address")]))]);
const MAIL: &str = "Group-Conversation.Read.All";
const MAIL_PERMISSIONS: &[&str] = &["Group.ReadBasic.All", MAIL];
const NO_MAILBOX: &str = "Only Microsoft 365 groups have a mailbox";

/// <https://learn.microsoft.com/graph/api/group-list-conversations>
pub(super) static CONVERSATIONS: Table = Table {
    name: "conversations",
    description: "The mail conversations of Microsoft 365 groups.",
    endpoint: "GET /groups/{id}/conversations",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::text("id"),
        Column::text("topic"),
        Column::bool("hasAttachments"),
        Column::text("lastDeliveredDateTime"),
        Column::new("uniqueSenders", Kind::List(&Kind::Text)),
        Column::text("preview"),
    ],
    keys: &["group_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: MAIL_PERMISSIONS,
    required_options: GROUPS,
    reading: Reading::List(&List {
        prerequisites: NO_MAILBOX,
        ..List::new(
            Parent::MailGroup,
            &Endpoint { template: "/groups/{id}/conversations", class: RateClass::Mailbox, permission: MAIL },
        )
    }),
};

/// The recipients come only when they are selected.
static THREADS: List = List {
    query: &[(
        "$select",
        "id,topic,hasAttachments,lastDeliveredDateTime,uniqueSenders,preview,isLocked,toRecipients,ccRecipients",
    )],
    prerequisites: NO_MAILBOX,
    ..List::new(
        Parent::MailGroup,
        &Endpoint { template: "/groups/{id}/threads", class: RateClass::Mailbox, permission: MAIL },
    )
};

/// <https://learn.microsoft.com/graph/api/group-list-threads>: one list per group, not one per conversation.
pub(super) static CONVERSATION_THREADS: Table = Table {
    name: "conversation_threads",
    description: "The threads of groups' mail conversations, with their recipients.",
    endpoint: "GET /groups/{id}/threads",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::text("id"),
        Column::text("topic"),
        Column::bool("hasAttachments"),
        Column::text("lastDeliveredDateTime"),
        Column::new("uniqueSenders", Kind::List(&Kind::Text)),
        Column::text("preview"),
        Column::bool("isLocked"),
        Column::new("toRecipients", Kind::List(&RECIPIENT)),
        Column::new("ccRecipients", Kind::List(&RECIPIENT)),
    ],
    keys: &["group_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: MAIL_PERMISSIONS,
    required_options: GROUPS,
    reading: Reading::List(&THREADS),
};

/// <https://learn.microsoft.com/graph/api/conversationthread-list-posts>
pub(super) static CONVERSATION_POSTS: Table = Table {
    name: "conversation_posts",
    description: "The posts of groups' mail threads: one request per thread.",
    endpoint: "GET /groups/{id}/threads/{id}/posts",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::derived("thread_id", Derived::Item),
        Column::text("id"),
        Column::text("createdDateTime"),
        Column::text("lastModifiedDateTime"),
        Column::text("receivedDateTime"),
        Column::text("changeKey"),
        Column::new("categories", Kind::List(&Kind::Text)),
        Column::bool("hasAttachments"),
        Column::new("body", Kind::Struct(&[Column::text("contentType"), Column::text("content")])),
        Column::new("from", RECIPIENT),
        Column::new("sender", RECIPIENT),
        Column::new("newParticipants", Kind::List(&RECIPIENT)),
        Column::text("conversationId"),
        Column::text("conversationThreadId"),
    ],
    keys: &["group_id", "thread_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: MAIL_PERMISSIONS,
    required_options: GROUPS,
    reading: Reading::List(&List {
        stops_at: Some(100),
        prerequisites: NO_MAILBOX,
        ..List::new(
            Parent::Item(&THREADS),
            &Endpoint { template: "/groups/{id}/threads/{id}/posts", class: RateClass::Mailbox, permission: MAIL },
        )
    }),
};

/// In bytes.
const QUOTA: Kind = Kind::Struct(&[
    Column::new("total", Kind::Long),
    Column::new("used", Kind::Long),
    Column::new("remaining", Kind::Long),
    Column::new("deleted", Kind::Long),
    Column::text("state"),
]);

/// <https://learn.microsoft.com/graph/api/drive-list>
pub(super) static TEAM_DRIVES: Table = Table {
    name: "team_drives",
    description: "The document libraries of teams, with their quotas.",
    endpoint: "GET /groups/{id}/drives",
    columns: &[
        Column::derived("team_id", Derived::Team),
        Column::text("id"),
        Column::text("name"),
        Column::text("description"),
        Column::text("driveType"),
        Column::text("webUrl"),
        Column::text("createdDateTime"),
        Column::text("lastModifiedDateTime"),
        Column::json("createdBy"),
        Column::json("lastModifiedBy"),
        Column::json("owner"),
        Column::new("quota", QUOTA),
    ],
    keys: &["team_id", "id"],
    cursor: None,
    ingestion: Ingestion::Snapshot,
    permissions: &["Team.ReadBasic.All", "Files.Read.All"],
    required_options: TEAMS,
    reading: Reading::List(&List::new(
        Parent::Team,
        &Endpoint { template: "/groups/{id}/drives", class: RateClass::Other, permission: "Files.Read.All" },
    )),
};
