//! An emulated tenant behind a server that spoils answers, and readings of it that must end whole.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use futures::stream::{self, StreamExt};
use serde_json::Value;
use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, Strictness, parse_connection, parse_table};
use teams_client::auth;
use teams_emulator::{Emulator, EmulatorConfig};
use teams_ingest::{Limits, MicroBatch, Pass, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use support::fifo::{Fifo, Reply, status};

/// Nothing may take longer, whatever goes wrong.
const LONGEST: Duration = Duration::from_secs(400);
pub const SECRET: &str = "marked~secret";

pub struct Case {
    pub name: &'static str,
    pub spoil: Box<dyn Fn(Reply) -> Reply + Send + Sync>,
    /// How many pages it strikes.
    pub strikes: usize,
    pub ending: Ending,
}

pub enum Ending {
    Whole,
    /// Steps end with this error.
    Failed(fn(&Error) -> bool),
    /// A reading of everything ends with this error.
    FailedAtOnce(fn(&Error) -> bool),
}

pub struct Tenant {
    pub emulator: Emulator,
    /// A host that is not Graph. Nobody may ever come here.
    pub foreign: String,
    visits: Arc<AtomicUsize>,
    rows: BTreeSet<String>,
    texts: Vec<String>,
}

impl Tenant {
    pub fn start() -> Self {
        listen();
        let emulator = Emulator::start(EmulatorConfig {
            teams: 2,
            channels_per_team: 2,
            messages_per_channel: 12,
            users: 6,
            chats: 0,
            members_per_team: 3,
            missing_teams: 0,
            big_threads: 0,
            empty_channel: false,
            client_secret: SECRET.into(),
            ..EmulatorConfig::default()
        })
        .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let foreign = format!("http://{}", listener.local_addr().unwrap());
        let visits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&visits);
        std::thread::spawn(move || {
            while listener.accept().is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut rows = BTreeSet::new();
        let mut texts = Vec::new();
        for table in ["messages", "message_replies"] {
            for row in emulator.truth(table) {
                rows.insert(key(table, |name| row[name].as_str().unwrap_or_default().to_owned()));
                texts.extend(row["body"]["content"].as_str().filter(|text| text.len() > 24).map(str::to_owned));
            }
        }
        Self { emulator, foreign, visits, rows, texts }
    }

    /// No secret, no token, no link and no word of a message.
    fn assert_harmless(&self, name: &str, text: &str) {
        for bad in [SECRET, "marked", "eyJ0", "skiptoken", "attacker"] {
            assert!(!text.contains(bad), "{name}: {bad} in {}", around(text, bad));
        }
        for bad in &self.texts {
            assert!(!text.contains(bad.as_str()), "{name}: message text {bad:?} is shown");
        }
    }
}

fn around<'t>(text: &'t str, part: &str) -> &'t str {
    let at = text.find(part).unwrap_or(0);
    let (start, end) = (at.saturating_sub(300), (at + 200).min(text.len()));
    text.get(start..end).unwrap_or("(binary)")
}

pub fn key(table: &str, get: impl Fn(&str) -> String) -> String {
    let parts: &[&str] = match table {
        "messages" => &["team_id", "channel_id", "id"],
        _ => &["team_id", "channel_id", "parent_message_id", "id"],
    };
    parts.iter().fold(table.to_owned(), |key, name| key + "|" + &get(name))
}

pub fn keys(table: &'static str, batch: &RecordBatch, into: &mut BTreeSet<String>) {
    for row in 0..batch.num_rows() {
        into.insert(key(table, |name| {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            if column.is_null(row) { String::new() } else { column.value(row).to_owned() }
        }));
    }
}

/// Every log record of this process, at every level.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listen() {
    struct Keep;

    impl log::Log for Keep {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            LOG.lock().unwrap().push(format!("{} {} {}", record.level(), record.target(), record.args()));
        }

        fn flush(&self) {}
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_boxed_logger(Box::new(Keep)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Changes a page of JSON; what is none stays as it is.
pub fn edit(mut reply: Reply, change: impl Fn(&mut Value)) -> Reply {
    if let Ok(mut page) = serde_json::from_slice::<Value>(&reply.body) {
        change(&mut page);
        reply.body = serde_json::to_vec(&page).unwrap();
    }
    reply
}

const OWN: &str = "X-Own-Address";

/// The page names itself as the next one.
pub fn own_link() -> Box<dyn Fn(Reply) -> Reply + Send + Sync> {
    Box::new(|reply| {
        let own = reply.headers.iter().find(|(name, _)| name == OWN).map(|(_, url)| url.clone()).unwrap();
        edit(reply, |page| page["@odata.nextLink"] = own.clone().into())
    })
}

/// Asks the emulator what it would answer.
async fn upstream(address: &str, request: &str) -> Reply {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let lines = head.lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("accept-encoding") && !line.starts_with("connection")
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = format!("{head}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(whole.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut reply = status(head.split(' ').nth(1).unwrap().parse().unwrap());
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        assert!(!name.eq_ignore_ascii_case("transfer-encoding"), "the emulator frames by length");
        if !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("connection") {
            reply = reply.header(name, value);
        }
    }
    reply.body = answer[end + 4..].to_vec();
    let path = request.split(' ').nth(1).unwrap();
    let host = request.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
    reply.header(OWN, &format!("http://{}{path}", host.unwrap()))
}

fn connection(tenant: &Tenant, base: &str, retry_seconds: &str) -> ConnectionConfig {
    let pairs = [
        ("tenant_id", tenant.emulator.tenant_id()),
        ("client_id", tenant.emulator.client_id()),
        ("client_secret", SECRET),
        ("authority_host", base),
        ("graph_base_url", base),
        ("rate_limits", "off"),
        ("request_timeout_seconds", "100"),
        ("retry_timeout_seconds", retry_seconds),
    ];
    parse_connection(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())), Strictness::Strict).unwrap().0
}

pub fn pass() -> Pass {
    let options = [
        ("fetch_all_teams", "true"),
        ("fetch_all_channels", "true"),
        ("strategy", "channels"),
        ("top", "5"),
        ("min_poll_seconds", "3600"),
    ];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = parse_table(options, Strictness::Strict).unwrap().0;
    Pass::new(&["messages".into(), "message_replies".into()], options, None).unwrap()
}

pub async fn run_all(tenant: &Tenant, cases: Vec<Case>) {
    stream::iter(cases).for_each_concurrent(8, |case| run(tenant, case)).await;
    assert_eq!(tenant.visits.load(Ordering::SeqCst), 0, "somebody called the foreign host");
    let log = LOG.lock().unwrap().join("\n");
    assert!(log.contains("answered 200"), "the log was listened to");
    tenant.assert_harmless("log", &log);
}

async fn run(tenant: &Tenant, case: Case) {
    let Case { name, spoil, strikes, ending } = case;
    let armed = Arc::new(AtomicBool::new(true));
    let struck = Arc::new(AtomicUsize::new(0));
    let address = tenant.emulator.url().trim_start_matches("http://").to_owned();
    let (is_armed, count, spoil) = (Arc::clone(&armed), Arc::clone(&struck), Arc::new(spoil));
    let server = Fifo::answering(move |request| {
        let (address, is_armed, count, spoil) =
            (address.clone(), Arc::clone(&is_armed), Arc::clone(&count), Arc::clone(&spoil));
        Box::pin(async move {
            let reply = upstream(&address, &request).await;
            let target = request.split(' ').nth(1).unwrap_or_default();
            let is_page = target.contains("/messages?");
            if is_page && is_armed.load(Ordering::SeqCst) && count.fetch_add(1, Ordering::SeqCst) < strikes {
                spoil(reply)
            } else {
                reply
            }
        })
    })
    .await;
    let is_hanging = name.contains("slow");
    let mut config = connection(tenant, &server.url(), if strikes == usize::MAX { "3" } else { "100" });
    if is_hanging {
        config.request_timeout = Duration::from_secs(6);
    }
    let session = Session::new(&config, auth::provider(&config, &config.scope(), None).unwrap()).unwrap();
    if let Ending::FailedAtOnce(expected) = ending {
        let whole = tokio::time::timeout(LONGEST, whole(&session));
        let error = whole.await.unwrap_or_else(|_| panic!("{name}: hangs")).expect("the reading fails");
        assert!(expected(&error), "{name}: {error:?}");
        tenant.assert_harmless(name, &format!("{error} {error:?}"));
        armed.store(false, Ordering::SeqCst);
    }
    let reading = tokio::time::timeout(LONGEST, read(tenant, name, &session, &armed));
    let (rows, errors) = reading.await.unwrap_or_else(|_| panic!("{name}: hangs"));
    assert!(struck.load(Ordering::SeqCst) > 0, "{name}: never struck");
    match ending {
        Ending::Whole | Ending::FailedAtOnce(_) => assert!(errors.is_empty(), "{name}: {errors:?}"),
        Ending::Failed(expected) => {
            assert!(errors.first().is_some_and(expected), "{name}: {errors:?}");
        }
    }
    let lost: Vec<_> = tenant.rows.difference(&rows).collect();
    let strange: Vec<_> = rows.difference(&tenant.rows).collect();
    assert!(lost.is_empty() && strange.is_empty(), "{name}: lost {lost:?}, strange {strange:?}");
    let report = serde_json::to_string(&session.report().snapshot()).unwrap();
    tenant.assert_harmless(name, &report);
}

/// Reads everything once, for its error.
async fn whole(session: &Session) -> Option<Error> {
    let (sender, mut batches) = tokio::sync::mpsc::channel(4);
    let pass = pass();
    let reading = session.read(&pass, sender);
    let taking = async {
        let mut error = None;
        while let Some(batch) = batches.recv().await {
            error = error.or(batch.err());
        }
        error
    };
    tokio::join!(reading, taking).1
}

/// Steps until the round is finished; an error disarms the fault, and the reading goes on from the last offset.
async fn read(tenant: &Tenant, name: &str, session: &Session, armed: &AtomicBool) -> (BTreeSet<String>, Vec<Error>) {
    let (pass, mut offset, mut rows, mut errors) = (pass(), None::<String>, BTreeSet::new(), Vec::new());
    for _ in 0..500 {
        let limits = Limits { max_rows: None, max_pages: Some(4) };
        let step: Result<MicroBatch> = session.micro_batch(&pass, offset.as_deref(), limits).await;
        match step {
            Ok(batch) => {
                batch.rows.iter().for_each(|(table, batch)| keys(table, batch, &mut rows));
                if batch.finished {
                    return (rows, errors);
                }
                offset = Some(batch.offset);
            }
            Err(error) => {
                armed.store(false, Ordering::SeqCst);
                tenant.assert_harmless(name, &format!("{error} {error:?} {error:#?}"));
                errors.push(error);
                assert!(errors.len() < 3, "{name}: {errors:?}");
            }
        }
    }
    panic!("{name}: 500 steps and no end");
}

/// `https` of a server that listens, and answers with what is no TLS.
pub async fn deaf() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok();
        }
    });
    format!("https://localhost:{port}")
}

/// The error of a reading from a host, and how long it took.
pub async fn first_error(base: &str) -> (Error, Duration) {
    let pairs = [
        ("tenant_id", "contoso.example"),
        ("client_id", "app"),
        ("client_secret", SECRET),
        ("graph_base_url", base),
        ("retry_timeout_seconds", "3"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = parse_connection(pairs, Strictness::Strict).unwrap().0;
    let token = || -> futures::future::BoxFuture<'static, Result<auth::AccessToken>> {
        let expires_at = Instant::now() + Duration::from_secs(3_600);
        Box::pin(async move { Ok(auth::AccessToken { secret: teams_base::secret::Secret::new("marked"), expires_at }) })
    };
    let session = Session::new(&config, Arc::new(token)).unwrap();
    let start = Instant::now();
    let error = session.micro_batch(&pass(), None, Limits::default()).await.unwrap_err();
    (error, start.elapsed())
}
