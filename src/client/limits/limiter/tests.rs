use futures::future::join_all;

use super::*;
use teams_base::graph::endpoint;

fn limiter(change: impl FnOnce(&mut ConnectionConfig)) -> Limiter {
    let mut config = ConnectionConfig { max_concurrency: 1_000, ..ConnectionConfig::default() };
    change(&mut config);
    Limiter::new(&config)
}

fn channel(id: &str) -> Request {
    Request::new(&endpoint::CHANNEL_MESSAGES, &[], id).team("t").conversation(id)
}

fn export(team: &str) -> Request {
    Request::new(&endpoint::TEAM_EXPORT, &[], team).team(team)
}

/// Lets the requests leave, and returns when each did, in seconds.
async fn leave(limiter: &Limiter, requests: &[Request]) -> Vec<f64> {
    let start = Instant::now();
    join_all(requests.iter().map(|request| async move {
        limiter.admit(&[request]).await;
        start.elapsed().as_secs_f64()
    }))
    .await
}

#[tokio::test(start_paused = true)]
async fn one_channel_keeps_its_second_and_holds_nobody_up() {
    let limiter = limiter(|_| ());
    let mut requests = vec![channel("slow"); 5];
    requests.extend((0..20).map(|id| channel(&id.to_string())));
    let times = leave(&limiter, &requests).await;
    for (index, time) in times[..5].iter().enumerate() {
        let expected = index as f64 * 1.25;
        assert!((expected..expected + 0.2).contains(time), "{index}: {time}");
    }
    assert!(times[5..].iter().all(|time| *time < 21.0 / 16.0 + 0.1), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_at_a_wide_budget_never_squeezes_a_narrow_one() {
    let limiter = limiter(|_| ());
    let mut requests: Vec<_> = (0..100).map(|id| channel(&id.to_string())).collect();
    requests.extend(vec![channel("last"); 4]);
    let mut times = leave(&limiter, &requests).await.split_off(100);
    times.sort_by(f64::total_cmp);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1.249), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn classes_run_at_eighty_percent_and_export_has_no_limit_per_team() {
    let limiter = limiter(|_| ());
    let times = leave(&limiter, &vec![export("t"); 1_600]).await;
    assert!((9.5..10.5).contains(times.last().unwrap()), "{:?}", times.last());
    let units = |n| Request::new(&endpoint::GROUPS_DELTA, &[], n).user("nobody");
    let times = leave(&limiter, &vec![units("x"); 2_800]).await;
    assert!((9.5..10.5).contains(times.last().unwrap()), "{:?}", times.last());
}

#[tokio::test(start_paused = true)]
async fn a_lower_ceiling_holds_over_all_and_off_plans_nothing() {
    let slow = limiter(|config| config.requests_per_second = Some(2.0));
    let times = leave(&slow, &[export("a"), channel("b"), export("c"), channel("d")]).await;
    assert!((1.4..1.6).contains(&times.into_iter().fold(0.0, f64::max)));
    let off = limiter(|config| config.rate_limits = RateLimits::Off);
    assert!(leave(&off, &vec![channel("x"); 1_000]).await.into_iter().all(|time| time < 0.001));
}

#[tokio::test(start_paused = true)]
async fn a_share_divides_what_all_clients_draw_on_and_nothing_else() {
    let quarter = limiter(|config| config.rate_share = 0.25);
    let times = leave(&quarter, &vec![export("t"); 400]).await;
    assert!((9.5..10.5).contains(times.last().unwrap()), "{:?}", times.last());
    let times = leave(&quarter, &vec![channel("x"); 5]).await;
    assert!((4.9..5.2).contains(times.last().unwrap()), "{:?}", times.last());
    let slow = limiter(|config| (config.rate_share, config.requests_per_second) = (0.5, Some(4.0)));
    let times = leave(&slow, &vec![export("t"); 21]).await;
    assert!((9.9..10.1).contains(times.last().unwrap()), "{:?}", times.last());
}

#[tokio::test(start_paused = true)]
async fn the_budget_to_blame_is_the_one_that_is_busy() {
    let limiter = limiter(|_| ());
    let rate = async |requests: &[Request]| requests.len() as f64 / leave(&limiter, requests).await.last().unwrap();
    // Each channel is asked once, so the limit that was met is the class's: others go slower, by one cut.
    let wide: Vec<_> = (0..60).map(|id| channel(&id.to_string())).collect();
    leave(&limiter, &wide).await;
    for id in ["0", "1"] {
        limiter.throttle(&channel(id), Duration::ZERO);
    }
    let others: Vec<_> = (60..110).map(|id| channel(&id.to_string())).collect();
    let slowed = rate(&others).await;
    assert!((11.0..14.0).contains(&slowed), "{slowed}");
    // One channel is asked as often as is planned: it is its own limit, and the class keeps its pace.
    leave(&limiter, &vec![channel("busy"); 40]).await;
    limiter.throttle(&channel("busy"), Duration::ZERO);
    let narrow = rate(&vec![channel("busy"); 5]).await;
    assert!((0.5..0.72).contains(&narrow), "{narrow}");
    let others: Vec<_> = (110..160).map(|id| channel(&id.to_string())).collect();
    assert!(rate(&others).await > 13.0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_channel_pauses_for_all_its_requests_and_only_for_them() {
    for rate_limits in [RateLimits::Documented, RateLimits::Off] {
        let limiter = limiter(|config| config.rate_limits = rate_limits);
        limiter.throttle(&channel("x"), Duration::from_secs(10));
        let times = leave(&limiter, &[channel("x"), channel("y"), channel("x")]).await;
        assert!(times[1] < 0.5 && times[0] >= 10.0 && times[2] >= 10.0, "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_throttled_resources_pause_their_class() {
    let limiter = limiter(|config| config.rate_limits = RateLimits::Off);
    for id in ["a", "b", "c"] {
        limiter.throttle(&channel(id), Duration::from_secs(10));
    }
    let times = leave(&limiter, &[channel("d"), export("t")]).await;
    assert!(times[0] >= 10.0 && times[1] < 0.1, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_comes_while_waiting_counts() {
    let limiter = limiter(|config| config.max_concurrency = 1);
    let (permit, _) = limiter.admit(&[&channel("a")]).await;
    let request = channel("b");
    let waiting = async {
        let start = Instant::now();
        let (_, waited) = limiter.admit(&[&request]).await;
        (start.elapsed().as_secs_f64(), waited)
    };
    let other = async {
        sleep(Duration::from_secs(1)).await;
        limiter.throttle(&request, Duration::from_secs(9));
        drop(permit);
        // The permit is not kept by the one who waits for a budget.
        limiter.admit(&[&channel("c")]).await;
    };
    let ((time, waited), ()) = tokio::join!(waiting, other);
    assert!((10.0..10.5).contains(&time), "{time}");
    assert!(waited.throttled.as_secs_f64() > 9.0, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_waiter_leaves_nothing_behind() {
    let limiter = limiter(|_| ());
    limiter.admit(&[&channel("x")]).await;
    for _ in 0..20 {
        let waiting = limiter.admit(&[&channel("x")]).await.1;
        assert!(waiting.planned < Duration::from_secs(2));
        let request = channel("x");
        let cut = tokio::time::timeout(Duration::from_millis(10), limiter.admit(&[&request])).await;
        assert!(cut.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn idle_channels_are_forgotten() {
    let limiter = limiter(|config| config.rate_limits = RateLimits::Off);
    for id in 0..20_000 {
        limiter.admit(&[&channel(&id.to_string())]).await;
    }
    assert!(limiter.lanes.lock().by_key.len() <= FEW + 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_pays_for_each_of_its_requests() {
    let limiter = limiter(|_| ());
    let teams: Vec<_> = (0..20).map(|id| Request::new(&endpoint::TEAM, &[], "").team(&id.to_string())).collect();
    let batch: Vec<_> = teams.iter().collect();
    let start = Instant::now();
    for _ in 0..6 {
        limiter.admit(&batch).await;
    }
    assert!((4.7..5.2).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
    assert!(limiter.share_narrow_budget(&teams[0], &teams[0]) && !limiter.share_narrow_budget(&teams[0], &teams[1]));
}
