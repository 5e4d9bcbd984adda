//! Calls, and what meetings leave behind: transcripts and recordings. Metadata, and the text of transcripts where it is asked
//! for.
//!
//! All are snapshots of what Graph shows now: a call record lives 30 days, a recording until it expires. A destination of
//! SCD type 2 keeps what is gone.

use super::messages::IDENTITY;
use crate::schema::{Column, ColumnType, Derived, Meetings, Reading, Table};

/// `api-reference/v1.0/api/callrecords-cloudcommunications-list-callrecords.md` and `resources/callrecords-callrecord.md` of
/// microsoftgraph/microsoft-graph-docs-contrib: <https://learn.microsoft.com/graph/api/callrecords-cloudcommunications-list-callrecords>
pub(super) static CALL_RECORDS: Table = Table {
    name: "call_records",
    description: "Calls and meetings of the last 30 days, which is how long Graph keeps them; start_date bounds their start. \
        SCD type 2 keeps what is older.",
    columns: &[
        Column::text("id"),
        Column::new("version", ColumnType::Int),
        Column::text("type"),
        Column::new("modalities", ColumnType::List(&ColumnType::Text)),
        Column::text("startDateTime"),
        Column::text("endDateTime"),
        Column::cursor("lastModifiedDateTime"),
        Column::text("joinWebUrl"),
        Column::json("organizer"),
        Column::json("organizer_v2"),
        Column::json("participants"),
    ],
    ..Table::of(Reading::Meetings(Meetings::CallRecords))
};

/// `api-reference/v1.0/api/onlinemeeting-getalltranscripts.md` and `resources/calltranscript.md` of the same repository:
/// <https://learn.microsoft.com/graph/api/onlinemeeting-getalltranscripts>
pub(super) static TRANSCRIPTS: Table = Table {
    name: "online_meeting_transcripts",
    description: "Transcripts of the scheduled meetings that users organized, those in channels left out; what was said if \
        transcript_text asks for it. Needs an application access policy for the organizers; not in every national cloud.",
    columns: &[
        Column::derived("user_id", Derived::User),
        Column::text("id"),
        Column::text("meetingId"),
        Column::text("callId"),
        Column::text("contentCorrelationId"),
        Column::text("createdDateTime"),
        Column::text("endDateTime"),
        Column::new("meetingOrganizer", IDENTITY),
        Column::text("transcriptContentUrl"),
        Column::derived("transcript_text", Derived::Transcript),
    ],
    keys: &["user_id", "meetingId", "id"],
    ..Table::of(Reading::Meetings(Meetings::Transcripts))
};

/// `api-reference/v1.0/api/onlinemeeting-getallrecordings.md` of the same repository:
/// <https://learn.microsoft.com/graph/api/onlinemeeting-getallrecordings>
pub(super) static RECORDINGS: Table = Table {
    name: "online_meeting_recordings",
    description: "Recordings of the scheduled meetings that users organized, those in channels left out. \
        Needs an application access policy for the organizers; not in every national cloud.",
    columns: &[
        Column::derived("user_id", Derived::User),
        Column::text("id"),
        Column::text("meetingId"),
        Column::text("callId"),
        Column::text("contentCorrelationId"),
        Column::text("createdDateTime"),
        Column::text("endDateTime"),
        Column::new("meetingOrganizer", IDENTITY),
        Column::text("recordingContentUrl"),
    ],
    keys: &["user_id", "meetingId", "id"],
    ..Table::of(Reading::Meetings(Meetings::Recordings))
};
