//! What messages hold, a row for each: from the same reading, and right after every edit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use teams_emulator::{Emulator, EmulatorConfig, ImageAddress, Mutation};
use teams_tables::find;

use crate::harness::*;

const CHANNEL: &[&str] =
    &["message_reactions", "message_mentions", "message_attachments", "system_events", "hosted_contents"];
const CHAT: &[&str] = &[
    "chat_message_reactions",
    "chat_message_mentions",
    "chat_message_attachments",
    "chat_system_events",
    "chat_hosted_contents",
];

/// A tenant in which every kind of detail occurs, in roots, replies and chats.
fn busy() -> EmulatorConfig {
    EmulatorConfig { messages_per_channel: 30, messages_per_chat: 60, ..small() }
}

/// Every message of a family, with its keys.
fn messages(emulator: &Emulator, is_chat: bool) -> Vec<Value> {
    let mut rows = Vec::new();
    for table in if is_chat { &["chat_messages"][..] } else { BOTH } {
        for mut row in emulator.truth(table) {
            let root = row.get("parent_message_id").unwrap_or(&row["id"]).clone();
            row["root_message_id"] = root;
            row["message_id"] = row["id"].clone();
            rows.push(row);
        }
    }
    rows
}

/// What the rows of a message are, as a plain model: what tells two of them apart.
fn expected(table: &str, message: &Value) -> Vec<Value> {
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let set = |identities: &Value| {
        let found =
            identities.as_object().into_iter().flatten().find(|(name, value)| !name.contains('@') && !value.is_null());
        found.map_or(json!([null, null]), |(name, identity)| json!([name, identity["id"]]))
    };
    match table.trim_start_matches("chat_") {
        "message_reactions" => list("reactions")
            .iter()
            .map(|r| json!([r["reactionType"], r["createdDateTime"], r["user"]["user"]["id"]]))
            .collect(),
        "message_mentions" => {
            list("mentions").iter().map(|m| json!([m["id"], m["mentionText"], set(&m["mentioned"])])).collect()
        }
        "message_attachments" => {
            list("attachments").iter().map(|a| json!([a["id"], a["contentType"], a["content"], a["name"]])).collect()
        }
        "system_events" if message["eventDetail"].is_object() => {
            let event = &message["eventDetail"];
            let kind = event["@odata.type"].as_str().unwrap();
            let kind = kind.strip_prefix("#microsoft.graph.").unwrap().strip_suffix("EventMessageDetail").unwrap();
            let seconds = event["callDuration"].as_str().map(|text| {
                assert_eq!(text, "PT12M7.5S");
                727
            });
            let members: Vec<_> = event["members"].as_array().into_iter().flatten().map(|m| m["id"].clone()).collect();
            vec![json!([kind, set(&event["initiator"]), event["callId"], seconds, members, event["teamsAppId"]])]
        }
        "hosted_contents" => {
            let text =
                [message["body"]["content"].as_str().unwrap_or_default().to_owned(), message["reactions"].to_string()]
                    .concat();
            let parts = text.split("/hostedContents/").skip(1);
            parts.map(|part| json!([part.split('/').next()])).collect()
        }
        _ => Vec::new(),
    }
}

/// The same of a row that was read.
fn held(table: &str, row: &Value) -> Value {
    match table.trim_start_matches("chat_") {
        "message_reactions" => json!([row["reactionType"], row["createdDateTime"], row["user_id"]]),
        "message_mentions" => {
            json!([row["id"], row["mentionText"], [row["mentioned_kind"], row["mentioned_id"]]])
        }
        "message_attachments" => json!([row["id"], row["contentType"], row["content"], row["name"]]),
        "system_events" => {
            let members: Vec<_> = row["members"].as_array().into_iter().flatten().map(|m| m["id"].clone()).collect();
            let initiator = [&row["initiator_kind"], &row["initiator_id"]];
            let seconds = &row["call_duration_seconds"];
            json!([row["event_type"], initiator, row["callId"], seconds, members, row["teamsAppId"]])
        }
        _ => json!([row["id"]]),
    }
}

fn message_key(table: &str, row: &Value) -> String {
    let keys = find(table).unwrap().set_keys().unwrap_or(find(table).unwrap().keys);
    keys.iter().map(|key| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>().join("|")
}

/// The documented query: of each message the rows that are as new as its position 0, if it has any items.
fn current<'r>(table: &str, rows: &[&'r Value]) -> Vec<&'r Value> {
    if find(table).unwrap().set_keys().is_none() {
        return rows.to_vec();
    }
    let mut newest: BTreeMap<String, &Value> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["position"] == 0) {
        newest.insert(message_key(table, row), &row["lastModifiedDateTime"]);
    }
    let holds = |row: &&&Value| {
        row["set_size"] != 0 && newest.get(&message_key(table, row)) == Some(&&row["lastModifiedDateTime"])
    };
    rows.iter().filter(holds).copied().collect()
}

#[track_caller]
fn assert_details(emulator: &Emulator, tables: &[&str], rows: impl Fn(&str) -> Vec<Value>, what: &str) {
    for table in tables {
        let rows = rows(table);
        let rows: Vec<&Value> = rows.iter().collect();
        let mut found: BTreeMap<String, Vec<(i64, Value)>> = BTreeMap::new();
        for row in current(table, &rows) {
            let position = row["position"].as_i64().unwrap_or_default();
            found.entry(message_key(table, row)).or_default().push((position, held(table, row)));
        }
        let mut wanted = BTreeMap::new();
        for message in messages(emulator, table.starts_with("chat")) {
            let items: Vec<_> =
                expected(table, &message).into_iter().enumerate().map(|(at, item)| (at as i64, item)).collect();
            if !items.is_empty() {
                wanted.insert(message_key(table, &message), items);
            }
        }
        assert!(wanted.len() > 2, "{what}: {table} has too little to prove anything: {}", wanted.len());
        for items in found.values_mut() {
            items.sort_by_key(|(position, _)| *position);
        }
        let wrong: Vec<_> = wanted
            .keys()
            .chain(found.keys())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|key| wanted.get(*key) != found.get(*key))
            .map(|key| format!("{key}: {:?} instead of {:?}", found.get(key), wanted.get(key)))
            .collect();
        assert!(
            wrong.is_empty(),
            "{what}: {table}: {} wrong, the first {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(3)]
        );
    }
}

#[track_caller]
fn assert_lake(reader: &Reader<'_>, tables: &[&str], what: &str) {
    assert_details(reader.emulator, tables, |table| reader.lake.rows(table).into_iter().cloned().collect(), what);
}

fn edits(seed: u64) -> Mutation {
    Mutation { advance_seconds: 1800, reaction_removals: 2, stripped: 2, ..all_kinds(seed) }
}

#[tokio::test]
async fn every_detail_is_read_with_its_messages() {
    let emulator = start(busy());
    let tables = [BOTH, CHANNEL].concat();
    for strategy in ["auto", "export", "channels", "delta"] {
        let session = session(&emulator);
        let pass = pass(&tables, &join(ALL_MESSAGES, &[("strategy", strategy)]));
        let (found, failure) = read_once(&session, &pass).await;
        assert!(failure.is_none(), "{failure:?}");
        let rows = |table: &str| found.iter().filter(|(name, _)| *name == table).map(|(_, row)| row.clone()).collect();
        assert_details(&emulator, CHANNEL, rows, strategy);
        assert!(found.iter().all(|(_, row)| row["set_size"] != 0), "a read of everything knows of nothing older");
        let mut lake = Lakehouse::default();
        found.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        assert_whole(&emulator, &lake, BOTH);
    }
}

#[tokio::test]
async fn one_reading_costs_the_same_whatever_is_taken_from_it() {
    let emulator = start(busy());
    let mut costs = Vec::new();
    for tables in [BOTH.to_vec(), [BOTH, CHANNEL].concat(), vec!["message_mentions"]] {
        emulator.clear_requests();
        let (found, failure) = read_once(&session(&emulator), &pass(&tables, ALL_MESSAGES)).await;
        assert!(failure.is_none() && !found.is_empty());
        assert!(found.iter().all(|(table, _)| tables.contains(table)), "only what was asked for is given");
        costs.push(emulator.requests().iter().filter(|request| request.path.contains("/v1.0/")).count());
    }
    assert_eq!(costs, [costs[0]; 3]);
}

#[tokio::test]
async fn a_reaction_that_is_taken_back_is_gone() {
    for tables in [[BOTH, CHANNEL].concat(), CHANNEL.to_vec()] {
        let emulator = start(busy());
        let mut reader = Reader::new(&emulator, &tables, ALL_MESSAGES);
        reader.round().await;
        assert_lake(&reader, CHANNEL, "at first");
        for seed in 0..4 {
            let changes = emulator.mutate(&edits(seed));
            assert!(!changes.of("reaction_removals").is_empty() && !changes.of("stripped").is_empty());
            reader.round().await;
            assert_lake(&reader, CHANNEL, &format!("after change {seed}"));
        }
        assert!(reader.lake.rows("message_reactions").iter().any(|row| row["set_size"] == 0), "an emptied set says so");
    }
}

#[tokio::test]
async fn a_lagging_sweep_brings_nothing_back() {
    let emulator = with_knobs(busy(), |knobs| knobs.export_lag_seconds = 20 * 3600);
    let mut reader = Reader::new(&emulator, &[BOTH, CHANNEL].concat(), ALL_MESSAGES);
    reader.round().await;
    for seed in 0..6 {
        emulator.mutate(&Mutation { advance_seconds: 13 * 3600, ..edits(seed) });
        reader.round().await;
        assert_lake(&reader, CHANNEL, &format!("after change {seed}"));
    }
}

#[tokio::test]
async fn small_steps_and_chats() {
    let emulator = start(busy());
    let mut reader = Reader::new(&emulator, CHAT, ALL_CHATS).pages(3);
    reader.round().await;
    assert_lake(&reader, CHAT, "at first");
    for seed in 0..3 {
        emulator.mutate(&Mutation {
            advance_seconds: 25 * 3600,
            seed,
            chat_edits: 6,
            chat_deletes: 6,
            ..Mutation::default()
        });
        reader.round().await;
        assert_lake(&reader, CHAT, "after changes");
    }
    let (found, failure) = read_once(&session(&emulator), &pass(&["chat_system_events"], ALL_CHATS)).await;
    assert!(failure.is_none() && !found.is_empty());
}

#[tokio::test]
async fn raw_is_the_item_as_sent_and_bodies_have_text() {
    let emulator = start(busy());
    let options = join(ALL_MESSAGES, &[("include_raw", "true"), ("body_text", "true")]);
    let (found, failure) = read_once(&session(&emulator), &pass(&[BOTH, CHANNEL].concat(), &options)).await;
    assert!(failure.is_none(), "{failure:?}");
    let mut seen = BTreeSet::new();
    for (table, row) in &found {
        seen.insert(*table);
        let raw: Value = serde_json::from_str(row["_raw"].as_str().expect("every row has its raw")).unwrap();
        match *table {
            "message_reactions" => assert_eq!(raw["createdDateTime"], row["createdDateTime"]),
            "message_mentions" => assert_eq!(raw["mentionText"], row["mentionText"]),
            "message_attachments" => assert_eq!(raw["content"], row["content"]),
            "system_events" | "hosted_contents" => assert_eq!(raw["id"], row["message_id"]),
            _ => {
                assert_eq!(raw["body"]["content"], row["body"]["content"]);
                let text = row["body_text"].as_str();
                assert_eq!(text.is_none(), row["body"]["content"].is_null());
                if row["body"]["contentType"] == "text" {
                    assert_eq!(text, row["body"]["content"].as_str());
                } else if let Some(text) = text {
                    assert!(!text.contains("<p>") && !text.contains("</"), "{text}");
                }
                if let Some(name) = row["attachments"][0]["name"].as_str() {
                    assert!(text.unwrap().ends_with(&format!("[{name}]")), "{text:?}");
                }
            }
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(found.iter().any(|(_, row)| row["body_text"].as_str().is_some_and(|text| text.starts_with('@'))));
}

#[tokio::test]
async fn a_choice_of_columns_derives_from_what_it_leaves_out() {
    let emulator = start(busy());
    for (table, columns) in
        [("message_mentions", vec!["mentioned_id", "message_id"]), ("messages", vec!["body_text", "id"])]
    {
        let mut pass = pass(&[table], &join(ALL_MESSAGES, &[("body_text", "true")]));
        pass.columns = Some(columns.iter().map(ToString::to_string).collect());
        let (found, failure) = read_once(&session(&emulator), &pass).await;
        assert!(failure.is_none(), "{failure:?}");
        assert!(found.iter().any(|(_, row)| !row[columns[0]].is_null()));
        assert!(found.iter().all(|(_, row)| row.as_object().unwrap().keys().count() == 2));
    }
}

#[tokio::test]
async fn unknown_properties_are_counted() {
    let emulator = start(busy());
    let session = session(&emulator);
    let (_, failure) = read_once(&session, &pass(&[BOTH, CHANNEL].concat(), ALL_MESSAGES)).await;
    assert!(failure.is_none());
    let truth: usize = BOTH
        .iter()
        .map(|table| emulator.truth(table).iter().filter(|row| row.get("colourOfTheSky").is_some()).count())
        .sum();
    let unknown = session.report().snapshot().unknown_properties;
    let met: u64 = unknown.iter().filter(|(name, _)| name.ends_with(".colourOfTheSky")).map(|(_, count)| count).sum();
    assert!(met >= truth as u64 && truth > 0, "{met} of {truth}: {unknown:?}");
    assert!(unknown.contains_key("system_events.canvas"), "an event that nobody knows: {unknown:?}");
    let known = ["replies", "channelIdentity", "id", "reactions.user", "@odata.type"];
    assert!(unknown.keys().all(|name| !known.iter().any(|known| name.ends_with(known))), "{unknown:?}");
}

const CONTENT: &str = "/hostedContents/";

fn contents(emulator: &Emulator) -> usize {
    emulator.requests().iter().filter(|request| request.path.contains(CONTENT)).count()
}

#[tokio::test]
async fn bytes_of_hosted_contents_come_only_when_asked_for_and_within_their_cap() {
    let emulator = start(busy());
    for (table, options) in [("hosted_contents", ALL_MESSAGES), ("chat_hosted_contents", ALL_CHATS)] {
        let mut rows = Vec::new();
        for (cap, status) in [("0", Value::Null), ("4096", json!("ok")), ("42", json!("too_large"))] {
            emulator.clear_requests();
            let options = join(options, &[("hosted_contents_max_bytes", cap)]);
            let (found, failure) = read_once(&session(&emulator), &pass(&[table], &options)).await;
            assert!(failure.is_none(), "{failure:?}");
            rows.push(found.len());
            assert_eq!(contents(&emulator), if cap == "0" { 0 } else { found.len() });
            for (_, row) in found {
                assert_eq!(row["content_status"], status);
                assert_eq!(row["content_length"], if cap == "0" { Value::Null } else { json!(43) });
                let is_there = cap == "4096";
                assert_eq!(row["contentType"], if is_there { json!("image/gif") } else { Value::Null });
                assert_eq!(row["contentBytes"].as_array().map(Vec::len), is_there.then_some(43));
            }
        }
        assert!(rows[0] > 2 && rows.iter().all(|count| *count == rows[0]), "{table}: {rows:?}");
    }
}

#[tokio::test]
async fn a_content_that_is_refused_fails_or_is_left_out_as_the_options_say() {
    let emulator = start(busy());
    let asked = join(ALL_MESSAGES, &[("hosted_contents_max_bytes", "4096")]);
    let statuses = |found: Vec<(&'static str, Value)>| -> BTreeSet<String> {
        found.iter().map(|(_, row)| row["content_status"].as_str().unwrap_or("null").to_owned()).collect()
    };
    emulator.fault(status(CONTENT, 404));
    let (found, failure) = read_once(&session(&emulator), &pass(&["hosted_contents"], &asked)).await;
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(statuses(found), BTreeSet::from(["not_found".to_owned()]));
    emulator.clear_faults();
    emulator.fault(status(CONTENT, 403));
    let (_, failure) = read_once(&session(&emulator), &pass(&["hosted_contents"], &asked)).await;
    let message = failure.unwrap().to_string();
    assert!(message.contains("ChannelMessage.Read.All"), "{message}");
    let session = session(&emulator);
    let skips = join(&asked, &[("on_forbidden", "skip")]);
    let (found, failure) = read_once(&session, &pass(&["hosted_contents"], &skips)).await;
    assert!(failure.is_none(), "{failure:?}");
    // Each content says what became of it; the report names each channel once.
    let channels: BTreeSet<_> =
        found.iter().map(|(_, row)| (row["team_id"].to_string(), row["channel_id"].to_string())).collect();
    assert_eq!(session.report().snapshot().skipped_count, channels.len() as u64);
    assert!(channels.len() < found.len());
    assert_eq!(statuses(found), BTreeSet::from(["forbidden".to_owned()]));
}

#[tokio::test]
async fn bytes_come_with_a_choice_of_columns_and_in_steps() {
    let emulator = start(busy());
    let asked = join(ALL_MESSAGES, &[("hosted_contents_max_bytes", "4096")]);
    let mut chosen = pass(&["hosted_contents"], &asked);
    chosen.columns = Some(vec!["contentBytes".to_owned()]);
    let (found, failure) = read_once(&session(&emulator), &chosen).await;
    assert!(failure.is_none() && !found.is_empty());
    assert!(found.iter().all(|(_, row)| row.as_object().unwrap().len() == 1 && row["contentBytes"].is_array()));
    let mut reader = Reader::new(&emulator, &["hosted_contents"], &asked).pages(4);
    reader.round().await;
    assert_lake(&reader, &["hosted_contents"], "in steps");
    assert!(
        reader.lake.rows("hosted_contents").iter().all(|row| row["set_size"] == 0 || row["contentBytes"].is_array())
    );
}

#[tokio::test]
async fn images_are_found_where_their_addresses_say() {
    for image_address in [ImageAddress::OtherMessage, ImageAddress::OtherChat, ImageAddress::EncodedTwice] {
        let emulator = start(EmulatorConfig { image_address, ..busy() });
        for (table, options) in [("hosted_contents", ALL_MESSAGES), ("chat_hosted_contents", ALL_CHATS)] {
            let options = join(options, &[("hosted_contents_max_bytes", "4096")]);
            let (found, failure) = read_once(&session(&emulator), &pass(&[table], &options)).await;
            assert!(failure.is_none() && !found.is_empty(), "{image_address:?}: {failure:?}");
            for (_, row) in found {
                assert_eq!(row["content_status"], json!("ok"), "{image_address:?}: {row}");
            }
        }
    }
}
