//! Migration mode: what is made in it, in which order a post is refused, and what stands there afterwards.

use serde_json::{Value, json};
use teams_emulator::{ChatHistory, FaultKind, FaultRule, ImportRates};

use super::client::*;

const PAST: &str = "2016-01-01T00:00:00.000Z";

struct Team {
    client: Client,
    id: String,
    general: String,
    users: Vec<String>,
}

async fn migrating() -> Team {
    let client = start(small()).await;
    client.emulator.set(|knobs| knobs.operation_polls = 1);
    let body = json!({
        "@microsoft.graph.teamCreationMode": "migration",
        "template@odata.bind": "https://graph.microsoft.com/v1.0/teamsTemplates('standard')",
        "displayName": "Ops", "description": "from afar", "createdDateTime": PAST,
    });
    let made = client.write("POST", "/teams", &body).await;
    assert_eq!((made.status, made.text.as_str()), (202, ""));
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let id = location.split('\'').nth(1).unwrap().to_owned();
    assert_eq!(made.headers["content-location"].to_str().unwrap(), format!("/teams('{id}')"));
    assert_eq!(client.get(&format!("/teams/{id}/channels")).await.status, 200);
    let first = client.ok(&location).await;
    assert_eq!((text(&first, "status"), text(&first, "operationType")), ("inProgress".into(), "createTeam".into()));
    assert_eq!(text(&client.ok(&location).await, "status"), "succeeded");
    let general = text(&client.ok(&format!("/teams/{id}/primaryChannel")).await, "id");
    let users = ids(&client.emulator.truth("users"));
    Team { client, id, general, users }
}

impl Client {
    pub async fn write(&self, method: &str, target: &str, body: &Value) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, self.url(target)).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Reply {
        self.write("POST", target, body).await
    }
}

impl Team {
    fn messages(&self) -> String {
        format!("/teams/{}/channels/{}/messages", self.id, path(&self.general))
    }

    fn message(&self, at: &str) -> Value {
        json!({
            "createdDateTime": at,
            "from": {"user": {"id": self.users[0], "displayName": "Ada", "userIdentityType": "aadUser"}},
            "body": {"contentType": "html", "content": "<p>hi</p>"},
        })
    }
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, text(&reply.body["error"], "code"))
}

#[tokio::test]
async fn a_message_keeps_its_author_and_time_and_its_id_is_another() {
    let team = migrating().await;
    let mut body = team.message("2019-02-04T19:58:15.5119Z");
    body["subject"] = json!("S");
    let posted = team.client.post(&team.messages(), &body).await;
    assert_eq!(posted.status, 201, "{}", posted.text);
    assert_eq!(posted.body["lastModifiedDateTime"], Value::Null);
    let id = text(&posted.body, "id");
    let reply =
        team.client.post(&format!("{}/{id}/replies", team.messages()), &team.message("2019-02-04T19:58:16Z")).await;
    assert_eq!((reply.status, text(&reply.body, "replyToId")), (201, id.clone()));

    let read = team.client.ok(&format!("{}/{id}", team.messages())).await;
    assert_eq!(text(&read, "createdDateTime"), "2019-02-04T19:58:15.511Z", "further digits are cut off");
    assert_eq!(read["from"]["user"]["id"], json!(team.users[0]));
    assert_ne!(id, "1549310295511");
    let truth: Vec<_> = ["messages", "message_replies"]
        .iter()
        .flat_map(|table| team.client.emulator.truth(table))
        .filter(|row| row["team_id"] == json!(team.id))
        .collect();
    assert_eq!(truth.len(), 2);
    let listed = team.client.rows(&format!("{}?$expand=replies", team.messages())).await;
    assert_eq!((listed.len(), listed[0]["replies"].as_array().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn a_post_is_refused_in_the_documented_order() {
    let team = migrating().await;
    let client = &team.client;
    let url = team.messages();
    let (other, channels) = client.team(0);
    let ordinary = format!("/teams/{other}/channels/{}/messages", path(&channels[0]));
    let ok = team.message("2020-01-01T00:00:00.001Z");
    assert_eq!(client.post(&url, &ok).await.status, 201);

    let changed = |key: &str, value: Value| {
        let mut body = team.message("2020-01-01T00:00:00.001Z");
        body[key] = value;
        body
    };
    let user = |id: &str| json!({"user": {"id": id, "displayName": "X", "userIdentityType": "aadUser"}});
    let nobody = "00000000-0000-4000-8000-000000000000";
    let long = json!({"contentType": "html", "content": "x".repeat(30_000)});
    for (what, target, body, expected) in [
        ("no container", format!("/teams/{}/channels/19%3Ax/messages", team.id), ok.clone(), (404, "NotFound")),
        ("not in migration", ordinary, ok.clone(), (401, "Unauthorized")),
        ("no author", url.clone(), changed("from", Value::Null), (401, "Unauthorized")),
        ("no time", url.clone(), changed("createdDateTime", Value::Null), (401, "Unauthorized")),
        ("too large", url.clone(), changed("body", long), (413, "RequestEntityTooLarge")),
        ("an e-mail", url.clone(), changed("from", user("ada@x.example")), (400, "BadRequest")),
        ("nobody", url.clone(), changed("from", user(nobody)), (400, "BadRequest")),
        ("too old", url.clone(), changed("createdDateTime", json!(PAST)), (400, "BadRequest")),
        ("future", url.clone(), changed("createdDateTime", json!("2030-01-01T00:00:00Z")), (400, "BadRequest")),
        ("taken", url.clone(), ok.clone(), (409, "Conflict")),
    ] {
        let reply = client.post(&target, &body).await;
        assert_eq!(code(&reply), (expected.0, expected.1.to_owned()), "{what}: {}", reply.text);
    }
    // The reply's time is one of the same channel.
    let id = text(&client.rows(&url).await[0], "id");
    assert_eq!(client.post(&format!("{url}/{id}/replies"), &ok).await.status, 409);
    client.emulator.set(|knobs| assert!(knobs.roles.remove("Teamwork.Migrate.All")));
    assert_eq!(client.post(&format!("/teams/{}/channels/19%3Ax/messages", team.id), &ok).await.status, 403);
}

#[tokio::test]
async fn a_session_belongs_to_the_application_that_began_it() {
    let team = migrating().await;
    let emulator = &team.client.emulator;
    emulator.set(|knobs| assert!(knobs.more_client_ids.insert("second-app".into())));
    let form = [
        ("client_id", "second-app"),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://graph.microsoft.com/.default"),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", emulator.url(), emulator.tenant_id());
    let answer = team.client.http.post(url).form(&form).send().await.unwrap();
    let token: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let send = async |target: &str, body: String| {
        let request = team.client.http.post(team.client.url(target)).bearer_auth(text(&token, "access_token"));
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, said) = send(&team.messages(), team.message("2020-01-01T00:00:00Z").to_string()).await;
    assert!(status == 400 && said.contains("Only 1 application is allowed"), "{status} {said}");
    let complete = team.messages().replace("/messages", "/completeMigration");
    let (status, said) = send(&complete, String::new()).await;
    assert!(status == 400 && said.contains("does not match the import session"), "{status} {said}");
}

#[tokio::test]
async fn a_team_is_completed_channel_by_channel_and_can_take_members_then() {
    let team = migrating().await;
    let client = &team.client;
    let body = json!({"@microsoft.graph.channelCreationMode": "migration", "displayName": "incidents",
        "membershipType": "private", "createdDateTime": PAST});
    let made = client.post(&format!("/teams/{}/channels", team.id), &body).await;
    assert_eq!((made.status, &made.body["membershipType"]), (201, &Value::Null));
    let channel = text(&made.body, "id");
    let read = client.ok(&format!("/teams/{}/channels/{}", team.id, path(&channel))).await;
    assert_eq!((text(&read, "membershipType"), text(&read, "migrationMode")), ("standard".into(), "inProgress".into()));
    assert_eq!(client.post(&format!("/teams/{}/channels", team.id), &body).await.status, 400, "the name is taken");

    let add = format!("/teams/{}/members/add", team.id);
    let member = |id: &str| {
        json!({"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": [],
        "user@odata.bind": format!("https://graph.microsoft.com/v1.0/users('{id}')")})
    };
    let values = json!({"values": [member(&team.users[0]), member("nobody")]});
    assert_eq!(client.post(&add, &values).await.status, 403);
    let team_end = format!("/teams/{}/completeMigration", team.id);
    assert_eq!(client.post(&team_end, &Value::Null).await.status, 400);
    for id in [&channel, &team.general] {
        let end = format!("/teams/{}/channels/{}/completeMigration", team.id, path(id));
        assert_eq!(client.post(&end, &Value::Null).await.status, 204);
        assert_eq!(client.post(&end, &Value::Null).await.status, 400);
    }
    let late =
        json!({"@microsoft.graph.channelCreationMode": "migration", "displayName": "late", "createdDateTime": PAST});
    assert_eq!(client.post(&format!("/teams/{}/channels", team.id), &late).await.status, 400, "General was completed");
    assert_eq!(client.post(&team_end, &Value::Null).await.status, 204);
    let added = client.post(&add, &values).await;
    assert_eq!((added.status, &added.body["value"][1]["error"]["code"]), (207, &json!("NotFound")));
    assert_eq!(client.rows(&format!("/teams/{}/members", team.id)).await.len(), 1);
}

#[tokio::test]
async fn an_existing_conversation_moves_back_and_is_opened_and_closed() {
    let client = start(small()).await;
    let chat = client.emulator.truth("chats").into_iter().find(|chat| chat["chatType"] == "group").unwrap();
    let (id, author) = (path(&text(&chat, "id")), ids(&client.emulator.truth("users"))[0].clone());
    let body =
        json!({"createdDateTime": "2017-01-01T00:00:00Z", "from": {"user": {"id": author}}, "body": {"content": "x"}});
    let messages = format!("/chats/{id}/messages");
    assert_eq!(client.post(&messages, &body).await.status, 502);
    let start = |at: &str| json!({"conversationCreationDateTime": at});
    let begin = format!("/chats/{id}/startMigration");
    assert_eq!(client.post(&begin, &start("2029-01-01T00:00:00Z")).await.status, 400, "it never moves forward");
    assert_eq!(client.post(&begin, &start(PAST)).await.status, 204);
    assert_eq!(client.post(&begin, &start(PAST)).await.status, 400);
    let read = client.ok(&format!("/chats/{id}")).await;
    assert_eq!(
        (&read["createdDateTime"], &read["originalCreatedDateTime"]),
        (&json!("2016-01-01T00:00:00Z"), &chat["createdDateTime"])
    );
    assert_eq!(client.post(&messages, &body).await.status, 201);
    client.emulator.set(|knobs| knobs.migration_mode_shown = false);
    assert!(client.ok(&format!("/chats/{id}")).await.get("migrationMode").is_none());
    assert_eq!(client.post(&format!("/chats/{id}/completeMigration"), &Value::Null).await.status, 204);
    assert_eq!(client.post(&messages, &body).await.status, 502);
}

#[tokio::test]
async fn images_are_kept_and_can_be_refused() {
    let team = migrating().await;
    let mut body = team.message("2020-01-01T00:00:00Z");
    body["body"]["content"] = json!("<img src=\"../hostedContents/1/$value\">");
    assert_eq!(team.client.post(&team.messages(), &body).await.status, 400, "an image that is not there");
    body["hostedContents"] =
        json!([{"@microsoft.graph.temporaryId": "1", "contentBytes": "iVBORw==", "contentType": "image/png"}]);
    team.client.emulator.set(|knobs| knobs.images_refused = true);
    assert_eq!(code(&team.client.post(&team.messages(), &body).await), (403, "Forbidden".into()));
    team.client.emulator.set(|knobs| knobs.images_refused = false);
    let posted = team.client.post(&team.messages(), &body).await;
    let content = text(&posted.body["body"], "content");
    let source = content.split('"').nth(1).unwrap().trim_start_matches("https://graph.microsoft.com/v1.0").to_owned();
    let answer = team.client.http.get(team.client.url(&source)).bearer_auth(&team.client.token).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap()[..], [0x89, b'P', b'N', b'G']);
}

#[tokio::test]
async fn a_file_is_written_by_its_path_and_written_over() {
    let client = start(small()).await;
    let target = "/drives/b!1/root:/Import%20x/a.png:/content";
    assert_eq!(client.write("PUT", target, &json!(1)).await.status, 404, "the drive is not there");
    client.emulator.set(|knobs| knobs.drives.extend(["b!1".to_owned()]));
    for (bytes, status) in [(json!("one"), 201), (json!("other"), 200)] {
        let reply = client.write("PUT", target, &bytes).await;
        assert_eq!(reply.status, status);
        assert!(text(&reply.body, "webUrl").ends_with("/Import%20x/a.png"));
        let files = client.emulator.files();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].2, bytes.to_string().as_bytes());
    }
    assert_eq!(client.write("PUT", "/drives/b!1/root:/Import%20x/a.png/content", &json!(1)).await.status, 404);
    client.emulator.set(|knobs| knobs.roles.retain(|role| !role.starts_with("Files.ReadWrite")));
    assert_eq!(client.write("PUT", target, &json!(1)).await.status, 403);
}

#[tokio::test]
async fn who_is_added_to_a_chat_sees_the_history_that_is_asked_for() {
    let client = start(small()).await;
    let users = ids(&client.emulator.truth("users"));
    let all = "0001-01-01T00:00:00Z";
    let member = |user: &str, since: Option<&str>| {
        let bind = format!("https://graph.microsoft.com/v1.0/users('{user}')");
        let mut member = json!({"@odata.type": "#microsoft.graph.aadUserConversationMember", "roles": ["owner"], "user@odata.bind": bind});
        if let Some(since) = since {
            member["visibleHistoryStartDateTime"] = json!(since);
        }
        member
    };
    for (history, status) in [(ChatHistory::Ignored, 201), (ChatHistory::Taken, 201), (ChatHistory::Refused, 400)] {
        client.emulator.set(|knobs| knobs.chat_history = history);
        let members = [member(&users[0], Some(all)), member(&users[1], Some(all))];
        let made = client.post("/chats", &json!({"chatType": "group", "topic": "t", "members": members})).await;
        assert_eq!(made.status, status);
        if status == 400 {
            continue;
        }
        let list = format!("/chats/{}/members", path(&text(&made.body, "id")));
        let seen = |rows: &[Value], user: &str| {
            let row = rows.iter().find(|row| row["userId"] == user).unwrap();
            text(row, "visibleHistoryStartDateTime") == all
        };
        assert_eq!(seen(&client.rows(&list).await, &users[1]), history == ChatHistory::Taken);
        assert_eq!(client.write("DELETE", &format!("{list}/{}", users[1]), &Value::Null).await.status, 204);
        assert_eq!(client.post(&list, &member(&users[1], Some(all))).await.status, 201);
        assert!(seen(&client.rows(&list).await, &users[1]));
        assert_eq!(client.post(&list, &member(&users[2], None)).await.status, 201);
        assert!(!seen(&client.rows(&list).await, &users[2]));
    }
}

#[tokio::test]
async fn a_fault_after_the_effect_loses_only_the_answer() {
    let team = migrating().await;
    let rules = [
        FaultRule { kind: FaultKind::Status, status: 504, ..FaultRule::default() },
        FaultRule { kind: FaultKind::Reset, ..FaultRule::default() },
        FaultRule { kind: FaultKind::Slow, delay_ms: 50, ..FaultRule::default() },
        FaultRule { kind: FaultKind::GarbageJson, ..FaultRule::default() },
    ];
    for (at, rule) in rules.into_iter().enumerate() {
        for after in [true, false] {
            team.client.emulator.clear_faults();
            let rule = FaultRule { path: "POST /teams/{id}/channels/{id}/messages".into(), after, ..rule.clone() };
            team.client.emulator.fault(rule.clone());
            let before = team.client.rows(&team.messages()).await.len();
            let body = team.message(&format!("2020-01-0{}T00:00:0{}Z", at + 1, u8::from(after)));
            let request = team.client.http.post(team.client.url(&team.messages())).bearer_auth(&team.client.token);
            let answer = request.body(body.to_string()).send().await;
            let has_effect = after || matches!(rule.kind, FaultKind::Slow | FaultKind::GarbageJson);
            let count = team.client.rows(&team.messages()).await.len() - before;
            assert_eq!(count, usize::from(has_effect), "{:?} after: {after}", rule.kind);
            assert_eq!(answer.is_err(), rule.kind == FaultKind::Reset);
        }
    }
}

#[tokio::test]
async fn the_rate_is_that_of_one_document_or_of_the_other() {
    for (rates, granted) in [(ImportRates::Article, 5), (ImportRates::Table, 1)] {
        let team = migrating().await;
        team.client.emulator.set(|knobs| (knobs.rate_limits, knobs.import_rates) = (true, rates));
        let mut refused = 0;
        for n in 0..granted + 3 {
            let reply = team.client.post(&team.messages(), &team.message(&format!("2020-01-01T00:00:{n:02}Z"))).await;
            refused += usize::from(reply.status == 429);
            // A conflict is found before the rate.
            let again = team.client.post(&team.messages(), &team.message("2020-01-01T00:00:00Z")).await;
            assert_eq!(again.status, 409);
        }
        assert!((2..=3).contains(&refused), "{rates:?}: {refused}");
    }
}
