//! What groups have beside their teams: the mail of the group's mailbox, and document libraries.

use teams_base::graph::endpoint::{Endpoint, RateClass};

use super::keys::{GROUP_ID, TEAM_ID};
use crate::schema::{Column, ColumnType, Derived, List, Parent, Table};

const RECIPIENT: ColumnType = ColumnType::Struct(&[Column::new(
    "emailAddress",
    ColumnType::Struct(&[Column::text("name", "The person's name."), Column::text("address", "The mail address.")]),
    "The mailbox of a sender or recipient.",
)]);
const MAIL: &str = "Group-Conversation.Read.All";
const NO_MAILBOX: &str = "Only Microsoft 365 groups have a mailbox";

/// <https://learn.microsoft.com/graph/api/group-list-conversations>
pub(super) static CONVERSATIONS: Table = Table {
    name: "conversations",
    description: "The mail conversations of Microsoft 365 groups.",
    columns: &[
        GROUP_ID,
        Column::text("id", "The id of the conversation."),
        Column::text("topic", "The conversation's subject."),
        Column::bool("hasAttachments", "Whether any post has attachments."),
        Column::time("lastDeliveredDateTime", "When the last post came."),
        Column::texts("uniqueSenders", "Everyone who has posted."),
        Column::text("preview", "The beginning of the last post."),
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
        GROUP_ID,
        Column::text("id", "The id of the thread."),
        Column::text("topic", "The thread's subject."),
        Column::bool("hasAttachments", "Whether any post has attachments."),
        Column::time("lastDeliveredDateTime", "When the last post came."),
        Column::texts("uniqueSenders", "Everyone who has posted."),
        Column::text("preview", "The beginning of the last post."),
        Column::bool("isLocked", "Whether nobody can reply any more."),
        Column::new("toRecipients", ColumnType::List(&RECIPIENT), "Who the thread is addressed to."),
        Column::new("ccRecipients", ColumnType::List(&RECIPIENT), "Who gets copies of the thread."),
    ],
    ..Table::list(&THREADS)
};

/// <https://learn.microsoft.com/graph/api/conversationthread-list-posts>
pub(super) static CONVERSATION_POSTS: Table = Table {
    name: "conversation_posts",
    description: "The posts of groups' mail threads: one request per thread.",
    columns: &[
        GROUP_ID,
        Column::derived("thread_id", Derived::Item, "The id of the thread that the post belongs to."),
        Column::text("id", "The id of the post."),
        Column::time("createdDateTime", "When the post was written."),
        Column::time("lastModifiedDateTime", "When the post last changed."),
        Column::time("receivedDateTime", "When the group received the post."),
        Column::text("changeKey", "The post's version, as an opaque text."),
        Column::texts("categories", "The categories that the post was put into."),
        Column::bool("hasAttachments", "Whether the post has attachments."),
        Column::new(
            "body",
            ColumnType::Struct(&[
                Column::text("contentType", "Whether the content is html or text."),
                Column::text("content", "The content itself."),
            ]),
            "What the post says.",
        ),
        Column::new("from", RECIPIENT, "The mailbox that the post is from."),
        Column::new("sender", RECIPIENT, "The mailbox that sent it, which may be a delegate's."),
        Column::new("newParticipants", ColumnType::List(&RECIPIENT), "Who was added to the thread by this post."),
        Column::text("conversationId", "The id of the conversation."),
        Column::text("conversationThreadId", "The id of the thread."),
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
    Column::long("total", "The space that the library may take.").in_unit("bytes"),
    Column::long("used", "The space in use.").in_unit("bytes"),
    Column::long("remaining", "The space that is left.").in_unit("bytes"),
    Column::long("deleted", "The space that the recycle bin takes.").in_unit("bytes"),
    Column::text("state", "How full it is: normal, nearing, critical or exceeded."),
]);

/// <https://learn.microsoft.com/graph/api/drive-list>
pub(super) static TEAM_DRIVES: Table = Table {
    name: "team_drives",
    description: "The document libraries of teams, with their quotas.",
    columns: &[
        TEAM_ID,
        Column::text("id", "The id of the document library."),
        Column::text("name", "The library's name."),
        Column::text("description", "What the library is for."),
        Column::text("driveType", "The kind of drive; documentLibrary for teams."),
        Column::text("webUrl", "The link that opens the library."),
        Column::time("createdDateTime", "When the library was made."),
        Column::time("lastModifiedDateTime", "When the library last changed."),
        Column::json("createdBy", "Who made the library, as an identity set."),
        Column::json("lastModifiedBy", "Who changed the library last, as an identity set."),
        Column::json("owner", "Who owns the library, as an identity set."),
        Column::new("quota", QUOTA, "The library's space."),
    ],
    ..Table::list(&List::new(Parent::Team, &Endpoint::get("/groups/{id}/drives", RateClass::Other, "Files.Read.All")))
};
