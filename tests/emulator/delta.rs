use std::collections::BTreeSet;

use serde_json::json;
use teams_emulator::{DeltaExpiry, Mutation};

use crate::client::{ids, small, start, text};

const DAY: i64 = 86_400;

#[tokio::test]
async fn user_rounds_give_changes_and_tombstones() {
    let client = start(small()).await;
    client.emulator.set(|knobs| knobs.directory_delta_page = 6);
    let (rows, pages, link) = client.crawl("/users/delta?$select=displayName,jobTitle").await;
    assert_eq!((rows.len(), pages), (20, 4));
    let link = link.expect("a deltaLink");
    let (rows, _, link) = client.crawl(&link).await;
    assert!(rows.is_empty());
    let link = link.unwrap();
    let changed = client.emulator.mutate(&Mutation {
        user_changes: 2,
        deleted_users: 1,
        purged_users: 1,
        new_users: 1,
        ..Mutation::default()
    });
    let (rows, _, _) = client.crawl(&link).await;
    let reason = |id: &str| rows.iter().find(|row| row["id"] == id).map(|row| row["@removed"]["reason"].clone());
    assert_eq!(reason(&changed.of("deleted_users")[0].id), Some(json!("changed")));
    assert_eq!(reason(&changed.of("purged_users")[0].id), Some(json!("deleted")));
    assert!(reason(&changed.of("new_users")[0].id).unwrap().is_null());
    let recycled = client.rows("/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(ids(&recycled), [changed.of("deleted_users")[0].id.clone()]);
    assert!(!recycled[0]["deletedDateTime"].is_null());
    client.emulator.advance(31 * DAY);
    assert!(client.rows("/directory/deletedItems/microsoft.graph.user").await.is_empty());
}

#[tokio::test]
async fn a_directory_token_lives_seven_days() {
    let client = start(small()).await;
    let link = client.crawl("/groups/delta?$select=displayName").await.2.unwrap();
    client.emulator.advance(7 * DAY - 10);
    assert_eq!(client.get(&link).await.status, 200);
    client.emulator.advance(11);
    let gone = client.get(&link).await;
    assert_eq!(gone.status, 410);
    let fresh = gone.headers["location"].to_str().unwrap();
    assert!(fresh.ends_with("$deltatoken="), "{fresh}");
    assert_eq!(client.rows(fresh).await.len(), client.emulator.truth("groups").len());
    for (expiry, code) in
        [(DeltaExpiry::SyncStateNotFound, "syncStateNotFound"), (DeltaExpiry::ResyncRequired, "resyncRequired")]
    {
        client.emulator.set(|knobs| knobs.delta_expiry = expiry);
        let reply = client.get(&link).await;
        assert_eq!((reply.status, reply.body["error"]["code"].as_str()), (400, Some(code)));
    }
    assert_eq!(client.get("/users/delta?$top=5").await.status, 400);
    let latest = client.ok("/users/delta?$deltatoken=latest").await;
    assert_eq!(latest["value"], json!([]));
    assert!(latest.get("@odata.deltaLink").is_some());
}

#[tokio::test]
async fn group_members_come_as_steps() {
    let client = start(small()).await;
    let (rows, _, link) = client.crawl("/groups/delta?$select=displayName,members").await;
    assert_eq!(rows[0]["members@delta"].as_array().unwrap().len(), 12);
    let changed = client.emulator.mutate(&Mutation { member_removes: 1, deleted_teams: 1, ..Mutation::default() });
    let rows = client.rows(&link.unwrap()).await;
    let removed = &changed.of("deleted_teams")[0].id;
    assert!(rows.iter().any(|row| row["id"] == **removed && row["@removed"]["reason"] == "changed"));
    let member = &changed.of("member_removes")[0];
    let row = rows.iter().find(|row| row["id"] == *member.team_id.as_deref().unwrap()).unwrap();
    if row.get("@removed").is_none() {
        assert_eq!(row["members@delta"][0]["id"], *member.id);
        assert!(row["members@delta"][0]["@removed"].is_object());
    }
    assert_eq!(client.get(&format!("/teams/{removed}")).await.status, 404);
}

#[tokio::test]
async fn channel_delta_reaches_eight_months_back_and_gives_whole_chains() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages/delta", channels[0]);
    let (rows, _, link) = client.crawl(&format!("{path}?$expand=replies&$top=10")).await;
    assert!(!rows.is_empty() && rows.len() < 40, "400 days of history, eight months told");
    let scope = Mutation { team_id: Some(team.clone()), channel_id: Some(channels[0].clone()), ..Mutation::default() };
    let late = client.emulator.mutate(&Mutation { late_replies: 1, ..scope }).of("late_replies")[0].clone();
    let (rows, _, again) = client.crawl(&link.unwrap()).await;
    assert_eq!(Some(text(&rows[0], "id")), late.parent_message_id);
    assert_eq!(rows.len(), 1);
    assert!(ids(rows[0]["replies"].as_array().unwrap()).contains(&late.id));
    assert!(client.rows(&again.unwrap()).await.is_empty());
    let now = client.emulator.now();
    assert!(client.rows(&format!("{path}?$filter=lastModifiedDateTime gt {now}")).await.is_empty());
    client.emulator.set(|knobs| knobs.channel_delta_refused = 404);
    assert_eq!(client.get(&path).await.status, 404);
}

#[tokio::test]
async fn chat_delta_gives_every_message_of_a_users_chats_and_then_the_changes() {
    let client = start(small()).await;
    let user = text(&client.emulator.truth("chat_members")[0], "userId");
    let base = format!("/users/{user}/chats/getAllMessages");
    let (rows, _, link) = client.crawl(&format!("{base}/delta?$top=50")).await;
    let key = |row: &serde_json::Value| (text(row, "chatId"), text(row, "id"));
    let told: BTreeSet<_> = rows.iter().map(key).collect();
    assert_eq!(told.len(), rows.len());
    let since = client.emulator.now() - jiff::SignedDuration::from_hours(243 * 24);
    let recent = client.rows(&format!("{base}?$top=250&$filter=lastModifiedDateTime gt {since}")).await;
    assert_eq!(told, recent.iter().map(key).collect());
    let chat = rows[0]["chatId"].as_str().map(str::to_owned);
    let new =
        client.emulator.mutate(&Mutation { chat_messages: 1, chat_edits: 1, chat_id: chat, ..Mutation::default() });
    let rows = client.rows(&link.unwrap()).await;
    let expected: BTreeSet<String> = ["chat_messages", "chat_edits"]
        .iter()
        .flat_map(|kind| new.of(kind))
        .map(|touched| touched.id.clone())
        .collect();
    assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn minimal_rounds_give_changed_properties_and_new_users_whole() {
    let client = start(small()).await;
    let link = client.crawl("/users/delta").await.2.unwrap();
    let groups = client.crawl("/groups/delta?$select=members").await.2.unwrap();
    let changed =
        client.emulator.mutate(&Mutation { user_changes: 1, new_users: 1, new_teams: 1, ..Mutation::default() });
    let rows = client.send(&link, &[("prefer", "return=minimal")]).await.body;
    let rows = rows["value"].as_array().unwrap();
    let keys = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap().as_object().unwrap().len();
    assert_eq!(keys(&changed.of("user_changes")[0].id), 2);
    assert_eq!(keys(&changed.of("new_users")[0].id), 11);
    let rows = client.rows(&groups).await;
    assert_eq!(text(&rows[0], "id"), changed.of("new_teams")[0].id);
    assert_eq!(rows[0]["members@delta"].as_array().unwrap().len(), 12);
}

/// What happened to one user, in the order of the steps, and on how many pages.
#[tokio::test]
async fn rounds_can_tell_every_step_and_the_last_word_is_the_truth() {
    let client = start(small()).await;
    let users = ids(&client.emulator.truth("users"));
    for page in [1, 2, 200] {
        client.emulator.set(|knobs| {
            knobs.directory_delta_steps = true;
            knobs.directory_delta_page = page;
        });
        let (rows, _, link) = client.crawl("/users/delta").await;
        assert_eq!(rows.len(), client.emulator.truth("users").len(), "the first round is the present state");
        let one = |at: usize| Mutation { user_id: Some(users[at].clone()), ..Mutation::default() };
        // Removed and restored; changed and removed; changed twice.
        client.emulator.mutate(&Mutation { deleted_users: 1, ..one(0) });
        client.emulator.mutate(&Mutation { restored_users: 1, ..one(0) });
        client.emulator.mutate(&Mutation { user_changes: 1, deleted_users: 1, ..one(1) });
        client.emulator.mutate(&Mutation { user_changes: 2, ..one(2) });
        let (rows, pages, next) = client.crawl(&link.unwrap()).await;
        assert_eq!(pages, rows.len().div_ceil(page));
        let told = |at: usize| -> Vec<bool> {
            rows.iter().filter(|row| row["id"] == *users[at]).map(|row| row.get("@removed").is_some()).collect()
        };
        assert_eq!((told(0), told(1), told(2)), (vec![true, false], vec![false, true], vec![false, false]));
        assert_eq!(rows.len(), 6);
        let titles: Vec<String> =
            rows.iter().filter(|row| row["id"] == *users[2]).map(|row| text(row, "jobTitle")).collect();
        let now = client.emulator.truth("users").into_iter().find(|row| row["id"] == *users[2]).unwrap();
        assert!(titles[0] != titles[1] && titles[1] == text(&now, "jobTitle"));
        assert!(client.rows(&next.unwrap()).await.is_empty());
        client.emulator.mutate(&Mutation { restored_users: 1, ..one(1) });
    }
}

#[tokio::test]
async fn steps_of_groups_tell_removals_restores_and_members() {
    let client = start(small()).await;
    client.emulator.set(|knobs| knobs.directory_delta_steps = true);
    let link = client.crawl("/groups/delta?$select=displayName,members").await.2.unwrap();
    let team = Some(client.team(0).0);
    for step in [
        Mutation { renamed_teams: 1, ..Mutation::default() },
        Mutation { deleted_teams: 1, ..Mutation::default() },
        Mutation { restored_teams: 1, ..Mutation::default() },
        Mutation { member_adds: 1, ..Mutation::default() },
    ] {
        client.emulator.mutate(&Mutation { team_id: team.clone(), ..step });
    }
    let rows = client.rows(&link).await;
    let members: Vec<usize> = rows.iter().map(|row| row["members@delta"].as_array().map_or(0, Vec::len)).collect();
    assert!(rows.iter().all(|row| row["id"] == *team.as_deref().unwrap()));
    assert_eq!(rows.iter().map(|row| row.get("@removed").is_some()).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!((members[0], members[1], members[3]), (0, 0, 1));
    assert!(members[2] >= 12);
}
