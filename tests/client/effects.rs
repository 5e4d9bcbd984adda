//! Requests with an effect: when they are repeated, what their caller judges, and what is known when they fail.

use teams_base::graph::endpoint::{Endpoint, Method, RateClass};
use teams_client::Idempotency;
use teams_client::Idempotency::{Idempotent, NotIdempotent, Safe};

use super::*;

/// An endpoint of each method, with a path that Graph has.
static ENDPOINTS: [Endpoint; 5] = [
    endpoint(Method::Get),
    endpoint(Method::Post),
    endpoint(Method::Put),
    endpoint(Method::Patch),
    endpoint(Method::Delete),
];

const fn endpoint(method: Method) -> Endpoint {
    Endpoint {
        method,
        template: "/chats/{id}/messages",
        class: RateClass::ChatMessages,
        permission: "Teamwork.Migrate.All",
    }
}

const BODY: &str = r#"{"body":{"content":"marked"}}"#;

fn request(method: Method, idempotency: Idempotency) -> Request {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.method == method).unwrap();
    let request =
        Request::new(endpoint, &["chats", "19:c@thread.v2", "messages"], "chat c").conversation("19:c@thread.v2");
    request.json(BODY).idempotency(idempotency)
}

pub fn post() -> Request {
    request(Method::Post, NotIdempotent)
}

const MADE: &str = r#"{"id":"1616963377068"}"#;

fn made() -> Reply {
    status(201).body(MADE)
}

#[tokio::test]
async fn method_body_and_promise_are_the_requests_own() {
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let server = Fifo::start(vec![made()]).await;
        let answer = client(&server).send(&request(method, NotIdempotent)).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (201, MADE.as_bytes()));
        let seen = server.seen().remove(0);
        assert!(seen.starts_with(&format!("{method} /v1.0/chats/19:c@thread.v2/messages HTTP/1.1\r\n")), "{seen}");
        assert!(seen.ends_with(&format!("\r\n\r\n{BODY}")), "{seen}");
        let head = seen.to_ascii_lowercase();
        for line in ["authorization: bearer eyj0", "content-type: application/json", "content-length: 29"] {
            assert!(head.contains(line), "{line} in {head}");
        }
    }
    let empty = |method| Request::new(ENDPOINTS.iter().find(|e| e.method == method).unwrap(), &["chats"], "");
    for (method, length) in [(Method::Post, true), (Method::Delete, true), (Method::Get, false)] {
        let server = Fifo::start(vec![json("{}")]).await;
        client(&server).send(&empty(method)).await.unwrap();
        let head = server.seen()[0].to_ascii_lowercase();
        assert_eq!(head.matches("content-length: 0").count(), usize::from(length), "{head}");
    }
    assert_eq!(empty(Method::Get).idempotency, Safe);
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        assert_eq!(empty(method).idempotency, NotIdempotent);
    }
    assert!(!format!("{:?}", post()).contains("marked"), "a body is not shown");
}

#[tokio::test]
async fn what_an_effect_became_is_for_its_caller_to_judge_and_no_answer_to_a_read() {
    for (code, body) in [
        (200, MADE),
        (201, MADE),
        (202, ""),
        (204, ""),
        (207, r#"{"value":[{"error":{"code":"NotFound"}}]}"#),
        (409, r#"{"error":{"code":"NameAlreadyExists"}}"#),
    ] {
        let reply =
            status(code).body(body).header("Location", "/teams('t')/operations('o')").header("Retry-After", "7");
        for idempotency in [Idempotent, NotIdempotent] {
            let server = Fifo::start(vec![reply.clone()]).await;
            let answer = client(&server).send(&request(Method::Post, idempotency)).await.unwrap();
            assert_eq!((answer.status, &answer.body[..]), (code, body.as_bytes()));
            assert!(!answer.repeated_in_doubt);
            assert_eq!(answer.headers.location.as_ref().unwrap().expose(), "/teams('t')/operations('o')");
            assert_eq!(answer.headers.wait(), Some(Duration::from_secs(7)));
        }
        if code != 200 {
            let server = Fifo::start(vec![reply.clone()]).await;
            let error = client(&server).send(&request(Method::Get, Safe)).await.unwrap_err();
            assert_eq!((error.status(), error.effect_is_unknown()), (Some(code), false));
        }
    }
}

/// What goes wrong, whether it is repeated for a request with each promise, and whether an effect is then in doubt.
struct Case {
    name: &'static str,
    fault: Reply,
    repeated: [bool; 3],
    in_doubt: bool,
}

fn cases() -> Vec<Case> {
    const ALL: [bool; 3] = [true, true, true];
    const SAFE: [bool; 3] = [true, true, false];
    const NONE: [bool; 3] = [false, false, false];
    let case = |name, fault, repeated, in_doubt| Case { name, fault, repeated, in_doubt };
    vec![
        case("throttled", status(429), ALL, false),
        case("throttled for a time", status(429).header("Retry-After", "0.2"), ALL, false),
        case("token refused", status(401), ALL, false),
        case("timeout", made().slow(Duration::from_secs(10)), SAFE, true),
        case("reset", Reply::reset(), SAFE, true),
        case("cut off", made().truncated(5), SAFE, true),
        case("408", status(408), SAFE, true),
        case("500", status(500), SAFE, true),
        case("502", status(502), SAFE, true),
        case("503", status(503), SAFE, true),
        case("503 for a time", status(503).header("Retry-After", "0.2"), SAFE, true),
        case("504", status(504), SAFE, true),
        case("bandwidth", status(509), SAFE, true),
        case("half a gzip", status(200).raw_gzip(&gzip(MADE.as_bytes())[..15]), SAFE, true),
        case("400", status(400), NONE, false),
        case("403", status(403), NONE, false),
        case("404", status(404), NONE, false),
        case("412", status(412), NONE, false),
        case("413", status(413), NONE, false),
        case("501", status(501), NONE, true),
        case("redirect", status(307).header("Location", "http://127.0.0.1:9/"), NONE, true),
        case("partial", status(206), NONE, true),
    ]
}

#[tokio::test]
async fn a_repeat_is_sent_only_where_it_is_harmless_and_a_lost_answer_is_told() {
    let runs = cases().into_iter().flat_map(|case| {
        let case = Arc::new(case);
        [Safe, Idempotent, NotIdempotent].into_iter().zip(case.repeated).map(move |(promise, repeated)| {
            let case = Arc::clone(&case);
            async move {
                let name = format!("{} of {promise:?}", case.name);
                let server = Fifo::start(vec![case.fault.clone(), json(MADE)]).await;
                // Long enough for a busy machine.
                let client = client_with(&server, &[("request_timeout_seconds", "3")]);
                let result = client.send(&request(Method::Post, promise)).await;
                assert_eq!(server.seen().len(), 1 + usize::from(repeated), "{name}");
                assert_eq!(client.report().snapshot().retries, u64::from(repeated), "{name}");
                let in_doubt = case.in_doubt && promise != Safe;
                match result {
                    Ok(answer) => {
                        assert!(repeated, "{name}");
                        assert_eq!((answer.status, answer.repeated_in_doubt), (200, in_doubt), "{name}");
                    }
                    Err(error) => {
                        assert!(!repeated, "{name}: {error}");
                        assert_eq!(error.effect_is_unknown(), in_doubt, "{name}: {error:?}");
                        let text = harmless(&error);
                        assert!(text.contains("POST /chats/{id}/messages [chat c]"), "{text}");
                        assert_eq!(text.contains("and it may have taken effect"), in_doubt, "{text}");
                    }
                }
            }
        })
    });
    join_all(runs).await;
}

#[tokio::test]
async fn a_server_that_is_not_reached_is_asked_again_and_no_effect_is_in_doubt() {
    let server = Fifo::start(vec![]).await;
    let config = config(&server.url(), &[("retry_timeout_seconds", "2")]);
    server.stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let client = GraphClient::new(&config, Arc::new(Tokens::default()), Arc::default()).unwrap();
    let error = client.send(&post()).await.unwrap_err();
    assert!(error.graph().unwrap().retries >= 1 && !error.effect_is_unknown(), "{error:?}");
}

#[tokio::test]
async fn doubt_outlives_the_attempt_that_raised_it() {
    let throttled = || status(429).header("Retry-After", "3600");
    for (replies, expected) in [
        (vec![status(504), throttled()], 429),
        (vec![status(504), status(404)], 404),
        (vec![status(504), status(401), status(401)], 401),
    ] {
        let server = Fifo::start(replies).await;
        let error = client(&server).send(&request(Method::Delete, Idempotent)).await.unwrap_err();
        assert_eq!((error.status(), error.effect_is_unknown()), (Some(expected), true), "{error:?}");
    }
    let server = Fifo::start(vec![Reply::reset(), status(409)]).await;
    let answer = client(&server).send(&request(Method::Post, Idempotent)).await.unwrap();
    assert_eq!(
        (answer.status, answer.repeated_in_doubt),
        (409, true),
        "the conflict may be with its own first attempt"
    );
    let server = Fifo::start(vec![throttled()]).await;
    let error = client(&server).send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Throttled(_)) && !error.effect_is_unknown(), "{error:?}");
}

#[tokio::test]
async fn a_throttled_effect_pauses_its_conversation() {
    let server = Fifo::start(vec![status(429).header("Retry-After", "1"), made(), json(PAGE)]).await;
    let client = client(&server);
    let read = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let start = Instant::now();
        let request = Request::new(&endpoint::CHAT_MESSAGES, &["chats", "c"], "").conversation("19:c@thread.v2");
        client.get(&request, page).await.unwrap();
        start.elapsed()
    };
    let request = post();
    let (sent, waited) = tokio::join!(client.send(&request), read);
    assert_eq!(sent.unwrap().status, 201);
    assert!(waited > Duration::from_millis(600), "{waited:?}");
}

#[tokio::test]
async fn a_batch_is_repeated_as_a_whole_and_so_holds_reads_only() {
    let answer = json(r#"{"responses":[{"id":"1","status":200,"body":{"id":"b"}}]}"#);
    let server = Fifo::start(vec![status(504), answer]).await;
    let results = client(&server).batch(&[post(), team("b")]).await.unwrap();
    let error = results[0].as_ref().unwrap_err();
    assert!(matches!(error, Error::Protocol(_)) && !error.effect_is_unknown(), "{error:?}");
    assert_eq!(results[1].as_ref().unwrap().get(), r#"{"id":"b"}"#);
    assert!(server.seen().iter().all(|seen| !seen.contains("marked\"")), "the effect is not sent");
}
