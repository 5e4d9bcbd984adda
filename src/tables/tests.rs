//! The reader against serde_json, and the tables against a plain model, over random and hostile texts.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use teams_base::options::{Extras, Timestamps};

use crate::columns::TextColumn;
use crate::json::Json;
use crate::{
    Column, ColumnType, Context, ExportRows, Filter, KeySet, ListRows, Projection, Source, TableBuilder, ThreadRows,
    find, read_page,
};

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 12] =
            ["a", "Grüße ", "\"", "\\", "\n", "\u{1}", "\u{1F9EA}", "<p>plain text</p>", "青", "/", "\u{2028}", "7"];
        (0..self.below(12)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }
}

fn accepts(text: &str) -> bool {
    let mut json = Json::new(text);
    json.skip().and_then(|()| json.end()).is_ok()
}

fn read_string(text: &str) -> (Option<String>, Option<String>) {
    let borrowed = Json::new(text).string().ok().map(std::borrow::Cow::into_owned);
    let mut column = TextColumn::new();
    let written = Json::new(text).string_into(&mut column).ok().and_then(|()| {
        column.end(0);
        column.get(0).map(str::to_owned)
    });
    (borrowed, written)
}

const PAGE: &str = r#"{"@odata.context":"x","@odata.count":2,"value":[ {"id":"1735381609012","replyToId":null,
    "lastModifiedDateTime":"2025-01-14T00:57:43.871Z","body":{"contentType":"html","content":"a\u00e9\ud83e\uddea\"\\\/\b\f\n\r\t\u0000"},
    "mentions":[{"id":0,"n":-1.5e+3}],"flags":[true,false,null,[],{}],"channelIdentity":{"channelId":"c"} }, {"id":"2"}],"@odata.nextLink":"l"}"#;

#[test]
fn text_is_accepted_where_serde_json_accepts_it() {
    let agree = |text: &str| assert_eq!(accepts(text), serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
    agree(PAGE);
    for end in 0..PAGE.len() {
        agree(&PAGE[..end]);
        for hostile in [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "n", "u", " ", "\u{1}", "é", "\u{feff}", "d8",
        ] {
            agree(&format!("{}{hostile}{}", &PAGE[..end], &PAGE[end..]));
            agree(&format!("{}{hostile}{}", &PAGE[..end], &PAGE[end + 1..]));
        }
    }
    for text in [
        "", " ", "1", "01", "-", "-0", "1.", ".1", "1e", "1e400", "+1", "nul", "nulll", "NaN", "\"", "[1,]", "{,}",
        "[1 2]",
    ] {
        agree(text);
    }
    agree(&"9".repeat(400));
    let deep = "[".repeat(1_000_000);
    assert!(!accepts(&deep) && accepts(&format!("{deep}{}", "]".repeat(1_000_000))));
}

#[test]
fn strings_are_those_of_serde_json() {
    let mut chance = Chance(7);
    for length in 0..3_000 {
        let mut text = chance.text();
        text.push_str(&"x".repeat(length % 80));
        let mut quoted = serde_json::to_string(&text).unwrap();
        if chance.one_in(2) {
            quoted = quoted.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect();
        }
        // What follows must not be taken for a part of it.
        assert_eq!(read_string(&format!("{quoted}{}", "\"\\".repeat(20))), (Some(text.clone()), Some(text)));
    }
}

fn escaped(c: char) -> String {
    let hex = |unit: &mut u16| format!("\\u{unit:04X}");
    c.encode_utf16(&mut [0; 2]).iter_mut().map(hex).collect::<Vec<_>>().concat()
}

#[test]
fn half_an_emoji_costs_one_character() {
    for (text, expected) in [
        (r#""a\ud83eb""#, "a\u{FFFD}b"),
        (r#""\udd2a""#, "\u{FFFD}"),
        (r#""\ud83e\ud83e\uddea""#, "\u{FFFD}\u{1F9EA}"),
        (r#""\ud83e\n""#, "\u{FFFD}\n"),
    ] {
        assert_eq!(read_string(text), (Some(expected.to_owned()), Some(expected.to_owned())));
    }
    for text in [r#""\ud8""#, r#""\u12G4""#, r#""\x""#, "\"\u{1}\"", r#""\"#, r#""\ud83e\u12"#] {
        assert_eq!(read_string(text), (None, None), "{text}");
    }
}

/// A value that may or may not be of a column's kind.
fn some_value(kind: ColumnType, chance: &mut Chance) -> Value {
    if chance.one_in(4) {
        return Value::Null;
    }
    if chance.one_in(15) {
        let odd = [json!("odd"), json!(true), json!(-7), json!(5e300), json!({"odd": [1]}), json!([[], {"a": null}])];
        return odd[chance.below(odd.len())].clone();
    }
    match kind {
        ColumnType::Text | ColumnType::Time => json!(chance.text()),
        ColumnType::Bool => json!(chance.one_in(2)),
        ColumnType::Int | ColumnType::Long => json!(chance.below(2_000) as i64 - 1_000),
        ColumnType::Binary => Value::Null,
        ColumnType::Json => json!({"b": chance.text(), "a": [1, null]}),
        ColumnType::Struct(columns) => some_object(columns, chance),
        ColumnType::List(item) => (0..chance.below(4)).map(|_| some_value(*item, chance)).collect(),
    }
}

fn some_object(columns: &[Column], chance: &mut Chance) -> Value {
    let mut object = Map::new();
    for column in columns {
        if !chance.one_in(6) {
            object.insert(column.name.to_owned(), some_value(column.kind, chance));
        }
    }
    if chance.one_in(3) {
        object.insert("@odata.type".to_owned(), json!("#microsoft.graph.unheardOf"));
    }
    Value::Object(object)
}

/// What a column should hold for a value.
fn expected(kind: ColumnType, value: &Value) -> Value {
    match (kind, value) {
        (ColumnType::Text | ColumnType::Time, Value::String(_)) | (ColumnType::Bool, Value::Bool(_)) => value.clone(),
        (ColumnType::Int | ColumnType::Long, Value::Number(number)) if number.is_i64() => value.clone(),
        (ColumnType::Json, value) if !value.is_null() => json!(value.to_string()),
        (ColumnType::Struct(columns), Value::Object(object)) => columns
            .iter()
            .map(|column| {
                let value = object.get(column.name).map_or(Value::Null, |value| expected(column.kind, value));
                (column.name.to_owned(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        (ColumnType::List(item), Value::Array(items)) => items.iter().map(|value| expected(*item, value)).collect(),
        _ => Value::Null,
    }
}

/// What an array holds in a row.
fn held(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns.map(|(field, column)| (field.name().clone(), held(column, row))).collect::<Map<_, _>>().into()
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|item| held(&items, item)).collect()
        }
        other => panic!("no table has {other}"),
    }
}

fn builder(table: &str, include_raw: bool) -> TableBuilder {
    TableBuilder::new(Projection::new(find(table).unwrap(), None, include_raw).unwrap())
}

fn assert_holds(batch: &RecordBatch, table: &str, items: &[Value]) {
    assert_eq!(batch.num_rows(), items.len());
    for (column, array) in find(table).unwrap().columns.iter().zip(batch.columns()) {
        if column.source != Source::Property {
            continue;
        }
        for (row, item) in items.iter().enumerate() {
            let value = match &item[column.name] {
                // An id's digits are kept: without its key a row is lost.
                Value::Number(digits)
                    if column.kind == ColumnType::Text && ["id", "replyToId", "chatId"].contains(&column.name) =>
                {
                    json!(digits.to_string())
                }
                sent => expected(column.kind, sent),
            };
            assert_eq!(held(array, row), value, "{table}.{} of row {row}", column.name);
        }
    }
}

#[test]
fn every_table_holds_what_a_plain_model_holds() {
    for table in crate::TABLES {
        let mut chance = Chance(table.name.len() as u64 + 1);
        let mut rows = builder(table.name, false);
        for _ in 0..3 {
            let mut items = Vec::new();
            // Pages, so that rows are taken back in between, and batches of an odd number of rows.
            for _ in 0..4 {
                let page: Vec<_> = (0..chance.below(50)).map(|_| some_object(table.columns, &mut chance)).collect();
                let body = json!({"value": page}).to_string();
                let cut = chance.below(body.len());
                let mut filter = Filter::default();
                let mut reader = ListRows::new(&mut rows, Context::default(), &mut filter);
                assert!(read_page(&body.as_bytes()[..cut], &mut reader).is_err());
                assert_eq!(read_page(body.as_bytes(), &mut reader).unwrap().items, page.len());
                items.extend(page);
            }
            assert_holds(&rows.finish(), table.name, &items);
        }
    }
}

#[test]
fn times_become_timestamps_wherever_they_are_and_what_stands_for_none_is_null() {
    let extras = Extras { timestamps: Timestamps::Timestamp, ..Extras::default() };
    let mut rows = TableBuilder::new(Projection::with(find("messages").unwrap(), None, extras).unwrap());
    let body = r#"{"value":[
        {"id":"1","createdDateTime":"2025-01-15T10:30:00.1234567Z","lastModifiedDateTime":"2025-01-15T10:30:00.5Z",
         "reactions":[{"createdDateTime":"2025-01-15T12:30:00+02:00"},{"createdDateTime":null},{"createdDateTime":"soon"}]},
        {"id":"2","createdDateTime":"0001-01-01T00:00:00Z","lastModifiedDateTime":null,"deletedDateTime":7},
        {"id":"3"},
        {"id":"4","createdDateTime":"2024-02-29T23:59:59Z","lastEditedDateTime":""}]}"#;
    let mut filter = Filter::default();
    read_page(body.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
    let batch = rows.finish();
    let times = |name: &str| {
        let column = batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>().clone();
        assert_eq!(column.timezone(), Some("UTC"));
        column.iter().collect::<Vec<_>>()
    };
    let leap = Some(1_709_251_199_000_000);
    assert_eq!(times("createdDateTime"), [Some(1_736_937_000_123_456), None, None, leap]);
    // The cursor is that of the merges: milliseconds, and the time of creation where there is no other.
    assert_eq!(times("lastModifiedDateTime"), [Some(1_736_937_000_500_000), None, None, leap]);
    assert_eq!(times("lastEditedDateTime"), [None; 4]);
    let reactions = batch.column_by_name("reactions").unwrap().as_list::<i32>().value(0);
    let given = reactions.as_struct().column_by_name("createdDateTime").unwrap().clone();
    let given = given.as_primitive::<TimestampMicrosecondType>().iter().collect::<Vec<_>>();
    assert_eq!(given, [Some(1_736_937_000_000_000), None, None]);
    let mut wrong = rows.take_wrong_types();
    wrong.sort_unstable();
    assert_eq!(wrong, [("deletedDateTime", 1), ("lastEditedDateTime", 1), ("reactions", 1)]);
}

#[test]
fn an_export_is_divided_wherever_the_reply_says_so() {
    let mut chance = Chance(99);
    let (mut roots, mut replies) = (builder("messages", true), builder("message_replies", true));
    let (mut expected_roots, mut expected_replies, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..200 {
        let mut item = some_object(find("messages").unwrap().columns, &mut chance);
        let is_reply = chance.one_in(2);
        item["replyToId"] = if is_reply { json!("17") } else { Value::Null };
        item["channelIdentity"] = json!({"teamId": "t", "channelId": format!("c{turn}")});
        // Maps are sorted by key; a leading `zz` puts many properties in front, as a server might.
        let mut text = item.to_string();
        if chance.one_in(3) {
            text = text.replacen('{', r#"{ "z1":{"replyToId":"9"},"z2":[],"z3":1,"z4":"","z5":null,"z6":{},"#, 1);
        }
        texts.push(text);
        if is_reply { &mut expected_replies } else { &mut expected_roots }.push(item);
    }
    let body = format!("{{\"value\":[{}]}}", texts.join(" , "));
    let mut filter = Filter::default();
    let mut rows = ExportRows {
        roots: &mut roots,
        replies: &mut replies,
        wants_roots: true,
        wants_replies: true,
        team: "t",
        filter: &mut filter,
        reply_at: None,
    };
    assert_eq!(read_page(body.as_bytes(), &mut rows).unwrap().items, 200);
    let (roots, replies) = (roots.finish(), replies.finish());
    assert_holds(&roots, "messages", &expected_roots);
    assert_holds(&replies, "message_replies", &expected_replies);
    let raw: Vec<_> = [&roots, &replies]
        .into_iter()
        .flat_map(|batch| batch.column_by_name("_raw").unwrap().as_string::<i32>().iter().flatten())
        .collect();
    assert!(raw.iter().all(|raw| texts.iter().any(|text| text == raw)));
    let parents = replies.column_by_name("parent_message_id").unwrap();
    assert!((0..replies.num_rows()).all(|row| held(parents, row) == json!("17")));
}

#[test]
fn a_key_that_comes_twice_keeps_its_first_value() {
    let mut rows = builder("messages", false);
    let mut filter = Filter::default();
    let body = r#"{"value":[{"id":"1","subject":"a","subject":"b","body":{"content":"c","content":"d"},"body":{"content":"e"},
        "attachments":[],"attachments":[{"id":"x"}]},{"id":"2","subject":"f"}]}"#;
    read_page(body.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
    let batch = rows.finish();
    let at = |name: &str, row| held(batch.column_by_name(name).unwrap(), row);
    assert_eq!((at("subject", 0), at("subject", 1)), (json!("a"), json!("f")));
    assert_eq!(at("body", 0), json!({"contentType": null, "content": "c"}));
    assert_eq!((at("attachments", 0), at("attachments", 1)), (json!([]), Value::Null));
}

#[test]
fn wrong_types_are_counted_and_cost_only_themselves() {
    let mut rows = builder("messages", false);
    let mut filter = Filter::default();
    let body = r#"{"value":[{"id":{},"subject":["x"],"locale":"de","mentions":[{"id":99999999999},{"id":3}]}]}"#;
    read_page(body.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
    assert_eq!(rows.take_wrong_types(), [("id", 1), ("mentions", 1), ("subject", 1)]);
    let batch = rows.finish();
    assert_eq!(held(batch.column_by_name("locale").unwrap(), 0), json!("de"));
    assert_eq!(batch.column_by_name("mentions").unwrap().as_list::<i32>().value(0).len(), 2);
}

#[test]
fn an_id_that_is_a_number_is_still_a_key() {
    let mut rows = builder("messages", false);
    let mut replies = builder("message_replies", false);
    let mut seen = KeySet::default();
    let mut filter = Filter { seen: Some(&mut seen), ..Filter::default() };
    let body = r#"{"value":[{"id":17,"channelIdentity":{"channelId":5}},{"id":18,"replyToId":17,"channelIdentity":{"channelId":"c"}},
        {"subject":"a"},{"id":null,"subject":"b"},{"id":"","subject":"c"},{"id":"19","id":"20"},{"id":"19"},{"id":"19"}]}"#;
    let mut flat = ExportRows {
        roots: &mut rows,
        replies: &mut replies,
        wants_roots: true,
        wants_replies: true,
        team: "t",
        filter: &mut filter,
        reply_at: None,
    };
    read_page(body.as_bytes(), &mut flat).unwrap();
    let (roots, replies) = (rows.finish(), replies.finish());
    let column = |batch: &RecordBatch, name: &str| -> Vec<Value> {
        (0..batch.num_rows()).map(|row| held(batch.column_by_name(name).unwrap(), row)).collect()
    };
    // What has no key repeats nothing; neither do ids of no channel.
    let ids = [json!("17"), Value::Null, Value::Null, json!(""), json!("19"), json!("19"), json!("19")];
    assert_eq!(column(&roots, "id"), ids);
    assert_eq!(column(&roots, "channel_id")[..2], [json!("5"), Value::Null]);
    assert_eq!((column(&replies, "id"), column(&replies, "parent_message_id")), (vec![json!("18")], vec![json!("17")]));
    assert!(rows.take_wrong_types().is_empty());
}

#[test]
fn of_two_versions_on_one_page_the_newest_is_kept() {
    let message = |id: &str, time: &str, subject: &str| {
        json!({"id": id, "chatId": "c", "createdDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTime": time,
               "subject": subject, "channelIdentity": {"teamId": "t", "channelId": "h"}})
    };
    let items = [
        message("a", "2026-01-01T00:00:01Z", "a1"),
        message("b", "2026-01-01T00:00:05Z", "b5"),
        message("a", "2026-01-01T00:00:03Z", "a3"),
        message("b", "2026-01-01T00:00:02Z", "b2"),
        message("a", "2026-01-01T00:00:02Z", "a2"),
        message("c", "2026-01-01T00:00:00Z", "c0"),
        message("c", "2026-01-01T00:00:00Z", "c0 again"),
    ];
    let page = json!({ "value": items }).to_string();
    let subjects = |batch: RecordBatch| {
        let mut found: Vec<String> =
            (0..batch.num_rows()).map(|row| held(batch.column_by_name("subject").unwrap(), row).to_string()).collect();
        found.sort();
        found
    };
    let wanted = ["\"a3\"", "\"b5\"", "\"c0\""];
    let mut seen = KeySet::default();
    let mut rows = builder("chat_messages", false);
    for count in [3, 0] {
        let mut filter = Filter { seen: Some(&mut seen), ..Filter::default() };
        read_page(page.as_bytes(), &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
        assert_eq!(filter.page.keys.len(), count, "what came with a page before stays");
    }
    assert_eq!(subjects(rows.finish()), wanted);
    let (mut roots, mut replies) = (builder("messages", false), builder("message_replies", false));
    let mut seen = KeySet::default();
    let mut filter = Filter { seen: Some(&mut seen), ..Filter::default() };
    let mut threads = ThreadRows::new(&mut roots, &mut replies, (true, true), "t", "h", None, &mut filter);
    read_page(page.as_bytes(), &mut threads).unwrap();
    assert_eq!(subjects(roots.finish()), wanted);
    let mut seen = KeySet::default();
    let mut filter = Filter { seen: Some(&mut seen), ..Filter::default() };
    let (roots, replies) = (&mut roots, &mut replies);
    let filter = &mut filter;
    let mut rows =
        ExportRows { roots, replies, wants_roots: true, wants_replies: true, team: "t", filter, reply_at: None };
    read_page(page.as_bytes(), &mut rows).unwrap();
    assert_eq!(subjects(rows.roots.finish()), wanted);
}

#[test]
fn rows_of_a_broken_page_come_again() {
    let mut rows = builder("messages", false);
    let mut seen = KeySet::default();
    let body = r#"{"value":[{"id":"1","channelIdentity":{"channelId":"c"},"body":{"content":"a"},"mentions":[{"id":0}]},
        {"id":"2","channelIdentity":{"channelId":"c"},"body":{"content":"b"},"mentions":[{"id":1}]}]}"#;
    let mut read = |body: &str| {
        let mut filter = Filter { seen: Some(&mut seen), ..Filter::default() };
        let context = Context { channel: Some("c"), ..Context::default() };
        let page = read_page(body.as_bytes(), &mut ListRows::new(&mut rows, context, &mut filter));
        (page.is_ok(), rows.len())
    };
    for end in 1..body.len() {
        assert_eq!(read(&body[..end]), (false, 0), "{end}");
    }
    assert_eq!(read(body), (true, 2));
    assert_eq!(read(body), (true, 2), "each of them only once");
    let batch = rows.finish();
    let mentions: Vec<_> =
        (0..2).map(|row| held(batch.column_by_name("mentions").unwrap(), row)[0]["id"].clone()).collect();
    assert_eq!(mentions, [json!(0), json!(1)]);
}

#[test]
fn what_is_no_page_says_so() {
    let refuse = |body: &[u8]| {
        let mut rows = builder("messages", false);
        let mut filter = Filter::default();
        let why = read_page(body, &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap_err();
        assert!(rows.is_empty());
        why
    };
    for (body, why) in [
        ("", "an empty body"),
        ("<html>", "markup instead of JSON"),
        (r#"{"error":{"code":"x"}}"#, "an error body with status 200"),
        ("{\"value\":[{\"id\":\"1\"},\n{\"id\"", "JSON that is cut off at line 2 column 6"),
        (r#"{"value":[{"id":"1"},}]}"#, "malformed JSON at line 1 column 22"),
        (r#"{"value":{}}"#, "JSON that is no page of items at line 1 column 10"),
        (r#"{"value":null}"#, "JSON that is no page of items at line 1 column 10"),
        ("{}", "JSON that is no page of items at line 1 column 3"),
        ("[]", "JSON that is no page of items at line 1 column 1"),
        (r#"{"value":[]} x"#, "malformed JSON at line 1 column 14"),
    ] {
        assert_eq!(refuse(body.as_bytes()), why);
    }
    let mut rows = builder("messages", false);
    let mut filter = Filter::default();
    let body = b"{\"value\":[{\"id\":\"1\",\"subject\":\"a\xffb\"},null,[],7]}";
    read_page(body, &mut ListRows::new(&mut rows, Context::default(), &mut filter)).unwrap();
    assert_eq!(held(rows.finish().column_by_name("subject").unwrap(), 0), json!("a\u{FFFD}b"));
}
