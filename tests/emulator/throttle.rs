use std::time::{Duration, Instant};

use teams_emulator::{EmulatorConfig, Knobs, RetryAfter, Throttle};

use crate::client::{Client, small, start};

async fn limited(time_scale: f64, retry_after: RetryAfter) -> (Client, String, String) {
    let knobs = Knobs { rate_limits: true, time_scale, retry_after, ..Knobs::default() };
    let client = start(EmulatorConfig { knobs, ..small() }).await;
    let (team, channels) = client.team(0);
    let path = |channel: &str| format!("/teams/{team}/channels/{channel}/messages");
    let paths = (path(&channels[0]), path(&channels[1]));
    (client, paths.0, paths.1)
}

#[tokio::test]
async fn one_channel_takes_one_request_per_second_and_another_is_free() {
    let (client, one, other) = limited(1.0, RetryAfter::Seconds).await;
    assert_eq!(client.get(&one).await.status, 200);
    let refused = client.get(&one).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.body["error"]["code"], "TooManyRequests");
    assert_eq!(refused.body["error"]["innerError"]["status"], "429");
    assert_eq!(client.get(&other).await.status, 200);
    // Asking again made it worse.
    assert_eq!(client.get(&one).await.headers["retry-after"], "2");
}

#[tokio::test]
async fn scaled_time_scales_rates_and_waits() {
    let (client, one, _) = limited(5.0, RetryAfter::Fraction).await;
    assert_eq!(client.get(&one).await.status, 200);
    let refused = client.get(&one).await;
    assert_eq!(refused.status, 429);
    let wait: f64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((0.001..=0.2).contains(&wait), "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait + 0.22)).await;
    assert_eq!(client.get(&one).await.status, 200);
}

#[tokio::test]
async fn the_tenants_own_limit_binds_before_the_teams() {
    let (client, ..) = limited(1.0, RetryAfter::Absent).await;
    let begun = Instant::now();
    let mut passed = 0;
    // 30 per second for GET /teams/{id} in the tenant; four per team.
    for _ in 0..4 {
        for at in 0..5 {
            let (team, _) = client.team(at);
            passed += usize::from(client.get(&format!("/teams/{team}")).await.status == 200);
        }
    }
    assert_eq!(passed, 20);
    let (team, _) = client.team(0);
    let fifth = client.get(&format!("/teams/{team}")).await;
    if begun.elapsed() < Duration::from_millis(240) {
        assert_eq!(fifth.status, 429);
        assert!(!fifth.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn retry_after_as_a_date_is_by_the_emulators_clock() {
    let (client, one, _) = limited(1.0, RetryAfter::Date).await;
    client.get(&one).await;
    let refused = client.get(&one).await;
    let parse = |name: &str| httpdate::parse_http_date(refused.headers[name].to_str().unwrap()).unwrap();
    let wait = parse("retry-after").duration_since(parse("date")).unwrap();
    assert!((1..=2).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn directory_requests_cost_units() {
    let (client, ..) = limited(1.0, RetryAfter::Seconds).await;
    assert_eq!(client.get("/users").await.headers["x-ms-resource-unit"], "2");
    assert_eq!(client.get("/users?$select=id").await.headers["x-ms-resource-unit"], "1");
    let group = client.emulator.truth("groups")[0]["id"].as_str().unwrap().to_owned();
    for (asked, units) in [
        ("members", "3"),
        ("members?$top=10", "2"),
        ("members?$select=id&$top=10", "1"),
        ("transitiveMembers?$expand=manager", "6"),
    ] {
        let reply = client.get(&format!("/groups/{group}/{asked}")).await;
        assert_eq!(reply.headers["x-ms-resource-unit"], units, "{asked}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_tenant_may_grant_less_than_is_documented() {
    for (rate_limit_factor, second) in [(1.0, 200), (0.5, 429)] {
        let knobs = Knobs { rate_limits: true, rate_limit_factor, ..Knobs::default() };
        let client = start(EmulatorConfig { knobs, ..small() }).await;
        let (team, channels) = client.team(0);
        let path = format!("/teams/{team}/channels/{}/messages", channels[0]);
        assert_eq!(client.get(&path).await.status, 200);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(client.get(&path).await.status, second, "{rate_limit_factor}");
    }
}

#[test]
fn steady_traffic_at_80_percent_passes_and_at_95_does_not() {
    for (rate, refused) in [(0.8, false), (0.95, true)] {
        let mut throttle = Throttle::default();
        let worst = (0..1200)
            .map(|n| throttle.take_request("channel messages", "c".to_owned(), 1.0, f64::from(n) / rate))
            .fold(0.0, f64::max);
        assert_eq!(worst > 0.0, refused, "at {rate} requests per second");
    }
}

#[test]
fn what_is_refused_is_counted() {
    let mut throttle = Throttle::default();
    let mut wait = |at| throttle.take_request("channel messages", "c".to_owned(), 1.0, at);
    assert!(wait(0.0) <= 0.0);
    assert!((wait(0.5) - 0.5).abs() < 1e-9);
    // A second after the first there is still debt.
    assert!(wait(1.0) > 0.9);
}
