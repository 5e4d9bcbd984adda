//! A listener against an emulated tenant that pushes: over HTTP, through handshakes, forgeries, restarts and lost subscriptions.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use support::fifo::{Fifo, Reply, status};
use teams_base::options::{Strictness, TableOptions, parse_connection};
use teams_client::{GraphClient, Report, auth};
use teams_emulator::{Emulator, EmulatorConfig, FaultRule, Mutation};
use teams_listen::listener::{Listener, Settings};
use teams_listen::notify::decode::Wanted;
use teams_listen::notify::receive::Posted;
use teams_listen::subscriptions::report::Turn;

/// What came, as it came.
type Seen = Arc<Mutex<Vec<String>>>;
/// Who answers at the public address, if anybody does.
type Behind = Arc<Mutex<Option<Arc<Listener>>>>;

struct Place {
    emulator: Emulator,
    server: Fifo,
    behind: Behind,
    seen: Seen,
    folder: PathBuf,
}

async fn answer(behind: Behind, seen: Seen, request: String) -> Reply {
    let Some(listener) = behind.lock().unwrap().clone() else { return status(503) };
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
    let target = head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    if !body.is_empty() {
        seen.lock().unwrap().push(body.to_owned());
    }
    let posted = Posted { query: query.as_bytes(), content_type: None, content_encoding: None, body: body.as_bytes() };
    let reply = listener.receive(posted).await;
    let mut out = status(reply.status()).body(reply.body());
    for (name, value) in reply.headers() {
        out = out.header(name, &value);
    }
    out
}

impl Place {
    async fn new() -> Self {
        let config = EmulatorConfig { teams: 2, chats: 2, frozen_clock: true, ..EmulatorConfig::default() };
        let emulator = Emulator::start(config).unwrap();
        let (behind, seen) = (Behind::default(), Seen::default());
        let (to_answer, to_see) = (Arc::clone(&behind), Arc::clone(&seen));
        let server =
            Fifo::answering(move |request| answer(Arc::clone(&to_answer), Arc::clone(&to_see), request).boxed()).await;
        let folder = std::env::temp_dir().join(format!("listen-{}", uuid::Uuid::new_v4()));
        Self { emulator, server, behind, seen, folder }
    }

    /// Starts a listener on the folder; an older one is gone as after a crash.
    fn listen(&self, tables: &[&str], settings: Value) -> Arc<Listener> {
        self.behind.lock().unwrap().take();
        let (config, _) = parse_connection(
            [
                ("tenant_id", self.emulator.tenant_id()),
                ("client_id", self.emulator.client_id()),
                ("client_secret", self.emulator.client_secret()),
                ("graph_base_url", &self.emulator.url()),
                ("authority_host", &self.emulator.url()),
                ("rate_limits", "off"),
                ("retry_timeout_seconds", "2"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
            Strictness::Strict,
        )
        .unwrap();
        let provider = auth::provider(&config, &config.scope(), None).unwrap();
        let client = GraphClient::new(&config, provider, Arc::new(Report::new())).unwrap();
        let wanted = |table: &&str| Wanted {
            table: (*table).to_owned(),
            options: TableOptions { fetch_all_teams: true, fetch_all_channels: true, ..TableOptions::default() },
            columns: None,
        };
        let wanted: Vec<_> = tables.iter().map(wanted).collect();
        let mut all = json!({"url": format!("{}/push?k=1", self.server.url())});
        settings.as_object().unwrap().iter().for_each(|(name, value)| all[name] = value.clone());
        let settings = Settings::parse(&all.to_string()).unwrap();
        let listener = Arc::new(Listener::new(&self.folder, &config, client, &wanted, &settings).unwrap());
        *self.behind.lock().unwrap() = Some(Arc::clone(&listener));
        listener
    }

    fn mutate(&self, counts: Value) {
        self.emulator.mutate(&serde_json::from_value::<Mutation>(counts).unwrap());
    }

    /// Waits until so many items were accepted.
    async fn accepted(&self, listener: &Listener, count: u64) {
        self.until(listener, "accepted", count).await;
    }

    async fn until(&self, listener: &Listener, outcome: &str, count: u64) {
        for _ in 0..3_000 {
            if listener.received().iter().any(|(name, seen)| *name == outcome && *seen >= count) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{count} {outcome} did not come: {:?} {:?}", listener.received(), self.emulator.notices());
    }

    async fn post(&self, body: &Value) -> u16 {
        let listener = self.behind.lock().unwrap().clone().unwrap();
        let body = body.to_string();
        let posted = Posted {
            query: b"k=1",
            content_type: Some("application/json"),
            content_encoding: None,
            body: body.as_bytes(),
        };
        listener.receive(posted).await.status()
    }

    fn fault(&self, rule: Value) {
        self.emulator.fault(serde_json::from_value::<FaultRule>(rule).unwrap());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.behind.lock().unwrap().take();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn count(listener: &Listener, outcome: &str) -> u64 {
    listener.received().iter().find(|(name, _)| *name == outcome).map_or(0, |(_, count)| *count)
}

fn reasons(turn: &Turn) -> Vec<Value> {
    turn.gaps.iter().map(|gap| serde_json::to_value(gap.reason).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_becomes_rows_and_survives_a_restart() {
    let place = Place::new().await;
    let tables = ["messages", "chat_messages", "message_reactions"];
    let listener = place.listen(&tables, json!({}));
    let turn = listener.turn().await.unwrap();
    assert_eq!(turn.created, ["/teams/getAllMessages", "/chats/getAllMessages"]);
    assert_eq!(reasons(&turn), ["created", "created"]);
    assert!(turn.failures.is_empty(), "{:?}", turn.failures);

    place.mutate(json!({"new_messages": 2, "edits": 1, "hard_deletes": 1, "chat_messages": 1}));
    let told = place.emulator.notices().len() as u64;
    place.accepted(&listener, told).await;
    // It is gone before anything was done with what it took.
    drop(listener);
    let listener = place.listen(&tables, json!({}));
    let notifications = listener.next(1_000, Duration::ZERO).unwrap().unwrap();
    let counts = notifications.decoded.counts();
    assert_eq!(counts.total(), told);
    let truth = place.emulator.truth("messages");
    let filled = notifications.decoded.tables.iter().find(|table| table.projection.table.name == "messages").unwrap();
    let column = |name: &str| {
        use arrow_array::cast::AsArray;
        filled.rows.column_by_name(name).unwrap().as_string::<i32>().clone()
    };
    let (ids, changed, deleted) = (column("id"), column("lastModifiedDateTime"), column("deletedDateTime"));
    for row in 0..filled.rows.num_rows() {
        use arrow_array::Array;
        match truth.iter().find(|message| message["id"] == ids.value(row)) {
            Some(message) => assert_eq!(message["lastModifiedDateTime"].as_str().unwrap(), changed.value(row)),
            None => assert!(deleted.is_valid(row), "a hard delete is a tombstone"),
        }
    }
    listener.done(notifications.position.unwrap()).unwrap();
    let turn = listener.turn().await.unwrap();
    assert!(turn.created.is_empty() && turn.recreated.is_empty() && turn.adopted.is_empty());
    assert_eq!(place.emulator.subscriptions().len(), 2, "a second start does not double it");
    assert!(listener.next(10, Duration::ZERO).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_is_judged_by_itself_and_a_forged_token_spoils_its_post() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    place.mutate(json!({"new_messages": 1}));
    place.accepted(&listener, 1).await;
    let good: Value = serde_json::from_str(&place.seen.lock().unwrap()[0]).unwrap();
    let item = |change: &dyn Fn(&mut Value)| {
        let mut item = good["value"][0].clone();
        change(&mut item);
        item
    };
    let stranger = uuid::Uuid::new_v4().to_string();
    let mut mixed = good.clone();
    mixed["value"] = json!([
        item(&|item| item["clientState"] = "guessed".into()),
        item(&|item| item["clientState"] = Value::Null),
        item(&|item| item["subscriptionId"] = "another".into()),
        item(&|item| item["tenantId"] = stranger.as_str().into()),
        item(&|item| item["encryptedContent"] = Value::Null),
        item(&|item| item["changeType"] = "renamed".into()),
        7,
        item(&|_| ()),
    ]);
    assert_eq!(place.post(&mixed).await, 202);
    for (outcome, expected) in [
        ("client_state", 2),
        ("unknown_subscription", 1),
        ("tenant", 1),
        ("unencrypted", 1),
        ("unknown_kind", 1),
        ("malformed", 1),
        ("accepted", 2),
    ] {
        assert_eq!(count(&listener, outcome), expected, "{outcome}");
    }

    let mut bare = good.clone();
    bare["validationTokens"] = Value::Null;
    assert_eq!(place.post(&bare).await, 202);
    assert_eq!(count(&listener, "tenant"), 2, "content needs a token");
    let mut spoilt = good.clone();
    let token = good["validationTokens"][0].as_str().unwrap();
    spoilt["validationTokens"] = json!([token, format!("{}x", &token[..token.len() - 1])]);
    assert_eq!(place.post(&spoilt).await, 202);
    assert_eq!((count(&listener, "token"), count(&listener, "accepted")), (1, 2));

    let many = json!({"value": vec![0; 10_001]});
    assert_eq!(place.post(&many).await, 413);
    assert_eq!(place.post(&json!({"value": vec![0; 10_000]})).await, 202);
    for broken in [json!(7), json!({"value": {}}), json!({})] {
        assert_eq!(place.post(&broken).await, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forgeries_of_every_kind_are_acknowledged_and_kept_nowhere() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    for version in ["v1", "v2"] {
        place
            .emulator
            .set_by_name("push", &json!({"token_version": version, "forged_tokens": 0.5, "items_per_post": 1}))
            .unwrap();
        place.mutate(json!({"new_messages": 12}));
    }
    let told = place.emulator.notices().len() as u64;
    for _ in 0..3_000 {
        if place.emulator.notices().iter().all(|notice| !notice.statuses.is_empty()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let forged = place.emulator.notices().iter().filter(|notice| notice.spoiled.is_some()).count() as u64;
    assert!(forged > 4 && forged < told, "{forged} of {told}");
    assert_eq!((count(&listener, "token"), count(&listener, "accepted")), (forged, told - forged));
    assert!(place.emulator.notices().iter().all(|notice| notice.statuses == [202]));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_keys_cannot_be_fetched_everything_comes_later() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    place.fault(json!({"path": "openid-configuration", "status": 500, "kind": "status"}));
    place.mutate(json!({"new_messages": 1}));
    for _ in 0..3_000 {
        if place.emulator.notices()[0].statuses == [503] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(place.emulator.notices()[0].statuses, [503]);
    assert_eq!(count(&listener, "accepted"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_renewed_at_half_life_and_made_anew_when_it_is_gone() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    let until = place.emulator.now();
    listener.engine().caught_up("/teams/getAllMessages", until).unwrap();
    place.emulator.advance(35 * 3_600);
    assert!(listener.turn().await.unwrap().renewed.is_empty());
    place.emulator.advance(2 * 3_600);
    let turn = listener.turn().await.unwrap();
    assert_eq!((turn.renewed.len(), turn.recreated.len()), (1, 0));

    // Gone without a word.
    place.emulator.remove_subscriptions(None);
    let turn = listener.turn().await.unwrap();
    assert_eq!(turn.recreated, ["/teams/getAllMessages"]);
    assert_eq!(turn.gaps.len(), 1);
    assert!(turn.gaps[0].since.is_some(), "from when it was seen last");
    listener.engine().caught_up("/teams/getAllMessages", place.emulator.now()).unwrap();

    // Nobody was there for days.
    place.emulator.advance(4 * 86_400);
    let turn = listener.turn().await.unwrap();
    assert_eq!((turn.recreated.len(), reasons(&turn)), (1, vec![json!("recreated")]));

    // Graph says that it removed it.
    listener.engine().caught_up("/teams/getAllMessages", place.emulator.now()).unwrap();
    place.emulator.lifecycle("subscriptionRemoved", None);
    place.emulator.remove_subscriptions(None);
    place.accepted(&listener, 1).await;
    let heard = listener.next(10, Duration::ZERO).unwrap().unwrap();
    assert_eq!(heard.decoded.lifecycle.len(), 1);
    let turn = listener.turn().await.unwrap();
    assert_eq!((turn.recreated.len(), turn.gaps.len()), (1, 1));
    assert_eq!(place.emulator.subscriptions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_answer_was_lost_is_found_and_strays_are_removed() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    place.fault(json!({"path": "/subscriptions", "method": "POST", "kind": "reset", "after": true, "times": 1}));
    let turn = listener.turn().await.unwrap();
    assert_eq!((turn.created.len(), turn.failures.len()), (0, 1));
    assert_eq!(place.emulator.subscriptions().len(), 1, "it was made all the same");
    place.emulator.advance(60);
    let turn = listener.turn().await.unwrap();
    assert_eq!(turn.adopted, ["/teams/getAllMessages"]);
    place.mutate(json!({"new_messages": 1}));
    place.accepted(&listener, 1).await;

    // The folder is lost: what leads to our address and is not known is a stray in the way.
    drop(listener);
    place.behind.lock().unwrap().take();
    std::fs::remove_dir_all(&place.folder).unwrap();
    let listener = place.listen(&["messages", "chats"], json!({}));
    let turn = listener.turn().await.unwrap();
    assert!(turn.failures.is_empty(), "{:?}", turn.failures);
    assert_eq!((turn.replaced.len(), turn.created.len()), (1, 2));
    drop(listener);
    let listener = place.listen(&["messages"], json!({}));
    let turn = listener.turn().await.unwrap();
    assert_eq!(turn.removed, ["/chats"], "it is planned no more");
    assert_eq!(place.emulator.subscriptions().len(), 1);
    assert_eq!(listener.engine().unsubscribe().await.unwrap().removed.len(), 1);
    assert!(place.emulator.subscriptions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_their_remedy_and_cost_nobody_else() {
    let place = Place::new().await;
    let listener = place.listen(&["messages", "chat_messages"], json!({}));
    place.emulator.set(|knobs| knobs.roles.retain(|role| !role.starts_with("Chat.Read")));
    let turn = listener.turn().await.unwrap();
    assert_eq!(turn.created, ["/teams/getAllMessages"]);
    let failure = &turn.failures[0];
    assert_eq!((failure.status, failure.action), (Some(403), "create"));
    assert!(failure.remedy.contains("Chat.Read.All") && failure.retry_in_seconds.is_some(), "{}", failure.remedy);
    place.behind.lock().unwrap().take();
    place.emulator.remove_subscriptions(None);
    let turn = listener.turn().await.unwrap();
    assert!(turn.failures[0].message.contains("validation"), "{:?}", turn.failures);
    assert!(turn.failures[0].remedy.contains("listen check"), "{:?}", turn.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_is_told_to_graph_and_the_old_one_still_reads() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    place.mutate(json!({"new_messages": 1}));
    place.accepted(&listener, 1).await;
    let made = listener.keys().make(place.emulator.now()).unwrap();
    assert_eq!(listener.turn().await.unwrap().renewed.len(), 1);
    place.mutate(json!({"new_messages": 1}));
    place.accepted(&listener, 2).await;
    let last = place.seen.lock().unwrap().last().cloned().unwrap();
    assert!(last.contains(&made.label));
    let notifications = listener.next(10, Duration::ZERO).unwrap().unwrap();
    assert_eq!(notifications.decoded.counts().iter().collect::<Vec<_>>(), [("rows", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_a_missing_key_waits_for_it() {
    let place = Place::new().await;
    let listener = place.listen(&["messages"], json!({}));
    listener.turn().await.unwrap();
    place.mutate(json!({"new_messages": 2}));
    place.accepted(&listener, 2).await;
    let label = listener.keys().current().unwrap().label.clone();
    drop(listener);
    let (key, away) = (place.folder.join(format!("keys/{label}.pem")), place.folder.join("away"));
    std::fs::rename(&key, &away).unwrap();

    let listener = place.listen(&["messages"], json!({}));
    let unread = listener.next(1_000, Duration::ZERO).unwrap().unwrap();
    assert_eq!(unread.decoded.counts().iter().collect::<Vec<_>>(), [("unknown_key", 2)]);
    listener.done(unread.position.unwrap()).unwrap();
    assert!(listener.retry_aside(1).unwrap().is_none());
    std::fs::rename(&away, &key).unwrap();
    for _ in 0..2 {
        let read = listener.retry_aside(1).unwrap().unwrap();
        assert_eq!(read.decoded.counts().iter().collect::<Vec<_>>(), [("rows", 1)]);
        listener.done(read.position.unwrap()).unwrap();
    }
    assert_eq!(listener.waiting().1, 0);
    assert!(listener.retry_aside(1).unwrap().is_none());
}
