//! What all declarations have in common.

use arrow_schema::{DataType, TimeUnit};
use teams_base::graph::permissions::alternatives;
use teams_base::options::{Extras, Timestamps};

use super::{TABLES, find};
use crate::schema::{Column, ColumnType, Ingestion, Projection, Reading, Source};

#[test]
fn every_key_and_cursor_is_a_column() {
    for table in TABLES {
        assert!(!table.name.is_empty() && !table.description.is_empty() && !table.keys.is_empty());
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

/// Every column and nested field, with its path.
fn walk(path: &str, columns: &[Column], seen: &mut dyn FnMut(&str, &Column)) {
    for column in columns {
        let path = format!("{path}.{}", column.name);
        seen(&path, column);
        let mut kind = &column.kind;
        while let ColumnType::List(item) = kind {
            kind = item;
        }
        if let ColumnType::Struct(fields) = kind {
            walk(&path, fields, seen);
        }
    }
}

#[test]
fn every_column_has_a_sentence_a_source_and_where_it_counts_a_unit() {
    let extras = Extras { raw: true, body_text: true, timestamps: Timestamps::Timestamp };
    for table in TABLES {
        let columns: Vec<_> = Projection::with(table, None, extras).unwrap().columns.into_iter().copied().collect();
        walk(table.name, &columns, &mut |path, column| {
            let text = column.description;
            assert!(
                text.starts_with(char::is_uppercase) && text.ends_with('.') && text.contains(' '),
                "{path}: {text}"
            );
            assert!(!column.source.documented(column.name).is_empty(), "{path}");
            assert!(column.kind != ColumnType::Long || column.unit().is_some(), "{path} is a number of what?");
        });
    }
}

#[test]
fn what_graph_calls_a_time_is_declared_as_one() {
    for table in TABLES {
        walk(table.name, table.columns, &mut |path, column| {
            let is_named_so = column.name.ends_with("DateTime") || column.name == "observed_at";
            assert_eq!(column.kind == ColumnType::Time, is_named_so, "{path}");
        });
    }
}

#[test]
fn comments_and_types_reach_arrow_and_spark() {
    let extras = Extras { timestamps: Timestamps::Timestamp, ..Extras::default() };
    let projection = Projection::with(find("team_drives").unwrap(), None, extras).unwrap();
    let schema = projection.schema();
    let created = schema.field_with_name("createdDateTime").unwrap();
    assert_eq!(created.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    assert_eq!(created.metadata()["comment"], "When the library was made (UTC).");
    let DataType::Struct(quota) = schema.field_with_name("quota").unwrap().data_type() else { panic!() };
    assert_eq!(quota[1].metadata()["comment"], "The space in use (bytes).");
    let spark = projection.spark();
    assert_eq!(spark["fields"][6]["type"], "timestamp");
    assert_eq!(spark["fields"][6]["metadata"]["comment"], "When the library was made (UTC).");
}

#[test]
fn the_endpoints_are_those_of_the_documentation() {
    for table in TABLES {
        let text = table.documented_endpoint();
        let documented = text.split("GET ").skip(1);
        let documented: Vec<_> = documented.filter_map(|part| part.split([' ', ',', ';', '?']).next()).collect();
        let endpoints: Vec<_> = table.endpoints().iter().map(|endpoint| endpoint.template).collect();
        assert_eq!(endpoints, documented, "{}", table.name);
    }
}

#[test]
fn a_list_is_keyed_by_its_parent() {
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
        assert_eq!(list.endpoint.template.matches("{id}").count(), parents.len(), "{}", table.name);
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
    assert_eq!(projection.schema().fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>(), ["webUrl", "id"]);
    assert!(Projection::new(table, Some(&["nope".into()]), false).is_err());
    assert!(Projection::new(table, None, true).unwrap().columns.iter().any(|column| column.name == "_raw"));
}

#[test]
fn the_permissions_are_those_of_discovery_and_then_the_tables_own() {
    for (table, permissions) in [
        ("teams", &["Team.ReadBasic.All", "TeamSettings.Read.All"][..]),
        ("channels", &["Team.ReadBasic.All", "Channel.ReadBasic.All"]),
        ("message_replies", &["Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All"]),
        ("chat_messages", &["User.ReadBasic.All", "Chat.Read.All"]),
        ("chat_members", &["User.ReadBasic.All", "Chat.ReadBasic.All"]),
        ("team_tag_members", &["Team.ReadBasic.All", "TeamworkTag.Read.All"]),
        // What reads members of groups lists the groups too.
        ("group_members", &["GroupMember.Read.All"]),
        ("conversation_posts", &["Group.ReadBasic.All", "Group-Conversation.Read.All"]),
        ("deleted_team_messages", &["Team.ReadBasic.All", "ChannelMessage.Read.All"]),
        ("call_records", &["CallRecords.Read.All"]),
    ] {
        assert_eq!(find(table).unwrap().permissions(), permissions, "{table}");
    }
}

#[test]
fn nothing_stands_in_for_itself_and_reading_messages_has_no_stand_in() {
    for permission in TABLES.iter().flat_map(|table| table.permissions()) {
        let others = alternatives(permission);
        assert!(!others.contains(&permission), "{permission}");
    }
    assert!(alternatives("ChannelMessage.Read.All").is_empty());
}
