//! The tables: each is one declaration.

mod apps;
mod archive;
mod chats;
mod column;
pub mod decode;
mod details;
mod directory;
mod group_mail;
mod list;
mod meetings;
mod messages;
mod people;
pub mod permissions;
mod reports;
mod sharing;
mod shifts;
mod tags;
mod teams;

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde_json::Value;

pub use archive::Archive;
pub use column::{Column, Derived, Kind, Part, Source};
pub use details::{Detail, Takes, detail, set_keys};
pub use list::{List, Parent, Shape};
pub use meetings::Meetings;
pub use reports::Report;

use teams_base::error::{Error, Result};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::options::Extras;

/// How a table's rows relate to the destination's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingestion {
    /// The whole table at each read: what is missing has been deleted.
    Snapshot,
    /// New versions of rows, to be merged by key.
    Cdc,
    /// The same, and deleted keys beside them.
    CdcWithDeletes,
}

impl Ingestion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Cdc => "cdc",
            Self::CdcWithDeletes => "cdc_with_deletes",
        }
    }
}

/// The way a table is read. Tables of one pass share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    Teams,
    /// One list per parent.
    List(&'static List),
    /// Channel messages: roots and replies come out of the same pass.
    ChannelMessages,
    Chats,
    ChatMessages,
    /// A CSV file for the whole tenant.
    Report(&'static Report),
    /// Messages that the lists no longer show.
    Archive(Archive),
    /// Calls, transcripts and recordings.
    Meetings(Meetings),
    /// `/users/delta`, `/groups/delta`.
    DirectoryDelta(DirectoryObject),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryObject {
    Users,
    Groups,
}

impl Reading {
    /// The name of the pass; tables of equal names can be read together.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Teams => "teams",
            Self::List(list) => list.endpoint.template,
            Self::Report(report) => report.endpoint.template,
            Self::ChannelMessages => "channel_messages",
            Self::Chats => "chats",
            Self::ChatMessages => "chat_messages",
            Self::Archive(archive) => archive.table().name,
            Self::Meetings(meetings) => meetings.table().name,
            Self::DirectoryDelta(DirectoryObject::Users) => "users",
            Self::DirectoryDelta(DirectoryObject::Groups) => "groups",
        }
    }

    /// The endpoints that it reads; where options choose between them, the preferred first. Those that only find the
    /// parents are not among them.
    pub fn endpoints(self) -> &'static [&'static Endpoint] {
        match self {
            Self::List(list) => std::slice::from_ref(&list.endpoint),
            Self::Report(report) => std::slice::from_ref(&report.endpoint),
            Self::Teams => const { &[&endpoint::TEAMS, &endpoint::TEAM] },
            Self::ChannelMessages => const { &[&endpoint::TEAM_EXPORT, &endpoint::CHANNEL_MESSAGES] },
            Self::Chats => const { &[&endpoint::USER_CHATS] },
            Self::ChatMessages => const { &[&endpoint::USER_EXPORT, &endpoint::CHAT_MESSAGES] },
            Self::Archive(Archive::Retained) => const { &[&endpoint::TEAM_RETAINED] },
            // The list of deleted teams is the only way to find them.
            Self::Archive(Archive::DeletedTeams) => {
                const { &[&endpoint::DELETED_TEAMS, &endpoint::DELETED_TEAM_EXPORT] }
            }
            Self::Meetings(Meetings::CallRecords) => const { &[&endpoint::CALL_RECORDS] },
            Self::Meetings(Meetings::Transcripts) => const { &[&endpoint::TRANSCRIPTS] },
            Self::Meetings(Meetings::Recordings) => const { &[&endpoint::RECORDINGS] },
            Self::DirectoryDelta(DirectoryObject::Users) => const { &[&endpoint::USERS_DELTA] },
            Self::DirectoryDelta(DirectoryObject::Groups) => const { &[&endpoint::GROUPS_DELTA] },
        }
    }
}

#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub description: &'static str,
    /// Where the rows come from, for the documentation.
    pub endpoint: &'static str,
    pub columns: &'static [Column],
    pub keys: &'static [&'static str],
    pub cursor: Option<&'static str>,
    pub ingestion: Ingestion,
    /// The least privileged application permissions.
    pub permissions: &'static [&'static str],
    /// Which options name or discover what is read, for the documentation; the reader checks them.
    pub required_options: &'static str,
    pub reading: Reading,
}

impl Table {
    /// The endpoints that its rows come from; where options choose between them, the preferred first.
    pub fn endpoints(&self) -> &'static [&'static Endpoint] {
        self.reading.endpoints()
    }
}

/// In the order of the documentation.
pub static TABLES: &[&Table] = &[
    &teams::TEAMS,
    &teams::CHANNELS,
    &teams::MEMBERS,
    &messages::MESSAGES,
    &messages::MESSAGE_REPLIES,
    &chats::CHATS,
    &chats::CHAT_MESSAGES,
    &directory::USERS,
    &directory::GROUPS,
    &people::GROUP_MEMBERS,
    &people::GROUP_OWNERS,
    &people::USER_LICENSES,
    &sharing::CHANNEL_MEMBERS,
    &sharing::SHARED_CHANNEL_MEMBERS,
    &sharing::SHARED_CHANNEL_TEAMS,
    &sharing::INCOMING_CHANNELS,
    &sharing::CHAT_MEMBERS,
    &apps::CHANNEL_TABS,
    &apps::CHAT_TABS,
    &apps::TEAM_APPS,
    &apps::CHAT_APPS,
    &apps::USER_APPS,
    &tags::TEAM_TAGS,
    &tags::TEAM_TAG_MEMBERS,
    &tags::DELETED_TEAMS,
    &shifts::SCHEDULES,
    &shifts::SHIFTS,
    &group_mail::CONVERSATIONS,
    &group_mail::CONVERSATION_THREADS,
    &group_mail::CONVERSATION_POSTS,
    &group_mail::TEAM_DRIVES,
    &reports::TEAM_DEVICE_USAGE_REPORT,
    &details::MESSAGE_REACTIONS,
    &details::MESSAGE_MENTIONS,
    &details::MESSAGE_ATTACHMENTS,
    &details::SYSTEM_EVENTS,
    &details::HOSTED_CONTENTS,
    &details::CHAT_MESSAGE_REACTIONS,
    &details::CHAT_MESSAGE_MENTIONS,
    &details::CHAT_MESSAGE_ATTACHMENTS,
    &details::CHAT_SYSTEM_EVENTS,
    &details::CHAT_HOSTED_CONTENTS,
    &archive::RETAINED_MESSAGES,
    &archive::DELETED_TEAM_MESSAGES,
    &meetings::CALL_RECORDS,
    &meetings::TRANSCRIPTS,
    &meetings::RECORDINGS,
];

/// The `include_raw` column.
static RAW: Column = Column::derived("_raw", Derived::Raw);

/// The `body_text` column.
static BODY_TEXT: Column = Column::detail("body_text", Kind::Text, Part::BodyText);

/// Finds a table by its name.
pub fn find(name: &str) -> Result<&'static Table> {
    TABLES.iter().find(|table| table.name == name).copied().ok_or_else(|| {
        let nearest = TABLES.iter().max_by_key(|table| (strsim::jaro_winkler(table.name, name) * 1000.0) as u32);
        let hint = nearest.map(|table| format!("did you mean '{}'? ", table.name)).unwrap_or_default();
        let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        Error::configuration(format!("table '{name}' is not supported: {hint}Tables are {}", names.join(", ")))
    })
}

/// A table with what the caller chose of it.
#[derive(Debug, Clone)]
pub struct Projection {
    pub table: &'static Table,
    pub columns: Vec<&'static Column>,
}

impl Projection {
    /// All columns, or the named ones in the order of `names`.
    pub fn new(table: &'static Table, names: Option<&[String]>, include_raw: bool) -> Result<Self> {
        Self::with(table, names, Extras { raw: include_raw, body_text: false })
    }

    /// The same with the columns that options add.
    pub fn with(table: &'static Table, names: Option<&[String]>, extras: Extras) -> Result<Self> {
        let has_body = table.columns.iter().any(|column| column.name == "body" && column.source == Source::Property);
        let body_text = (extras.body_text && has_body).then_some(&BODY_TEXT);
        let all = || table.columns.iter().chain(body_text).chain(extras.raw.then_some(&RAW));
        let columns = match names {
            None => all().collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    all().find(|column| column.name == name).ok_or_else(|| {
                        Error::configuration(format!(
                            "column '{name}' is not in table '{}': its columns are {}",
                            table.name,
                            all().map(|column| column.name).collect::<Vec<_>>().join(", ")
                        ))
                    })
                })
                .collect::<Result<_>>()?,
        };
        Ok(Self { table, columns })
    }

    /// The keys and the cursor: what is known of a deleted row.
    pub fn keys_and_cursor(table: &'static Table) -> Self {
        let wanted = |column: &&Column| table.keys.contains(&column.name) || table.cursor == Some(column.name);
        Self { table, columns: table.columns.iter().filter(wanted).collect() }
    }

    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(|column| column.field()).collect::<Vec<_>>()))
    }

    /// The schema in the format of Spark's `StructType.fromJson`.
    pub fn spark(&self) -> Value {
        column::spark_struct(self.columns.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_cursor_is_a_column() {
        for table in TABLES {
            let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
            for key in table.keys {
                assert!(names.contains(key), "{}.{key}", table.name);
            }
            assert_eq!(table.cursor.is_some(), table.ingestion != Ingestion::Snapshot, "{}", table.name);
            assert!(table.cursor.is_none_or(|cursor| names.contains(&cursor)), "{}", table.name);
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names.len(), "{} repeats a column", table.name);
        }
    }

    #[test]
    fn the_endpoints_are_those_of_the_documentation() {
        for table in TABLES {
            let documented = table.endpoint.split("GET ").skip(1);
            let documented: Vec<_> = documented.filter_map(|part| part.split([' ', ',', ';', '?']).next()).collect();
            let endpoints: Vec<_> = table.endpoints().iter().map(|endpoint| endpoint.template).collect();
            assert_eq!(endpoints, documented, "{}", table.name);
        }
    }

    #[test]
    fn a_list_is_keyed_by_its_parent_and_says_where_it_comes_from() {
        for table in TABLES {
            let Reading::List(list) = table.reading else { continue };
            let derived = |column: &&Column| matches!(column.source, Source::Derived(_));
            let parents: Vec<&Column> = table.columns.iter().filter(derived).collect();
            let sources: Vec<_> = parents.iter().map(|column| column.source).collect();
            let wanted: Vec<_> = list.parent.columns().into_iter().map(Source::Derived).collect();
            assert_eq!(sources, wanted, "{}", table.name);
            let keys: Vec<_> = parents.iter().map(|column| column.name).chain(["id"]).collect();
            assert_eq!(keys, table.keys, "{}", table.name);
            assert_eq!(table.ingestion, Ingestion::Snapshot, "{}", table.name);
            let (path, _) = table.endpoint.split_once('?').unwrap_or((table.endpoint, ""));
            assert_eq!(path, format!("GET {}", list.endpoint.template), "{}", table.name);
            assert_eq!(list.endpoint.template.matches("{id}").count(), parents.len(), "{}", table.name);
            assert!(table.permissions.contains(&list.endpoint.permission), "{}", table.name);
            assert!(TABLES.iter().filter(|other| other.reading == table.reading).count() == 1, "{}", table.name);
        }
    }

    #[test]
    fn what_is_selected_is_what_the_columns_take() {
        for table in TABLES {
            let Reading::List(list) = table.reading else { continue };
            let Some((_, select)) = list.query.iter().find(|(name, _)| *name == "$select") else { continue };
            let mut selected: Vec<_> = select.split(',').collect();
            let properties = table.columns.iter().filter(|column| column.source == Source::Property);
            let mut columns: Vec<_> = properties.map(|column| column.name).collect();
            selected.sort_unstable();
            columns.sort_unstable();
            assert_eq!(selected, columns, "{}", table.name);
        }
    }

    #[test]
    fn an_unknown_table_offers_the_nearest() {
        let message = find("mesages").unwrap_err().to_string();
        assert!(message.contains("did you mean 'messages'"), "{message}");
    }

    #[test]
    fn a_projection_keeps_the_order_asked_for() {
        let table = find("teams").unwrap();
        let projection = Projection::new(table, Some(&["webUrl".into(), "id".into()]), false).unwrap();
        assert_eq!(
            projection.schema().fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>(),
            ["webUrl", "id"]
        );
        assert!(Projection::new(table, Some(&["nope".into()]), false).is_err());
        assert!(Projection::new(table, None, true).unwrap().columns.iter().any(|column| column.name == "_raw"));
    }
}
