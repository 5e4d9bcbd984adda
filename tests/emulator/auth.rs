use serde_json::Value;

use crate::client::{http, small, start};
use teams_emulator::Emulator;

async fn ask(emulator: &Emulator, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", emulator.url());
    let answer = http().post(url).form(form).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

const SCOPE: (&str, &str) = ("scope", "https://graph.microsoft.com/.default");
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn wrong_credentials_get_entras_codes() {
    let emulator = Emulator::start(small()).unwrap();
    let (tenant, id, secret) = (emulator.tenant_id(), emulator.client_id(), emulator.client_secret());
    let full = [("client_id", id), ("client_secret", secret), SCOPE, GRANT];
    assert_eq!(ask(&emulator, tenant, &full).await.0, 200);
    assert_eq!(ask(&emulator, "emulated.example", &full).await.0, 200);
    let cases = [
        (tenant, [full[0], ("client_secret", "no"), SCOPE, GRANT], 401, "invalid_client", 7_000_215),
        (tenant, [("client_id", "no"), full[1], SCOPE, GRANT], 400, "unauthorized_client", 700_016),
        ("nowhere", full, 400, "invalid_request", 90_002),
        (tenant, [full[0], full[1], ("scope", "https://graph.microsoft.com/x"), GRANT], 400, "invalid_scope", 70_011),
        (tenant, [full[0], full[1], SCOPE, ("grant_type", "password")], 400, "unsupported_grant_type", 70_003),
    ];
    for (tenant, form, status, error, code) in cases {
        let (got, body) = ask(&emulator, tenant, &form).await;
        assert_eq!(
            (got, body["error"].as_str(), &body["error_codes"]),
            (status, Some(error), &serde_json::json!([code]))
        );
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
    }
    emulator.set(|knobs| knobs.secret_expired = true);
    assert_eq!(ask(&emulator, tenant, &full).await.1["error_codes"][0], 7_000_222);
}

#[tokio::test]
async fn an_assertion_and_basic_authorization_are_accepted() {
    let emulator = Emulator::start(small()).unwrap();
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let id = ("client_id", emulator.client_id());
    let form = [id, kind, ("client_assertion", "a.b.c"), SCOPE, GRANT];
    assert_eq!(ask(&emulator, emulator.tenant_id(), &form).await.0, 200);
    let form = [id, kind, ("client_assertion", "abc"), SCOPE, GRANT];
    assert_eq!(ask(&emulator, emulator.tenant_id(), &form).await.1["error_codes"][0], 700_027);

    let url = format!("{}/{}/oauth2/v2.0/token", emulator.url(), emulator.tenant_id());
    let request = http().post(url).form(&[SCOPE, GRANT]);
    let answer = request.basic_auth(emulator.client_id(), Some(emulator.client_secret())).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn no_token_an_unknown_token_and_an_expired_token_are_401() {
    let mut client = start(small()).await;
    let none = client.http.get(client.url("/teams")).send().await.unwrap();
    assert_eq!(none.status(), 401);
    assert_eq!(client.get("/teams").await.status, 200);
    client.emulator.expire_tokens();
    let reply = client.get("/teams").await;
    assert_eq!((reply.status, reply.body["error"]["code"].as_str()), (401, Some("InvalidAuthenticationToken")));
    "unheard-of".clone_into(&mut client.token);
    assert_eq!(client.get("/teams").await.status, 401);
}

#[tokio::test]
async fn a_missing_permission_is_403_in_the_documented_forms() {
    let client = start(small()).await;
    let (team, channels) = client.team(0);
    client.emulator.set(|knobs| knobs.roles.clear());
    let users = client.get("/users").await;
    assert_eq!((users.status, users.body["error"]["code"].as_str()), (403, Some("Authorization_RequestDenied")));
    let messages = format!("/teams/{team}/channels/{}/messages", channels[0]);
    let reply = client.get(&messages).await;
    assert_eq!((reply.status, reply.body["error"]["message"].as_str()), (403, Some("")));
    // Resource-specific consent opens the list of that team, not its export.
    client.emulator.set(|knobs| knobs.rsc_team_ids.extend([team.clone()]));
    assert_eq!(client.get(&messages).await.status, 200);
    assert_eq!(client.get(&format!("/teams/{team}/channels/getAllMessages")).await.status, 403);
}

#[tokio::test]
async fn every_answer_carries_ids_and_the_emulators_date() {
    let client = start(small()).await;
    client.emulator.advance(3600);
    let reply = client.send("/teams", &[("client-request-id", "mine")]).await;
    assert_eq!(reply.headers["client-request-id"], "mine");
    assert_eq!(reply.headers["date"], "Thu, 15 Jan 2026 13:00:00 GMT");
    assert!(reply.headers.contains_key("request-id"));
    client.emulator.set(|knobs| knobs.date_header = false);
    assert!(!client.get("/teams").await.headers.contains_key("date"));
}
