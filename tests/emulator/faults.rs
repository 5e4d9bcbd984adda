use std::time::{Duration, Instant};

use serde_json::Value;
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule};

use crate::client::{Client, small, start, text};

fn rule(path: &str, kind: FaultKind) -> FaultRule {
    FaultRule { path: path.to_owned(), kind, times: Some(1), ..FaultRule::default() }
}

async fn messages() -> (Client, String) {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages", channels[0]);
    (client, path)
}

#[tokio::test]
async fn a_status_fault_applies_as_often_as_its_rule_says() {
    let (client, path) = messages().await;
    client.emulator.fault(FaultRule {
        status: 429,
        retry_after: Some("2.128".into()),
        times: Some(2),
        skip: 1,
        ..rule("/messages", FaultKind::Status)
    });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(client.get(&path).await.status);
    }
    assert_eq!(statuses, [200, 429, 429, 200, 200]);
    client.emulator.fault(FaultRule { method: Some("POST".into()), ..rule("", FaultKind::Status) });
    assert_eq!(client.get(&path).await.status, 200);
    client.emulator.fault(rule("/teams/{id}/channels/{id}/messages", FaultKind::ExpiredToken));
    assert_eq!(client.get(&path).await.status, 401);
    client.emulator.fault(rule("/teams/*/messages", FaultKind::NoAuthorizationInformation));
    assert_eq!(client.get(&path).await.status, 403);
    client.emulator.fault(rule("GET /teams", FaultKind::Status));
    assert_eq!(client.get(&path).await.status, 200, "one endpoint, not what lies below it");
    assert_eq!(client.get("/teams").await.status, 503);
    let throttled = client.emulator.requests().into_iter().find(|entry| entry.status == 429).unwrap();
    assert_eq!(throttled.retry_after.as_deref(), Some("2.128"));
}

#[tokio::test]
async fn chance_follows_the_seed() {
    let (client, path) = messages().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        client.emulator.clear_faults();
        client.emulator.fault(FaultRule {
            probability: 0.5,
            times: None,
            seed: 3,
            ..rule("/messages", FaultKind::Status)
        });
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(client.get(&path).await.status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
}

#[tokio::test]
async fn connections_break_and_bodies_are_cut() {
    let (client, path) = messages().await;
    let ask = async || client.http.get(client.url(&path)).bearer_auth(&client.token).send().await;
    client.emulator.fault(rule("/messages", FaultKind::Reset));
    assert!(ask().await.is_err());
    client.emulator.fault(rule("/messages", FaultKind::Truncate));
    let answer = ask().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.is_err());
    assert!(serde_json::from_str::<Value>(&ask().await.unwrap().text().await.unwrap()).is_ok());
    assert!(client.emulator.connections() >= 3);
}

#[tokio::test]
async fn slowness_before_and_inside_the_body() {
    let (client, path) = messages().await;
    for kind in [FaultKind::Slow, FaultKind::SlowBody] {
        client.emulator.fault(FaultRule { delay_ms: 150, ..rule("/messages", kind) });
        let begun = Instant::now();
        assert_eq!(client.ok(&path).await["value"].as_array().unwrap().len(), 20);
        assert!(begun.elapsed() >= Duration::from_millis(150));
    }
}

#[tokio::test]
async fn garbage_of_three_kinds() {
    let (client, path) = messages().await;
    client.emulator.fault(rule("/messages", FaultKind::GarbageHtml));
    let reply = client.get(&path).await;
    assert!(reply.status == 200 && reply.text.starts_with("<!DOCTYPE"));
    client.emulator.fault(rule("/messages", FaultKind::GarbageJson));
    assert!(client.get(&path).await.body.is_null());
    client.emulator.fault(rule("/messages", FaultKind::GarbageUtf8));
    let answer = client.http.get(client.url(&path)).bearer_auth(&client.token).send().await.unwrap();
    assert!(std::str::from_utf8(&answer.bytes().await.unwrap()).is_err());
}

#[tokio::test]
async fn links_that_loop_repeat_or_lead_away() {
    let (client, path) = messages().await;
    let link = |body: &Value| body["@odata.nextLink"].as_str().map(str::to_owned);
    client.emulator.fault(rule("/messages", FaultKind::Loop));
    assert_eq!(link(&client.ok(&path).await).unwrap(), client.url(&path));
    client.emulator.fault(rule("/messages", FaultKind::ForeignLink));
    assert!(link(&client.ok(&path).await).unwrap().starts_with("https://graph.attacker.example/"));

    let whole = client.rows(&path).await;
    client.emulator.fault(FaultRule { skip: 1, ..rule("/messages", FaultKind::EmptyPage) });
    let (rows, pages, _) = client.crawl(&path).await;
    assert_eq!((rows.len(), pages), (40, 3));
    assert_eq!(rows, whole);
    client.emulator.fault(rule("/messages", FaultKind::Repeat));
    let (rows, pages, _) = client.crawl(&path).await;
    assert_eq!((rows.len(), pages), (60, 3));
    assert_eq!(rows[..20], rows[20..40]);

    client.emulator.fault(rule("/users/delta", FaultKind::NoLinks));
    let body = client.ok("/users/delta").await;
    assert!(link(&body).is_none() && body.get("@odata.deltaLink").is_none());
}

#[tokio::test]
async fn options_that_are_ignored() {
    let (client, path) = messages().await;
    client.emulator.fault(rule("/messages", FaultKind::IgnoreExpand));
    assert!(client.ok(&format!("{path}?$expand=replies")).await["value"][0].get("replies").is_none());
    client.emulator.fault(rule("/messages", FaultKind::IgnoreTop));
    assert_eq!(client.ok(&format!("{path}?$top=5")).await["value"].as_array().unwrap().len(), 20);
    client.emulator.fault(rule("/messages", FaultKind::ReplytoidOnRoots));
    let row = client.ok(&path).await["value"][0].clone();
    assert_eq!(text(&row, "replyToId"), text(&row, "id"));
    let (team, _) = client.team(0);
    client.emulator.fault(rule("getAllMessages", FaultKind::IgnoreFilter));
    let filtered =
        format!("/teams/{team}/channels/getAllMessages?$filter=lastModifiedDateTime gt 2030-01-01T00:00:00Z");
    assert!(!client.ok(&filtered).await["value"].as_array().unwrap().is_empty());
    assert!(client.ok(&filtered).await["value"].as_array().unwrap().is_empty());
    client.emulator.fault(rule("/teams", FaultKind::NoDate));
    assert!(!client.get("/teams").await.headers.contains_key("date"));
    assert!(client.get("/teams").await.headers.contains_key("date"));
}

#[tokio::test]
async fn links_can_expire() {
    let client = start(EmulatorConfig { users: 250, ..small() }).await;
    client.emulator.set(|knobs| knobs.link_lifetime_seconds = 600);
    let link = text(&client.ok("/users").await, "@odata.nextLink");
    client.emulator.advance(599);
    assert_eq!(client.get(&link).await.status, 200);
    client.emulator.advance(2);
    assert_eq!(client.get(&link).await.status, 400);
}
