use std::io::Read;

use serde_json::{Value, json};
use teams_emulator::{EmulatorConfig, Mutation};

use crate::client::{Client, ids, keyed, path, small, start, text};

/// Reads everything the slow way and compares it with the truth, row by row.
async fn compare(client: &Client) {
    let teams = ids(&client.rows("/teams").await);
    let unreadable = client.emulator.unreadable_teams();
    let (mut full, mut channels, mut members, mut roots, mut replies) = (vec![], vec![], vec![], vec![], vec![]);
    for team in teams.iter().filter(|id| !unreadable.contains(id)) {
        let mut row = client.ok(&format!("/teams/{team}")).await;
        row.as_object_mut().unwrap().remove("@odata.context");
        full.push(row);
        for mut row in client.rows(&format!("/teams/{team}/members")).await {
            row["team_id"] = json!(team);
            members.push(row);
        }
        for mut channel in client.rows(&format!("/teams/{team}/channels")).await {
            channel["team_id"] = json!(team);
            let id = text(&channel, "id");
            channels.push(channel);
            for mut root in client.rows(&format!("/teams/{team}/channels/{id}/messages?$top=50")).await {
                root["team_id"] = json!(team);
                root["channel_id"] = json!(id);
                let root_id = text(&root, "id");
                let list = format!("/teams/{team}/channels/{id}/messages/{root_id}/replies?$top=50");
                for mut reply in client.rows(&list).await {
                    reply["team_id"] = json!(team);
                    reply["channel_id"] = json!(id);
                    reply["parent_message_id"] = json!(root_id);
                    replies.push(reply);
                }
                roots.push(root);
            }
        }
    }
    let truth = |table: &str| client.emulator.truth(table);
    assert_eq!(keyed(&full, &["id"]), keyed(&truth("teams"), &["id"]));
    assert_eq!(keyed(&channels, &["id"]), keyed(&truth("channels"), &["id"]));
    assert_eq!(keyed(&members, &["team_id", "id"]), keyed(&truth("members"), &["team_id", "id"]));
    assert_eq!(keyed(&roots, &["channel_id", "id"]), keyed(&truth("messages"), &["channel_id", "id"]));
    let key = ["channel_id", "parent_message_id", "id"];
    assert_eq!(keyed(&replies, &key), keyed(&truth("message_replies"), &key));
    compare_chats(client).await;
}

async fn compare_chats(client: &Client) {
    let users = client.rows("/users?$top=999").await;
    let (mut chats, mut messages) = (std::collections::BTreeMap::new(), vec![]);
    for user in ids(&users) {
        for row in client.rows(&format!("/users/{user}/chats?$top=50")).await {
            chats.insert(text(&row, "id"), row);
        }
    }
    for id in chats.keys() {
        for mut row in client.rows(&format!("/chats/{}/messages?$top=50", path(id))).await {
            row["chat_id"] = json!(id);
            messages.push(row);
        }
    }
    assert_eq!(chats, keyed(&client.emulator.truth("chats"), &["id"]));
    let key = ["chat_id", "id"];
    assert_eq!(keyed(&messages, &key), keyed(&client.emulator.truth("chat_messages"), &key));
    let listed: std::collections::BTreeSet<String> = ids(&users).into_iter().collect();
    assert_eq!(listed, ids(&client.emulator.truth("users")).into_iter().collect());
    let groups = client.rows("/groups").await;
    assert_eq!(keyed(&groups, &["id"]), keyed(&client.emulator.truth("groups"), &["id"]));
}

#[tokio::test]
async fn a_naive_whole_crawl_reads_the_truth_before_and_after_changes() {
    let config = EmulatorConfig { forbidden_teams: 1, empty_teams: 1, ..small() };
    let client = start(config).await;
    assert!(!client.emulator.truth("message_replies").is_empty());
    compare(&client).await;
    client.emulator.mutate(&Mutation {
        edits: 20,
        reply_edits: 20,
        deletes: 5,
        late_replies: 20,
        new_messages: 20,
        chat_messages: 20,
        chat_edits: 5,
        new_chats: 2,
        new_channels: 2,
        deleted_channels: 1,
        renamed_teams: 1,
        member_adds: 3,
        member_removes: 2,
        deleted_teams: 1,
        new_teams: 1,
        user_changes: 3,
        deleted_users: 1,
        advance_seconds: 5,
        ..Mutation::default()
    });
    compare(&client).await;
}

async fn bytes(seed: u64) -> Vec<String> {
    let client = start(EmulatorConfig { seed, ..small() }).await;
    let (team, channels) = client.team(0);
    client.emulator.mutate(&Mutation { edits: 3, new_messages: 3, ..Mutation::default() });
    let mut pages = Vec::new();
    for target in [
        "/users".to_owned(),
        "/groups".to_owned(),
        format!("/teams/{team}/channels"),
        format!("/teams/{team}/channels/{}/messages?$expand=replies", channels[0]),
        format!("/teams/{team}/channels/getAllMessages?$top=250"),
    ] {
        // Links name the port.
        pages.push(client.get(&target).await.text.replace(&client.emulator.url(), ""));
    }
    pages
}

#[tokio::test]
async fn equal_seeds_serve_equal_bytes() {
    assert_eq!(bytes(11).await, bytes(11).await);
    assert_ne!(bytes(11).await[0], bytes(12).await[0]);
}

#[tokio::test]
async fn gzip_when_asked_for() {
    let client = start(small()).await;
    let plain = client.get("/users").await.text;
    let request = client.http.get(client.url("/users")).bearer_auth(&client.token);
    let answer = request.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let packed = answer.bytes().await.unwrap();
    assert!(packed.len() < plain.len() / 2);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain);
}

#[tokio::test]
async fn requests_are_counted_by_endpoint() {
    let client = start(small()).await;
    client.emulator.clear_requests();
    let (team, channels) = client.team(0);
    for channel in &channels {
        client.get(&format!("/teams/{team}/channels/{channel}/messages")).await;
    }
    client.get("/nothing/here").await;
    let counts = client.emulator.request_counts();
    assert_eq!(counts["GET /teams/{id}/channels/{id}/messages"], 3);
    assert_eq!(counts["GET (unknown)"], 1);
    let entry = &client.emulator.requests()[0];
    assert_eq!((entry.method.as_str(), entry.status, entry.connection), ("GET", 200, 1));
    assert!(matches!(client.emulator.truth("teams")[0], Value::Object(_)));
}
