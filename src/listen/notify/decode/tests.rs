//! Items as Graph sends them, to rows.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use serde_json::{Value, json};
use teams_base::options::Timestamps;
use teams_base::secret::Secret;
use teams_tables::{Context, Filter, ListRows, TableBuilder, read_page};

use super::*;
use crate::notify::testing::Sealer;

const ROOT: &str = "teams('T1')/channels('19:c@thread.tacv2')/messages('17')";

fn wanted(tables: &[&str]) -> Vec<Wanted> {
    tables
        .iter()
        .map(|table| Wanted { table: (*table).to_owned(), options: TableOptions::default(), columns: None })
        .collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// Decodes items that came a second apart.
fn decode(tables: &[&str], sealer: &Sealer, items: &[Value]) -> Decoded {
    decode_as(&wanted(tables), sealer, items)
}

fn decode_as(wanted: &[Wanted], sealer: &Sealer, items: &[Value]) -> Decoded {
    let texts: Vec<_> = items.iter().map(Value::to_string).collect();
    let items: Vec<_> =
        texts.iter().enumerate().map(|(second, text)| Received { text, arrived: at(second as i64) }).collect();
    Decoder::new(wanted).unwrap().decode(&items, &sealer.ring, Gate::Proven)
}

fn table<'d>(decoded: &'d Decoded, name: &str) -> &'d Filled {
    decoded.tables.iter().find(|filled| filled.projection.table.name == name).unwrap()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn text(batch: &RecordBatch, column: &str) -> Option<String> {
    assert_eq!(batch.num_rows(), 1);
    texts(batch, column).remove(0)
}

fn carried(filled: &Filled, row: usize) -> Option<Vec<String>> {
    let column = filled.changes.column_by_name("_carried").unwrap().as_list::<i32>();
    column.is_valid(row).then(|| {
        let names = column.value(row);
        names.as_string::<i32>().iter().map(|name| name.unwrap().to_owned()).collect()
    })
}

/// A message as Graph shows it, with every property.
fn message(id: &str, modified: &str) -> Value {
    json!({
        "id": id, "etag": "1", "messageType": "message", "createdDateTime": "2026-01-01T00:00:00.5Z",
        "lastModifiedDateTime": modified, "lastEditedDateTime": null, "deletedDateTime": null,
        "importance": "normal", "from": {"user": {"id": "u", "displayName": "Ada"}},
        "body": {"contentType": "html", "content": "<p>hi <at id=\"0\">Bob</at></p>"}, "attachments": [],
        "mentions": [{"id": 0, "mentionText": "Bob", "mentioned": {"user": {"id": "b"}}}],
        "reactions": [{"reactionType": "like", "user": {"user": {"id": "b"}}}], "subject": null, "summary": null,
        "locale": "en-us", "webUrl": "https://x", "chatId": null, "replyToId": null,
        "channelIdentity": {"teamId": "T1", "channelId": "19:c@thread.tacv2"}, "policyViolation": null,
        "eventDetail": null, "messageHistory": [], "replies": [], "hostedContents": [],
    })
}

#[test]
fn rows_are_those_that_reading_gives() {
    let sealer = Sealer::new();
    let options = TableOptions {
        include_raw: true,
        body_text: true,
        timestamps: Timestamps::Timestamp,
        ..TableOptions::default()
    };
    let wanted = [Wanted { table: "messages".to_owned(), options: options.clone(), columns: None }];
    let payload = message("17", "2026-01-02T00:00:00Z");
    let decoded = decode_as(&wanted, &sealer, &[sealer.item("updated", ROOT, &payload)]);
    assert_eq!(decoded.outcomes, [Outcome::Rows]);

    let filled = table(&decoded, "messages");
    let projection = Projection::with(find("messages").unwrap(), None, options.extras()).unwrap();
    assert_eq!(filled.rows.schema(), projection.schema());
    let mut builder = TableBuilder::new(projection);
    let page = json!({"value": [payload]}).to_string();
    let mut filter = Filter::default();
    let context = Context { team: Some("T1"), channel: Some("19:c@thread.tacv2"), ..Context::default() };
    read_page(page.as_bytes(), &mut ListRows::new(&mut builder, context, &mut filter)).unwrap();
    let read = builder.finish();
    for (column, field) in
        read.columns().iter().zip(read.schema().fields()).filter(|(_, field)| field.name() != "body_text")
    {
        assert_eq!(filled.rows.column_by_name(field.name()).unwrap(), column, "{}", field.name());
    }
    assert_eq!(text(&filled.rows, "body_text").as_deref(), Some("hi @Bob"));
    assert_eq!(carried(filled, 0), None, "everything is told");
    assert_eq!(text(&filled.changes, "_change_type").as_deref(), Some("updated"));
    assert_eq!(text(&filled.changes, "_resource").as_deref(), Some(ROOT));
}

#[test]
fn each_kind_of_object_goes_to_its_table_with_keys_from_its_path() {
    let sealer = Sealer::new();
    let tables = ["teams", "channels", "members", "messages", "message_replies", "chats", "chat_messages"];
    let items = [
        sealer.item("created", "teams('T1')", &json!({"id": "T1", "displayName": "One"})),
        sealer.item("Updated", "teams('T1')/channels('19:c')", &json!({"id": "19:c", "displayName": "General"})),
        sealer.item(
            "created",
            "teams/T1/members/M%3D",
            &json!({"id": "M=", "roles": ["Owner"], "displayName": null, "email": null}),
        ),
        sealer.item("created", ROOT, &json!({"id": "17"})),
        sealer.item("created", &format!("{ROOT}/replies('18')"), &json!({"id": "18", "replyToId": "17"})),
        sealer.item("created", "chats('19:h')", &json!({"id": "19:h", "topic": "x", "members": [], "tabs": []})),
        sealer.item("created", "chats('19:h')/messages('5')", &json!({"body": {"content": "x"}})),
    ];
    let decoded = decode(&tables, &sealer, &items);
    assert_eq!(decoded.outcomes, [Outcome::Rows; 7]);
    for (name, keys) in [
        ("teams", vec![("id", "T1")]),
        ("channels", vec![("team_id", "T1"), ("id", "19:c")]),
        ("members", vec![("team_id", "T1"), ("id", "M=")]),
        ("messages", vec![("team_id", "T1"), ("channel_id", "19:c@thread.tacv2"), ("id", "17")]),
        (
            "message_replies",
            vec![("team_id", "T1"), ("channel_id", "19:c@thread.tacv2"), ("parent_message_id", "17"), ("id", "18")],
        ),
        ("chats", vec![("id", "19:h")]),
        ("chat_messages", vec![("chat_id", "19:h"), ("id", "5")]),
    ] {
        let filled = table(&decoded, name);
        let plain = Projection::new(find(name).unwrap(), None, false).unwrap();
        assert_eq!(filled.rows.schema(), plain.schema(), "{name}");
        for (column, value) in keys {
            assert_eq!(text(&filled.rows, column).as_deref(), Some(value), "{name}.{column}");
        }
    }
    let members = table(&decoded, "members");
    let roles = members.rows.column_by_name("roles").unwrap().as_list::<i32>().value(0);
    assert_eq!(roles.as_string::<i32>().value(0), "owner");
    assert_eq!(
        carried(members, 0).unwrap(),
        ["id", "team_id", "roles"],
        "names that Graph does not tell are left alone"
    );
}

#[test]
fn a_part_of_an_object_says_which_columns_it_carries() {
    let sealer = Sealer::new();
    let part = json!({"id": "17", "lastModifiedDateTime": "2026-01-02T00:00:00Z", "subject": null, "new": 1});
    let tables = ["messages", "message_reactions", "hosted_contents", "system_events"];
    let decoded = decode(&tables, &sealer, &[sealer.item("updated", ROOT, &part)]);
    let filled = table(&decoded, "messages");
    let told = ["id", "team_id", "channel_id", "lastModifiedDateTime", "subject"];
    assert_eq!(carried(filled, 0).unwrap(), told, "null is told, and what is absent is not");
    assert_eq!(decoded.tables.len(), 1, "reactions that are not shown have not been taken back");
}

#[test]
fn details_come_with_their_messages() {
    let sealer = Sealer::new();
    let tables = ["message_reactions", "message_mentions", "hosted_contents"];
    let mut bare = message("18", "2026-01-02T00:00:00Z");
    bare["reactions"] = json!([]);
    let items = [
        sealer.item("updated", ROOT, &message("17", "2026-01-02T00:00:00Z")),
        sealer.item("updated", &format!("{ROOT}/replies('18')"), &bare),
    ];
    let decoded = decode(&tables, &sealer, &items);
    assert_eq!(decoded.outcomes, [Outcome::Rows; 2]);
    let reactions = table(&decoded, "message_reactions");
    let plain = Projection::new(find("message_reactions").unwrap(), None, false).unwrap();
    assert_eq!(reactions.rows.schema(), plain.schema());
    assert_eq!(texts(&reactions.rows, "reactionType"), [Some("like".to_owned()), None], "an empty set is told");
    assert_eq!(texts(&reactions.rows, "message_id"), [Some("17".to_owned()), Some("18".to_owned())]);
    assert_eq!(texts(&reactions.rows, "root_message_id"), [Some("17".to_owned()), Some("17".to_owned())]);
    assert_eq!(reactions.changes.num_rows(), 2);
    assert_eq!(texts(&table(&decoded, "message_mentions").rows, "mentionText").len(), 2);
}

#[test]
fn the_newest_version_wins_whatever_the_order() {
    let sealer = Sealer::new();
    let version = |second: u32, etag: &str, subject: &str| {
        let mut payload = message("17", &format!("2026-01-02T00:00:0{second}Z"));
        (payload["etag"], payload["subject"]) = (etag.into(), subject.into());
        sealer.item("updated", ROOT, &payload)
    };
    let items = [version(3, "3", "new"), version(1, "1", "old"), version(3, "2", "tie"), version(2, "2", "older")];
    let decoded = decode(&["messages"], &sealer, &items);
    let older = Outcome::Superseded;
    assert_eq!(decoded.outcomes, [Outcome::Rows, older, older, older]);
    assert_eq!(text(&table(&decoded, "messages").rows, "subject").as_deref(), Some("new"));
    assert_eq!(decoded.counts().total(), 4);
}

#[test]
fn what_is_deleted_is_a_tombstone_with_and_without_content() {
    let sealer = Sealer::new();
    let deleted = |payload: &Value| sealer.item("deleted", ROOT, payload);
    let bare = decode(&["messages", "message_reactions"], &sealer, &[deleted(&Value::Null)]);
    let filled = table(&bare, "messages");
    assert_eq!(text(&filled.rows, "deletedDateTime"), Some(timestamp(at(0))));
    assert_eq!(carried(filled, 0).unwrap(), ["id", "team_id", "channel_id", "deletedDateTime"]);
    assert!(filled.changes.column_by_name("_version").unwrap().is_null(0), "its arrival orders it");
    assert_eq!(bare.tables.len(), 1);

    let mut payload = message("17", "2026-01-02T00:00:00Z");
    let silent = decode(&["messages"], &sealer, &[deleted(&payload)]);
    assert_eq!(text(&table(&silent, "messages").rows, "deletedDateTime"), Some(timestamp(at(0))));
    assert!(table(&silent, "messages").changes.column_by_name("_version").unwrap().is_null(0));
    payload["deletedDateTime"] = "2026-01-03T00:00:00Z".into();
    let dated = decode(&["messages"], &sealer, &[deleted(&payload)]);
    assert_eq!(text(&table(&dated, "messages").rows, "deletedDateTime").as_deref(), Some("2026-01-03T00:00:00Z"));
    assert!(table(&dated, "messages").changes.column_by_name("_version").unwrap().is_valid(0));

    // Made and deleted at once: the row keeps what was written.
    let both = [sealer.item("created", ROOT, &message("17", "2026-01-02T00:00:00Z")), deleted(&Value::Null)];
    let both = decode(&["messages"], &sealer, &both);
    assert_eq!(both.outcomes, [Outcome::Superseded, Outcome::Rows]);
    let filled = table(&both, "messages");
    assert_eq!(text(&filled.rows, "locale").as_deref(), Some("en-us"));
    assert_eq!(text(&filled.changes, "_change_type").as_deref(), Some("deleted"));
    assert_eq!(text(&filled.rows, "deletedDateTime"), Some(timestamp(at(1))));
}

fn timestamp(time: Timestamp) -> String {
    teams_base::timestamp::to_text(time)
}

#[test]
fn a_bad_item_costs_itself_only() {
    let sealer = Sealer::new();
    let good = || sealer.item("created", ROOT, &message("17", "2026-01-02T00:00:00Z"));
    let spoilt = |path: &str, value: Value| {
        let mut item = good();
        *item.pointer_mut(path).unwrap() = value;
        item
    };
    let flipped = |path: &str| {
        let text = good().pointer(path).unwrap().as_str().unwrap().to_owned();
        let other = if text.starts_with('A') { 'B' } else { 'A' };
        spoilt(path, format!("{other}{}", &text[1..]).into())
    };
    let with_content = |content: Value| spoilt("/encryptedContent", content);
    let items = [
        (flipped("/encryptedContent/data"), Outcome::Signature),
        (flipped("/encryptedContent/dataSignature"), Outcome::Signature),
        (spoilt("/encryptedContent/dataSignature", Value::Null), Outcome::Signature),
        (flipped("/encryptedContent/dataKey"), Outcome::Undecryptable),
        (spoilt("/encryptedContent/dataKey", "?".into()), Outcome::Undecryptable),
        (with_content(sealer.seal_with(&[7; 16], "{}")), Outcome::Undecryptable),
        (with_content(sealer.seal_with(&[7; 32], "[]")), Outcome::Content),
        (with_content(sealer.seal_with(&[7; 32], r#"{"id":"another"}"#)), Outcome::Content),
        (with_content(sealer.seal_with(&[7; 32], "no JSON")), Outcome::Content),
        (with_content(Value::Null), Outcome::Unencrypted),
        (spoilt("/resource", "communications/callRecords('x')".into()), Outcome::UnknownKind),
        (spoilt("/changeType", "renamed".into()), Outcome::UnknownKind),
        (spoilt("/resource", Value::Null), Outcome::Malformed),
        (json!(7), Outcome::Malformed),
        (json!({"subscriptionId": "NA", "changeType": "Validation: Testing"}), Outcome::Validation),
        (json!({"subscriptionId": "s", "lifecycleEvent": "missed"}), Outcome::Lifecycle),
        (
            json!({"subscriptionId": "s", "changeType": "created", "additionalPayloadStorageId": "b"}),
            Outcome::Oversized,
        ),
        (good(), Outcome::Rows),
    ];
    let (items, expected): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    let decoded = decode(&["messages"], &sealer, &items);
    assert_eq!(decoded.outcomes, expected);
    assert_eq!((decoded.lifecycle.len(), decoded.oversized.len()), (1, 1));
    assert_eq!(table(&decoded, "messages").rows.num_rows(), 1);

    let mut foreign = good();
    foreign["encryptedContent"]["encryptionCertificateId"] = "gone".into();
    foreign["encryptedContent"]["encryptionCertificateThumbprint"] = "gone".into();
    let mut deleted = foreign.clone();
    deleted["changeType"] = "deleted".into();
    let decoded = decode(&["messages"], &sealer, &[foreign, deleted]);
    assert_eq!(decoded.outcomes, [Outcome::UnknownKey, Outcome::Rows], "that it was deleted is known all the same");
}

#[test]
fn what_is_not_asked_for_is_counted() {
    let sealer = Sealer::new();
    let items = [
        sealer.item("created", ROOT, &message("17", "2026-01-02T00:00:00Z")),
        sealer.item("created", "chats('c')/messages('1')", &json!({"id": "1"})),
    ];
    let options = TableOptions { team_ids: vec!["T2".to_owned()], ..TableOptions::default() };
    let wanted = [Wanted { table: "messages".to_owned(), options, columns: Some(vec!["subject".to_owned()]) }];
    let decoded = decode_as(&wanted, &sealer, &items);
    assert_eq!(decoded.outcomes, [Outcome::Outside; 2]);
    assert!(decoded.tables.is_empty());
    let error = Decoder::new(&self::wanted(&["users"])).err().unwrap().to_string();
    assert!(error.contains("'users'") && error.contains("no notifications"), "{error}");
}

#[test]
fn values_of_a_hub_are_proven_by_their_state() {
    let sealer = Sealer::new();
    let item = sealer.item("created", ROOT, &message("17", "2026-01-02T00:00:00Z"));
    let collection = json!({"value": [item, 7]}).to_string();
    let alone = item.to_string();
    let values = [collection.as_bytes(), alone.as_bytes(), b"\xff", b"{"];
    let items: Vec<_> = values.iter().flat_map(|value| Received::of_value(value, at(0))).collect();
    let decode = |states: &[Secret]| {
        let decoder = Decoder::new(&wanted(&["messages"])).unwrap();
        decoder.decode(&items, &sealer.ring, Gate::States(states)).outcomes
    };
    let (bad, other) = (Outcome::Malformed, Outcome::ClientState);
    assert_eq!(decode(&[]), [Outcome::Superseded, bad, Outcome::Rows, bad, bad]);
    assert_eq!(decode(&[Secret::new("x"), Secret::new("hush")]), decode(&[]));
    assert_eq!(decode(&[Secret::new("x")]), [other, bad, other, bad, bad]);
}

#[test]
fn many_items_are_opened_in_their_order() {
    let sealer = Sealer::new();
    let items: Vec<_> = (0..100)
        .map(|id| sealer.item("created", &format!("chats('c')/messages('{id}')"), &json!({"id": id.to_string()})))
        .collect();
    let decoded = decode(&["chat_messages"], &sealer, &items);
    let ids: Vec<_> = (0..100).map(|id| Some(id.to_string())).collect();
    assert_eq!(texts(&table(&decoded, "chat_messages").rows, "id"), ids);
}

#[test]
fn kept_items_hold_no_secret() {
    let sealer = Sealer::new();
    let text = sealer.item("created", ROOT, &message("17", "2026-01-02T00:00:00Z")).to_string();
    let items = [Received { text: &text, arrived: at(0) }];
    let decoded = Decoder::new(&wanted(&["messages"])).unwrap().decode(&items, &sealer.ring, Gate::Proven);
    let batch = decoded.kept(&items, Some(5));
    assert_eq!(text_of(&batch, "outcome"), "rows");
    assert_eq!(text_of(&batch, "resource"), ROOT);
    let whole = text_of(&batch, "notification");
    assert!(whole.contains("dataKey") && !whole.contains("hush") && !whole.contains("en-us"));
    assert_eq!(kept::empty().schema(), batch.schema());
}

fn text_of(batch: &RecordBatch, column: &str) -> String {
    text(batch, column).unwrap()
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn any_bytes_cost_themselves_only(junk in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), payload in ".{0,100}") {
        let sealer = Sealer::new();
        let mut item = sealer.item("created", ROOT, &json!({"id": "17"}));
        let good = item.to_string();
        item["encryptedContent"] = sealer.seal_with(&[7; 32], &payload);
        let odd = item.to_string();
        let values: [&[u8]; 3] = [&junk, odd.as_bytes(), good.as_bytes()];
        let items: Vec<_> = values.iter().flat_map(|value| Received::of_value(value, at(0))).collect();
        let decoded = Decoder::new(&wanted(&["messages"])).unwrap().decode(&items, &sealer.ring, Gate::Proven);
        proptest::prop_assert_eq!(decoded.outcomes.last(), Some(&Outcome::Rows));
        proptest::prop_assert_eq!(decoded.outcomes.len(), items.len());
    }
}
