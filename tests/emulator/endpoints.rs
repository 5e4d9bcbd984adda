//! The table of endpoints as a whole.

use std::collections::HashMap;

use reqwest::Method;
use teams_emulator::{Knobs, served};

use crate::client::{small, start};

/// A path that a template describes.
fn example(template: &str) -> String {
    template.replace("{id}", "some-id").replace("{_}", "ignored")
}

/// What tells templates apart: all ids are the same.
fn shape(template: &str) -> String {
    template.replace("{_}", "{id}").to_ascii_lowercase()
}

#[tokio::test]
async fn every_path_leads_to_its_own_endpoint() {
    let client = start(small()).await;
    for endpoint in served() {
        for path in &endpoint.paths {
            client.emulator.clear_requests();
            let method = Method::from_bytes(endpoint.method.as_bytes()).unwrap();
            let request = client.http.request(method, client.url(&example(path))).bearer_auth(&client.token);
            request.body("{}").send().await.unwrap();
            let seen = client.emulator.requests().remove(0);
            let name = endpoint.paths[0].split('(').next().unwrap();
            assert_eq!((seen.method.as_str(), seen.template.as_str()), (endpoint.method, name), "{path}");
        }
    }
}

#[test]
fn no_two_endpoints_have_the_same_path() {
    let mut seen = HashMap::new();
    for endpoint in served() {
        for path in endpoint.paths {
            let before = seen.insert((endpoint.method, shape(path)), path);
            assert_eq!(before, None, "{} {path}", endpoint.method);
        }
    }
    assert!(seen.len() > 100);
}

#[test]
fn every_endpoint_asks_for_a_permission_that_can_be_granted() {
    let granted = Knobs::default().roles;
    for endpoint in served() {
        let path = endpoint.paths[0];
        // What a subscription takes is the permission of what it is for.
        let open =
            path == "/$batch" || path == "/chats" && endpoint.method == "GET" || path.starts_with("/subscriptions");
        let can_be_granted = endpoint.roles.iter().any(|role| granted.contains(*role));
        assert!(open != can_be_granted, "{} {path}", endpoint.method);
    }
}

#[tokio::test]
async fn names_go_before_ids_and_are_matched_without_regard_to_case() {
    let client = start(small()).await;
    for (method, path, status, template) in [
        ("GET", "/USERS/u/Chats('a')/members", 404, "/chats/{id}/members"),
        ("GET", "/chats/19%3Aa%40thread.v2", 404, "/chats/{id}"),
        ("GET", "/teams('t')/Channels/GetAllMessages", 404, "/teams/{id}/channels/getAllMessages"),
        ("GET", "/reports/GetTeamsDeviceUsageUserDetail(period='D7')", 200, "/reports/getTeamsDeviceUsageUserDetail"),
        ("GET", "/reports/getTeamsDeviceUsageUserDetail", 400, "(unknown)"),
        // The name goes before the id, whatever methods it has.
        ("DELETE", "/users/delta", 405, "/users/delta"),
        ("PATCH", "/users/u/chats/a", 405, "/chats/{id}"),
        ("GET", "/nowhere", 400, "(unknown)"),
    ] {
        client.emulator.clear_requests();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = client.http.request(method, client.url(path)).bearer_auth(&client.token);
        let answer = request.send().await.unwrap();
        let seen = client.emulator.requests().remove(0);
        assert_eq!((answer.status().as_u16(), seen.template.as_str()), (status, template), "{path}");
    }
}
