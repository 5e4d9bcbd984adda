//! Errors that last, that strike one scope only, and bodies as Graph's back ends write them.

use serde_json::{Value, json};
use teams_emulator::{FaultKind, FaultRule, Pages};

use crate::client::{small, start, text, token};

fn lasting(path: &str, status: u16) -> FaultRule {
    FaultRule { path: path.to_owned(), status, ..FaultRule::default() }
}

#[tokio::test]
async fn one_scope_fails_for_good_and_its_neighbours_answer() {
    let client = start(small()).await;
    let ((broken, _), (healthy, channels)) = (client.team(0), client.team(1));
    for status in [400, 403, 409, 412, 423, 424, 500, 502, 504] {
        client.emulator.clear_faults();
        client.emulator.fault(lasting(&format!("/teams/{broken}/channels"), status));
        for _ in 0..3 {
            let reply = client.get(&format!("/teams/{broken}/channels")).await;
            assert_eq!(reply.status, status);
            assert!(!text(&reply.body["error"], "code").is_empty());
        }
        assert_eq!(client.get(&format!("/teams/{healthy}/channels")).await.status, 200);
        assert_eq!(client.get(&format!("/teams/{healthy}/channels/{}/messages", channels[0])).await.status, 200);
    }
}

#[tokio::test]
async fn an_export_fails_for_good_while_the_lists_of_its_channels_work() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    for status in [409, 424, 500, 502, 504] {
        client.emulator.set(|knobs| {
            knobs.export_refused_teams.insert(team.clone(), status);
        });
        assert_eq!(client.get(&format!("/teams/{team}/channels/getAllMessages")).await.status, status);
        assert_eq!(client.get(&format!("/teams/{team}/channels/{}/messages", channels[0])).await.status, 200);
    }
    let user = text(&client.emulator.truth("users")[0], "id");
    client.emulator.fault(lasting(&format!("/users/{user}/chats/getAllMessages"), 502));
    assert_eq!(client.get(&format!("/users/{user}/chats/getAllMessages")).await.status, 502);
    assert_eq!(client.get(&format!("/users/{user}/chats")).await.status, 200);
}

#[tokio::test]
async fn what_the_back_end_says_is_in_the_inner_error_or_in_json_inside_the_message() {
    let client = start(small()).await;
    let inner = json!({"error": {"code": "Forbidden", "message": "MS-APP-ACTS-AS header needs to be set."}});
    client.emulator.fault(FaultRule {
        times: Some(1),
        code: Some("Forbidden".into()),
        message: Some(inner.to_string()),
        inner_code: Some("1".into()),
        inner_message: Some("AclCheckFailed-Tenant Id mismatch.".into()),
        ..lasting("/teams", 403)
    });
    let error = client.get("/teams").await.body["error"].clone();
    assert_eq!(serde_json::from_str::<Value>(&text(&error, "message")).unwrap(), inner);
    assert_eq!(text(&error["innerError"], "code"), "1");
    assert_eq!(text(&error["innerError"], "message"), "AclCheckFailed-Tenant Id mismatch.");
    assert!(error["innerError"]["request-id"].is_string() && error["innerError"]["date"].is_string());
    let whole = json!({"error": {"code": "General", "message": "", "details": [{"code": "x"}], "innererror": {}}});
    client.emulator.fault(FaultRule { body: Some(whole.to_string()), ..lasting("/teams", 412) });
    let reply = client.get("/teams").await;
    assert_eq!((reply.status, reply.body), (412, whole.clone()));
    assert_eq!(client.batch("/teams").await.body["responses"][0]["body"], whole);
}

#[tokio::test]
async fn heavy_pages_fail_and_light_ones_come() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages", channels[0]);
    let statuses = async |first: &str| {
        let first = client.get(first).await;
        let Some(link) = first.body["@odata.nextLink"].as_str() else { return (first.status, 0) };
        (first.status, client.get(link).await.status)
    };
    for status in [500, 502, 504] {
        for pages in [Pages::All, Pages::First] {
            client.emulator.clear_faults();
            client.emulator.fault(FaultRule { pages, top_above: Some(10), ..lasting("/messages", status) });
            assert_eq!(statuses(&format!("{path}?$top=50")).await, (status, 0));
            assert_eq!(statuses(&format!("{path}?$top=10")).await, (200, 200));
        }
        client.emulator.clear_faults();
        client.emulator.fault(FaultRule { pages: Pages::Linked, top_above: Some(10), ..lasting("/messages", status) });
        assert_eq!(statuses(&format!("{path}?$top=20")).await, (200, status));
        assert_eq!(statuses(&format!("{path}?$top=10")).await, (200, 200));
        client.emulator.clear_faults();
        client.emulator.fault(FaultRule { expands: Some("replies".into()), ..lasting("/messages", status) });
        assert_eq!(client.get(&format!("{path}?$top=20&$expand=replies")).await.status, status);
        assert_eq!(statuses(&format!("{path}?$top=20")).await, (200, 200));
    }
}

#[tokio::test]
async fn a_token_is_refused_for_one_scope_and_good_for_all_others() {
    let client = start(small()).await;
    let users = client.emulator.truth("users");
    let chats = |at: usize| format!("/users/{}/chats", text(&users[at], "id"));
    client.emulator.fault(FaultRule {
        path: chats(0),
        kind: FaultKind::ServicePrincipalDisabled,
        ..FaultRule::default()
    });
    let reply = client.get(&chats(0)).await;
    assert_eq!(reply.status, 401);
    assert_eq!(text(&reply.body["error"]["innerError"], "code"), "ServicePrincipalDisabledOnTenant");
    assert_eq!(client.get(&chats(1)).await.status, 200);
    assert_eq!(token(&client.http, &client.emulator).await.status, 200);
}

#[tokio::test]
async fn byte_order_marks_stand_before_pages_batches_tokens_and_errors() {
    let client = start(small()).await;
    let mark = |path: &str| FaultRule {
        path: path.to_owned(),
        kind: FaultKind::ByteOrderMark,
        times: Some(1),
        ..FaultRule::default()
    };
    let is_marked = |text: &str| text.starts_with("\u{feff}{");
    client.emulator.fault(mark("/teams"));
    let reply = client.get("/teams").await;
    assert!(reply.status == 200 && is_marked(&reply.text));
    client.emulator.fault(mark("/teams"));
    client.emulator.fault(FaultRule { times: Some(1), ..lasting("/teams", 403) });
    let reply = client.get("/teams").await;
    assert!(reply.status == 403 && is_marked(&reply.text));
    assert_eq!(text(&reply.body["error"], "code"), "Forbidden");
    assert!(!is_marked(&client.get("/teams").await.text));
    client.emulator.fault(mark("/$batch"));
    let reply = client.batch("/teams").await;
    assert!(is_marked(&reply.text) && reply.body["responses"][0]["status"] == 200);
    client.emulator.fault(mark("/oauth2/v2.0/token"));
    assert!(is_marked(&token(&client.http, &client.emulator).await.text));
}
