//! People who talk to the bot, and the keys that sign what they do.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use teams_emulator::{Act, Emulator};

use super::client::*;

fn act(emulator: &Emulator, act: Value) -> Vec<teams_emulator::Said> {
    let act: Act = serde_json::from_value(act).unwrap();
    emulator.act(&act).unwrap()
}

async fn keys(emulator: &Emulator) -> Value {
    let get = |url: String| async move { Reply::of(http().get(url).send().await.unwrap()).await.body };
    let metadata = get(format!("{}/v1/.well-known/openidconfiguration", emulator.url())).await;
    assert_eq!(metadata, get(format!("{}/v1/.well-known/openid-configuration", emulator.url())).await);
    assert_eq!(text(&metadata, "issuer"), "https://api.botframework.com");
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["RS256"]));
    get(text(&metadata, "jwks_uri")).await["keys"].clone()
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// The claims, once the signature was verified with a published key.
fn verified(authorization: &str, keys: &Value) -> Value {
    let token = authorization.strip_prefix("Bearer ").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let key = keys.as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("a published key");
    let (n, e) = (decode(key["n"].as_str().unwrap()), decode(key["e"].as_str().unwrap()));
    let public = RsaPublicKeyComponents { n: &n, e: &e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).unwrap();
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[tokio::test]
async fn what_people_do_is_signed_with_a_published_and_endorsed_key() {
    let emulator = Emulator::start(small()).unwrap();
    let user = text(&emulator.truth("users")[0], "id");
    let said = act(&emulator, json!({"deed": "message", "user": user, "text": "hi"}));
    let keys_before = keys(&emulator).await;
    assert_eq!(keys_before[0]["endorsements"][0], "msteams");
    let claims = verified(&said[0].authorization, &keys_before);
    let activity = &said[0].activity;
    assert_eq!((&claims["aud"], &claims["serviceurl"]), (&json!(emulator.client_id()), &activity["serviceUrl"]));
    assert_eq!((text(activity, "text"), text(&activity["from"], "aadObjectId")), ("hi".into(), user.clone()));

    emulator.set(|knobs| {
        knobs.signing_key = 1;
        knobs.published_keys.insert(1);
        knobs.unendorsed_keys.insert(0);
    });
    let said = act(&emulator, json!({"deed": "message", "user": user, "text": "hi"}));
    let rotated = keys(&emulator).await;
    verified(&said[0].authorization, &rotated);
    assert!(rotated[0].get("endorsements").is_none());
    assert!(!keys_before.as_array().unwrap().contains(&rotated[1]));
}

#[tokio::test]
async fn a_test_departs_from_the_truth_where_it_says_so() {
    let emulator = Emulator::start(small()).unwrap();
    let user = text(&emulator.truth("users")[0], "id");
    let said = act(
        &emulator,
        json!({
            "deed": "message", "user": user, "claims": {"aud": "other", "serviceurl": null},
            "replace": {"/channelData/tenant/id": "elsewhere", "/serviceUrl": null},
        }),
    );
    let claims = verified(&said[0].authorization, &keys(&emulator).await);
    assert_eq!((&claims["aud"], claims.get("serviceurl")), (&json!("other"), None));
    assert_eq!(said[0].activity["channelData"]["tenant"]["id"], "elsewhere");
    assert!(said[0].activity.get("serviceUrl").is_none());
    let wrong: Act = serde_json::from_value(json!({"deed": "message", "user": "nobody"})).unwrap();
    assert!(emulator.act(&wrong).unwrap_err().contains("nobody"));
}

#[tokio::test]
async fn an_installation_is_told_twice_and_a_click_carries_the_cards_data() {
    let emulator = Emulator::start(small()).unwrap();
    let user = text(&emulator.truth("users")[0], "id");
    let said = act(&emulator, json!({"deed": "install", "user": user}));
    let kinds: Vec<_> = said.iter().map(|said| text(&said.activity, "type")).collect();
    assert_eq!(kinds, ["conversationUpdate", "installationUpdate"]);
    assert_eq!(said[0].activity["membersAdded"][0]["id"], format!("28:{}", emulator.client_id()));
    let service = text(&said[0].activity, "serviceUrl");
    let conversation = text(&said[0].activity["conversation"], "id");

    let form = [
        ("client_id", emulator.client_id()),
        ("client_secret", emulator.client_secret()),
        ("scope", "https://api.botframework.com/.default"),
        ("grant_type", "client_credentials"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", emulator.url(), emulator.tenant_id());
    let token = text(&Reply::of(http().post(url).form(&form).send().await.unwrap()).await.body, "access_token");
    let card = json!({
        "type": "AdaptiveCard", "version": "1.4", "body": [{"type": "ActionSet", "actions": [
            {"type": "Action.Execute", "title": "Resolve", "verb": "resolve", "data": {"id": 7}},
            {"type": "Action.Submit", "title": "Ignore", "data": {"action": "ignore"}},
        ]}],
    });
    let body = json!({
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    });
    let url = format!("{service}v3/conversations/{conversation}/activities");
    let request = http().post(url).bearer_auth(&token).header("content-type", "application/json");
    let id = text(&Reply::of(request.body(body.to_string()).send().await.unwrap()).await.body, "id");

    let click = |action: &str| {
        let asked =
            json!({"deed": "click", "user": user, "activity_id": id, "action": action, "inputs": {"why": "done"}});
        act(&emulator, asked)[0].activity.clone()
    };
    let execute = click("Resolve");
    assert_eq!((text(&execute, "type"), text(&execute, "name")), ("invoke".into(), "adaptiveCard/action".into()));
    assert_eq!(execute["value"]["action"]["data"], json!({"id": 7, "why": "done"}));
    assert_eq!((&execute["value"]["action"]["verb"], &execute["replyToId"]), (&json!("resolve"), &json!(id)));
    let submit = click("Ignore");
    assert_eq!(
        (text(&submit, "type"), &submit["value"]),
        ("message".into(), &json!({"action": "ignore", "why": "done"}))
    );
    let wrong = json!({"deed": "click", "user": user, "activity_id": id, "action": "No such"});
    assert!(emulator.act(&serde_json::from_value(wrong).unwrap()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_makes_an_activity_come_again() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let emulator = Emulator::start(small()).unwrap();
    emulator.set(|knobs| knobs.resend_seconds = 0.3);
    let user = text(&emulator.truth("users")[0], "id");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/messages", listener.local_addr().unwrap());
    let bot = tokio::spawn(async move {
        // The first time it says nothing.
        let (mut silent, _) = listener.accept().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 1 << 16];
        let mut read = Vec::new();
        for stream in [&mut silent, &mut stream] {
            let length = stream.read(&mut buffer).await.unwrap();
            read.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        stream.shutdown().await.unwrap();
        read
    });
    let asked: Act = serde_json::from_value(json!({"deed": "message", "user": user, "text": "hi"})).unwrap();
    let told = tokio::task::spawn_blocking(move || emulator.tell(&url, &asked).unwrap()).await.unwrap();
    assert_eq!(told[0].statuses, [0, 200]);
    let read = bot.await.unwrap();
    assert_eq!(read[0], read[1], "the very same activity");
}
