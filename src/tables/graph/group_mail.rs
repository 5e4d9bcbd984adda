//! What groups have beside their teams: the mail of the group's mailbox, and document libraries.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use crate::schema::{Column, ColumnType, Derived, List, Parent, Table};

const RECIPIENT: ColumnType = ColumnType::Struct(&[Column::new(
    "emailAddress",
    ColumnType::Struct(&[Column::text("name"), Column::text("address")]),
)]);
const MAIL: &str = "Group-Conversation.Read.All";
const NO_MAILBOX: &str = "Only Microsoft 365 groups have a mailbox";

/// <https://learn.microsoft.com/graph/api/group-list-conversations>
pub(super) static CONVERSATIONS: Table = Table {
    name: "conversations",
    description: "The mail conversations of Microsoft 365 groups.",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::text("id"),
        Column::text("topic"),
        Column::bool("hasAttachments"),
        Column::text("lastDeliveredDateTime"),
        Column::new("uniqueSenders", ColumnType::List(&ColumnType::Text)),
        Column::text("preview"),
    ],
    ..Table::list(&List {
        prerequisites: NO_MAILBOX,
        ..List::new(Parent::MailGroup, &Endpoint::get("/groups/{id}/conversations", RateClass::Mailbox, MAIL))
    })
};

/// The recipients come only when they are selected.
static THREADS: List = List {
    query: &[(
        "$select",
        "id,topic,hasAttachments,lastDeliveredDateTime,uniqueSenders,preview,isLocked,toRecipients,ccRecipients",
    )],
    prerequisites: NO_MAILBOX,
    ..List::new(Parent::MailGroup, &Endpoint::get("/groups/{id}/threads", RateClass::Mailbox, MAIL))
};

/// <https://learn.microsoft.com/graph/api/group-list-threads>: one list per group, not one per conversation.
pub(super) static CONVERSATION_THREADS: Table = Table {
    name: "conversation_threads",
    description: "The threads of groups' mail conversations, with their recipients.",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::text("id"),
        Column::text("topic"),
        Column::bool("hasAttachments"),
        Column::text("lastDeliveredDateTime"),
        Column::new("uniqueSenders", ColumnType::List(&ColumnType::Text)),
        Column::text("preview"),
        Column::bool("isLocked"),
        Column::new("toRecipients", ColumnType::List(&RECIPIENT)),
        Column::new("ccRecipients", ColumnType::List(&RECIPIENT)),
    ],
    ..Table::list(&THREADS)
};

/// <https://learn.microsoft.com/graph/api/conversationthread-list-posts>
pub(super) static CONVERSATION_POSTS: Table = Table {
    name: "conversation_posts",
    description: "The posts of groups' mail threads: one request per thread.",
    columns: &[
        Column::derived("group_id", Derived::Group),
        Column::derived("thread_id", Derived::Item),
        Column::text("id"),
        Column::text("createdDateTime"),
        Column::text("lastModifiedDateTime"),
        Column::text("receivedDateTime"),
        Column::text("changeKey"),
        Column::new("categories", ColumnType::List(&ColumnType::Text)),
        Column::bool("hasAttachments"),
        Column::new("body", ColumnType::Struct(&[Column::text("contentType"), Column::text("content")])),
        Column::new("from", RECIPIENT),
        Column::new("sender", RECIPIENT),
        Column::new("newParticipants", ColumnType::List(&RECIPIENT)),
        Column::text("conversationId"),
        Column::text("conversationThreadId"),
    ],
    keys: &["group_id", "thread_id", "id"],
    ..Table::list(&List {
        stops_at: Some(100),
        prerequisites: NO_MAILBOX,
        ..List::new(Parent::Item(&THREADS), &Endpoint::get("/groups/{id}/threads/{id}/posts", RateClass::Mailbox, MAIL))
    })
};

/// In bytes.
const QUOTA: ColumnType = ColumnType::Struct(&[
    Column::new("total", ColumnType::Long),
    Column::new("used", ColumnType::Long),
    Column::new("remaining", ColumnType::Long),
    Column::new("deleted", ColumnType::Long),
    Column::text("state"),
]);

/// <https://learn.microsoft.com/graph/api/drive-list>
pub(super) static TEAM_DRIVES: Table = Table {
    name: "team_drives",
    description: "The document libraries of teams, with their quotas.",
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
    ..Table::list(&List::new(Parent::Team, &Endpoint::get("/groups/{id}/drives", RateClass::Other, "Files.Read.All")))
};
