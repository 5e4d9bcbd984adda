//! What Teams sends to a bot, against people of the emulator who tell the truth, and against those who forge.

mod push;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use teams_emulator::{Act, Emulator, EmulatorConfig, Said};
use teams_listen::token::{Asked, Fetch, Keys, Refusal, Verifier};
use url::Url;

const ISSUER: &str = "https://api.botframework.com";

struct Http(reqwest::Client);

impl Fetch for Http {
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        async move {
            let answer = self.0.get(url.clone()).send().await.map_err(|error| error.without_url().to_string())?;
            if answer.status() != 200 {
                return Err(format!("it answered {}", answer.status()));
            }
            Ok(answer.bytes().await.map_err(|error| error.without_url().to_string())?.to_vec())
        }
        .boxed()
    }
}

struct Bot {
    emulator: Emulator,
    verifier: Verifier,
    user: String,
}

fn bot() -> Bot {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let emulator = Emulator::start(EmulatorConfig { teams: 1, chats: 0, ..EmulatorConfig::default() }).unwrap();
    let metadata = Url::parse(&format!("{}/v1/.well-known/openidconfiguration", emulator.url())).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let keys = Keys::new(metadata, Arc::new(Http(http)));
    let verifier = Verifier::new(emulator.client_id(), ISSUER, keys);
    let user = emulator.truth("users")[0]["id"].as_str().unwrap().to_owned();
    Bot { emulator, verifier, user }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

impl Bot {
    fn said(&self, forged: &Value) -> Said {
        let mut act = json!({"deed": "message", "user": self.user, "text": "hi"});
        for (name, value) in forged.as_object().unwrap() {
            act[name] = value.clone();
        }
        let act: Act = serde_json::from_value(act).unwrap();
        self.emulator.act(&act).unwrap().remove(0)
    }

    async fn verify(&self, said: &Said) -> Result<(), Refusal> {
        let text = |name: &str| said.activity[name].as_str().unwrap_or_default();
        let asked = Asked { channel: text("channelId"), service_url: text("serviceUrl") };
        self.verifier.verify(Some(&said.authorization), asked).await
    }

    async fn tell(&self, forged: Value) -> Result<(), Refusal> {
        self.verify(&self.said(&forged)).await
    }
}

#[tokio::test]
async fn what_is_forged_expired_or_for_somebody_else_is_refused_by_name() {
    let bot = bot();
    let now = now();
    assert_eq!(bot.tell(json!({})).await, Ok(()));
    let good = bot.said(&json!({})).authorization;
    let token = good.strip_prefix("Bearer ").unwrap().to_owned();
    let (signed, _) = token.rsplit_once('.').unwrap();
    for (authorization, refusal) in [
        (String::new(), Refusal::NoToken),
        (token.clone(), Refusal::NoToken),
        (format!("bearer {token}"), Refusal::NoToken),
        (format!("Basic {token}"), Refusal::NoToken),
        (format!("Bearer  {token}"), Refusal::Malformed),
        (format!("Bearer {signed}"), Refusal::Malformed),
        ("Bearer a.b.c".to_owned(), Refusal::Malformed),
        (format!("Bearer {signed}.AAAA"), Refusal::Signature),
        (format!("Bearer {}", "x".repeat(1 << 20)), Refusal::Malformed),
    ] {
        let told = bot.tell(json!({"authorization": authorization})).await;
        assert_eq!(told, Err(refusal), "{}", &authorization[..authorization.len().min(30)]);
    }
    for (forged, expected) in [
        (json!({"claims": {"exp": now - 200}}), Ok(())),
        (json!({"claims": {"nbf": now + 200}}), Ok(())),
        (json!({"claims": {"exp": now - 400}}), Err(Refusal::Expired)),
        (json!({"claims": {"exp": null}}), Err(Refusal::Expired)),
        (json!({"claims": {"nbf": now + 400}}), Err(Refusal::NotYetValid)),
        (json!({"claims": {"nbf": null}}), Err(Refusal::NotYetValid)),
        (json!({"claims": {"iss": "https://sts.windows.net/x/"}}), Err(Refusal::Issuer)),
        (json!({"claims": {"iss": null}}), Err(Refusal::Issuer)),
        (json!({"claims": {"aud": "00000000-0000-0000-0000-000000000000"}}), Err(Refusal::Audience)),
        (json!({"claims": {"aud": null}}), Err(Refusal::Audience)),
        (json!({"header": {"alg": "HS256"}}), Err(Refusal::Algorithm)),
        (json!({"header": {"alg": "RS512"}}), Err(Refusal::Algorithm)),
        (json!({"header": {"alg": "none"}}), Err(Refusal::Malformed)),
        (json!({"header": {"kid": "made-up"}}), Err(Refusal::UnknownKey)),
        (json!({"header": {"kid": null}}), Err(Refusal::UnknownKey)),
        (json!({"key": 1}), Err(Refusal::UnknownKey)),
        (json!({"key": 1, "header": {"kid": "emulated-key-0"}}), Err(Refusal::Signature)),
        (json!({"claims": {"serviceurl": null}}), Err(Refusal::ServiceUrl)),
        (json!({"claims": {"serviceurl": ""}}), Err(Refusal::ServiceUrl)),
        (json!({"claims": {"serviceurl": ""}, "replace": {"/serviceUrl": null}}), Err(Refusal::ServiceUrl)),
        (json!({"claims": {"serviceurl": null}, "replace": {"/serviceUrl": null}}), Err(Refusal::ServiceUrl)),
        (json!({"replace": {"/serviceUrl": "https://evil.example/"}}), Err(Refusal::ServiceUrl)),
        (json!({"replace": {"/channelId": "sms"}}), Err(Refusal::Endorsement)),
        (json!({"replace": {"/channelId": null}}), Err(Refusal::Endorsement)),
    ] {
        assert_eq!(bot.tell(forged.clone()).await, expected, "{forged}");
    }
    let mut slashed = bot.said(&json!({}));
    let url = slashed.activity["serviceUrl"].as_str().unwrap().trim_end_matches('/').to_owned();
    slashed.activity["serviceUrl"] = json!(url);
    assert_eq!(bot.verify(&slashed).await, Ok(()), "a slash at the end makes no other URL");
}

#[tokio::test]
async fn a_key_that_does_not_say_what_it_signs_for_signs_for_nothing() {
    let bot = bot();
    bot.emulator.set(|knobs| knobs.unendorsed_keys.extend([0]));
    assert_eq!(bot.tell(json!({})).await, Err(Refusal::Endorsement));
}

async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn keys_are_rotated_and_unknown_ones_cost_a_request_in_five_minutes() {
    let bot = bot();
    let fetched = || bot.emulator.request_counts().get("GET /v1/.well-known/keys").copied().unwrap_or_default();
    assert_eq!(bot.tell(json!({})).await, Ok(()));
    for _ in 0..20 {
        assert_eq!(bot.tell(json!({"header": {"kid": "made-up"}})).await, Err(Refusal::UnknownKey));
    }
    assert_eq!(fetched(), 1);
    bot.emulator.set(|knobs| {
        knobs.signing_key = 1;
        knobs.published_keys.extend([1]);
    });
    assert_eq!(bot.tell(json!({})).await, Err(Refusal::UnknownKey), "a moment ago they were fetched");
    later(301).await;
    assert_eq!(bot.tell(json!({})).await, Ok(()));
    assert_eq!(fetched(), 2);
    // While the issuer cannot be reached the keys that are known go on.
    bot.emulator.fault(teams_emulator::FaultRule {
        path: "/.well-known/".into(),
        status: 503,
        ..teams_emulator::FaultRule::default()
    });
    later(25 * 3_600).await;
    assert_eq!(bot.tell(json!({})).await, Ok(()));
    let unknown = bot.tell(json!({"header": {"kid": "made-up"}})).await.unwrap_err();
    assert!(matches!(unknown, Refusal::UnknownKey | Refusal::Unreachable(_)));
}

#[tokio::test]
async fn without_keys_nothing_is_accepted_and_it_is_said_to_come_again() {
    let bot = bot();
    bot.emulator.fault(teams_emulator::FaultRule {
        path: "/.well-known/".into(),
        status: 503,
        ..teams_emulator::FaultRule::default()
    });
    let refusal = bot.tell(json!({})).await.unwrap_err();
    assert_eq!((refusal.status(), matches!(refusal, Refusal::Unreachable(_))), (503, true));
    bot.emulator.clear_faults();
    later(6).await;
    assert_eq!(bot.tell(json!({})).await, Ok(()));
}
