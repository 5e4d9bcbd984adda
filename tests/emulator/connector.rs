//! The Bot Connector: its tokens, conversations, messages, rosters, errors and limits.

use serde_json::{Value, json};
use teams_emulator::{EmulatorConfig, FaultKind, FaultRule};

use super::client::*;

/// A tenant in which everybody has the app, and a client with a token for the connector.
async fn bot() -> Client {
    bot_of(small()).await
}

async fn bot_of(config: EmulatorConfig) -> Client {
    let mut client = start(config).await;
    client.emulator.set(|knobs| knobs.app_installed = 1.0);
    client.token = text(&connector_token(&client, client.emulator.tenant_id()).await.body, "access_token");
    client
}

async fn connector_token(client: &Client, tenant: &str) -> Reply {
    let emulator = &client.emulator;
    let form = [
        ("client_id", emulator.client_id()),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://api.botframework.com/.default"),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{}/{tenant}/oauth2/v2.0/token", emulator.url());
    Reply::of(client.http.post(url).form(&form).send().await.unwrap()).await
}

impl Client {
    async fn connector(&self, method: &str, target: &str, body: &Value) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/teams/v3{target}", self.emulator.url());
        let request = self.http.request(method, url).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Reply::of(request.body(body).send().await.unwrap()).await
    }

    fn person(&self, at: usize) -> String {
        text(&self.emulator.truth("users")[at], "id")
    }

    async fn open(&self, user: &str) -> Reply {
        let tenant = self.emulator.tenant_id();
        let body = json!({
            "isGroup": false, "tenantId": tenant, "channelData": {"tenant": {"id": tenant}}, "members": [{"id": user}],
        });
        self.connector("POST", "/conversations", &body).await
    }

    async fn conversation(&self, user: &str) -> String {
        let reply = self.open(user).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        text(&reply.body, "id")
    }

    async fn say(&self, conversation: &str, text: &str) -> Reply {
        let target = format!("/conversations/{}/activities", path(conversation));
        self.connector("POST", &target, &json!({"type": "message", "text": text})).await
    }
}

fn error(reply: &Reply) -> (u16, String) {
    (reply.status, text(&reply.body["error"], "code"))
}

#[tokio::test]
async fn tokens_of_one_service_are_refused_by_the_other() {
    let client = bot().await;
    assert_eq!(client.get("/teams").await.status, 401);
    let user = client.person(0);
    let graph = start(small()).await;
    assert_eq!(error(&graph.open(&user).await), (401, "Unauthorized".into()));
    graph.emulator.set(|knobs| knobs.secret_expired = true);
    assert_eq!(connector_token(&graph, graph.emulator.tenant_id()).await.status, 401);
    // New bots belong to one tenant; only old ones get tokens of the shared one.
    assert_eq!(connector_token(&client, "botframework.com").await.body["error_codes"][0], 700_016);
    client.emulator.set(|knobs| knobs.multi_tenant_bot = true);
    assert_eq!(connector_token(&client, "botframework.com").await.status, 200);
}

#[tokio::test]
async fn a_conversation_is_one_per_person_and_begins_by_object_id() {
    let client = bot().await;
    let user = client.person(0);
    let conversation = client.conversation(&user).await;
    assert!(conversation.starts_with("a:1"));
    assert_eq!(client.conversation(&user).await, conversation);
    assert_ne!(client.conversation(&client.person(1)).await, conversation);
    assert_eq!(error(&client.open(&format!("29:{user}")).await), (400, "BadSyntax".into()));
    let members = client.connector("GET", &format!("/conversations/{conversation}/pagedMembers"), &Value::Null).await;
    let row = &members.body["members"][0];
    assert_eq!((text(row, "aadObjectId"), text(row, "userRole")), (user, "user".into()));
    assert_eq!(client.conversation(&text(row, "id")).await, conversation);
    client.emulator.set(|knobs| knobs.bot_sessions = true);
    assert_ne!(client.conversation(&client.person(0)).await, conversation);
}

#[tokio::test]
async fn a_message_is_sent_replaced_and_deleted_and_graph_shows_each_state() {
    let client = bot().await;
    let user = client.person(0);
    let conversation = client.conversation(&user).await;
    let card = json!({"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": "one"}]});
    let message = |card: &Value| {
        let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
        json!({"type": "message", "summary": "toast", "attachments": [attachment]})
    };
    let activities = format!("/conversations/{conversation}/activities");
    let sent = client.connector("POST", &activities, &message(&card)).await;
    assert_eq!(sent.status, 201);
    let id = text(&sent.body, "id");
    let one = format!("{activities}/{id}");
    let mut other = card.clone();
    other["body"][0]["text"] = json!("two");
    assert_eq!(client.connector("PUT", &one, &message(&other)).await.body, json!({"id": id}));

    let graph_token = text(&token(&client.http, &client.emulator).await.body, "access_token");
    let chat = format!("19:{user}_{}@unq.gbl.spaces", client.emulator.client_id());
    let read = || async {
        let url = client.url(&format!("/chats/{}/messages", path(&chat)));
        Reply::of(client.http.get(url).bearer_auth(&graph_token).send().await.unwrap()).await.body["value"].clone()
    };
    let shown = read().await;
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert!(text(&shown[0]["attachments"][0], "content").contains("two"));
    assert_eq!(shown[0]["from"]["application"]["id"], client.emulator.client_id());

    assert_eq!(client.connector("DELETE", &one, &Value::Null).await.status, 200);
    assert!(read().await[0]["deletedDateTime"].is_string());
    let gone = client.connector("PUT", &one, &message(&card)).await;
    assert_eq!(error(&gone), (404, "ActivityNotFoundInConversation".into()));
    let ledger = client.emulator.deliveries();
    assert_eq!(ledger.iter().map(|entry| entry.action).collect::<Vec<_>>(), ["send", "update", "delete"]);
    assert!(ledger.iter().all(|entry| entry.recipient == user && entry.activity_id == id));
}

#[tokio::test]
async fn a_channel_takes_posts_and_replies_in_threads() {
    let client = bot().await;
    let (_, channels) = client.team(0);
    let body = json!({
        "isGroup": true, "channelData": {"channel": {"id": channels[0]}},
        "activity": {"type": "message", "text": "hello"},
    });
    let made = client.connector("POST", "/conversations", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let root = text(&made.body, "activityId");
    assert_eq!(text(&made.body, "id"), format!("{};messageid={root}", channels[0]));
    let reply = client.say(&format!("{};messageid={root}", channels[0]), "in the thread").await;
    assert_eq!(reply.status, 201);
    assert_eq!(client.say(&channels[0], "a new post").await.status, 201);
    let ledger = client.emulator.deliveries();
    let threads: Vec<_> = ledger.iter().map(|entry| entry.reply_to.clone()).collect();
    assert_eq!(threads, [None, Some(root), None]);
    let lost = client.say(&format!("{};messageid=17", channels[0]), "nowhere").await;
    assert_eq!(error(&lost), (404, "ActivityNotFoundInConversation".into()));
    let mut without = body.clone();
    without.as_object_mut().unwrap().remove("activity");
    assert_eq!(error(&client.connector("POST", "/conversations", &without).await), (400, "BadSyntax".into()));
    let mut group = json!({"isGroup": true, "members": [{"id": client.person(0)}, {"id": client.person(1)}]});
    group["tenantId"] = json!(client.emulator.tenant_id());
    assert_eq!(error(&client.connector("POST", "/conversations", &group).await), (400, "BadSyntax".into()));
}

#[tokio::test]
async fn text_and_card_in_one_activity_become_two_messages_without_an_id() {
    let client = bot().await;
    let conversation = client.conversation(&client.person(0)).await;
    let body = json!({"type": "message", "text": "both", "attachments": [{"contentType": "x", "content": {}}]});
    let sent = client.connector("POST", &format!("/conversations/{conversation}/activities"), &body).await;
    assert_eq!((sent.status, &sent.body), (201, &json!({})));
    assert_eq!(client.emulator.deliveries().len(), 2);
}

#[tokio::test]
async fn rosters_come_in_clamped_pages() {
    let client = bot_of(EmulatorConfig { users: 140, members_per_team: 130, frozen_clock: true, ..small() }).await;
    let (team, channels) = client.team(0);
    let page = |query: String| {
        let target = format!("/conversations/{}/pagedMembers?{query}", path(&channels[0]));
        async { client.connector("GET", &{ target }, &Value::Null).await.body }
    };
    let first = page("pageSize=3".into()).await;
    assert_eq!(first["members"].as_array().unwrap().len(), 50);
    let mut all = first["members"].as_array().unwrap().clone();
    let mut token = first["continuationToken"].as_str().map(str::to_owned);
    while let Some(next) = token {
        let body = page(format!("pageSize=60&continuationToken={next}")).await;
        all.extend(body["members"].as_array().unwrap().clone());
        token = body["continuationToken"].as_str().map(str::to_owned);
    }
    assert_eq!(all.len(), 130);
    assert!(all.iter().any(|row| row["userRole"] == "guest"));
    let one = format!("/conversations/{}/members/{}", path(&channels[0]), text(&all[7], "aadObjectId"));
    assert_eq!(client.connector("GET", &one, &Value::Null).await.body, all[7]);
    let details = client.connector("GET", &format!("/teams/{}", path(&channels[0])), &Value::Null).await;
    assert_eq!(text(&details.body, "aadGroupId"), team);
    let listed = client.connector("GET", &format!("/teams/{}/conversations", path(&channels[0])), &Value::Null).await;
    assert_eq!(listed.body["conversations"][0], json!({"id": channels[0], "name": null}));
}

#[tokio::test]
async fn every_row_of_the_table_of_errors_comes_on_demand() {
    let client = bot().await;
    let user = client.person(0);
    let conversation = client.conversation(&user).await;
    for (code, status) in [
        ("Bad Argument", 400),
        ("BotNotRegistered", 401),
        ("BotDisabledByAdmin", 403),
        ("BotNotInConversationRoster", 403),
        ("ConversationBlockedByUser", 403),
        ("ForbiddenOperationException", 403),
        ("InvalidBotApiHost", 403),
        ("NotEnoughPermissions", 403),
        ("ConversationNotFound", 404),
        ("ActivityNotFoundInConversation", 404),
        ("PreconditionFailed", 412),
        ("MessageSizeTooBig", 413),
        ("Throttled", 429),
        ("ServiceError", 500),
        ("BadGateway", 502),
        ("ServiceUnavailable", 503),
        ("GatewayTimeout", 504),
    ] {
        client.emulator.set(|knobs| {
            knobs.bot_errors.insert(user.clone(), code.to_owned());
        });
        let reply = client.say(&conversation, "x").await;
        assert_eq!(error(&reply), (status, code.to_owned()));
        assert!(reply.headers.contains_key("ms-cv"));
    }
    client.emulator.set(|knobs| {
        knobs.bot_errors.insert(user.clone(), "MessageWritesBlocked".into());
    });
    let blocked = client.say(&conversation, "x").await;
    assert_eq!((blocked.status, &blocked.body["errorCode"]), (403, &json!(209)));
    let inner: Value = serde_json::from_str(blocked.body["message"].as_str().unwrap()).unwrap();
    assert_eq!(text(&inner, "subCode"), "MessageWritesBlocked");
    assert!(client.emulator.deliveries().is_empty());
}

#[tokio::test]
async fn an_answer_may_be_lost_after_the_message_was_delivered() {
    let client = bot().await;
    let conversation = client.conversation(&client.person(0)).await;
    for (at, (kind, status)) in [(FaultKind::Status, 504), (FaultKind::Reset, 0)].into_iter().enumerate() {
        client.emulator.fault(FaultRule {
            path: "POST /v3/conversations/{id}/activities".into(),
            kind,
            status: 504,
            after: true,
            times: Some(1),
            ..FaultRule::default()
        });
        if status == 0 {
            let url = format!("{}/teams/v3/conversations/{conversation}/activities", client.emulator.url());
            let body = json!({"type": "message", "text": "x"}).to_string();
            assert!(client.http.post(url).bearer_auth(&client.token).body(body).send().await.is_err());
        } else {
            assert_eq!(client.say(&conversation, "x").await.status, status);
        }
        assert_eq!(client.emulator.deliveries().len(), at + 1);
    }
}

#[tokio::test]
async fn the_limits_are_those_of_the_documentation() {
    let client = bot().await;
    let conversation = client.conversation(&client.person(0)).await;
    // Time stands nearly still, so that a slow machine sends no slower than the limits allow.
    client.emulator.set(|knobs| {
        knobs.rate_limits = true;
        knobs.time_scale = 0.001;
    });
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(client.say(&conversation, "x").await.status);
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 201, 201, 429, 429], "seven in a second");
    let refused = client.say(&conversation, "x").await;
    assert_eq!(error(&refused), (429, "Throttled".into()));
    assert!(refused.headers.contains_key("retry-after"));
    let mut passed = 0;
    for at in 0..80 {
        passed += usize::from(client.open(&client.person(at % 8)).await.status == 201);
    }
    assert!((30..=65).contains(&passed), "fifty a second for the tenant: {passed}");
}

#[tokio::test]
async fn operations_on_one_conversation_must_not_overlap() {
    let client = bot().await;
    let [one, other] = [client.conversation(&client.person(0)).await, client.conversation(&client.person(1)).await];
    client.emulator.set(|knobs| knobs.latency_ms = 200);
    let (first, second, elsewhere) =
        tokio::join!(client.say(&one, "x"), client.say(&one, "y"), client.say(&other, "z"));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!((statuses, elsewhere.status), ([201, 412], 201));
    assert_eq!(client.emulator.deliveries().len(), 2);
}

#[tokio::test]
async fn an_activity_that_is_too_large_is_refused() {
    let client = bot().await;
    let conversation = client.conversation(&client.person(0)).await;
    assert_eq!(error(&client.say(&conversation, &"x".repeat(60 * 1024)).await), (413, "MessageSizeTooBig".into()));
    assert_eq!(client.say(&conversation, &"x".repeat(40 * 1024)).await.status, 201);
}

#[tokio::test]
async fn without_the_app_there_is_no_conversation_until_it_is_installed() {
    let client = bot().await;
    client.emulator.set(|knobs| knobs.app_installed = 0.0);
    let (user, other) = (client.person(0), client.person(1));
    assert_eq!(error(&client.open(&user).await), (403, "ForbiddenOperationException".into()));
    let graph = Client {
        token: text(&token(&client.http, &client.emulator).await.body, "access_token"),
        http: client.http.clone(),
        emulator: teams_emulator::Emulator::start(small()).unwrap(),
    };
    let base = client.emulator.url();
    let url = |target: &str| format!("{base}/v1.0{target}");
    let filter = format!("/appCatalogs/teamsApps?$filter=externalId eq '{}'", client.emulator.client_id());
    let found = graph.ok(&url(&filter)).await;
    let app = text(&found["value"][0], "id");
    let bind = json!({"teamsApp@odata.bind": format!("https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{app}")});
    let installed = url(&format!("/users/{user}/teamwork/installedApps"));
    let made = graph.post(&installed, &bind).await;
    assert_eq!((made.status, made.text.as_str()), (201, ""));
    assert_eq!(graph.post(&installed, &bind).await.status, 409);
    let conversation = client.conversation(&user).await;
    let rows = graph.ok(&format!("{installed}?$expand=teamsApp&$filter=teamsApp/id eq '{app}'")).await;
    let installation = text(&rows["value"][0], "id");
    let chat = graph.ok(&format!("{installed}/{installation}/chat")).await;
    assert!(text(&chat, "id").contains(&user));

    client.emulator.set(|knobs| knobs.app_blocked_user_ids.extend([other.clone()]));
    let refused = graph.post(&url(&format!("/users/{other}/teamwork/installedApps")), &bind).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("app permission policy"));
    let gone = graph.write("DELETE", &format!("{installed}/{installation}"), &Value::Null).await;
    assert_eq!(gone.status, 204);
    assert_eq!(error(&client.say(&conversation, "x").await), (403, "BotNotInConversationRoster".into()));
    client.emulator.set(|knobs| knobs.app_in_catalogue = false);
    assert_eq!(graph.ok(&url(&filter)).await["value"], json!([]));
    assert_eq!(graph.post(&installed, &bind).await.status, 404);
}

#[tokio::test]
async fn a_service_url_is_any_of_the_forms_seen() {
    let client = bot().await;
    let tenant = client.emulator.tenant_id().to_owned();
    let members = format!("conversations/{}/pagedmembers", path(&client.conversation(&client.person(0)).await));
    for (service, is_one) in [
        ("/teams/v3", true),
        ("/amer/v3", true),
        (&format!("/emea/{tenant}/v3"), true),
        ("/emea/another-tenant/v3", false),
        ("/mars/v3", false),
        ("/amer/v30", false),
        ("/v3", false),
    ] {
        let url = format!("{}{service}/{members}", client.emulator.url());
        let answer = client.http.get(url).bearer_auth(&client.token).send().await.unwrap();
        assert_eq!(answer.status().as_u16() == 200, is_one, "{service}: {}", answer.status());
    }
}
