//! The fault matrix: each fault strikes a whole reading of messages and replies. Between the connector and the emulated
//! tenant stands a server that spoils answers. Whatever happens, when the fault is over every row has arrived, and it
//! arrived by going on from the last good offset. `docs/faults.md` is the same table in words.

mod harness;
mod soak;

use std::time::Duration;

use harness::{Case, Ending, Tenant, edit, run_all};
use serde_json::{Value, json as value};
use support::fifo::{Reply, gzip, json, status};
use teams_base::error::Error;

/// What a fault does to the answer that it strikes.
fn instead(reply: Reply) -> Spoil {
    Box::new(move |_| reply.clone())
}

type Spoil = Box<dyn Fn(Reply) -> Reply + Send + Sync>;

/// A fault that goes by: the reading does not even notice.
fn passing(name: &'static str, spoil: Spoil) -> Case {
    Case { name, spoil, strikes: 2, ending: Ending::Whole }
}

/// A fault that stays: the reading ends with an error, and goes on where it was once the fault is over.
fn staying(name: &'static str, spoil: Spoil, expected: fn(&Error) -> bool) -> Case {
    Case { name, spoil, strikes: usize::MAX, ending: Ending::Failed(expected) }
}

/// Changes every item of a page.
fn items(change: fn(&mut Value)) -> Spoil {
    Box::new(move |reply| {
        edit(reply, |page| {
            for item in page["value"].as_array_mut().into_iter().flatten() {
                change(item);
                for reply in item["replies"].as_array_mut().into_iter().flatten() {
                    change(reply);
                }
            }
        })
    })
}

fn link(make: fn(&str) -> String) -> Spoil {
    Box::new(move |reply| {
        edit(reply, |page| {
            let link = page["@odata.nextLink"].as_str().map(make);
            if let Some(link) = link {
                page["@odata.nextLink"] = link.into();
            }
        })
    })
}

/// A fault that stays, met by a reading of everything.
fn ending(name: &'static str, spoil: Spoil, expected: fn(&Error) -> bool) -> Case {
    Case { name, spoil, strikes: usize::MAX, ending: Ending::FailedAtOnce(expected) }
}

fn is_service(error: &Error) -> bool {
    matches!(error, Error::Service(_))
}

fn is_protocol(error: &Error) -> bool {
    matches!(error, Error::Protocol(_))
}

fn is_throttled(error: &Error) -> bool {
    matches!(error, Error::Throttled(_))
}

fn code_in_message() -> &'static str {
    r#"{"error":{"code":"UnknownError","message":"{\"error\":{\"code\":\"x\",\"message\":\"This request is forbidden.\"}}"}}"#
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_not_noticed() {
    let tenant = Tenant::start();
    let http_date = |reply: Reply| reply.header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let mut cases = vec![
        passing("429 with seconds", instead(status(429).header("Retry-After", "1"))),
        passing("429 with a fraction", instead(status(429).header("Retry-After", "0.128"))),
        passing(
            "429 with a date",
            instead(http_date(status(429).header("Retry-After", "Sun, 06 Nov 1994 08:49:38 GMT"))),
        ),
        passing("429 without a wait", instead(status(429))),
        passing("connection reset", instead(Reply::reset())),
        passing(
            "truncated body",
            Box::new(|reply| {
                let half = reply.body.len() / 2;
                reply.truncated(half)
            }),
        ),
        passing(
            "slow body",
            Box::new(|reply| {
                let half = reply.body.len() / 2;
                reply.truncated(half).hanging()
            }),
        ),
        passing("502 with an HTML page", instead(status(502).body("<html><title>Bad gateway</title></html>"))),
        passing("empty body", instead(status(200))),
        passing("half a gzip", instead(status(200).raw_gzip(&gzip(b"{\"value\":[]}")[..20]))),
        passing("HTML with 200", instead(json("<!DOCTYPE html><html><title>Sign in</title></html>"))),
        passing("an error with 200", instead(json(r#"{"error":{"code":"generalException","message":"x"}}"#))),
        passing("JSON of another shape", instead(json(r#"{"teams":[]}"#))),
        passing(
            "JSON cut off in a correct frame",
            Box::new(|mut reply| {
                reply.body.truncate(reply.body.len() / 2);
                reply
            }),
        ),
        passing(
            "wrong content type",
            Box::new(|mut reply| {
                reply.headers = vec![("Content-Type".into(), "text/html".into())];
                reply
            }),
        ),
        passing(
            "duplicate keys",
            Box::new(|mut reply| {
                let text = String::from_utf8(reply.body).unwrap();
                reply.body = text.replace("\"messageType\":", "\"messageType\":\"first\",\"messageType\":").into();
                reply
            }),
        ),
        passing(
            "invalid UTF-8",
            Box::new(|mut reply| {
                let text = String::from_utf8(reply.body).unwrap();
                let at = text.find("\"subject\":").unwrap_or(0);
                let mut bytes = text.into_bytes();
                if at > 0 {
                    bytes.splice(at + 10..at + 10, *b"\"\xff\xfe\",\"x\":");
                }
                reply.body = bytes;
                reply
            }),
        ),
        passing(
            "1,000-deep nesting",
            Box::new(|mut reply| {
                let deep = format!(
                    "\"from\":{}1{},\"unknown\":{}1{},",
                    "[".repeat(1_000),
                    "]".repeat(1_000),
                    "{\"a\":".repeat(1_000),
                    "}".repeat(1_000)
                );
                let text = String::from_utf8(reply.body).unwrap();
                reply.body = text.replace("\"messageType\":", &(deep + "\"messageType\":")).into();
                reply
            }),
        ),
        passing(
            "a page of 64 MB",
            Box::new(|reply| {
                edit(reply, |page| page["value"][0]["body"] = value!({ "content": "x".repeat(64 << 20) }))
            }),
        ),
        passing(
            "numbers where strings belong",
            items(|item| {
                for name in ["subject", "createdDateTime", "messageType", "etag", "webUrl"] {
                    item[name] = 7.into();
                }
            }),
        ),
        passing(
            "objects where strings belong",
            items(|item| {
                for name in ["subject", "createdDateTime", "etag"] {
                    item[name] = value!({ "a": [1, null] });
                }
            }),
        ),
        passing(
            "strings where objects belong",
            items(|item| {
                for name in ["from", "body", "mentions", "attachments", "reactions"] {
                    item[name] = "text".into();
                }
            }),
        ),
        passing(
            "timestamps that are none",
            items(|item| {
                item["lastModifiedDateTime"] = "2021-03-1706:47:05.123Z".into();
                item["createdDateTime"] = "soon".into();
            }),
        ),
        Case { name: "401 in mid-run", spoil: instead(status(401)), strikes: 1, ending: Ending::Whole },
        Case {
            name: "403 for an expired token",
            spoil: instead(status(403).body(
                r#"{"error":{"code":"UnknownError","message":"No authorization information present on the request."}}"#,
            )),
            strikes: 1,
            ending: Ending::Whole,
        },
        Case { name: "a link to its own page", spoil: harness::own_link(), strikes: 1, ending: Ending::Whole },
        Case { name: "404 of a listed channel", spoil: instead(status(404)), strikes: 1, ending: Ending::Whole },
    ];
    for code in [408, 500, 502, 503, 504, 509] {
        cases.push(Case {
            name: "a 5xx, 408 or 509",
            ..passing("", instead(status(code).header("Retry-After", "0.2")))
        });
    }
    run_all(&tenant, cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staying_faults_end_the_reading_and_lose_nothing() {
    let tenant = Tenant::start();
    let denied = |error: &Error| matches!(error, Error::PermissionDenied(_));
    let foreign = tenant.foreign.clone();
    let to_foreign: Spoil = Box::new(move |reply| {
        edit(reply, |page| {
            if page["@odata.nextLink"].is_string() {
                page["@odata.nextLink"] = format!("{foreign}/v1.0/teams?$skiptoken=marked-link").into();
            }
        })
    });
    let foreign = tenant.foreign.clone();
    let mut cases = vec![
        staying("429 for ever", instead(status(429).header("Retry-After", "1")), is_throttled),
        staying("429 beyond the budget", instead(status(429).header("Retry-After", "86400")), is_throttled),
        staying("500 for ever", instead(status(500)), is_service),
        staying("503 for ever", instead(status(503)), is_service),
        staying("reset for ever", instead(Reply::reset()), is_service),
        staying("HTML for ever", instead(json("<html>")), is_protocol),
        staying("402", instead(status(402)), is_service),
        staying("410", instead(status(410)), is_service),
        staying("412", instead(status(412)), is_service),
        // The lists of teams and channels are answered, so the token is good, and the refusal is that of the messages.
        staying("401 for ever", instead(status(401)), denied),
        staying("403", instead(status(403)), denied),
        staying(
            "JSON in the message",
            instead(status(403).body(code_in_message())),
            |error| matches!(error, Error::PermissionDenied(failure) if failure.message == "This request is forbidden. (x)"),
        ),
        ending("a link to another host", to_foreign, is_protocol),
        ending("a link to http or https", link(|link| link.replace("http://", "https://")), is_protocol),
        ending("a link with user info", link(|link| link.replace("http://", "http://user:marked@")), is_protocol),
        ending("a link that is none", link(|_| "marked-link".into()), is_protocol),
        ending("a link to its own page for ever", harness::own_link(), is_protocol),
        staying("a redirect to another host", Box::new(move |_| status(302).header("Location", &foreign)), is_protocol),
    ];
    for code in [400, 405, 501, 507] {
        cases.push(staying("another refusal", instead(status(code)), is_service));
    }
    run_all(&tenant, cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_fails_behind_its_first_page_ends_the_steps() {
    let tenant = Tenant::start();
    let foreign = link(|_| "https://graph.attacker.example/v1.0/teams?$skiptoken=marked".into());
    run_all(&tenant, vec![staying("a link to another host", foreign, is_protocol)]).await;
}

#[tokio::test]
async fn hosts_that_cannot_be_reached_are_named_soon() {
    for (base, part) in [
        ("https://graph.nowhere.invalid", "graph.nowhere.invalid"),
        // TLS is spoken to a server that does not speak it.
        (harness::deaf().await.leak() as &str, "localhost"),
    ] {
        let (error, took) = harness::first_error(base).await;
        let text = error.to_string();
        assert!(is_service(&error) && text.contains(part) && text.contains("graph_base_url"), "{text}");
        assert!(took < Duration::from_secs(15), "{base}: {took:?}");
    }
}
