use std::time::{Duration, Instant};

use teams_emulator::{EmulatorConfig, Knobs, RetryAfter};

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
