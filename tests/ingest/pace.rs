//! How fast requests leave: at what the tenant grants, whatever is documented; and how soon the first rows are there.

use teams_emulator::{Emulator, EmulatorConfig};
use tokio::sync::mpsc;

use crate::harness::*;

/// Twenty pages a team and user with `top=1`.
fn many_pages() -> EmulatorConfig {
    EmulatorConfig {
        teams: 16,
        channels_per_team: 2,
        messages_per_channel: 20,
        users: 20,
        chats: 8,
        messages_per_chat: 10,
        ..small()
    }
}

/// The answers of the export: status and seconds since the first.
fn exports(emulator: &Emulator) -> Vec<(u16, f64)> {
    let asked: Vec<_> =
        emulator.requests().into_iter().filter(|entry| entry.template.ends_with("getAllMessages")).collect();
    let first = asked.first().expect("an export").at_ms;
    asked.iter().map(|entry| (entry.status, (entry.at_ms - first) as f64 / 1e3)).collect()
}

#[tokio::test]
async fn a_tenant_that_grants_half_is_read_at_half_with_few_refusals() {
    let emulator = with_knobs(many_pages(), |knobs| (knobs.rate_limits, knobs.rate_limit_factor) = (true, 0.5));
    let session = session_with(&emulator, &[("rate_limits", "documented"), ("retry_timeout_seconds", "600")]);
    let page = [("strategy", "export"), ("top", "1")];
    let (channels, chats) = (pass(BOTH, &join(ALL_MESSAGES, &page)), pass(&["chat_messages"], &join(ALL_CHATS, &page)));
    // Two passes at once draw on one budget: half of 200 exports a second.
    let ((_, one), (_, other)) = tokio::join!(read_once(&session, &channels), read_once(&session, &chats));
    assert!(one.is_none() && other.is_none(), "{one:?} {other:?}");
    let answers = exports(&emulator);
    let seconds = answers.last().unwrap().1;
    let rate = answers.iter().filter(|(status, _)| *status == 200).count() as f64 / seconds;
    let later: Vec<_> = answers.iter().filter(|(_, at)| *at >= 1.0).collect();
    let refused = later.iter().filter(|(status, _)| *status == 429).count() as f64 / later.len() as f64;
    eprintln!("{} exports in {seconds:.1} s: {rate:.0} a second, {:.2} % refused", answers.len(), 100.0 * refused);
    assert!(seconds > 8.0, "{seconds} s say nothing");
    assert!(rate >= 80.0, "{rate} a second");
    assert!(refused > 0.0 && refused <= 0.02, "{refused}");
}

#[tokio::test]
async fn the_first_rows_come_with_the_first_page() {
    let emulator = with_knobs(EmulatorConfig { teams: 1, ..small() }, |knobs| knobs.latency_ms = 100);
    let session = session(&emulator);
    let pass = pass(BOTH, &join(ALL_MESSAGES, &[("strategy", "export"), ("top", "2")]));
    let (sender, mut receiver) = mpsc::channel(2);
    let read = async { session.read(&pass, sender).await };
    let first = async {
        let (_, batch) = receiver.recv().await.expect("a batch").unwrap();
        let pages = exports(&emulator).len();
        while receiver.recv().await.is_some() {}
        (batch.num_rows(), pages)
    };
    let ((), (rows, pages)) = tokio::join!(read, first);
    // The second page may be on its way by then.
    assert!(rows >= 1 && pages <= 2, "{rows} rows after {pages} pages");
    assert!(exports(&emulator).len() > 20);
}
