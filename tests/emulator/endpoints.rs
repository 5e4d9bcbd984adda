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
