use serde_json::{Value, json};
use teams_emulator::{EmulatorConfig, TopOverMax};

use crate::client::{ids, small, start};

#[tokio::test]
async fn users_come_in_pages_of_100_and_at_most_999() {
    let client = start(EmulatorConfig { users: 1201, chats: 0, teams: 1, messages_per_channel: 1, ..small() }).await;
    let (rows, pages, _) = client.crawl("/users").await;
    assert_eq!((rows.len(), pages), (1201, 13));
    assert_eq!(rows[0].as_object().unwrap().len(), 11, "the default properties");
    let (rows, pages, _) = client.crawl("/users?$top=999&$select=id,userType").await;
    assert_eq!((rows.len(), pages), (1201, 2));
    assert_eq!(rows[0].as_object().unwrap().len(), 2);
    assert_eq!(client.get("/users?$top=1000").await.status, 400);
    client.emulator.set(|knobs| knobs.top_over_max = TopOverMax::Cap);
    assert_eq!(client.crawl("/users?$top=5000").await.1, 2);
}

#[tokio::test]
async fn a_token_is_opaque_and_bound_to_its_collection() {
    let client = start(EmulatorConfig { users: 250, ..small() }).await;
    let link = client.ok("/users?$select=id").await["@odata.nextLink"].as_str().unwrap().to_owned();
    let token = link.split("$skiptoken=").nth(1).unwrap();
    assert!(!token.contains("100"), "the position cannot be read from {token}");
    assert!(link.contains("%24select=id") || link.contains("$select=id"), "{link}");
    assert_eq!(client.get(&link).await.status, 200);
    assert_eq!(client.get(&format!("/groups?$skiptoken={token}")).await.status, 400);
    assert_eq!(client.get(&format!("/users?$skiptoken={}x", &token[..token.len() - 1])).await.status, 400);
}

#[tokio::test]
async fn the_team_list_fills_four_properties_and_single_reads_fill_all() {
    let client = start(EmulatorConfig { missing_teams: 2, forbidden_teams: 1, ..small() }).await;
    let rows = client.rows("/teams").await;
    // The forbidden one is listed; groups without a team are not.
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let filled = row.as_object().unwrap().values().filter(|value| !value.is_null()).count();
        assert!((3..=4).contains(&filled), "{row}");
        assert!(row.as_object().unwrap().contains_key("isArchived"));
    }
    let (team, _) = client.team(1);
    let full = client.ok(&format!("/teams/{team}")).await;
    assert_eq!(full["isArchived"], true);
    assert!(full["funSettings"]["allowGiphy"].is_boolean());
    let picked = client.ok(&format!("/teams/{team}?$select=id,isArchived")).await;
    assert_eq!(picked.as_object().unwrap().len(), 3, "{picked}");

    let groups = client.rows("/groups?$filter=resourceProvisioningOptions/Any(x:x%20eq%20'Team')&$top=999").await;
    assert_eq!(groups.len(), 8);
    let unreadable = client.emulator.unreadable_teams();
    let mut codes = Vec::new();
    for id in &unreadable {
        let reply = client.get(&format!("/teams/{id}")).await;
        codes.push((reply.status, reply.body["error"]["code"].as_str().unwrap_or_default().to_owned()));
    }
    codes.sort();
    assert_eq!(codes, [(403, "UnknownError".into()), (404, "NotFound".into()), (404, "NotFound".into())]);
}

#[tokio::test]
async fn shared_channels_show_themselves_only_to_those_who_ask() {
    let client = start(small()).await;
    let (team, _) = client.team(0);
    let kinds = |body: &Value| -> Vec<Value> {
        body["value"].as_array().unwrap().iter().map(|row| row["membershipType"].clone()).collect()
    };
    let path = format!("/teams/{team}/channels");
    assert_eq!(kinds(&client.ok(&path).await), [json!("standard"), json!("private"), json!("shared")]);
    let plain = client.send(&path, &[]).await.body;
    assert_eq!(kinds(&plain), [json!("standard"), json!("private"), json!("unknownFutureValue")]);
    assert_eq!(client.get(&format!("{path}?$top=5")).await.status, 400);
    let chosen = client.ok(&format!("{path}?$select=id,displayName")).await;
    assert_eq!(chosen["value"][0].as_object().unwrap().len(), 2);

    let (guest, _) = client.team(1);
    let incoming = client.rows(&format!("/teams/{guest}/incomingChannels")).await;
    assert_eq!(incoming.len(), 1);
    assert!(incoming[0]["@odata.id"].as_str().unwrap().contains(&format!("/teams/{team}/channels/")));
    let all = client.rows(&format!("/teams/{guest}/allChannels")).await;
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn members_page_and_channel_members_follow_the_kind_of_channel() {
    let config = EmulatorConfig { users: 150, members_per_team: 130, messages_per_channel: 1, ..small() };
    let client = start(config).await;
    let (team, channels) = client.team(0);
    let (rows, pages, _) = client.crawl(&format!("/teams/{team}/members")).await;
    assert_eq!((rows.len(), pages), (130, 2));
    assert_eq!(client.crawl(&format!("/teams/{team}/members?$top=999")).await.1, 1);
    let standard = client.rows(&format!("/teams/{team}/channels/{}/members", channels[0])).await;
    let private = client.rows(&format!("/teams/{team}/channels/{}/members", channels[1])).await;
    assert_eq!((standard.len(), private.len()), (130, 65));
    assert_eq!(rows[0]["@odata.type"], "#microsoft.graph.aadUserConversationMember");
}

#[tokio::test]
async fn batches_answer_each_item_for_itself() {
    let client = start(small()).await;
    let teams = ids(&client.emulator.truth("teams"));
    let mut requests: Vec<Value> = teams
        .iter()
        .enumerate()
        .map(|(n, id)| json!({"id": n.to_string(), "method": "GET", "url": format!("/teams/{id}?$select=id")}))
        .collect();
    requests.push(json!({"id": "no", "method": "GET", "url": "/teams/00000000-0000-4000-8000-000000000000"}));
    let post = async |requests: &[Value]| {
        let body = json!({"requests": requests}).to_string();
        let request = client.http.post(client.url("/$batch")).bearer_auth(&client.token);
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let (status, body) = post(&requests).await;
        assert_eq!(status, 200);
        let responses = body["responses"].as_array().unwrap();
        for response in responses {
            let id = response["id"].as_str().unwrap();
            match id.parse::<usize>() {
                Ok(n) => assert_eq!(response["body"]["id"], json!(teams[n])),
                Err(_) => assert_eq!(response["status"], 404),
            }
        }
        orders.insert(responses.iter().map(|response| response["id"].to_string()).collect::<String>());
    }
    assert!(orders.len() > 1, "responses come in any order");
    let twice = [requests[0].clone(), requests[0].clone()];
    assert_eq!(post(&twice).await.0, 400);
    let many: Vec<Value> = (0..21).map(|n| json!({"id": n.to_string(), "method": "GET", "url": "/users"})).collect();
    assert_eq!(post(&many).await.0, 400);
    assert_eq!(post(&many[..20]).await.0, 200);
}
