use serde_json::json;

use crate::client::{Client, Reply, small, start};

async fn send(client: &Client, method: &str, path: &str) -> (u16, String) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = client.http.request(method, client.url(path)).bearer_auth(&client.token);
    let response = request.body("{}").send().await.unwrap();
    let status = response.status().as_u16();
    let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    (status, body["error"]["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_known_path_with_another_method_is_405_and_an_unknown_path_is_400() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let messages = format!("/teams/{team}/channels/{}/messages", channels[0]);
    for (path, post) in [("/users", "POST"), ("/users/delta", "POST"), ("/teams", "PUT"), (&messages, "PUT")] {
        for method in [post, "PATCH", "PUT", "DELETE", "OPTIONS"] {
            let (status, message) = send(&client, method, path).await;
            assert_eq!(status, 405, "{method} {path}");
            assert_eq!(message, "Specified HTTP method is not allowed for the request target.");
        }
    }
    assert_eq!(send(&client, "GET", "/$batch").await.0, 405);
    let (status, message) = send(&client, "POST", "/nowhere").await;
    assert_eq!((status, message.as_str()), (400, "Resource not found for the segment 'nowhere'."));
    assert_eq!(client.emulator.request_counts()["PATCH /teams/{id}/channels/{id}/messages"], 1);
}

#[tokio::test]
async fn parts_of_a_batch_have_methods_of_their_own() {
    let client = start(small()).await;
    client.emulator.set(|knobs| knobs.batch_shuffle = false);
    let part = |id: &str, method: &str, url: &str| {
        let headers = json!({"Content-Type": "application/json"});
        json!({"id": id, "method": method, "url": url, "body": {"topic": "x"}, "headers": headers})
    };
    let parts = [part("1", "POST", "/users"), part("2", "GET", "/users"), part("3", "POST", "/$batch")];
    let request = client.http.post(client.url("/$batch")).bearer_auth(&client.token);
    let text = request.body(json!({"requests": parts}).to_string()).send().await.unwrap().text().await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    let statuses: Vec<_> = body["responses"].as_array().unwrap().iter().map(|part| part["status"].clone()).collect();
    assert_eq!(statuses, [405, 200, 405], "a batch cannot hold a batch");
}

#[tokio::test]
async fn a_writing_endpoint_gets_the_body_and_changes_the_tenant() {
    let client = start(small()).await;
    let team = format!("/teams/{}", client.team(0).0);
    let patch =
        |body: String| client.http.patch(client.url(&team)).header("content-type", "application/json").body(body);
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };
    let name = async || client.ok(&team).await["displayName"].clone();
    let renamed = |name: &str| json!({"displayName": name}).to_string();
    assert_eq!(status(patch(renamed("One")).bearer_auth(&client.token)).await, 204);
    assert_eq!(name().await, "One");
    assert_eq!(status(patch(String::new()).bearer_auth(&client.token)).await, 400);
    assert_eq!(status(patch(renamed("Nobody's"))).await, 401);
    let headers = json!({"Content-Type": "application/json"});
    let part = json!({"id": "1", "method": "PATCH", "url": team, "body": {"displayName": "Two"}, "headers": headers});
    let request = client.http.post(client.url("/$batch")).bearer_auth(&client.token);
    let text = request.body(json!({"requests": [part]}).to_string()).send().await.unwrap().text().await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["responses"][0]["status"], 204);
    assert_eq!(name().await, "Two");
}

#[tokio::test]
async fn a_part_carries_its_own_method_query_and_dependence() {
    let client = start(small()).await;
    client.emulator.set(|knobs| {
        knobs.batch_shuffle = false;
        knobs.drives = ["d".to_owned()].into_iter().collect();
    });
    let team = format!("/teams/{}", client.team(0).0);
    let headers = json!({"content-type": "application/json"});
    let parts = json!([
        {"id": "1", "method": "patch", "url": team, "body": {"displayName": "One"}, "headers": headers},
        {"id": "2", "url": "users?$top=1", "dependsOn": ["1"]},
        {"id": "3", "method": "PUT", "url": "/users", "dependsOn": ["2"]},
        {"id": "4", "url": "/users", "dependsOn": ["3"]},
        {"id": "5", "url": "/users", "dependsOn": ["4"]},
        {"id": "6", "method": "PUT", "url": "/drives/d/root:/f/a.gif:/content", "body": "R0lG"},
    ]);
    let request = client.http.post(client.url("/$batch")).bearer_auth(&client.token);
    let reply = Reply::of(request.body(json!({"requests": parts}).to_string()).send().await.unwrap()).await;
    let responses = reply.body["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses.iter().map(|part| part["status"].clone()).collect();
    assert_eq!(statuses, [204, 200, 405, 424, 424, 201]);
    assert_eq!(responses[1]["body"]["value"].as_array().unwrap().len(), 1);
    assert_eq!(client.ok(&team).await["displayName"], "One");
    assert_eq!(responses[5]["body"]["size"], "GIF".len(), "what is no JSON comes as base64");
    let asked = client.emulator.requests();
    assert!(asked.iter().any(|seen| seen.method == "PATCH" && seen.template == "/teams/{id}"));
}
