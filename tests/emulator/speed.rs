use std::fs;
use std::time::Instant;

use teams_emulator::EmulatorConfig;

use crate::client::{Client, path, start};

/// Processor seconds of the emulator's own threads so far.
fn cpu_seconds() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let ticks: u64 = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("stat")).ok())
        .filter(|stat| stat.contains("(graph-emulator)"))
        .map(|stat| {
            let fields: Vec<u64> = stat
                .rsplit(')')
                .next()
                .unwrap()
                .split_whitespace()
                .skip(11)
                .take(2)
                .map(|n| n.parse().unwrap())
                .collect();
            fields[0] + fields[1]
        })
        .sum();
    ticks as f64 / 100.0
}

async fn drain(client: &Client, target: &str, gzip: bool) -> (usize, usize) {
    let (mut bytes, mut pages, mut next) = (0, 0, client.url(target));
    loop {
        let mut request = client.http.get(&next).bearer_auth(&client.token);
        if gzip {
            request = request.header("accept-encoding", "gzip");
        }
        let mut body = request.send().await.unwrap().bytes().await.unwrap().to_vec();
        bytes += body.len();
        pages += 1;
        if gzip && body.starts_with(&[0x1f, 0x8b]) {
            let mut whole = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut whole).unwrap();
            body = whole;
        }
        // The link stands before the items; parsing whole pages would measure the client.
        let head = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
        match head.split("\"@odata.nextLink\":\"").nth(1) {
            Some(rest) => rest.split('"').next().unwrap().clone_into(&mut next),
            None => return (pages, bytes),
        }
    }
}

/// `cargo test --release --test emulator speed -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement; meaningful in an optimised build"]
async fn a_hundred_thousand_messages_cost_less_than_a_second() {
    let begun = Instant::now();
    let client = start(EmulatorConfig {
        teams: 2,
        channels_per_team: 2,
        messages_per_channel: 25_000,
        empty_channel: false,
        ..EmulatorConfig::default()
    })
    .await;
    let generated = begun.elapsed();
    let rows = client.emulator.truth("messages").len() + client.emulator.truth("message_replies").len();
    eprintln!("{rows} messages generated in {generated:?}, told in {:?}", begun.elapsed().saturating_sub(generated));
    for (name, gzip, lists) in [
        ("export", false, false),
        ("export gzip", true, false),
        ("export gzip again", true, false),
        ("lists", false, true),
    ] {
        let (before, begun) = (cpu_seconds(), Instant::now());
        let (mut pages, mut bytes) = (0, 0);
        for at in 0..2 {
            let (team, channels) = client.team(at);
            let targets = if lists {
                channels
                    .iter()
                    .map(|id| format!("/teams/{team}/channels/{}/messages?$top=50&$expand=replies", path(id)))
                    .collect()
            } else {
                vec![format!("/teams/{team}/channels/getAllMessages?$top=250")]
            };
            for target in targets {
                let read = drain(&client, &target, gzip).await;
                pages += read.0;
                bytes += read.1;
            }
        }
        let (cpu, wall) = (cpu_seconds() - before, begun.elapsed());
        eprintln!(
            "{name}: {pages} pages, {} MB, cpu {cpu:.2} s, wall {wall:?}, {:.0} rows per cpu second",
            bytes >> 20,
            rows as f64 / cpu
        );
        if name == "export" {
            assert!(cpu / rows as f64 * 100_000.0 < 1.0);
        }
    }
}
