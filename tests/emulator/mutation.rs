use serde_json::Value;
use teams_emulator::{Mutation, Touched};

use crate::client::{small, start, text};

fn row(rows: &[Value], touched: &Touched) -> Option<Value> {
    let channel = touched.channel_id.as_deref();
    rows.iter().find(|row| row["id"] == *touched.id && channel.is_none_or(|id| row["channel_id"] == *id)).cloned()
}

#[tokio::test]
async fn changes_are_counted_dated_and_visible() {
    let client = start(small()).await;
    let before = client.emulator.now();
    let asked = Mutation {
        advance_seconds: 60,
        edits: 5,
        reply_edits: 4,
        deletes: 3,
        reply_deletes: 2,
        reactions: 3,
        new_messages: 6,
        late_replies: 7,
        chat_messages: 4,
        chat_edits: 2,
        chat_deletes: 1,
        new_chats: 2,
        new_channels: 1,
        ..Mutation::default()
    };
    let summary = client.emulator.mutate(&asked);
    let counts: Vec<(&str, usize)> = summary.changes.iter().map(|(kind, list)| (*kind, list.len())).collect();
    assert_eq!(
        counts,
        [
            ("chat_deletes", 1),
            ("chat_edits", 2),
            ("chat_messages", 4),
            ("deletes", 3),
            ("edits", 5),
            ("late_replies", 7),
            ("new_channels", 1),
            ("new_chats", 2),
            ("new_messages", 6),
            ("reactions", 3),
            ("reply_deletes", 2),
            ("reply_edits", 4),
        ]
    );
    let roots = client.emulator.truth("messages");
    let replies = client.emulator.truth("message_replies");
    let after = client.emulator.now();
    for (kind, rows) in
        [("edits", &roots), ("new_messages", &roots), ("late_replies", &replies), ("reply_edits", &replies)]
    {
        for touched in summary.of(kind) {
            let row = row(rows, touched).unwrap_or_else(|| panic!("{kind}: {touched:?} is not there"));
            let modified: jiff::Timestamp = text(&row, "lastModifiedDateTime").parse().unwrap();
            assert!(modified > before && modified <= after);
            let path = format!("/teams/{}/channels/{}/messages", text(&row, "team_id"), text(&row, "channel_id"));
            let path = match &touched.parent_message_id {
                Some(root) => format!("{path}/{root}/replies/{}", touched.id),
                None => format!("{path}/{}", touched.id),
            };
            assert_eq!(client.ok(&path).await["body"], row["body"]);
        }
    }
    for touched in summary.of("deletes") {
        let row = row(&roots, touched).unwrap();
        assert!(!row["deletedDateTime"].is_null() && row["from"].is_null());
    }
}

#[tokio::test]
async fn what_is_hard_deleted_is_gone_and_other_things_go_with_it() {
    let client = start(small()).await;
    let all = |client: &crate::client::Client| {
        client.emulator.truth("messages").len() + client.emulator.truth("message_replies").len()
    };
    let before = all(&client);
    let summary = client.emulator.mutate(&Mutation { hard_deletes: 5, ..Mutation::default() });
    assert_eq!(all(&client), before - summary.of("hard_deletes").len());
    let channels = client.emulator.truth("channels").len();
    client.emulator.mutate(&Mutation { deleted_channels: 1, ..Mutation::default() });
    assert_eq!(client.emulator.truth("channels").len(), channels - 1);
    let summary = client.emulator.mutate(&Mutation { deleted_teams: 1, ..Mutation::default() });
    let team = &summary.of("deleted_teams")[0].id;
    assert!(client.emulator.truth("teams").iter().all(|row| row["id"] != **team));
    assert!(client.emulator.truth("messages").iter().all(|row| row["team_id"] != **team));
    assert_eq!(
        client.emulator.mutate(&Mutation { restored_teams: 1, ..Mutation::default() }).of("restored_teams")[0].id,
        *team
    );
}

#[tokio::test]
async fn knobs_by_name_are_checked() {
    let client = start(small()).await;
    let (team, _) = client.team(0);
    let set = |name: &str, value: Value| client.emulator.set_by_name(name, &value);
    assert!(set("export_lagg_seconds", 1.into()).unwrap_err().contains("export_lagg_seconds"));
    assert!(set("export_lag_seconds", "soon".into()).is_err());
    set("forbid_team", team.clone().into()).unwrap();
    assert_eq!(client.get(&format!("/teams/{team}/channels")).await.status, 403);
    set("allow_team", team.clone().into()).unwrap();
    set("hide_team", team.clone().into()).unwrap();
    assert_eq!(client.get(&format!("/teams/{team}/channels")).await.status, 404);
    set("allow_team", team.clone().into()).unwrap();
    set("revoke_permission", "Channel.ReadBasic.All".into()).unwrap();
    assert_eq!(client.get(&format!("/teams/{team}/channels")).await.status, 403);
    set("grant_permission", "Channel.ReadBasic.All".into()).unwrap();
    assert_eq!(client.get(&format!("/teams/{team}/channels")).await.status, 200);
}

#[tokio::test]
async fn the_owner_changes_it_over_http_without_a_token_and_without_a_trace() {
    let client = start(small()).await;
    client.emulator.clear_requests();
    let before = client.emulator.truth("messages").len();
    let tell = |what: &str, body: Value| {
        let url = format!("{}/emulator/{what}", client.emulator.url());
        client.http.post(url).body(body.to_string()).send()
    };
    let answer = tell("mutate", serde_json::json!({"new_messages": 2})).await.unwrap();
    assert_eq!(answer.status(), 200);
    let said: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(said["new_messages"].as_array().map(Vec::len), Some(2));
    let answer = tell("post", serde_json::json!({"text": "Hello <you> & me\n!", "subject": "Hi"})).await.unwrap();
    let said: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let posted = client.emulator.truth("messages").into_iter().find(|row| row["id"] == said["id"]).unwrap();
    assert_eq!(
        (posted["body"]["content"].as_str(), posted["subject"].as_str()),
        (Some("<p>Hello &lt;you&gt; &amp; me<br>!</p>"), Some("Hi"))
    );
    assert_eq!(client.emulator.truth("messages").len(), before + 3);
    for (what, body) in
        [("mutate", serde_json::json!({"new_mesages": 1})), ("post", serde_json::json!({"text": "x", "chat_id": "x"}))]
    {
        assert_eq!(tell(what, body).await.unwrap().status(), 400);
    }
    let url = format!("{}/emulator/mutate", client.emulator.url());
    assert_eq!(client.http.get(url).send().await.unwrap().status(), 400);
    assert!(client.emulator.request_counts().is_empty());
}

#[tokio::test]
async fn a_live_tenant_changes_by_itself_and_shows_today() {
    let config = teams_emulator::EmulatorConfig { live: true, live_seconds: 0.02, ..small() };
    let emulator =
        teams_emulator::Emulator::start(teams_emulator::EmulatorConfig { frozen_clock: false, ..config }).unwrap();
    let age = jiff::Timestamp::now().duration_since(emulator.now());
    assert!(age.as_secs().abs() < 60, "{age}");
    let count = || emulator.truth("messages").len() + emulator.truth("message_replies").len();
    let before = count();
    for _ in 0..500 {
        if count() > before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nothing happened");
}
