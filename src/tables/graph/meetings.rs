//! Calls, and what meetings leave behind: transcripts and recordings. Metadata, and the text of transcripts where it is asked
//! for.
//!
//! All are snapshots of what Graph shows now: a call record lives 30 days, a recording until it expires. A destination of
//! SCD type 2 keeps what is gone.

use super::keys::USER_ID;
use super::messages::IDENTITY;
use crate::schema::{Column, Derived, Meetings, Reading, Table};

/// `api-reference/v1.0/api/callrecords-cloudcommunications-list-callrecords.md` and `resources/callrecords-callrecord.md` of
/// microsoftgraph/microsoft-graph-docs-contrib: <https://learn.microsoft.com/graph/api/callrecords-cloudcommunications-list-callrecords>
pub(super) static CALL_RECORDS: Table = Table {
    name: "call_records",
    description: "Calls and meetings of the last 30 days, which is how long Graph keeps them; start_date bounds their start. \
        SCD type 2 keeps what is older.",
    columns: &[
        Column::text("id", "The id of the call record."),
        Column::int("version", "The version of the record, which rises as data comes in late."),
        Column::text("type", "Whether it was a groupCall or peerToPeer."),
        Column::texts("modalities", "What was used: audio, video, videoBasedScreenSharing, data, screenSharing."),
        Column::time("startDateTime", "When the first person joined."),
        Column::time("endDateTime", "When the last person left."),
        Column::cursor("lastModifiedDateTime", "When the record last changed."),
        Column::text("joinWebUrl", "The meeting's join link; null for calls without one."),
        Column::json("organizer", "Who organized the call, as an identity set."),
        Column::json("organizer_v2", "Who organized the call, with endpoint and client."),
        Column::json("participants", "Who took part, as a list of identity sets."),
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
        USER_ID,
        Column::text("id", "The id of the transcript."),
        Column::text("meetingId", "The id of the meeting."),
        Column::text("callId", "The id of the call in which it was made."),
        Column::text("contentCorrelationId", "What the recording and the transcript of one call share."),
        Column::time("createdDateTime", "When transcription began."),
        Column::time("endDateTime", "When transcription ended."),
        Column::new("meetingOrganizer", IDENTITY, "Who organized the meeting."),
        Column::text("transcriptContentUrl", "The address of the transcript's content."),
        Column::derived(
            "transcript_text",
            Derived::Transcript,
            "What was said, as WebVTT; null unless transcript_text is asked for.",
        ),
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
        USER_ID,
        Column::text("id", "The id of the recording."),
        Column::text("meetingId", "The id of the meeting."),
        Column::text("callId", "The id of the call in which it was made."),
        Column::text("contentCorrelationId", "What the recording and the transcript of one call share."),
        Column::time("createdDateTime", "When the recording began."),
        Column::time("endDateTime", "When the recording ended."),
        Column::new("meetingOrganizer", IDENTITY, "Who organized the meeting."),
        Column::text("recordingContentUrl", "The address of the recording's content."),
    ],
    keys: &["user_id", "meetingId", "id"],
    ..Table::of(Reading::Meetings(Meetings::Recordings))
};
