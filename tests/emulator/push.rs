//! Change notifications: subscriptions as Graph takes and refuses them, and what arrives at a subscriber.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::FutureExt;
use serde_json::{Value, json};
use support::fifo::{Fifo, Reply as Answer, status};
use teams_emulator::{Emulator, Fate, Mutation, Notice};

use super::client::*;

/// A server that takes notifications, and the key that it reads them with.
struct Subscriber {
    client: Client,
    server: Fifo,
    /// What came, as (path, body).
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    /// How the next POSTs are answered; 202 after these.
    answers: Arc<Mutex<Vec<Answer>>>,
    key: rcgen::KeyPair,
    certificate: String,
}

/// The token of a handshake, given back decoded.
fn handshake(head: &str) -> Option<Answer> {
    let (_, rest) = head.split_once("validationToken=")?;
    let encoded = rest.split([' ', '&']).next()?;
    let token = url::form_urlencoded::parse(format!("t={encoded}").as_bytes()).next()?.1.into_owned();
    Some(status(200).header("content-type", "text/plain; charset=utf-8").body(&token))
}

impl Subscriber {
    async fn start() -> Self {
        let client = start(small()).await;
        let (seen, answers) = (Arc::<Mutex<Vec<(String, Value)>>>::default(), Arc::<Mutex<Vec<Answer>>>::default());
        let (kept, queued) = (seen.clone(), answers.clone());
        let server = Fifo::answering(move |request| {
            let (kept, queued) = (kept.clone(), queued.clone());
            async move {
                let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                if path.starts_with("/refuse") {
                    return status(403);
                }
                if let Some(answer) = handshake(head) {
                    kept.lock().unwrap().push((path, Value::Null));
                    return answer;
                }
                kept.lock().unwrap().push((path, serde_json::from_str(body).unwrap()));
                let mut queued = queued.lock().unwrap();
                if queued.is_empty() { status(202) } else { queued.remove(0) }
            }
            .boxed()
        })
        .await;
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let own = rcgen::CertificateParams::new(vec!["push.example".into()]).unwrap().self_signed(&key).unwrap();
        let certificate = STANDARD.encode(own.der());
        Self { client, server, seen, answers, key, certificate }
    }

    fn emulator(&self) -> &Emulator {
        &self.client.emulator
    }

    fn at(&self, seconds: i64) -> String {
        (self.emulator().now() + Duration::from_secs(seconds.unsigned_abs())).to_string()
    }

    fn asked(&self, resource: &str, change: &str, more: Value) -> Value {
        let mut body = json!({
            "changeType": change, "resource": resource, "clientState": "a secret",
            "notificationUrl": format!("{}/n?k=1", self.server.url()),
            "lifecycleNotificationUrl": format!("{}/l", self.server.url()),
            "expirationDateTime": self.at(3 * 86_400 - 120),
            "includeResourceData": true, "encryptionCertificate": self.certificate, "encryptionCertificateId": "one",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.http.request(method, self.client.url(path)).bearer_auth(&self.client.token);
        let request = request.header("prefer", "include-unknown-enum-members").body(body.to_string());
        Reply::of(request.send().await.unwrap()).await
    }

    async fn subscribe(&self, resource: &str, change: &str) -> Value {
        let reply = self.send("POST", "/subscriptions", &self.asked(resource, change, json!({}))).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        self.seen.lock().unwrap().clear();
        reply.body
    }

    async fn refused(&self, resource: &str, change: &str, more: Value) -> (u16, String, String) {
        let reply = self.send("POST", "/subscriptions", &self.asked(resource, change, more)).await;
        (reply.status, text(&reply.body["error"], "code"), text(&reply.body["error"], "message"))
    }

    fn mutate(&self, counts: Value) {
        let mutation: Mutation = serde_json::from_value(counts).unwrap();
        self.emulator().mutate(&mutation);
    }

    /// The items that came, once there are so many.
    async fn items(&self, count: usize) -> Vec<Value> {
        for _ in 0..3_000 {
            let items: Vec<Value> =
                self.posts().iter().flat_map(|body| body["value"].as_array().cloned().unwrap()).collect();
            if items.len() >= count {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{count} items did not come: {:?}", self.emulator().notices());
    }

    /// Until the emulator knows of so many answers: what it sends again is due from then on, and the clock may move.
    async fn answered(&self, notice: usize, attempts: usize) {
        self.until(|notices| notices[notice].statuses.len() >= attempts).await;
    }

    /// Until this is so of what the emulator has told.
    async fn until(&self, is_so: impl Fn(&[Notice]) -> bool) {
        for _ in 0..3_000 {
            if is_so(&self.emulator().notices()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come true: {:?}", self.emulator().notices());
    }

    fn posts(&self) -> Vec<Value> {
        self.seen.lock().unwrap().iter().filter(|(_, body)| !body.is_null()).map(|(_, body)| body.clone()).collect()
    }

    /// The content of an item; nothing where its signature is of other bytes.
    fn open(&self, item: &Value) -> Option<Value> {
        let part = |name: &str| STANDARD.decode(item["encryptedContent"][name].as_str().unwrap()).unwrap();
        let private = PrivateDecryptingKey::from_pkcs8(&self.key.serialize_der()).unwrap();
        let private = OaepPrivateDecryptingKey::new(private).unwrap();
        let (sealed, mut data, mut key) = (part("dataKey"), part("data"), vec![0; private.min_output_size()]);
        let key = private.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut key, None).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &data, &part("dataSignature")).ok()?;
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
        let iv: [u8; 16] = key[..16].try_into().unwrap();
        let plain = cipher.decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from(&iv))).unwrap();
        Some(serde_json::from_slice(plain).unwrap())
    }

    async fn claims(&self, token: &Value, metadata: &str) -> Value {
        let document = get(format!("{}{metadata}", self.emulator().url())).await;
        let keys = get(text(&document, "jwks_uri")).await;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let (signed, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
        let (n, e) = (decode(&text(&keys["keys"][0], "n")), decode(&text(&keys["keys"][0], "e")));
        let public = RsaPublicKeyComponents { n: &n, e: &e };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).unwrap();
        serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap()
    }
}

async fn get(url: String) -> Value {
    Reply::of(http().get(url).send().await.unwrap()).await.body
}

#[tokio::test]
async fn both_addresses_are_called_before_a_subscription_stands() {
    let it = Subscriber::start().await;
    let reply = it.send("POST", "/subscriptions", &it.asked("/teams/getAllMessages", "created", json!({}))).await;
    assert_eq!((reply.status, &reply.body["clientState"]), (201, &json!("a secret")));
    let called: Vec<String> = it.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(called.len(), 2);
    assert!(called[0].starts_with("/n?k=1&validationToken=Validation%3A+Testing+client+application+reachability"));
    assert!(called[1].starts_with("/l?validationToken="));
    let list = it.client.ok("/subscriptions").await;
    assert_eq!((&list["value"][0]["id"], &list["value"][0]["clientState"]), (&reply.body["id"], &Value::Null));

    let no_ok =
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.";
    let refused = |url: String| it.refused("/chats/getAllMessages", "created", json!({"notificationUrl": url}));
    let forbidden = "Subscription validation request failed. HTTP status code is 'Forbidden'.";
    let code = "ValidationError".to_owned();
    assert_eq!(refused(format!("{}/refuse", it.server.url())).await, (400, code.clone(), forbidden.to_owned()));
    assert_eq!(refused("http://127.0.0.1:9/n".to_owned()).await, (400, code, no_ok.to_owned()));
    it.emulator().set(|knobs| knobs.push.handshake_ms = 20);
    let slow = Fifo::forever(status(200).slow(Duration::from_secs(5))).await;
    assert_eq!(refused(slow.url()).await.2, "Subscription validation request timed out.");
    assert_eq!(it.emulator().subscriptions().len(), 1);
}

#[tokio::test]
async fn requests_are_refused_as_graph_refuses_them() {
    let it = Subscriber::start().await;
    let first = it.subscribe("/teams/getAllMessages", "created,updated").await;
    let (status, _, message) = it.refused("/Teams/getAllMessages", "updated,created", json!({})).await;
    let exists = format!("Subscription Id {} already exists for the requested combination", text(&first, "id"));
    assert_eq!((status, message), (409, exists));
    let refusals = [
        (json!({"lifecycleNotificationUrl": null}), 400, "lifecycleNotificationUrl is a required property"),
        (
            json!({"expirationDateTime": it.at(3 * 86_400 + 3)}),
            400,
            "('-3.00:00:03.000' from now) is beyond allowed max '3.00:00:00'.",
        ),
        (json!({"expirationDateTime": "2020-01-01T00:00:00Z"}), 400, "in the future"),
        (
            json!({"encryptionCertificate": STANDARD.encode("no X.509")}),
            400,
            "Certificate validation error: Cannot find the requested object.",
        ),
        (json!({"encryptionCertificateId": null}), 400, "encryptionCertificateId is required"),
        (json!({"clientState": "x".repeat(129)}), 400, "clientState"),
        (json!({"notificationUrl": "http://push.example/n"}), 400, "HTTPS"),
        (
            json!({"notificationUrl": "EventHub:https://ns.example/x"}),
            400,
            "Invalid event hub notification url='EventHub:https://ns.example/x'",
        ),
        (
            json!({"notificationUrl": "EventHub:https://ns.servicebus.windows.net/eventhubname/teams"}),
            400,
            "Invalid event hub notification url",
        ),
        (
            json!({"notificationUrl": "EventHub:http://ns.servicebus.windows.net/eventhubname/teams?tenantId=c"}),
            400,
            "Invalid event hub notification url",
        ),
        (json!({"notificationUrl": "EventHub:"}), 400, "Invalid event hub notification url"),
        (json!({"changeType": "created,renamed"}), 400, "changeType 'renamed'"),
        (json!({"resource": "/me/events"}), 400, "cannot be subscribed to"),
        (json!({"resource": "/teams//channels"}), 400, "cannot be subscribed to"),
        (json!({"resource": "/teams/t/channels/c/messages?$search=x"}), 400, "cannot be subscribed to"),
    ];
    for (more, status, wanted) in refusals {
        let (got, _, message) = it.refused("/chats/getAllMessages", "created", more.clone()).await;
        assert!(got == status && message.contains(wanted), "{more}: {got} {message}");
    }
    let denied = "Operation: Create; Exception: [Status Code: Forbidden; Reason: ]";
    it.emulator().set(|knobs| knobs.roles.retain(|role| !role.starts_with("Chat.Read")));
    let (status, code, message) = it.refused("/chats/getAllMessages", "created", json!({})).await;
    assert_eq!((status, code.as_str(), message.as_str()), (403, "ExtensionError", denied));
    it.emulator().set(|knobs| knobs.push.quota = 1);
    let (team, channels) = it.client.team(0);
    let (status, _, message) =
        it.refused(&format!("/teams/{team}/channels/{}/messages", channels[0]), "created", json!({})).await;
    assert!(status == 403 && message.contains("'1'"), "{message}");
}

#[tokio::test]
async fn a_subscription_lives_as_long_as_it_was_given() {
    let it = Subscriber::start().await;
    let soon = json!({"expirationDateTime": it.at(60), "lifecycleNotificationUrl": null});
    let reply = it.send("POST", "/subscriptions", &it.asked("/teams", "created", soon)).await;
    assert_eq!(text(&reply.body, "expirationDateTime"), it.at(45 * 60));
    let path = format!("/subscriptions/{}", text(&reply.body, "id"));
    let renewed = it.send("PATCH", &path, &json!({"expirationDateTime": it.at(7_200)})).await;
    assert_eq!((renewed.status, text(&renewed.body, "expirationDateTime")), (200, it.at(7_200)));
    assert_eq!(it.send("PATCH", &path, &json!({"lifecycleNotificationUrl": it.server.url()})).await.status, 400);
    it.emulator().advance(7_200);
    for (method, path) in
        [("PATCH", path.clone()), ("POST", format!("{path}/reauthorize")), ("DELETE", path.clone()), ("GET", path)]
    {
        let reply = it.send(method, &path, &json!({})).await;
        assert_eq!(
            (reply.status, text(&reply.body["error"], "code")),
            (404, "ResourceNotFound".to_owned()),
            "{method}"
        );
    }
    it.mutate(json!({"new_teams": 1}));
    assert_eq!(it.emulator().notices().len(), 0);
}

#[tokio::test]
async fn a_renewal_beside_a_reauthorization_silences_a_subscription() {
    let it = Subscriber::start().await;
    let made = it.subscribe("/teams/getAllMessages", "created").await;
    let path = format!("/subscriptions/{}", text(&made, "id"));
    assert_eq!(it.send("POST", &format!("{path}/reauthorize"), &json!({})).await.status, 204);
    it.mutate(json!({"new_messages": 1}));
    it.items(1).await;
    assert_eq!(it.send("PATCH", &path, &json!({"expirationDateTime": it.at(7_200)})).await.status, 200);
    it.mutate(json!({"new_messages": 1}));
    assert_eq!(
        (it.emulator().subscriptions()[0]["inconsistent"].clone(), it.emulator().notices().len()),
        (json!(true), 1)
    );
}

#[tokio::test]
async fn lists_of_subscriptions_are_throttled_before_single_ones() {
    let it = Subscriber::start().await;
    it.emulator().set(|knobs| knobs.rate_limits = true);
    for wanted in (0..26).map(|count| if count < 25 { 200 } else { 429 }) {
        assert_eq!(it.client.get("/subscriptions").await.status, wanted);
    }
    assert_eq!(it.client.get("/subscriptions/none").await.status, 404);
}

#[tokio::test]
async fn everything_that_a_mutation_does_is_told_to_whom_it_concerns() {
    let it = Subscriber::start().await;
    let families = [
        ("/teams/getAllMessages", "created,updated,deleted"),
        ("/chats/getAllMessages", "created,updated,deleted"),
        ("/chats", "created,updated"),
        ("/chats/getAllMembers", "created,deleted"),
        ("/teams", "created,updated,deleted"),
        ("/teams/getAllChannels", "created,updated,deleted"),
        ("/teams/getAllMembers", "created,updated,deleted"),
    ];
    for (resource, change) in families {
        it.subscribe(resource, change).await;
    }
    let (team, channels) = it.client.team(0);
    let one = it.subscribe(&format!("/teams/{team}/channels/{}/messages", channels[0]), "created").await;
    it.mutate(json!({
        "new_messages": 2, "late_replies": 1, "edits": 1, "reply_edits": 1, "deletes": 1, "reactions": 1, "hard_deletes": 1,
        "chat_messages": 1, "chat_edits": 1, "chat_deletes": 1, "renamed_teams": 1, "new_channels": 1, "deleted_channels": 1,
        "renamed_channels": 1, "member_adds": 1, "member_removes": 1,
    }));
    it.mutate(json!({"team_id": team, "channel_id": channels[0], "new_messages": 1}));
    let notices = it.emulator().notices();
    let items = it.items(notices.len()).await;
    let kinds = |part: &str, change: &str| {
        let is_one = |item: &&Value| text(item, "resource").contains(part) && item["changeType"] == change;
        items.iter().filter(is_one).count()
    };
    assert!(kinds("/replies(", "created") == 1 && kinds("/replies(", "updated") >= 1);
    assert!(kinds("chats('", "created") >= 1 && kinds("chats('", "updated") == 1 && kinds("chats('", "deleted") == 1);
    assert!(kinds("/members('", "created") == 1 && kinds("/members('", "deleted") == 1);
    assert!(kinds("/channels(", "deleted") >= 3, "a channel, a soft and a hard delete");
    // The subscription of one channel gets what the one of all gets of that channel.
    let place = format!("teams('{team}')/channels('{}')/messages", channels[0]);
    let of_channel =
        items.iter().filter(|item| item["changeType"] == "created" && text(item, "resource").starts_with(&place));
    let (own, of_all): (Vec<_>, Vec<_>) = of_channel.partition(|item| item["subscriptionId"] == one["id"]);
    assert!(!own.is_empty() && own.len() == of_all.len());
    for item in &items {
        let content = it.open(item).unwrap();
        assert_eq!((&item["clientState"], &item["resourceData"]["id"]), (&json!("a secret"), &content["id"]));
        assert_eq!(
            item["changeType"] == "deleted" && text(item, "resource").contains("/messages("),
            !content["deletedDateTime"].is_null()
        );
        assert!(!text(item, "resource").contains("/channels(") || content.get("email").is_none());
    }
    for post in it.posts() {
        let claims = it.claims(&post["validationTokens"][0], "/common/v2.0/.well-known/openid-configuration").await;
        assert_eq!(claims["azp"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
        assert_eq!(claims["aud"], it.emulator().client_id());
    }
    assert!(it.posts().len() < items.len(), "several items come together");
    assert!(it.emulator().notices().iter().all(|notice| notice.fate == Fate::Delivered));
}

#[tokio::test]
async fn tokens_of_the_first_version_name_the_publisher_otherwise() {
    let it = Subscriber::start().await;
    it.subscribe("/teams/getAllMessages", "created").await;
    it.emulator().set(|knobs| {
        knobs.push.token_version = teams_emulator::TokenVersion::V1;
        knobs.push.foreign_items = 1.0;
    });
    it.mutate(json!({"new_messages": 1}));
    let items = it.items(2).await;
    let tokens = it.posts()[0]["validationTokens"].clone();
    assert_ne!(items[0]["tenantId"], items[1]["tenantId"]);
    let mut tenants = Vec::new();
    for token in tokens.as_array().unwrap() {
        let claims = it.claims(token, "/common/.well-known/openid-configuration").await;
        assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", text(&claims, "tid")));
        assert_eq!(claims["appid"], "0bf30f3b-4a52-48df-9a82-234910c4a086");
        tenants.push(claims["tid"].clone());
    }
    tenants.sort_by_key(ToString::to_string);
    let mut wanted = vec![items[0]["tenantId"].clone(), items[1]["tenantId"].clone()];
    wanted.sort_by_key(ToString::to_string);
    assert_eq!(tenants, wanted);
}

#[tokio::test]
async fn losses_doubles_and_wrong_signatures_are_in_the_truth() {
    let it = Subscriber::start().await;
    it.subscribe("/teams/getAllMessages", "created").await;
    it.emulator().set(|knobs| {
        knobs.push.lost = 0.5;
        knobs.push.doubled = 1.0;
        knobs.push.wrongly_signed = 0.5;
    });
    it.mutate(json!({"new_messages": 20}));
    let notices = it.emulator().notices();
    let sent = notices.iter().filter(|notice| notice.fate != Fate::Lost).count();
    assert!(sent > 0 && sent < 20);
    let items = it.items(2 * sent).await;
    let spoiled =
        notices.iter().filter(|notice| notice.fate != Fate::Lost && notice.spoiled == Some("signature")).count();
    assert!(spoiled > 0);
    assert_eq!(items.iter().filter(|item| it.open(item).is_none()).count(), 2 * spoiled);
}

#[tokio::test]
async fn what_is_not_taken_comes_again_for_four_hours() {
    let it = Subscriber::start().await;
    it.subscribe("/teams/getAllMessages", "created").await;
    *it.answers.lock().unwrap() = vec![status(503), status(503)];
    it.mutate(json!({"new_messages": 1}));
    it.items(1).await;
    let body = it.posts()[0].clone();
    for attempts in [1, 2] {
        it.answered(0, attempts).await;
        it.emulator().advance(600);
        it.items(attempts + 1).await;
    }
    assert_eq!(it.posts(), vec![body; 3]);
    *it.answers.lock().unwrap() = vec![status(500); 100];
    it.mutate(json!({"new_messages": 1}));
    for attempts in 1..=30 {
        it.answered(1, attempts).await;
        if it.emulator().notices()[1].fate == Fate::GivenUp {
            let statuses = &it.emulator().notices()[1].statuses;
            assert!(statuses.len() > 20 && statuses.iter().all(|status| *status == 500), "{statuses:?}");
            return;
        }
        it.emulator().advance(600);
    }
    panic!("it does not give up");
}

#[tokio::test]
async fn slow_endpoints_wait_and_very_slow_ones_lose() {
    let it = Subscriber::start().await;
    it.subscribe("/teams/getAllMessages", "created").await;
    it.emulator().set(|knobs| {
        knobs.push.timeout_ms = 30;
        // Far more than a busy machine adds to the pauses below.
        knobs.push.patience_ms = 5_000;
        knobs.push.items_per_post = 1;
    });
    let slowly = |milliseconds| vec![status(202).slow(Duration::from_millis(milliseconds)); 12];
    *it.answers.lock().unwrap() = slowly(40);
    it.mutate(json!({"new_messages": 12}));
    let heard = |notices: &[Notice]| notices.iter().filter(|notice| !notice.statuses.is_empty()).count();
    it.until(|notices| heard(notices) >= 10).await;
    it.mutate(json!({"new_messages": 1}));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let held = it.emulator().notices().last().unwrap().clone();
    assert_eq!((held.fate, held.statuses.len()), (Fate::Waiting, 0));
    it.answers.lock().unwrap().clear();
    // No machine is too busy for that.
    it.emulator().set(|knobs| knobs.push.timeout_ms = 4_000);
    it.emulator().advance(601);
    it.until(|notices| notices.iter().all(|notice| notice.fate == Fate::Delivered)).await;
    // What was fast lies further back than an endpoint is judged by.
    it.emulator().advance(601);
    it.emulator().set(|knobs| (knobs.push.timeout_ms, knobs.push.patience_ms) = (30, 60));
    *it.answers.lock().unwrap() = slowly(200);
    it.mutate(json!({"new_messages": 12}));
    it.until(|notices| heard(notices) >= 13 + 10).await;
    it.mutate(json!({"new_messages": 1}));
    assert_eq!(it.emulator().notices().last().unwrap().fate, Fate::Dropped);
}

#[tokio::test]
async fn lifecycle_events_come_to_their_own_address() {
    let it = Subscriber::start().await;
    let made = it.subscribe("/teams/getAllMessages", "created").await;
    for (event, left) in [("reauthorizationRequired", 1), ("missed", 1), ("subscriptionRemoved", 0)] {
        assert_eq!(it.emulator().lifecycle(event, None), 1);
        assert_eq!(it.emulator().subscriptions().len(), left);
    }
    let items = it.items(3).await;
    assert!(it.seen.lock().unwrap().iter().all(|(path, _)| path == "/l"));
    assert!(items.iter().all(|item| item["subscriptionId"] == made["id"] && item.get("resource").is_none()));
    let events: Vec<_> = items.iter().map(|item| text(item, "lifecycleEvent")).collect();
    assert!(events.contains(&"subscriptionRemoved".to_owned()), "{events:?}");
}

#[tokio::test]
async fn a_resource_is_named_in_any_case_with_ids_and_a_model() {
    let it = Subscriber::start().await;
    let (team, channels) = it.client.team(0);
    let messages = format!("teams/{team}/channels/{}/messages", channels[0]);
    for (resource, change) in
        [("/teams/getallmessages?model=A", "created"), (&messages, "created"), (&format!("/teams/{team}"), "updated")]
    {
        let reply = it.send("POST", "/subscriptions", &it.asked(resource, change, json!({}))).await;
        assert_eq!(reply.status, 201, "{resource}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_hub_may_be_behind_a_secret() {
    let it = Subscriber::start().await;
    let hub = "EventHub:https://v.vault.azure.net/secrets/behind?tenantId=contoso.com";
    let more = json!({"notificationUrl": hub, "lifecycleNotificationUrl": hub});
    let reply = it.send("POST", "/subscriptions", &it.asked("/teams/getAllMessages", "created", more)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(it.emulator().hub_values("behind").len(), 1);
}

#[tokio::test]
async fn a_hub_gets_a_test_item_then_the_same_collections_without_tokens() {
    let it = Subscriber::start().await;
    let hub = "EventHub:https://ns.servicebus.windows.net/eventhubname/teams?tenantId=contoso.com";
    let more = json!({"notificationUrl": hub, "lifecycleNotificationUrl": hub, "blobStoreUrl": "https://v.vault.azure.net/secrets/s"});
    let reply = it.send("POST", "/subscriptions", &it.asked("/teams/getAllMessages", "created", more)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    it.mutate(json!({"new_messages": 1}));
    it.emulator().set(|knobs| knobs.push.hub_item_bytes = 100);
    it.mutate(json!({"new_messages": 1}));
    let values: Vec<Value> =
        it.emulator().hub_values("teams").iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert!(values.iter().all(|value| value.get("validationTokens").is_none()));
    assert_eq!(values[0]["value"][0]["subscriptionId"], "NA");
    assert!(it.open(&values[1]["value"][0]).is_some());
    let oversized = &values[2]["value"][0];
    assert!(oversized["additionalPayloadStorageId"].is_string() && oversized.get("encryptedContent").is_none());
    assert!(it.emulator().hub_values("teams").is_empty());
}
