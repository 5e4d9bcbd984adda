//! An hour's worth of traffic in a minute: enforced limits sixty times as fast, 5 % of all answers spoilt, and a tenant that
//! changes between the rounds. Every round ends whole; memory, sockets and threads stay flat.
//! `SOAK_SECONDS=60 SOAK_SCALE=60 cargo test --test faults soak -- --ignored --nocapture`
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use teams_base::options::{Strictness, parse_connection, parse_table};
use teams_client::auth;
use teams_emulator::{Emulator, EmulatorConfig, FaultKind, FaultRule, Mutation};
use teams_ingest::{Limits, Pass, Session};

use crate::harness::{key, keys};

/// How many times faster than Graph's the limits are, unless `SOAK_SCALE` says otherwise.
const SCALE: f64 = 60.0;

fn from_env<T: std::str::FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Begins the lines that the emulator's process answers with.
const MARK: &str = "@emulator ";

#[derive(Debug, Clone, Copy)]
struct Figures {
    rounds: usize,
    rows: usize,
    memory_mb: usize,
    sockets: usize,
    threads: usize,
}

fn measure(rounds: usize, rows: usize) -> Figures {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    let memory_mb = pages * 4 / 1024;
    Figures { rounds, rows, memory_mb, sockets: count("/proc/self/fd"), threads: count("/proc/self/task") }
}

fn five_percent(emulator: &Emulator) {
    let kinds =
        [FaultKind::Status, FaultKind::Reset, FaultKind::Truncate, FaultKind::GarbageHtml, FaultKind::ExpiredToken];
    for (seed, kind) in kinds.into_iter().enumerate() {
        emulator.fault(FaultRule {
            method: Some("GET".into()),
            kind,
            probability: 0.01,
            seed: seed as u64,
            ..FaultRule::default()
        });
    }
}

async fn round(session: &Session, pass: &Pass, mut offset: Option<String>) -> (BTreeSet<String>, usize, String) {
    let (mut found, mut rows) = (BTreeSet::new(), 0);
    for _ in 0..10_000 {
        let limits = Limits { max_rows: Some(2_000), max_pages: Some(50) };
        let batch = session.micro_batch(pass, offset.as_deref(), limits).await.unwrap();
        for (table, batch) in &batch.rows {
            rows += batch.num_rows();
            keys(table, batch, &mut found);
        }
        if batch.finished {
            return (found, rows, batch.offset);
        }
        offset = Some(batch.offset);
    }
    panic!("no end");
}

/// The emulator in a process of its own, so that its memory is not taken for the connector's.
struct Remote {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Remote {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["soak::emulator", "--exact", "--ignored", "--nocapture"])
            .env("SOAK_EMULATOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, commands, answers }
    }

    /// Sends a command and takes its answer.
    fn ask(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").unwrap();
        let mut lines = self.answers.by_ref().map(Result::unwrap);
        let line = lines.find(|line| line.contains(MARK)).expect("the emulator answers");
        line.split_once(MARK).unwrap().1.to_owned()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Not a test: [`Remote`] starts it in a process of its own.
#[test]
#[ignore = "the process that the soak starts, and nothing without it"]
fn emulator() {
    if std::env::var_os("SOAK_EMULATOR").is_none() {
        return;
    }
    let emulator = Emulator::start(EmulatorConfig {
        teams: 6,
        channels_per_team: 4,
        messages_per_channel: 150,
        chats: 0,
        missing_teams: 0,
        ..EmulatorConfig::default()
    })
    .unwrap();
    emulator.set(|knobs| {
        knobs.rate_limits = true;
        knobs.time_scale = from_env("SOAK_SCALE", SCALE);
    });
    five_percent(&emulator);
    for command in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match command.as_str() {
            "connection" => {
                [&emulator.url(), emulator.tenant_id(), emulator.client_id(), emulator.client_secret()].join(" ")
            }
            "truth" => {
                let mut truth = BTreeSet::new();
                for table in ["messages", "message_replies"] {
                    for row in emulator.truth(table) {
                        truth.insert(key(table, |name| row[name].as_str().unwrap_or_default().to_owned()));
                    }
                }
                serde_json::to_string(&truth).unwrap()
            }
            "requests" => emulator.request_counts().values().sum::<u64>().to_string(),
            _ => {
                emulator.mutate(&Mutation {
                    new_messages: 20,
                    late_replies: 20,
                    edits: 10,
                    advance_seconds: 600,
                    ..Mutation::default()
                });
                // A round ends at the server's last full second.
                emulator.advance(5);
                String::new()
            }
        };
        println!("{MARK}{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; its figures are in docs/faults.md"]
async fn soak() {
    let seconds = from_env("SOAK_SECONDS", 60);
    let mut emulator = Remote::start();
    let connection = emulator.ask("connection");
    let [base, tenant, client, secret] = connection.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let pairs = [
        ("tenant_id", tenant),
        ("client_id", client),
        ("client_secret", secret),
        ("authority_host", base),
        ("graph_base_url", base),
        ("rate_limits", "off"),
        ("request_timeout_seconds", "10"),
    ];
    let config =
        parse_connection(pairs.map(|(name, value)| (name.into(), value.into())), Strictness::Strict).unwrap().0;
    let session = Session::new(&config, auth::provider(&config, &config.scope(), None).unwrap()).unwrap();
    let tables = ["messages".to_owned(), "message_replies".to_owned()];
    let start = Instant::now();
    let (mut rounds, mut rows, mut offset, mut history) = (0, 0, None::<String>, Vec::new());
    let mut known = BTreeSet::new();
    while start.elapsed() < Duration::from_secs(seconds) {
        let options = [
            ("fetch_all_teams", "true"),
            ("fetch_all_channels", "true"),
            ("strategy", ["channels", "export", "auto"][rounds % 3]),
            ("min_poll_seconds", "0"),
        ];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let pass = Pass::new(&tables, parse_table(options, Strictness::Strict).unwrap().0, None).unwrap();
        // Every third round starts anew; the others continue.
        let is_fresh = rounds % 3 == 0;
        let (found, count, next) = round(&session, &pass, offset.take().filter(|_| !is_fresh)).await;
        if is_fresh {
            known.clear();
        }
        known.extend(found);
        let truth: BTreeSet<String> = serde_json::from_str(&emulator.ask("truth")).unwrap();
        let lost: Vec<_> = truth.difference(&known).take(5).collect();
        assert!(lost.is_empty(), "round {rounds}: lost {lost:?}");
        (rounds, rows, offset) = (rounds + 1, rows + count, Some(next));
        history.push(measure(rounds, rows));
        emulator.ask("change");
    }
    let report = session.report().snapshot();
    println!(
        "{:.0} s, {} requests served, {} retries, {} throttled",
        start.elapsed().as_secs_f64(),
        emulator.ask("requests"),
        report.retries,
        report.throttled
    );
    let step = (history.len() / 6).max(1);
    for Figures { rounds, rows, memory_mb, sockets, threads } in history.iter().step_by(step).chain(history.last()) {
        println!("round {rounds}: {rows} rows, {memory_mb} MB, {sockets} descriptors, {threads} threads");
    }
    let (early, late) = (history[history.len() / 3], history[history.len() - 1]);
    assert!(report.retries > 0 && history.len() >= 6);
    assert!(late.memory_mb <= early.memory_mb * 5 / 4 + 16, "{early:?} {late:?}");
    assert!(late.sockets <= early.sockets + 16 && late.threads <= early.threads + 4, "{early:?} {late:?}");
}
