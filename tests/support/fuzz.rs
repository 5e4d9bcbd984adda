//! What is fuzzed, shared by the cargo-fuzz targets and by `tests/decode`, which replays the seeds on the stable
//! toolchain. A target panics when a promise is broken.
#![allow(dead_code, reason = "each fuzz target uses its own function")]

use serde_json::{Value, json};
use teams_base::error::Error;
use teams_base::options::{Strictness, TableOptions, Timestamps, parse_connection, parse_table};
use teams_client::classify::classify;
use teams_client::{ErrorBody, Headers, Idempotency, Link};
use teams_deliver::card::{Clock, Template, check};
use teams_ingest::{Offset, Parsed};
use teams_listen::notify::decode::{Decoder, Gate, Received, Wanted};
use teams_listen::notify::keys::KeyRing;
use teams_listen::notify::outcome::Outcome;
use teams_listen::notify::resource::Resource;
use teams_tables::{
    Context, DeltaLog, DeltaRows, ExportRows, Filter, ListRows, Projection, Rows, TABLES, Table, TableBuilder,
    ThreadRows, find, read_item, read_page,
};
use url::Url;

pub type Target = fn(&[u8]);

/// By the name of the folder of seeds.
pub const ALL: [(&str, Target); 7] = [
    ("pages", pages),
    ("links", links),
    ("errors", errors),
    ("offsets", offsets),
    ("options", options),
    ("cards", cards),
    ("notifications", notifications),
];

/// More than this no card may become, whatever its template and its data.
const LARGEST_CARD: usize = 16 << 20;

/// A template and the data that is bound into it, with a line break between them; what is no JSON is taken for an
/// expression.
pub fn cards(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (Some(template), values) = (parts.next(), parts.next().unwrap_or(b"{}")) else { return };
    let template = serde_json::from_slice::<Value>(template).unwrap_or_else(|_| {
        json!({"type": "AdaptiveCard", "version": "1.5", "body": [
            {"type": "TextBlock", "text": format!("${{{}}}", String::from_utf8_lossy(template))},
        ]})
    });
    let values = serde_json::from_slice::<Value>(values).unwrap_or_default();
    check(&template);
    let Ok(template) = Template::parse(&template) else { return };
    template.columns();
    let expand = || template.expand(&values, &Value::Null, &mut Clock::new(0));
    let expanded = expand();
    assert_eq!(expanded, expand(), "the same twice");
    if let Ok(card) = expanded {
        assert!(card.to_string().len() < LARGEST_CARD);
        check(&card);
    }
}

/// Something that a hub held, beside a notification that must not be lost for it.
pub fn notifications(data: &[u8]) {
    const GOOD: &[u8] =
        br#"{"value":[{"subscriptionId":"s","changeType":"deleted","resource":"chats('c')/messages('good')"}]}"#;
    let wanted =
        ["teams", "channels", "members", "messages", "message_replies", "chats", "chat_messages", "message_reactions"];
    let wanted =
        wanted.map(|table| Wanted { table: table.to_owned(), options: TableOptions::default(), columns: None });
    let decoder = Decoder::new(&wanted).expect("tables that are pushed");
    let arrived = jiff::Timestamp::UNIX_EPOCH;
    let mut items = Received::of_value(data, arrived);
    items.extend(Received::of_value(GOOD, arrived));
    let found = decoder.decode(&items, &KeyRing::given(Vec::new()), Gate::States(&[]));
    assert_eq!(found.counts().total(), items.len() as u64, "every item is counted");
    assert!(matches!(found.outcomes.last(), Some(Outcome::Rows | Outcome::Superseded)), "a good neighbour survives");
    for table in &found.tables {
        assert_eq!(table.rows.num_rows(), table.changes.num_rows());
    }
    assert_eq!(found.kept(&items, None).num_rows(), items.len());
    if let Some(resource) = Resource::parse(&String::from_utf8_lossy(data)) {
        assert!(!resource.id().is_empty());
    }
}

const GOOD: &[u8] = br#"{"value":[{"id":"good","subject":"good"}]}"#;

fn builder(table: &'static Table, raw: bool) -> TableBuilder {
    TableBuilder::new(Projection::new(table, None, raw).expect("all columns"))
}

/// The high bits that read a plain list: sixteen tables each.
pub const LISTS: [u8; 5] = [0x00, 0x40, 0x50, 0x60, 0x70];

/// The first byte picks the table, with or without `_raw`, and how messages are read; the rest is the page.
pub fn pages(data: &[u8]) {
    let Some((&choice, page)) = data.split_first() else { return };
    let raw = choice & 0x80 != 0;
    match choice & 0x70 {
        0x10 | 0x20 => messages(page, raw, choice & 0x20 != 0),
        0x30 => item(page, raw),
        high => {
            let block = LISTS.iter().position(|list| *list == high).unwrap_or_default();
            list(TABLES[(block * 16 + usize::from(choice & 0x0f)) % TABLES.len()], page, raw);
        }
    }
}

fn list(table: &'static Table, page: &[u8], raw: bool) {
    let context = Context { team: Some("t"), channel: Some("c"), observed_at: Some("o"), ..Context::default() };
    let mut rows = builder(table, raw);
    let mut filter = Filter::default();
    let read = twice(page, &mut ListRows::new(&mut rows, context, &mut filter));
    check_held(read, rows.len());
    finish(rows, None);
    let (mut rows, mut deletes) =
        (builder(table, raw), TableBuilder::new(Projection::keys_and_cursor(table, Timestamps::Text)));
    let mut log = DeltaLog::default();
    let read = twice(page, &mut DeltaRows { rows: &mut rows, deletes: &mut deletes, context, log: &mut log });
    let held = rows.len() + deletes.len();
    check_held(read, held);
    assert_eq!(log.len(), held);
    log.settle(&mut rows, &mut deletes, None);
    assert!((1..held).contains(&(rows.len() + deletes.len())), "an object that came twice is told of once");
    finish(rows, None);
    deletes.finish();
}

fn check_held(read: Result<usize, String>, held: usize) {
    match read {
        Ok(items) => assert!(held <= items + 2, "{held} rows of {items} items"),
        Err(_) => assert_eq!(held, 2, "a refused page leaves nothing behind"),
    }
}

fn messages(page: &[u8], raw: bool, is_export: bool) {
    let [mut roots, mut replies] =
        ["messages", "message_replies"].map(|name| builder(find(name).expect("a table"), raw));
    let mut filter = Filter::default();
    let result = if is_export {
        let mut rows = ExportRows {
            roots: &mut roots,
            replies: &mut replies,
            wants_roots: true,
            wants_replies: true,
            team: "t",
            filter: &mut filter,
            reply_at: None,
        };
        twice(page, &mut rows)
    } else {
        let bound = "2020-01-01T00:00:00Z".parse().ok();
        let mut rows = ThreadRows::new(&mut roots, &mut replies, (true, true), "t", "c", bound, &mut filter);
        twice(page, &mut rows)
    };
    if result.is_err() {
        assert_eq!((roots.len(), replies.len()), (2, 0), "a refused page leaves nothing behind");
    }
    finish(roots, Some("t"));
    finish(replies, Some("t"));
}

/// A page between two good ones.
fn twice<R: Rows>(page: &[u8], rows: &mut R) -> Result<usize, String> {
    read_page(GOOD, rows).expect("a good page");
    let result = read_page(page, rows).map(|page| page.items);
    read_page(GOOD, rows).expect("a good page");
    result
}

fn item(text: &[u8], raw: bool) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut rows = builder(find("messages").expect("a table"), raw);
    let mut filter = Filter::default();
    let mut list = ListRows::new(&mut rows, Context { team: Some("t"), ..Context::default() }, &mut filter);
    read_item(text, &mut list);
    read_page(GOOD, &mut list).expect("a good page");
    assert!((1..=2).contains(&rows.len()));
    finish(rows, Some("t"));
}

/// Making a batch checks every column against the schema and against each other; the last row is the good page's.
fn finish(mut rows: TableBuilder, team: Option<&str>) {
    use arrow_array::Array;
    let batch = rows.finish();
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_any().downcast_ref::<arrow_array::StringArray>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let Some(last) = batch.num_rows().checked_sub(1) else { return };
    if text("id", 0).as_deref() == Some("good") {
        assert_eq!(text("id", last).as_deref(), Some("good"));
        if batch.column_by_name("subject").is_some() {
            assert_eq!(text("subject", last).as_deref(), Some("good"), "rows are mixed up");
        }
    }
    if team.is_some() {
        assert!((0..=last).all(|row| text("team_id", row).as_deref() == team));
    }
}

/// A link that is followed leads to Graph, whatever a URL parser makes of it.
pub fn links(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for base in ["https://graph.microsoft.com", "http://127.0.0.1:8480"] {
        let base = Url::parse(base).expect("an address");
        let Ok(link) = Link::check(text, &base) else { continue };
        let url = link.url();
        assert_eq!((url.scheme(), url.host_str(), url.port()), (base.scheme(), base.host_str(), base.port()));
        assert!(url.username().is_empty() && url.password().is_none());
        assert!(link.as_str().starts_with(base.as_str()), "{}", link.as_str());
        assert!(Link::check(link.as_str(), &base).is_ok_and(|again| again == link), "a link survives an offset");
        assert_eq!(format!("{link:?}"), format!("Link({}?..)", url.path()), "the query is never shown");
    }
}

/// Error bodies and headers: short, one line, nothing that grants access.
pub fn errors(data: &[u8]) {
    let body = ErrorBody::parse(data);
    for text in [&body.code, &body.message] {
        assert!(text.chars().count() <= 330 && !text.chars().any(char::is_control), "{text:?}");
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices("bearer ") {
            let rest = lower[at + 7..].trim_start();
            // A shortened text ends with dots, be it within the word that stands for a token.
            let shown = rest.trim_end_matches("...");
            assert!(rest.starts_with("[redacted]") || "[redacted]".starts_with(shown), "{text:?}");
        }
        assert!(!text.contains("$skiptoken=a"), "{text:?}");
    }
    ErrorBody::is_error(data);
    let text = String::from_utf8_lossy(data).into_owned();
    let headers = Headers::pick(|_| Some(text.clone()));
    let wait = headers.wait();
    assert!(wait.is_none_or(|wait| wait.as_secs_f64() >= 0.0));
    for status in [200, 302, 401, 403, 404, 429, 500, 503] {
        classify(Idempotency::Safe, status, &headers, data);
    }
}

/// An offset is refused with a word of advice, or survives its own text.
pub fn offsets(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Offset::parse(text) {
        Ok(Parsed::Offset(offset)) => {
            let written = offset.to_text();
            let Ok(Parsed::Offset(again)) = Offset::parse(&written) else { panic!("{written} is not read again") };
            assert_eq!(again, offset);
            assert_eq!(again.to_text(), written, "equal offsets are equal texts");
        }
        Ok(Parsed::Start | Parsed::Foreign) => {}
        Err(error) => assert!(matches!(error, Error::Configuration(_)), "{error}"),
    }
}

/// Lines of `name=value`. A refusal is a `ConfigurationError` of one line, and shows no secret.
pub fn options(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let pairs: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        match parse_connection(pairs.clone(), strictness) {
            Ok((config, warnings)) => {
                let shown = format!("{config:?} {warnings:?}");
                for (name, value) in &pairs {
                    let is_elsewhere = pairs.iter().any(|(other, text)| other != name && text.contains(value.as_str()));
                    let is_secret = name == "client_secret" && value.len() >= 24 && !is_elsewhere;
                    assert!(!is_secret || !shown.contains(value.as_str()), "{shown}");
                }
            }
            Err(error) => assert!(matches!(error, Error::Configuration(_)), "{error}"),
        }
        if let Err(error) = parse_table(pairs.clone(), strictness) {
            assert!(matches!(error, Error::Configuration(_)), "{error}");
        }
    }
}
