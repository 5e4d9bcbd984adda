//! The client over real loopback HTTP. The server answers each request with the next of a list of raw answers.

mod audiences;
mod certificates;
mod credentials;
mod effects;
mod text;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use serde_json::Value;
use support::fifo::{Fifo, Reply, gzip, json, status};
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::options::{ConnectionConfig, Strictness, parse_connection};
use teams_base::secret::{Secret, SecretSource};
use teams_client::auth::{AccessToken, EntraCredential, TokenProvider};
use teams_client::{GraphClient, Malformed, Report, Request};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.marked-token";
const SECRET: &str = "marked~secret";

/// Hands out a different token at each call.
#[derive(Default)]
struct Tokens(AtomicU32);

impl TokenProvider for Tokens {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            let expires_at = Instant::now() + Duration::from_secs(3_600);
            Ok(AccessToken { secret: Secret::new(format!("{TOKEN}-{number}")), expires_at })
        })
    }
}

fn config(base: &str, extra: &[(&str, &str)]) -> ConnectionConfig {
    let mut pairs = vec![
        ("tenant_id", "contoso.onmicrosoft.com"),
        ("client_id", "app"),
        ("client_secret", SECRET),
        ("authority_host", base),
        ("graph_base_url", base),
        ("rate_limits", "off"),
        ("retry_timeout_seconds", "20"),
    ];
    pairs.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    pairs.extend(extra.iter().filter(|(_, value)| *value != "<absent>"));
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    parse_connection(pairs, Strictness::Strict).unwrap().0
}

fn client_with(server: &Fifo, extra: &[(&str, &str)]) -> GraphClient {
    GraphClient::new(&config(&server.url(), extra), Arc::new(Tokens::default()), Arc::default()).unwrap()
}

fn client(server: &Fifo) -> GraphClient {
    client_with(server, &[])
}

fn messages() -> Request {
    Request::new(
        &endpoint::CHANNEL_MESSAGES,
        &["teams", "t", "channels", "19:c@thread.tacv2", "messages"],
        "channel t/c",
    )
    .query("$top", 50)
    .team("t")
    .conversation("19:c@thread.tacv2")
}

/// A reader that takes any page.
fn page(body: &[u8]) -> Result<Value, Malformed> {
    let value: Value = serde_json::from_slice(body)?;
    if value.get("value").is_some() { Ok(value) } else { Err(Malformed("no value".into())) }
}

const PAGE: &str = r#"{"value":[1,2,3]}"#;

async fn get(client: &GraphClient) -> Result<Value> {
    client.get(&messages(), page).await.map(|answer| answer.body)
}

/// No error shows what grants access.
fn harmless(error: &Error) -> String {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("marked") && !text.contains("skiptoken"), "{text}");
    error.to_string()
}

#[tokio::test]
async fn a_request_carries_what_graph_wants_to_see() {
    let server = Fifo::start(vec![json(PAGE).header("Date", "Sat, 06 Nov 2094 08:49:37 GMT"), json(PAGE)]).await;
    let client = client(&server);
    assert!(client.now().is_none());
    get(&client).await.unwrap();
    get(&client).await.unwrap();
    assert_eq!(client.now().unwrap().to_string()[..16], *"2094-11-06T08:49");
    let seen = server.seen();
    let head = seen[0].to_ascii_lowercase();
    assert!(head.starts_with("get /v1.0/teams/t/channels/19:c@thread.tacv2/messages?$top=50 http/1.1"), "{head}");
    for line in [
        "authorization: bearer eyj0",
        "prefer: include-unknown-enum-members",
        "accept: application/json",
        "accept-encoding: gzip",
        "user-agent: lakeflow-teams/",
        "client-request-id: ",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    let id = |head: &str| head.lines().find(|line| line.starts_with("client-request-id")).unwrap().to_owned();
    assert_ne!(id(&seen[0]), id(&seen[1]));
    assert_eq!(server.connections(), 1, "the connection is kept");
    let report = client.report().snapshot();
    assert_eq!((report.requests, report.retries, report.bytes_on_wire), (2, 0, 2 * PAGE.len() as u64));
}

#[tokio::test]
async fn retry_after_is_obeyed_in_every_form() {
    for (header, expected) in [("1", 1.0), ("0.6", 0.6), ("Sun, 06 Nov 1994 08:49:38 GMT", 1.0)] {
        let throttled = status(429).header("Retry-After", header).header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let server = Fifo::start(vec![throttled, json(PAGE)]).await;
        let client = client(&server);
        let start = Instant::now();
        get(&client).await.unwrap();
        let took = start.elapsed().as_secs_f64();
        assert!((expected..expected + 2.0).contains(&took), "{header}: {took}");
        let report = client.report().snapshot();
        assert_eq!((report.throttled, report.retries), (1, 1));
        assert!((expected - 0.1..expected + 2.0).contains(&report.throttled_seconds), "{}", report.throttled_seconds);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_an_error_at_once() {
    let server = Fifo::start(vec![status(429).header("Retry-After", "3600")]).await;
    let start = Instant::now();
    let error = get(&client(&server)).await.unwrap_err();
    assert!(matches!(error, Error::Throttled(_)), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(error.graph().unwrap().endpoint, "/teams/{id}/channels/{id}/messages");
    assert_eq!(error.graph().unwrap().scope, "channel t/c");
}

#[tokio::test]
async fn a_pause_holds_for_all_who_share_the_channel_and_for_no_other() {
    let server = Fifo::start(vec![status(429).header("Retry-After", "1"), json(PAGE), json(PAGE), json(PAGE)]).await;
    let client = client(&server);
    let first = get(&client);
    let later = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let start = Instant::now();
        let other = Request::new(&endpoint::TEAM_EXPORT, &["teams", "t"], "").team("t");
        client.get(&other, page).await.unwrap();
        let free = start.elapsed();
        get(&client).await.unwrap();
        (free, start.elapsed())
    };
    let (first, (free, shared)) = tokio::join!(first, later);
    first.unwrap();
    assert!(free < Duration::from_millis(600) && shared > Duration::from_millis(600), "{free:?} {shared:?}");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Fifo::start(vec![status(401), json(PAGE)]).await;
    get(&client(&server)).await.unwrap();
    let seen = server.seen();
    assert!(seen[0].contains("marked-token-1") && seen[1].contains("marked-token-2"));

    let refused = || {
        status(401)
            .body(r#"{"error":{"code":"InvalidAuthenticationToken","message":"Access token Bearer marked is bad"}}"#)
    };
    let server = Fifo::start(vec![refused(), refused(), json(PAGE)]).await;
    let error = get(&client(&server)).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)) && error.status() == Some(401), "{error:?}");
    assert!(harmless(&error).contains("InvalidAuthenticationToken"));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_401_of_one_scope_is_its_own_and_the_token_serves_on() {
    let disabled = || {
        status(401).body(
            r#"{"error":{"code":"Unauthorized","message":"Teams has been disabled on the tenant.","innerError":{"code":"ServicePrincipalDisabledOnTenant"}}}"#,
        )
    };
    let server =
        Fifo::start(vec![json(PAGE), disabled(), disabled(), json(PAGE), disabled(), disabled(), json(PAGE)]).await;
    let client = client(&server);
    get(&client).await.unwrap();
    for _ in 0..2 {
        let error = get(&client).await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied(_)) && error.status() == Some(401), "{error:?}");
        assert!(!error.ends_run());
        let text = harmless(&error);
        for part in ["Unauthorized (401)", "ServicePrincipalDisabledOnTenant", "no permission helps", "channel t/c"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        get(&client).await.unwrap();
    }
    let seen = server.seen();
    assert!(seen[2].contains("marked-token-2") && seen[3].contains("marked-token-2"), "the new token is kept");
}

#[tokio::test]
async fn a_403_for_an_expired_token_is_tried_again_and_any_other_is_not() {
    let expired = || {
        status(403).body(
            r#"{"error":{"code":"UnknownError","message":"No authorization information present on the request."}}"#,
        )
    };
    let server = Fifo::start(vec![expired(), json(PAGE)]).await;
    get(&client(&server)).await.unwrap();

    let server = Fifo::start(vec![expired(), expired()]).await;
    assert!(matches!(get(&client(&server)).await.unwrap_err(), Error::PermissionDenied(_)));

    let forbidden = status(403)
        .header("request-id", "abc-1")
        .body(r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges."}}"#);
    let server = Fifo::start(vec![forbidden]).await;
    let error = get(&client(&server)).await.unwrap_err();
    let text = harmless(&error);
    for part in ["Forbidden (403)", "ChannelMessage.Read.All", "Authorization_RequestDenied", "abc-1", "channel t/c"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test]
async fn what_the_back_end_refuses_is_said_and_advice_fits() {
    let acl = r#"{"error":{"code":"Forbidden","message":"InsufficientPrivileges","innerError":{"code":"1","message":"AclCheckFailed-The initiator does not have permission to access thread. Tenant Id mismatch."}}}"#;
    let header = r#"{"error":{"code":"Forbidden","message":"{\"error\":{\"code\":\"Forbidden\",\"message\":\"MS-APP-ACTS-AS header needs to be set for application context requests.\",\"innererror\":{\"code\":\"MissingUserIdHeaderInAppContext\"}}}"}}"#;
    let guest = r#"{"error":{"code":"Forbidden","message":"Failed to execute Templates backend request GetChannelsRequest. Request Url: https://teams.microsoft.com/fabric/x/api/teams/OID:1/channels, Request Method: GET, Response Status Code: Forbidden, ErrorMessage : {\"errors\":[{\"message\":\"Request is not allowed\",\"errorCode\":\"GuestAccessDenied\"}]}"}}"#;
    for (code, body, says, advice) in [
        (403, acl, "InsufficientPrivileges; AclCheckFailed", "Another tenant"),
        (403, header, "MissingUserIdHeaderInAppContext", "without a signed-in user"),
        (403, guest, "Request is not allowed (GuestAccessDenied)", "access list"),
        (
            412,
            r#"{"error":{"code":"PreconditionFailed","message":"not supported in application-only context"}}"#,
            "application-only",
            "without a signed-in user",
        ),
        (423, r#"{"error":{"code":"Locked","innerError":{"code":"TeamLocked"}}}"#, "TeamLocked", "restore it"),
        (
            403,
            r#"{"error":{"code":"UnknownError","message":"","innerError":{"request-id":"abc-1"}}}"#,
            "abc-1",
            "Grant the application permission",
        ),
    ] {
        let server = Fifo::start(vec![status(code).body(body)]).await;
        let text = harmless(&get(&client(&server)).await.unwrap_err());
        assert!(text.contains(says) && text.contains(advice), "{text}");
        assert_eq!(text.contains("Grant the application permission"), advice.starts_with("Grant"), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_pass_is_an_error_at_once() {
    for (code, body) in
        [(404, r#"{"error":{"code":"NotFound"}}"#), (400, ""), (402, ""), (405, ""), (410, ""), (412, ""), (501, "")]
    {
        let server = Fifo::start(vec![status(code).body(body)]).await;
        let client = client(&server);
        let error = get(&client).await.unwrap_err();
        assert_eq!((error.status(), matches!(error, Error::NotFound(_))), (Some(code), code == 404), "{error:?}");
        assert_eq!(server.seen().len(), 1);
        assert_eq!(client.report().snapshot().endpoints["/teams/{id}/channels/{id}/messages"].errors, 1);
    }
}

#[tokio::test]
async fn passing_faults_pass() {
    let faults: Vec<(&str, Reply)> = vec![
        ("reset", Reply::reset()),
        ("truncated", json(PAGE).truncated(5)),
        ("500", status(500)),
        ("502 page", status(502).body("<html><title>Bad gateway</title></html>")),
        ("503", status(503).header("Retry-After", "0.2")),
        ("504", status(504)),
        ("408", status(408)),
        ("html with 200", json("<html><title>Sign in</title></html>")),
        ("error with 200", json(r#"{"error":{"code":"generalException","message":"oops"}}"#)),
        ("empty", json("")),
        ("half a gzip", json("").raw_gzip(&gzip(PAGE.as_bytes())[..20])),
        ("a gzip that lies about its size", json("").raw_gzip(&lying())),
    ];
    join_all(faults.into_iter().map(|(name, fault)| async move {
        let server = Fifo::start(vec![fault, json(PAGE)]).await;
        let client = client(&server);
        let value = get(&client).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(value["value"][2], 3, "{name}");
        assert_eq!(client.report().snapshot().retries, 1, "{name}");
    }))
    .await;
}

fn lying() -> Vec<u8> {
    let mut body = gzip(PAGE.as_bytes());
    let at = body.len() - 4;
    body[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    body
}

#[tokio::test]
async fn a_503_moves_to_a_new_connection() {
    let server = Fifo::start(vec![json(PAGE), status(503).header("Retry-After", "0.2"), json(PAGE)]).await;
    let client = client(&server);
    get(&client).await.unwrap();
    get(&client).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn gzip_arrives_whole() {
    let big = format!(r#"{{"value":[{}]}}"#, vec!["\"ab\""; 200_000].join(","));
    let server = Fifo::start(vec![json("").raw_gzip(&gzip(big.as_bytes()))]).await;
    let client = client(&server);
    let value = get(&client).await.unwrap();
    assert_eq!(value["value"].as_array().unwrap().len(), 200_000);
    let report = client.report().snapshot();
    assert_eq!(report.bytes_inflated, big.len() as u64);
    assert!(report.bytes_on_wire < 100_000);
}

#[tokio::test]
async fn a_redirect_does_not_take_the_token_along() {
    let other = Fifo::start(vec![json(PAGE)]).await;
    let server = Fifo::start(vec![status(302).header("Location", &other.url())]).await;
    let error = get(&client(&server)).await.unwrap_err();
    assert!(matches!(error, Error::Protocol(_)) && harmless(&error).contains("redirect"), "{error:?}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn foreign_links_are_refused_without_showing_them() {
    let server = Fifo::start(vec![]).await;
    let client = client(&server);
    let own = format!("{}/v1.0/teams?$skiptoken=marked", server.url());
    assert!(client.link(&own, &messages()).is_ok());
    for bad in ["https://evil.example/v1.0?$skiptoken=marked", "http://127.0.0.1:1/v1.0?$skiptoken=marked", "marked"] {
        let error = client.link(bad, &messages()).unwrap_err();
        assert!(matches!(error, Error::Protocol(_)));
        let text = harmless(&error);
        assert!(text.contains("/teams/{id}/channels/{id}/messages") && !text.contains("evil"), "{text}");
    }
}

/// An answer that never changes, and the error it must become.
type Stubborn = (Reply, fn(&Error) -> bool);

#[tokio::test]
async fn what_stays_broken_ends_within_the_budget() {
    let always: Vec<Stubborn> = vec![
        (status(500).body("{}"), |error| matches!(error, Error::Service(_)) && error.status() == Some(500)),
        (json("<html></html>"), |error| matches!(error, Error::Protocol(_)) && error.status() == Some(200)),
        (Reply::reset(), |error| matches!(error, Error::Service(_)) && error.status().is_none()),
        (status(429), |error| matches!(error, Error::Throttled(_))),
    ];
    join_all(always.into_iter().map(|(reply, expected)| async move {
        let server = Fifo::forever(reply).await;
        let client = client_with(&server, &[("retry_timeout_seconds", "3")]);
        let start = Instant::now();
        let error = get(&client).await.unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!(error.graph().unwrap().retries >= 1);
        harmless(&error);
    }))
    .await;
}

#[tokio::test]
async fn what_people_wrote_is_never_quoted() {
    let client_of = |body: &'static str| async move {
        let server = Fifo::forever(json(body)).await;
        get(&client_with(&server, &[("retry_timeout_seconds", "0")])).await.unwrap_err().to_string()
    };
    for body in [r#"{"value":[{"body":"marked"#, r#"{"text":"marked"}"#, "marked"] {
        let text = client_of(body).await;
        assert!(!text.contains("marked"), "{text}");
    }
    let text = client_of(r#"{"error":{"code":"generalException","message":"Something broke"}}"#).await;
    assert!(text.contains("answered 200 generalException no value: Something broke"), "{text}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let server = Fifo::start(vec![json(PAGE).truncated(5).hanging(), json(PAGE)]).await;
    let start = Instant::now();
    get(&client_with(&server, &[("request_timeout_seconds", "1")])).await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(900));
}

#[tokio::test]
async fn an_unreachable_host_is_named_with_the_remedy() {
    let server = Fifo::start(vec![]).await;
    let config = config(&server.url(), &[("retry_timeout_seconds", "1")]);
    server.stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let client = GraphClient::new(&config, Arc::new(Tokens::default()), Arc::default()).unwrap();
    let error = get(&client).await.unwrap_err();
    let text = harmless(&error);
    assert!(
        matches!(error, Error::Service(_)) && text.contains("127.0.0.1") && text.contains("graph_base_url"),
        "{text}"
    );
}

/// A token answer of Entra ID.
fn granted() -> Reply {
    json(r#"{"token_type":"Bearer","expires_in":3599,"access_token":"marked-token"}"#)
}

fn entra(server: &Fifo, extra: &[(&str, &str)]) -> (GraphClient, ConnectionConfig) {
    let config = config(&server.url(), extra);
    let provider = teams_client::auth::provider(&config, &config.scope(), None).unwrap();
    (GraphClient::new(&config, provider, Arc::new(Report::new())).unwrap(), config)
}

#[tokio::test]
async fn fifty_reads_at_once_need_one_token() {
    let mut replies = vec![granted().slow(Duration::from_millis(200))];
    replies.extend((0..50).map(|_| json(PAGE)));
    let server = Fifo::start(replies).await;
    let (client, _) = entra(&server, &[]);
    assert!(join_all((0..50).map(|_| get(&client))).await.iter().all(Result::is_ok));
    let seen = server.seen();
    let token_requests: Vec<_> = seen.iter().filter(|head| head.contains("/oauth2/v2.0/token")).collect();
    assert_eq!(token_requests.len(), 1);
    let form = token_requests[0];
    assert!(form.starts_with("POST /contoso.onmicrosoft.com/oauth2/v2.0/token HTTP/1.1"), "{form}");
    for part in ["grant_type=client_credentials", "client_secret=marked%7Esecret", "%2F.default", "client_id=app"] {
        assert!(form.contains(part), "{part} in {form}");
    }
}

#[tokio::test]
async fn entra_says_what_is_wrong_and_we_say_what_to_do() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: marked~secret.\r\nTrace ID: t","error_codes":[7000215]}"#;
    let server = Fifo::start(vec![status(401).body(body)]).await;
    let (client, config) = entra(&server, &[]);
    let error = get(&client).await.unwrap_err();
    let text = harmless(&error);
    assert!(text.starts_with("Token acquisition failed: 401 AADSTS7000215 Invalid client secret provided"), "{text}");
    assert!(text.contains("not its Secret ID") && !text.contains("Trace"), "{text}");
    assert!(!format!("{config:?}{client:?}").contains("marked"));
    assert_eq!(server.seen().len(), 1, "a wrong secret is not tried again");
}

#[tokio::test]
async fn entras_passing_faults_pass() {
    let busy = status(400).body(r#"{"error":"server_error","error_codes":[90033]}"#);
    let throttled = status(429).header("Retry-After", "0.3");
    let server = Fifo::start(vec![status(503), busy, throttled, granted(), json(PAGE)]).await;
    get(&entra(&server, &[("retry_timeout_seconds", "60")]).0).await.unwrap();
}

#[tokio::test]
async fn a_rotated_secret_and_a_federated_token_are_read_at_each_use() {
    let path = std::env::temp_dir().join(format!("lakeflow-teams-{}", std::process::id()));
    let server = Fifo::start(vec![granted(), granted(), granted()]).await;
    let config = config(&server.url(), &[]);
    let source = SecretSource::File { option: "client_secret_file", path: path.clone() };
    let credential = EntraCredential::secret(&config, &config.scope(), source).unwrap();
    for text in ["first", "second"] {
        std::fs::write(&path, text).unwrap();
        credential.fetch().await.unwrap();
    }
    EntraCredential::federated(&config, &config.scope(), path.clone()).unwrap().fetch().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(credential.fetch().await.unwrap_err(), Error::Configuration(_)));
    let seen = server.seen();
    assert!(seen[0].contains("client_secret=first") && seen[1].contains("client_secret=second"));
    assert!(seen[2].contains("client_assertion=second") && seen[2].contains("jwt-bearer"));
}

fn team(id: &str) -> Request {
    Request::new(&endpoint::TEAM, &["teams", id], format!("team {id}")).query("$select", "id").team(id)
}

#[tokio::test]
async fn items_of_a_batch_succeed_wait_and_fail_on_their_own() {
    let first = r#"{"responses":[
        {"id":"2","status":404,"headers":{"request-id":"r2"},"body":{"error":{"code":"NotFound","message":"No team found"}}},
        {"id":"1","status":429,"headers":{"Retry-After":"1"},"body":{"error":{"code":"TooManyRequests"}}},
        {"id":"0","status":200,"body":{"id":"a","n":1.50}},
        {"id":"3","status":401,"body":{"error":{"code":"InvalidAuthenticationToken"}}}
    ]}"#;
    let second =
        r#"{"responses":[{"id":"3","status":200,"body":{"id":"d"}},{"id":"1","status":200,"body":{"id":"b"}}]}"#;
    let server = Fifo::start(vec![json(first), json(second)]).await;
    let client = client(&server);
    let start = Instant::now();
    let results = client.batch(&["a", "b", "c", "d"].map(team)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(results[0].as_ref().unwrap().get(), r#"{"id":"a","n":1.50}"#);
    assert_eq!(results[1].as_ref().unwrap().get(), r#"{"id":"b"}"#);
    assert_eq!(results[3].as_ref().unwrap().get(), r#"{"id":"d"}"#);
    let missing = results[2].as_ref().unwrap_err();
    assert!(
        matches!(missing, Error::NotFound(failure) if failure.scope == "team c" && failure.endpoint == "/teams/{id}")
    );
    let seen = server.seen();
    assert!(seen[0].starts_with("POST /v1.0/$batch HTTP/1.1"), "{}", seen[0]);
    assert!(seen[0].contains(r#""url":"/teams/a?$select=id""#) && seen[0].contains(r#""Prefer":"include-unknown"#));
    assert!(seen[1].contains("marked-token-2"), "the refused item rides again with a new token");
    assert!(!seen[1].contains("/teams/a") && !seen[1].contains("/teams/c"));
    let report = client.report().snapshot();
    assert_eq!((report.requests, report.throttled, report.retries), (2, 1, 2));
    assert_eq!(report.endpoints["/teams/{id}"].requests, 6);
}

#[tokio::test]
async fn more_than_twenty_items_take_more_batches_and_a_refused_batch_is_an_error() {
    let answer = |ids: std::ops::Range<usize>| {
        let items: Vec<_> = ids.map(|id| format!(r#"{{"id":"{id}","status":200,"body":{{"n":{id}}}}}"#)).collect();
        json(&format!(r#"{{"responses":[{}]}}"#, items.join(",")))
    };
    let server = Fifo::start(vec![answer(0..20), answer(20..25)]).await;
    let teams: Vec<_> = (0..25).map(|id| team(&id.to_string())).collect();
    let results = client(&server).batch(&teams).await.unwrap();
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.as_ref().unwrap().get(), format!(r#"{{"n":{index}}}"#));
    }
    let server = Fifo::start(vec![status(404)]).await;
    let error = client(&server).batch(&teams).await.unwrap_err();
    assert!(error.to_string().contains("could not answer: POST /$batch [20 reads] answered 404"), "{error}");
    assert!(client(&server).batch(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn no_more_requests_are_on_the_wire_than_allowed() {
    let server = Fifo::forever(json(PAGE).slow(Duration::from_millis(50))).await;
    let client = client_with(&server, &[("max_concurrency", "3")]);
    join_all((0..30).map(|_| get(&client))).await;
    assert_eq!(server.most_at_once(), 3);
}

#[tokio::test]
async fn a_dropped_read_gives_its_place_back() {
    let server = Fifo::start(vec![json(PAGE).slow(Duration::from_secs(60)), json(PAGE)]).await;
    let client = client_with(&server, &[("max_concurrency", "1")]);
    assert!(tokio::time::timeout(Duration::from_millis(200), get(&client)).await.is_err());
    get(&client).await.unwrap();
}

#[tokio::test]
async fn an_outage_is_told_by_all_at_once_long_before_each_has_used_up_its_time() {
    let server = Fifo::forever(status(503)).await;
    let client = client_with(&server, &[("retry_timeout_seconds", "12")]);
    let start = Instant::now();
    let errors: Vec<_> = join_all((0..10).map(|_| get(&client))).await.into_iter().map(Result::unwrap_err).collect();
    assert!((4..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(errors.iter().all(|error| matches!(error, Error::Service(_))));
    let told = errors.iter().filter(|error| error.to_string().contains("has answered no request for")).count();
    assert!(told >= 9, "{errors:?}");
    let (start, before) = (Instant::now(), server.seen().len());
    get(&client).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1) && server.seen().len() == before + 1, "one look, no retries");
}

#[tokio::test]
async fn a_run_that_is_dropped_sends_nothing_more() {
    let server = Fifo::forever(status(503)).await;
    let client = client_with(&server, &[("retry_timeout_seconds", "60")]);
    let all = join_all((0..5).map(|_| get(&client)));
    assert!(tokio::time::timeout(Duration::from_millis(300), all).await.is_err());
    let before = server.seen().len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(server.seen().len(), before);
}

#[tokio::test]
async fn only_graphs_own_clock_counts() {
    const AHEAD: &str = "Sat, 06 Nov 2094 08:49:37 GMT";
    for (reply, is_graph) in [
        (json("<html>Sign in</html>"), false),
        (status(502), false),
        (status(404), false),
        (status(404).header("request-id", "abc"), true),
        (json(PAGE), true),
    ] {
        let server = Fifo::forever(reply.header("Date", AHEAD)).await;
        let client = client_with(&server, &[("retry_timeout_seconds", "0")]);
        drop(get(&client).await);
        assert_eq!(client.now().is_some(), is_graph);
    }
}
