//! Page bytes to Arrow, beside parsers that only parse: megabytes per second, and CPU seconds per million messages.
//!
//! `cargo bench --package teams-benches` prints one JSON object. The pages are the emulator's, fetched once and
//! kept in memory. The contenders take turns, and the median of several turns counts.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use arrow_schema::{DataType, Field, Fields, Schema};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use teams_emulator::{Emulator, EmulatorConfig};
use teams_tables::{ExportRows, Filter, Projection, TableBuilder, ThreadRows, find, read_page};

/// As in the reader: a batch is closed at this many rows or bytes.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 512 << 10;

/// One measurement is one long read, which goes over the pages several times: the processor's clock ticks coarsely on some
/// systems.
const PASSES: usize = 10;

/// The longest text of a message, in words: as the emulator has it, and one that brings messages to some 2.6 KB.
const SHORT: usize = 23;
const LONG: usize = 480;

/// A name, and what it does with pages: it returns the rows it made, or none.
type Contender = (&'static str, fn(&Pages) -> usize);

/// Pages of one endpoint, and how many messages they hold.
struct Pages {
    bodies: Vec<Vec<u8>>,
    rows: usize,
}

impl Pages {
    /// The bodies of one measurement.
    fn bodies(&self) -> impl Iterator<Item = &Vec<u8>> {
        (0..PASSES).flat_map(|_| &self.bodies)
    }

    fn bytes(&self) -> usize {
        self.bodies.iter().map(Vec::len).sum()
    }
}

pub fn run() {
    let turns = std::env::var("BENCH_TURNS").ok().and_then(|turns| turns.parse().ok()).unwrap_or(7);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut results = serde_json::Map::new();
    let (export, lists) = runtime.block_on(fetch(SHORT));
    let (long_export, _) = runtime.block_on(fetch(LONG));
    for (name, pages) in [("export", &export), ("list", &lists), ("export, long texts", &long_export)] {
        let is_list = name == "list";
        let contenders: Vec<Contender> = vec![
            ("lakeflow-teams", if is_list { to_arrow_threads } else { to_arrow_export }),
            ("sonic-rs value", sonic),
            ("simd-json tape", simd_tape),
            ("simd-json value", simd_value),
            ("serde_json skip", serde_skip),
            ("serde_json value", serde_value),
            ("arrow-json", if is_list { arrow_json_threads } else { arrow_json }),
        ];
        let mut seconds = vec![Vec::new(); contenders.len()];
        for _ in 0..turns {
            for ((contender, run), seconds) in contenders.iter().zip(&mut seconds) {
                let before = cpu_seconds();
                let rows = run(pages);
                assert!(rows == PASSES * pages.rows || rows == 0, "{contender}: {rows} of {} rows", pages.rows);
                seconds.push((cpu_seconds() - before) / PASSES as f64);
            }
        }
        let table: serde_json::Map<String, Value> = contenders
            .iter()
            .zip(seconds)
            .map(|((contender, _), seconds)| ((*contender).to_owned(), figures(pages, seconds)))
            .collect();
        let page = json!({"rows": pages.rows, "pages": pages.bodies.len(), "bytes": pages.bytes(), "parsers": table});
        results.insert(name.to_owned(), page);
    }
    let _ = writeln!(std::io::stdout(), "{}", Value::Object(results));
}

fn figures(pages: &Pages, mut seconds: Vec<f64>) -> Value {
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    json!({
        "cpu_seconds_per_million": median / pages.rows as f64 * 1e6,
        "megabytes_per_second": pages.bytes() as f64 / 1e6 / median,
    })
}

/// Processor time of this thread, in nanoseconds' resolution where the system tells it.
fn cpu_seconds() -> f64 {
    thread_local!(static START: Instant = Instant::now());
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    nanos.map_or_else(|| START.with(|start| start.elapsed().as_secs_f64()), |nanos| nanos / 1e9)
}

async fn fetch(words_per_message: usize) -> (Pages, Pages) {
    let config = EmulatorConfig {
        words_per_message,
        teams: 4,
        channels_per_team: 3,
        messages_per_channel: 1_000,
        empty_channel: false,
        missing_teams: 0,
        big_threads: 0,
        ..EmulatorConfig::default()
    };
    let emulator = Emulator::start(config).expect("an emulator");
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let token = token(&http, &emulator).await;
    let mut export = Pages { bodies: Vec::new(), rows: 0 };
    let mut lists = Pages { bodies: Vec::new(), rows: 0 };
    for channel in emulator.truth("channels") {
        let (team, id) = (channel["team_id"].as_str().unwrap_or_default(), channel["id"].as_str().unwrap_or_default());
        let id = id.replace(':', "%3A").replace('@', "%40");
        let target = format!("/teams/{team}/channels/{id}/messages?$top=50&$expand=replies");
        crawl(&http, &emulator, &token, &target, &mut lists).await;
    }
    for team in emulator.truth("teams") {
        let target = format!("/teams/{}/channels/getAllMessages?$top=50", team["id"].as_str().unwrap_or_default());
        crawl(&http, &emulator, &token, &target, &mut export).await;
    }
    (export, lists)
}

async fn token(http: &reqwest::Client, emulator: &Emulator) -> String {
    let form = [
        ("client_id", emulator.client_id()),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://graph.microsoft.com/.default"),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", emulator.url(), emulator.tenant_id());
    let answer = http.post(url).form(&form).send().await.expect("an answer").text().await.expect("a body");
    let body: Value = serde_json::from_str(&answer).expect("JSON");
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn crawl(http: &reqwest::Client, emulator: &Emulator, token: &str, target: &str, pages: &mut Pages) {
    let mut next = Some(format!("{}/v1.0{target}", emulator.url()));
    while let Some(url) = next {
        let answer = http.get(url).bearer_auth(token).send().await.expect("an answer");
        let body = answer.bytes().await.expect("a body").to_vec();
        let page: Value = serde_json::from_slice(&body).expect("JSON");
        let items = page["value"].as_array().expect("items");
        pages.rows +=
            items.len() + items.iter().filter_map(|item| item["replies"].as_array()).map(Vec::len).sum::<usize>();
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
        pages.bodies.push(body);
    }
}

fn builders() -> (TableBuilder, TableBuilder) {
    let builder =
        |name| TableBuilder::new(Projection::new(find(name).expect("a table"), None, false).expect("columns"));
    (builder("messages"), builder("message_replies"))
}

/// Closes a full batch.
fn flush(builder: &mut TableBuilder) -> usize {
    if builder.len() < BATCH_ROWS && builder.bytes() < BATCH_BYTES { 0 } else { close(builder) }
}

fn close(builder: &mut TableBuilder) -> usize {
    black_box(builder.finish()).num_rows()
}

fn to_arrow_export(pages: &Pages) -> usize {
    let (mut roots, mut replies) = builders();
    let mut rows = 0;
    for body in pages.bodies() {
        let mut filter = Filter::default();
        let mut reader = ExportRows {
            roots: &mut roots,
            replies: &mut replies,
            wants_roots: true,
            wants_replies: true,
            team: "19b4ab0d-5f3a-4e0a-8d0c-5b8a5c7d2f11",
            filter: &mut filter,
            reply_at: None,
        };
        read_page(body, &mut reader).expect("a page");
        rows += flush(&mut roots) + flush(&mut replies);
    }
    rows + close(&mut roots) + close(&mut replies)
}

fn to_arrow_threads(pages: &Pages) -> usize {
    let (mut roots, mut replies) = builders();
    let mut rows = 0;
    for body in pages.bodies() {
        let mut filter = Filter::default();
        let (team, channel) = ("19b4ab0d-5f3a-4e0a-8d0c-5b8a5c7d2f11", "19:0123456789abcdef@thread.tacv2");
        let mut reader = ThreadRows::new(&mut roots, &mut replies, (true, true), team, channel, None, &mut filter);
        read_page(body, &mut reader).expect("a page");
        rows += flush(&mut roots) + flush(&mut replies);
    }
    rows + close(&mut roots) + close(&mut replies)
}

fn sonic(pages: &Pages) -> usize {
    for body in pages.bodies() {
        black_box(sonic_rs::from_slice::<sonic_rs::Value>(body).expect("JSON"));
    }
    0
}

/// It parses in place, so that the copy belongs to it.
fn simd_tape(pages: &Pages) -> usize {
    let mut buffers = simd_json::Buffers::default();
    for body in pages.bodies() {
        let mut copy = body.clone();
        black_box(simd_json::to_tape_with_buffers(&mut copy, &mut buffers).expect("JSON"));
    }
    0
}

fn simd_value(pages: &Pages) -> usize {
    for body in pages.bodies() {
        let mut copy = body.clone();
        black_box(simd_json::to_borrowed_value(&mut copy).expect("JSON"));
    }
    0
}

fn serde_skip(pages: &Pages) -> usize {
    for body in pages.bodies() {
        black_box(serde_json::from_slice::<IgnoredAny>(body).expect("JSON"));
    }
    0
}

fn serde_value(pages: &Pages) -> usize {
    for body in pages.bodies() {
        black_box(serde_json::from_slice::<Value>(body).expect("JSON"));
    }
    0
}

/// The columns that arrow-json can read too: it has no way to keep an object as text.
fn plain_fields() -> Fields {
    const JSON: [&str; 4] = ["channelIdentity", "policyViolation", "eventDetail", "messageHistory"];
    let schema = Projection::new(find("messages").expect("a table"), None, false).expect("columns").schema();
    schema.fields().iter().filter(|field| !JSON.contains(&field.name().as_str())).cloned().collect()
}

fn page_schema(item: Fields) -> Arc<Schema> {
    let list = DataType::List(Arc::new(Field::new("element", DataType::Struct(item), true)));
    Arc::new(Schema::new(vec![Field::new("value", list, true)]))
}

fn arrow_json(pages: &Pages) -> usize {
    arrow_json_with(pages, page_schema(plain_fields()))
}

fn arrow_json_threads(pages: &Pages) -> usize {
    let reply = Field::new("element", DataType::Struct(plain_fields()), true);
    let replies = Arc::new(Field::new("replies", DataType::List(Arc::new(reply)), true));
    arrow_json_with(pages, page_schema(plain_fields().iter().cloned().chain([replies]).collect()))
}

fn arrow_json_with(pages: &Pages, schema: Arc<Schema>) -> usize {
    let mut decoder = arrow_json::ReaderBuilder::new(schema).with_batch_size(256).build_decoder().expect("a decoder");
    for (page, body) in pages.bodies().enumerate() {
        assert_eq!(decoder.decode(body).expect("JSON"), body.len());
        if page % 128 == 127 {
            black_box(decoder.flush().expect("a batch"));
        }
    }
    black_box(decoder.flush().expect("a batch"));
    0
}
