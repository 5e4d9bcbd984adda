//! How many requests a read may cost.

use teams_emulator::{EmulatorConfig, Mutation};

use crate::harness::*;

fn tenant() -> EmulatorConfig {
    EmulatorConfig {
        teams: 4,
        channels_per_team: 3,
        messages_per_channel: 150,
        replies_per_message: 2.0,
        empty_channel: false,
        ..small()
    }
}

fn budget(rows: usize, page: u32, scopes: usize, each: usize) -> f64 {
    (rows as f64 / f64::from(page) + (scopes * each) as f64) * 1.05
}

#[tokio::test]
async fn a_full_read_costs_its_pages_and_two_per_scope() {
    let emulator = start(tenant());
    let (roots, replies) = (emulator.truth("messages").len(), emulator.truth("message_replies").len());
    let (teams, channels) = (team_ids(&emulator).len(), channel_ids(&emulator).len());
    for (strategy, rows, page, scopes) in [
        ("export", roots + replies, 250, teams),
        ("auto", roots + replies, 250, teams + channels),
        ("channels", roots, 50, teams + channels),
        ("delta", roots, 50, teams + channels),
    ] {
        emulator.clear_requests();
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        reader.assert_whole();
        let (used, allowed) = (reader.requests(), budget(rows, page, scopes, 2) + 1.0);
        eprintln!("full read, {strategy}: {used} requests of {allowed:.0} for {rows} rows and {scopes} scopes");
        assert!(used as f64 <= allowed, "{strategy}: {used} requests, {allowed} allowed");
    }
}

#[tokio::test]
async fn a_quiet_round_costs_one_request_per_scope_and_one_percent_a_little_more() {
    for strategy in ["auto", "export", "channels", "delta"] {
        let emulator = start(tenant());
        let (teams, channels) = (team_ids(&emulator).len(), channel_ids(&emulator).len());
        // What is new is listed; the export is swept for what lists do not show.
        let (scopes, page) = if strategy == "export" { (teams, 250) } else { (teams + channels, 50) };
        let mut reader = Reader::messages(&emulator, &[("strategy", strategy)]);
        reader.round().await;
        // The strategy `export` covers a day again each time; `auto` sweeps once a day.
        let pause = if strategy == "export" { 26 * HOUR } else { 2 * HOUR };
        emulator.advance(pause);
        reader.round().await;
        emulator.advance(pause);
        emulator.clear_requests();
        assert_eq!(reader.round().await, 0);
        let used = reader.requests();
        eprintln!("quiet round, {strategy}: {used} requests for {scopes} scopes");
        assert!(used <= scopes + 1, "{strategy}: {used} requests for {scopes} scopes");

        let roots = emulator.truth("messages").len();
        let change =
            Mutation { advance_seconds: 600, new_messages: roots / 200, edits: roots / 200, ..Mutation::default() };
        emulator.mutate(&change);
        emulator.clear_requests();
        let rows = reader.round().await;
        reader.assert_whole();
        let (used, allowed) = (reader.requests(), budget(rows, page, scopes, 1) + 1.0);
        eprintln!("one percent changed, {strategy}: {used} requests of {allowed:.0} for {rows} rows");
        assert!(used as f64 <= allowed, "{strategy}: {used} requests, {allowed} allowed");
    }
}

#[tokio::test]
async fn quiet_chats_are_not_asked() {
    let emulator = start(EmulatorConfig { chats: 40, ..small() });
    let mut reader = Reader::new(&emulator, &["chat_messages"], ALL_CHATS);
    reader.round().await;
    emulator.advance(2 * HOUR);
    reader.round().await;
    emulator.advance(2 * HOUR);
    emulator.clear_requests();
    assert_eq!(reader.round().await, 0);
    let users = emulator.truth("users").len();
    eprintln!("quiet round of chat messages: {} requests for {users} users", reader.requests());
    assert!(reader.requests() <= users + 1, "{} requests for {users} users", reader.requests());
}

#[tokio::test]
async fn a_day_with_a_sweep_costs_one_more_per_team() {
    let emulator = start(tenant());
    let (teams, channels) = (team_ids(&emulator).len(), channel_ids(&emulator).len());
    let mut reader = Reader::messages(&emulator, &[]);
    reader.round().await;
    for _ in 0..3 {
        emulator.advance(25 * HOUR);
        reader.round().await;
    }
    emulator.advance(25 * HOUR);
    emulator.clear_requests();
    reader.round().await;
    let private = channel_ids(&emulator).iter().filter(|(_, _, kind)| kind != "standard").count();
    eprintln!("sweep round: {} requests for {teams} teams and {channels} channels", reader.requests());
    assert!(reader.requests() <= 1 + 2 * teams + channels + 4 * private, "{}", reader.requests());
}
