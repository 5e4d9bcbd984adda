//! What a tenant holds that readers do not expect: long threads without links, chats without a list, times that are
//! not set, images that live elsewhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teams_emulator::{Emulator, EmulatorConfig, ImageAddress, Mutation, ReplyCount, UnsetTime};

use crate::client::{ids, path, small, start, text};

#[tokio::test]
async fn a_long_thread_has_a_link_or_a_count_or_neither() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    client.emulator.set(|knobs| {
        knobs.reply_cap = 100;
        knobs.reply_links = false;
    });
    let list = format!("/teams/{team}/channels/{}/messages?$top=50&$expand=replies", channels[0]);
    for (told, count) in
        [(ReplyCount::Shown, Some(json!(100))), (ReplyCount::All, Some(json!(230))), (ReplyCount::Absent, None)]
    {
        client.emulator.set(|knobs| knobs.reply_count = told);
        let rows = client.rows(&list).await;
        let long = rows.iter().find(|row| row["replies"].as_array().unwrap().len() == 100).unwrap();
        assert_eq!(long.get("replies@odata.count"), count.as_ref());
        assert!(rows.iter().all(|row| row.get("replies@odata.nextLink").is_none()));
        let replies = format!("/teams/{team}/channels/{}/messages/{}/replies", channels[0], text(long, "id"));
        assert_eq!(client.rows(&replies).await.len(), 230);
    }
}

#[tokio::test]
async fn an_expand_is_refused_by_name() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let user = text(&client.emulator.truth("chat_members")[0], "userId");
    let messages = format!("/teams/{team}/channels/{}/messages", channels[0]);
    let chats = format!("/users/{user}/chats");
    client.emulator.set_by_name("expand_refused", &json!(["replies", "lastMessagePreview"])).unwrap();
    for target in [
        format!("{messages}?$expand=replies"),
        format!("{messages}/delta?$expand=replies"),
        format!("{chats}?$expand=members,lastMessagePreview"),
    ] {
        let reply = client.get(&target).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.body["error"]["message"], "Parameter 'Expand' not supported for this request.");
    }
    for target in [messages, format!("{chats}?$expand=members")] {
        assert_eq!(client.get(&target).await.status, 200);
    }
}

#[tokio::test]
async fn the_delta_of_an_empty_channel_ends_in_a_refusal() {
    let client = start(small()).await;
    let (team, channels) = client.team(4);
    client.emulator.set(|knobs| knobs.empty_channel_delta_fails = true);
    let delta = |channel: &str| format!("/teams/{team}/channels/{channel}/messages/delta");
    assert!(client.crawl(&delta(&channels[0])).await.2.is_some());
    let first = client.ok(&delta(channels.last().unwrap())).await;
    assert_eq!(first["value"], json!([]));
    let reply = client.get(&text(&first, "@odata.nextLink")).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body["error"]["message"], "Parameter 'DeltaToken' not supported for this request.");
}

#[tokio::test]
async fn chats_that_only_exports_show() {
    let client = start(EmulatorConfig { unlisted_chats: 4, ..small() }).await;
    let listed: BTreeSet<String> = ids(&client.emulator.truth("chats")).into_iter().collect();
    assert_eq!(listed.len(), 10);
    let messages = client.emulator.truth("chat_messages");
    let unlisted: BTreeSet<String> =
        messages.iter().map(|row| text(row, "chatId")).filter(|chat| !listed.contains(chat)).collect();
    assert_eq!((messages.len(), unlisted.len()), (14 * 20, 4));
    let (mut seen, mut exported, mut told) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for user in ids(&client.emulator.truth("users")) {
        seen.extend(ids(&client.rows(&format!("/users/{user}/chats")).await));
        let export = format!("/users/{user}/chats/getAllMessages");
        let chat_ids = |rows: Vec<Value>| rows.iter().map(|row| text(row, "chatId")).collect::<Vec<_>>();
        exported.extend(chat_ids(client.rows(&format!("{export}?$top=250")).await));
        told.extend(chat_ids(client.rows(&format!("{export}/delta?$top=50")).await));
    }
    assert_eq!(seen, listed);
    assert!(unlisted.is_subset(&exported) && unlisted.is_subset(&told));
    for chat in &unlisted {
        for target in ["", "/messages", "/members"] {
            assert_eq!(client.get(&format!("/chats/{}{target}", path(chat))).await.status, 404);
        }
    }
    let chat_id = unlisted.first().cloned();
    let new = client.emulator.mutate(&Mutation { chat_messages: 1, chat_id, ..Mutation::default() });
    let id = &new.of("chat_messages")[0].id;
    assert!(client.emulator.truth("chat_messages").iter().any(|row| row["id"] == **id));
}

#[tokio::test]
async fn a_modification_time_that_is_not_set() {
    for (unset, written) in [
        (UnsetTime::YearOne, json!("0001-01-01T00:00:00Z")),
        (UnsetTime::Epoch, json!("1970-01-01T00:00:00Z")),
        (UnsetTime::Null, Value::Null),
    ] {
        let client = start(EmulatorConfig { unset_modified: Some(unset), ..small() }).await;
        let of = |table: &str| {
            let rows = client.emulator.truth(table);
            rows.iter().filter(|row| row["lastModifiedDateTime"] == written).count()
        };
        assert!(of("messages") > 0 && of("message_replies") > 0 && of("chat_messages") > 0);
        let (team, _) = client.team(0);
        let scope = Mutation { team_id: Some(team.clone()), ..Mutation::default() };
        let asked =
            Mutation { new_messages: 1, edits: 1, chat_messages: 1, unset_modified: Some(unset), ..scope.clone() };
        let changed = client.emulator.mutate(&asked);
        let rows = client.rows(&format!("/teams/{team}/channels/getAllMessages?$top=250")).await;
        for touched in ["new_messages", "edits"].into_iter().flat_map(|kind| changed.of(kind)) {
            let row = rows.iter().find(|row| {
                row["id"] == *touched.id
                    && row["channelIdentity"]["channelId"] == *touched.channel_id.as_deref().unwrap()
            });
            assert_eq!(row.unwrap()["lastModifiedDateTime"], written);
        }
    }
}

/// The addresses of inline images, each with the path of its message.
fn images(emulator: &Emulator) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for table in ["messages", "message_replies", "chat_messages"] {
        for row in emulator.truth(table) {
            let content = row["body"]["content"].as_str().unwrap_or_default();
            let Some(address) = content.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            let id = text(&row, "id");
            let base = match row["chat_id"].as_str() {
                Some(chat) => format!("/chats/{chat}"),
                None => format!("/teams/{}/channels/{}", text(&row, "team_id"), text(&row, "channel_id")),
            };
            let message = match row["parent_message_id"].as_str() {
                Some(root) => format!("{base}/messages/{root}/replies/{id}"),
                None => format!("{base}/messages/{id}"),
            };
            found.push((address.trim_start_matches("https://graph.microsoft.com/v1.0").to_owned(), message));
        }
    }
    assert!(found.len() > 2);
    found
}

#[tokio::test]
async fn images_live_where_their_address_says() {
    for kind in [ImageAddress::Own, ImageAddress::OtherMessage, ImageAddress::OtherChat, ImageAddress::EncodedTwice] {
        let client = start(EmulatorConfig { image_address: kind, ..small() }).await;
        for (address, message) in images(&client.emulator) {
            let own = format!("{message}/hostedContents/aW1hZ2U/$value");
            let there = if kind == ImageAddress::EncodedTwice {
                assert!(address.contains("%253A") && address.ends_with("/aW1hZ2U%253D/$value"), "{address}");
                assert_eq!(client.get(&address).await.status, 404);
                address.replace("%25", "%")
            } else {
                assert_eq!(address == own, kind == ImageAddress::Own);
                address
            };
            assert!(client.get(&there).await.text.starts_with("GIF89a"), "{there}");
            assert_eq!(client.get(&own).await.status, if kind == ImageAddress::Own { 200 } else { 404 });
            let (list, id) = there.trim_end_matches("/$value").rsplit_once('/').unwrap();
            assert_eq!(ids(&client.rows(list).await), [id.replace("%3D", "=")]);
        }
    }
}

#[tokio::test]
async fn each_seed_is_a_tenant_of_its_own() {
    let tenant = |seed: u64| Emulator::start(EmulatorConfig { seed, ..small() }).unwrap().tenant_id().to_owned();
    assert_eq!(tenant(7), "8f9c7d5e-1a2b-4c3d-9e4f-5a6b7c8d9e0f");
    assert!(tenant(8) != tenant(7) && tenant(8) != tenant(9) && tenant(8) == tenant(8));
    let client = start(EmulatorConfig { seed: 8, ..small() }).await;
    let payload = client.token.split('.').nth(1).unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&decoded).unwrap()["tid"], client.emulator.tenant_id());
    let member = client.emulator.truth("members")[0].clone();
    assert_eq!(member["tenantId"], client.emulator.tenant_id());
    let own = EmulatorConfig { seed: 8, tenant_id: "11111111-2222-4333-8444-555555555555".to_owned(), ..small() };
    assert_eq!(Emulator::start(own).unwrap().tenant_id(), "11111111-2222-4333-8444-555555555555");
}
