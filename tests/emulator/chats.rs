use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use teams_emulator::EmulatorConfig;

use crate::client::{ids, path, small, start, text};

#[tokio::test]
async fn chats_are_found_per_user_and_repeat_between_users() {
    let client = start(EmulatorConfig { users: 40, chats: 60, messages_per_chat: 3, ..small() }).await;
    assert_eq!(client.get("/chats").await.status, 412);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for user in ids(&client.emulator.truth("users")) {
        for row in client.rows(&format!("/users/{user}/chats?$top=7")).await {
            *seen.entry(text(&row, "id")).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.values().all(|times| *times >= 2));
    let user = ids(&client.emulator.truth("users"))[0].clone();
    assert_eq!(client.get(&format!("/users/{user}/chats?$top=51")).await.status, 400);
}

#[tokio::test]
async fn expanded_members_end_at_25_and_the_list_does_not() {
    let client = start(EmulatorConfig { users: 40, ..small() }).await;
    let members = client.emulator.truth("chat_members");
    let big = client
        .emulator
        .truth("chats")
        .into_iter()
        .find(|chat| members.iter().filter(|member| member["chat_id"] == chat["id"]).count() == 30);
    let big = text(&big.expect("a big chat"), "id");
    let owner = members.iter().find(|member| member["chat_id"] == *big).unwrap();
    let rows = client.rows(&format!("/users/{}/chats?$expand=members", text(owner, "userId"))).await;
    let row = rows.iter().find(|row| row["id"] == *big).unwrap();
    assert_eq!(row["members"].as_array().unwrap().len(), 25);
    assert_eq!(client.rows(&format!("/chats/{}/members", path(&big))).await.len(), 30);
}

#[tokio::test]
async fn a_chats_filter_needs_the_same_order() {
    let client = start(small()).await;
    let chat = text(&client.emulator.truth("chats")[0], "id");
    let base = format!("/chats/{}/messages", path(&chat));
    let all = client.rows(&base).await;
    assert_eq!(all.len(), 20);
    let mut times: Vec<jiff::Timestamp> =
        all.iter().map(|row| text(row, "lastModifiedDateTime").parse().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]));
    times.sort();
    let filter = format!("$filter=lastModifiedDateTime gt {}", times[9]);
    assert_eq!(client.rows(&format!("{base}?{filter}")).await.len(), 20, "silently ignored");
    assert_eq!(client.rows(&format!("{base}?{filter}&$orderby=createdDateTime desc")).await.len(), 20);
    assert_eq!(client.rows(&format!("{base}?{filter}&$orderby=lastModifiedDateTime desc")).await.len(), 10);
    assert_eq!(client.get(&format!("{base}?$orderby=createdDateTime asc")).await.status, 400);
    assert_eq!(client.crawl(&format!("{base}?$top=7")).await.1, 3);
}

#[tokio::test]
async fn exports_by_sender_cover_a_user_once() {
    let client = start(EmulatorConfig { messages_per_chat: 60, ..small() }).await;
    let users = ids(&client.emulator.truth("users"));
    let key = |row: &Value| (text(row, "chatId"), text(row, "id"));
    let mut by_anyone = Vec::new();
    let mut by_sender = Vec::new();
    for user in &users {
        let base = format!("/users/{user}/chats/getAllMessages?$top=250");
        by_anyone.extend(client.rows(&base).await.iter().map(key));
        let rows = client.rows(&format!("{base}&$filter=from/user/id eq '{user}'")).await;
        assert!(rows.iter().all(|row| row["from"]["user"]["id"] == user.as_str()));
        by_sender.extend(rows.iter().map(key));
    }
    let truth = client.emulator.truth("chat_messages");
    assert_eq!(by_anyone.iter().collect::<BTreeSet<_>>().len(), truth.len());
    assert!(by_anyone.len() > truth.len(), "participants see the same rows");
    let sent = truth.iter().filter(|row| row["from"]["user"]["userIdentityType"] == "aadUser").count();
    assert_eq!((by_sender.len(), by_sender.iter().collect::<BTreeSet<_>>().len()), (sent, sent));

    let base = format!("/users/{}/chats/getAllMessages?$top=250&$filter=", users[0]);
    let rest = "(from/user/userIdentityType eq 'federatedUser' or from/user/userIdentityType eq 'anonymousGuest' or from/application/applicationIdentityType eq 'bot')";
    for row in client.rows(&format!("{base}{rest} and lastModifiedDateTime gt 2020-01-01T00:00:00Z")).await {
        assert_ne!(row["from"]["user"]["userIdentityType"], "aadUser");
    }
    let events = client.rows(&format!("{base}messageType eq 'systemEventMessage'")).await;
    let others = client.rows(&format!("{base}messageType ne 'systemEventMessage'")).await;
    assert!(!events.is_empty());
    assert_eq!(events.len() + others.len(), client.rows(base.trim_end_matches("&$filter=")).await.len());
}
