use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use teams_emulator::{EmulatorConfig, Mutation};

use crate::client::{ids, small, start, text};

#[tokio::test]
async fn lists_hold_roots_20_by_default_and_50_at_most_and_take_no_filter() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages", channels[0]);
    let (rows, pages, _) = client.crawl(&path).await;
    assert_eq!((rows.len(), pages), (40, 2));
    assert!(rows.iter().all(|row| row["replyToId"].is_null() && row.get("replies").is_none()));
    assert_eq!(client.crawl(&format!("{path}?$top=50")).await.1, 1);
    assert_eq!(client.get(&format!("{path}?$top=51")).await.status, 400);
    let reply = client.get(&format!("{path}?$filter=lastModifiedDateTime gt 2020-01-01T00:00:00Z")).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body["error"]["message"], "Parameter 'Filter' not supported for this request.");
}

#[tokio::test]
async fn chains_come_newest_first_by_their_newest_reply() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages?$expand=replies&$top=7", channels[0]);
    let rows = client.rows(&path).await;
    let stamp = |row: &Value| text(row, "lastModifiedDateTime").parse::<jiff::Timestamp>().unwrap();
    let activity: Vec<_> = rows
        .iter()
        .map(|row| row["replies"].as_array().unwrap().iter().map(stamp).chain([stamp(row)]).max().unwrap())
        .collect();
    assert!(activity.windows(2).all(|pair| pair[0] >= pair[1]));
    // A root's own time does not tell its place.
    assert!(rows.windows(2).any(|pair| stamp(&pair[0]) < stamp(&pair[1])));
    let late = Mutation {
        late_replies: 1,
        team_id: Some(team.clone()),
        channel_id: Some(channels[0].clone()),
        ..Mutation::default()
    };
    let touched = client.emulator.mutate(&late).of("late_replies")[0].clone();
    let first = client.ok(&path).await["value"][0].clone();
    assert_eq!(Some(text(&first, "id")), touched.parent_message_id);
    assert_eq!(text(&first["replies"][0], "id"), touched.id);
}

#[tokio::test]
async fn expanded_replies_are_capped_at_200_and_the_rest_is_behind_a_link() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages?$expand=replies&$top=50", channels[0]);
    let rows = client.rows(&path).await;
    let big = rows.iter().find(|row| row.get("replies@odata.nextLink").is_some()).expect("a big thread");
    assert_eq!(big["replies@odata.count"], 200);
    let shown = ids(big["replies"].as_array().unwrap());
    assert!(shown.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
    let (rest, pages, _) = client.crawl(big["replies@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!((rest.len(), pages), (30, 2));
    let whole: BTreeSet<String> = shown.into_iter().chain(ids(&rest)).collect();
    assert_eq!(whole.len(), 230);
    let listed = format!("/teams/{team}/channels/{}/messages/{}/replies", channels[0], text(big, "id"));
    let (replies, pages, _) = client.crawl(&format!("{listed}?$top=50")).await;
    assert_eq!((replies.len(), pages), (230, 5));
    assert_eq!(whole, ids(&replies).into_iter().collect());
}

#[tokio::test]
async fn ids_are_creation_times_that_collide_between_channels_only() {
    let client = start(EmulatorConfig { messages_per_channel: 200, ..small() }).await;
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in ["messages", "message_replies"] {
        for row in client.emulator.truth(table) {
            let created: jiff::Timestamp = text(&row, "createdDateTime").parse().unwrap();
            assert_eq!(created.as_millisecond().to_string(), text(&row, "id"));
            assert!(owners.entry(text(&row, "id")).or_default().insert(text(&row, "channel_id")));
        }
    }
    assert!(owners.values().filter(|channels| channels.len() > 1).count() > 20);
}

#[tokio::test]
async fn system_events_are_named_only_to_those_who_ask() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    let path = format!("/teams/{team}/channels/{}/messages?$top=50", channels[0]);
    let kinds = |body: &Value| -> BTreeSet<String> {
        body["value"].as_array().unwrap().iter().map(|row| text(row, "messageType")).collect()
    };
    let named = client.ok(&path).await;
    assert!(kinds(&named).contains("systemEventMessage"));
    let plain = client.send(&path, &[]).await.body;
    assert!(kinds(&plain).contains("unknownFutureValue") && !kinds(&plain).contains("systemEventMessage"));
    let event = named["value"].as_array().unwrap().iter().find(|row| !row["eventDetail"].is_null()).unwrap();
    assert!(text(&event["eventDetail"], "@odata.type").starts_with("#microsoft.graph."));
    assert!(event["from"].is_null());
}

#[tokio::test]
async fn every_variant_of_a_message_occurs() {
    let client = start(small()).await;
    let mut rows = client.emulator.truth("messages");
    rows.extend(client.emulator.truth("message_replies"));
    let some = |what: &str, test: &dyn Fn(&Value) -> bool| {
        assert!(rows.iter().any(test), "no message with {what}");
    };
    some("a dropped zero", &|row| text(row, "createdDateTime").len() == "2021-02-22T21:25:51.24Z".len());
    some("a null body", &|row| !row["deletedDateTime"].is_null() && row["body"]["content"].is_null());
    some("an empty body", &|row| !row["deletedDateTime"].is_null() && row["body"]["content"] == "");
    some("a bot", &|row| row["from"]["application"]["applicationIdentityType"] == "bot");
    some("no sender, not deleted", &|row| {
        row["from"].is_null() && row["deletedDateTime"].is_null() && row["eventDetail"].is_null()
    });
    some("a custom emoji", &|row| row["reactions"][0]["reactionType"] == "custom");
    some("a card", &|row| row["attachments"][0]["content"].as_str().is_some_and(|text| text.contains("AdaptiveCard")));
    some("a tag mention", &|row| row["mentions"][0]["mentioned"]["tag"].is_object());
    some("a policy violation", &|row| row["policyViolation"]["dlpAction"] == "notifySender,blockAccess");
    some("history", &|row| row["messageHistory"].as_array().is_some_and(|list| !list.is_empty()));
    some("no history", &|row| row.get("messageHistory").is_none());
    some("an edit", &|row| !row["lastEditedDateTime"].is_null());
    some("an unknown property", &|row| row.get("colourOfTheSky").is_some());
    some("an unknown event", &|row| {
        row["eventDetail"]["@odata.type"] == "#microsoft.graph.canvasPlacedEventMessageDetail"
    });
    let variants: BTreeSet<String> =
        rows.iter().filter_map(|row| row["eventDetail"]["@odata.type"].as_str().map(str::to_owned)).collect();
    assert!(variants.len() >= 5, "{variants:?}");
    let start = jiff::Timestamp::constant(1_768_478_400, 0);
    assert!(rows.iter().all(|row| { text(row, "lastModifiedDateTime").parse::<jiff::Timestamp>().unwrap() < start }));
}

#[tokio::test]
async fn single_reads_and_hosted_contents() {
    let client = start(small()).await;
    let rows = client.emulator.truth("message_replies");
    let row = &rows[0];
    let thread = format!(
        "/teams/{}/channels/{}/messages/{}",
        text(row, "team_id"),
        text(row, "channel_id"),
        text(row, "parent_message_id")
    );
    let reply = client.ok(&format!("{thread}/replies/{}", text(row, "id"))).await;
    assert_eq!(reply["body"], row["body"]);
    assert!(reply.get("@odata.context").is_some());
    assert_eq!(client.get(&format!("{thread}/replies/1")).await.status, 404);
    let pictured = client
        .emulator
        .truth("messages")
        .into_iter()
        .find(|row| row["body"]["content"].as_str().is_some_and(|content| content.contains("/hostedContents/")));
    let pictured = pictured.expect("a picture");
    let path = format!(
        "/teams/{}/channels/{}/messages/{}/hostedContents",
        text(&pictured, "team_id"),
        text(&pictured, "channel_id"),
        text(&pictured, "id")
    );
    let list = client.ok(&path).await;
    let id = text(&list["value"][0], "id");
    assert_eq!(client.get(&format!("{path}/{id}/$value")).await.headers["content-type"], "image/gif");
}

#[tokio::test]
async fn a_null_modification_time_on_demand_and_a_malformed_one_always() {
    let client = start(EmulatorConfig { null_modified: true, ..small() }).await;
    let rows = client.emulator.truth("messages");
    assert!(rows.iter().any(|row| row["lastModifiedDateTime"].is_null()));
    let malformed = |row: &Value| row["reactions"][0]["createdDateTime"] == "2021-03-1706:47:05.123Z";
    let replies = client.emulator.truth("message_replies");
    assert!(rows.iter().chain(&replies).any(malformed));
}
