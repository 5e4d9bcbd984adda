//! A tenant, a session against it, and a table merged by key, to compare with the truth.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use jiff::Timestamp;
use serde_json::{Map, Value};
use teams_base::error::{Error, Result};
use teams_base::options::{Strictness, parse_connection, parse_table};
use teams_client::Snapshot;
use teams_client::auth::provider;
use teams_emulator::{Emulator, EmulatorConfig, FaultKind, FaultRule, Knobs, Mutation};
use teams_ingest::{Limits, MicroBatch, Partition, Pass, Session};
use teams_tables::find;

pub const ALL_MESSAGES: &[(&str, &str)] = &[("fetch_all_teams", "true"), ("fetch_all_channels", "true")];
pub const ALL_CHATS: &[(&str, &str)] = &[("fetch_all_users", "true")];
pub const BOTH: &[&str] = &["messages", "message_replies"];
pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;

/// A small tenant with a frozen clock: teams of four channels, of which the second is private.
pub fn small() -> EmulatorConfig {
    EmulatorConfig {
        teams: 3,
        channels_per_team: 4,
        messages_per_channel: 12,
        replies_per_message: 1.0,
        users: 8,
        chats: 5,
        messages_per_chat: 12,
        frozen_clock: true,
        missing_teams: 0,
        big_threads: 0,
        members_per_team: 4,
        history_days: 200,
        threads: 1,
        ..EmulatorConfig::default()
    }
}

pub fn start(config: EmulatorConfig) -> Emulator {
    Emulator::start(config).expect("the emulator starts")
}

pub fn with_knobs(mut config: EmulatorConfig, change: impl FnOnce(&mut Knobs)) -> Emulator {
    change(&mut config.knobs);
    start(config)
}

pub fn session_with(emulator: &Emulator, extra: &[(&str, &str)]) -> Session {
    let url = emulator.url();
    let mut pairs = vec![
        ("tenant_id", emulator.tenant_id()),
        ("client_id", emulator.client_id()),
        ("client_secret", emulator.client_secret()),
        ("authority_host", url.as_str()),
        ("graph_base_url", url.as_str()),
        ("rate_limits", "off"),
        ("retry_timeout_seconds", "0"),
    ];
    pairs.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
    pairs.extend(extra);
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (config, _) = parse_connection(pairs, Strictness::Strict).unwrap();
    Session::new(&config, provider(&config, &config.scope(), None).unwrap()).unwrap()
}

/// A session that does not retry: each fault shows.
pub fn session(emulator: &Emulator) -> Session {
    session_with(emulator, &[])
}

pub fn pass(tables: &[&str], options: &[(&str, &str)]) -> Pass {
    let mut pairs: BTreeMap<&str, &str> = BTreeMap::from([("min_poll_seconds", "0")]);
    pairs.extend(options.iter().copied());
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (options, _) = parse_table(pairs, Strictness::Strict).unwrap();
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    Pass::new(&tables, options, None).unwrap()
}

pub fn join<'a>(a: &[(&'a str, &'a str)], b: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [a, b].concat()
}

pub fn fault(path: &str, kind: FaultKind) -> FaultRule {
    FaultRule { path: path.to_owned(), kind, ..FaultRule::default() }
}

pub fn status(path: &str, status: u16) -> FaultRule {
    FaultRule { path: path.to_owned(), status, ..FaultRule::default() }
}

// Arrow to JSON.

fn cell(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Binary => array.as_binary::<i32>().value(row).to_vec().into(),
        DataType::Struct(fields) => {
            let item = array.as_struct();
            let pairs = fields.iter().zip(item.columns());
            Value::Object(pairs.map(|(field, column)| (field.name().clone(), cell(column, row))).collect())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|at| cell(&items, at)).collect())
        }
        other => panic!("no such column: {other}"),
    }
}

pub fn rows(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    let row = |at: usize| {
        let pairs = schema.fields().iter().zip(batch.columns());
        Value::Object(pairs.map(|(field, column)| (field.name().clone(), cell(column, at))).collect::<Map<_, _>>())
    };
    (0..batch.num_rows()).map(row).collect()
}

// The table that a merge by key builds.

pub fn key(table: &str, row: &Value) -> String {
    let keys = find(table).unwrap().keys;
    keys.iter()
        .map(|key| row[key].as_str().map_or_else(|| row[key].to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join("|")
}

fn cursor(table: &str, row: &Value) -> Option<Timestamp> {
    row[find(table).unwrap().cursor?].as_str().and_then(|text| text.parse().ok())
}

#[derive(Default)]
pub struct Lakehouse {
    tables: BTreeMap<String, BTreeMap<String, (Option<Timestamp>, Value)>>,
    /// Cursor of the delete, by table and key.
    deleted: BTreeMap<(String, String), Option<Timestamp>>,
}

impl Lakehouse {
    pub fn upsert(&mut self, table: &str, row: Value) {
        let (key, cursor) = (key(table, &row), cursor(table, &row));
        // At an equal value the delete wins.
        if self.deleted.get(&(table.to_owned(), key.clone())).is_some_and(|deleted| *deleted >= cursor) {
            return;
        }
        self.deleted.remove(&(table.to_owned(), key.clone()));
        let rows = self.tables.entry(table.to_owned()).or_default();
        if rows.get(&key).is_none_or(|(stored, _)| cursor >= *stored) {
            rows.insert(key, (cursor, row));
        }
    }

    pub fn delete(&mut self, table: &str, row: &Value) {
        let (key, cursor) = (key(table, row), cursor(table, row));
        assert!(cursor.is_some(), "a delete without {table}'s cursor: {row}");
        let rows = self.tables.entry(table.to_owned()).or_default();
        if rows.get(&key).is_none_or(|(stored, _)| cursor >= *stored) {
            rows.remove(&key);
            let deleted = self.deleted.entry((table.to_owned(), key)).or_default();
            *deleted = (*deleted).max(cursor);
        }
    }

    pub fn merge(&mut self, step: &MicroBatch) {
        for (table, batch) in &step.rows {
            rows(batch).into_iter().for_each(|row| self.upsert(table, row));
        }
        for (table, batch) in &step.deletes {
            rows(batch).iter().for_each(|row| self.delete(table, row));
        }
    }

    pub fn keys(&self, table: &str) -> BTreeSet<String> {
        self.tables.get(table).map(|rows| rows.keys().cloned().collect()).unwrap_or_default()
    }

    pub fn rows(&self, table: &str) -> Vec<&Value> {
        self.tables.get(table).into_iter().flat_map(|rows| rows.values()).map(|(_, row)| row).collect()
    }

    pub fn row(&self, table: &str, key: &str) -> &Value {
        &self.tables[table][key].1
    }
}

// What is compared.

fn time(value: &Value) -> Value {
    value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map_or(Value::Null, |time| time.to_string().into())
}

fn length(value: &Value) -> Value {
    value.as_array().map_or(0, Vec::len).into()
}

/// The columns by which two versions of a row are told apart.
fn essence(table: &str, row: &Value) -> Value {
    let reactions = match table {
        "chats" => return serde_json::json!([row["topic"], row["chatType"], time(&row["lastUpdatedDateTime"])]),
        "users" => return serde_json::json!([row["displayName"], row["jobTitle"], row["userPrincipalName"]]),
        "groups" => return serde_json::json!([row["displayName"], row["description"], row["mail"]]),
        _ => length(&row["reactions"]),
    };
    // A time that stands for none gives way to that of creation.
    let is_unset = row["lastModifiedDateTime"].as_str().is_none_or(|text| *text < *"1970-01-02");
    let modified = if is_unset { &row["createdDateTime"] } else { &row["lastModifiedDateTime"] };
    serde_json::json!([
        row["body"]["content"],
        time(modified),
        time(&row["deletedDateTime"]),
        row["from"]["user"]["id"],
        reactions,
        length(&row["attachments"]),
        length(&row["mentions"]),
        row["subject"],
        row["messageType"],
    ])
}

pub fn truth(emulator: &Emulator, table: &str) -> BTreeMap<String, Value> {
    emulator.truth(table).into_iter().map(|row| (key(table, &row), essence(table, &row))).collect()
}

/// What differs between the merged table and the truth; `gone` are keys that were deleted where nobody could see it.
pub fn differences(emulator: &Emulator, lake: &Lakehouse, table: &str, gone: &BTreeSet<String>) -> Vec<String> {
    let truth = truth(emulator, table);
    let mut found = Vec::new();
    for (key, wanted) in &truth {
        match lake.tables.get(table).and_then(|rows| rows.get(key)) {
            None => found.push(format!("{table} {key} is missing: {wanted}")),
            Some((_, row)) if essence(table, row) != *wanted => {
                found.push(format!("{table} {key} is stale: {} instead of {wanted}", essence(table, row)));
            }
            Some(_) => {}
        }
    }
    for key in lake.keys(table) {
        if !truth.contains_key(&key) && !gone.contains(&key) {
            found.push(format!("{table} {key} should not be there"));
        }
    }
    found
}

#[track_caller]
pub fn assert_whole(emulator: &Emulator, lake: &Lakehouse, tables: &[&str]) {
    let wrong: Vec<String> =
        tables.iter().flat_map(|table| differences(emulator, lake, table, &BTreeSet::new())).collect();
    assert!(wrong.is_empty(), "{} differences, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert!(tables.iter().all(|table| !lake.keys(table).is_empty()), "an empty table proves nothing");
}

/// An incremental reader: a session, a pass, the offset committed last, and the table.
pub struct Reader<'e> {
    pub emulator: &'e Emulator,
    pub session: Session,
    pub pass: Pass,
    pub limits: Limits,
    pub offset: Option<String>,
    pub lake: Lakehouse,
    /// Rows of the last step.
    pub rows: usize,
}

impl<'e> Reader<'e> {
    pub fn new(emulator: &'e Emulator, tables: &[&str], options: &[(&str, &str)]) -> Self {
        Self {
            emulator,
            session: session(emulator),
            pass: pass(tables, options),
            limits: Limits::default(),
            offset: None,
            lake: Lakehouse::default(),
            rows: 0,
        }
    }

    pub fn messages(emulator: &'e Emulator, options: &[(&str, &str)]) -> Self {
        Self::new(emulator, BOTH, &join(ALL_MESSAGES, options))
    }

    pub fn pages(mut self, max_pages: usize) -> Self {
        self.limits.max_pages = Some(max_pages);
        self
    }

    pub async fn step(&mut self) -> Result<bool> {
        let step = self.session.micro_batch(&self.pass, self.offset.as_deref(), self.limits).await?;
        self.rows = step.rows.iter().chain(&step.deletes).map(|(_, batch)| batch.num_rows()).sum();
        assert!(
            self.rows == 0 || self.offset.as_deref() != Some(step.offset.as_str()),
            "rows with an unchanged offset: {}",
            step.offset
        );
        assert!(step.offset.len() < 64 * 1024, "an offset of {} bytes", step.offset.len());
        self.lake.merge(&step);
        self.offset = Some(step.offset);
        Ok(step.finished)
    }

    /// Steps until the round is over; the rows of all steps.
    pub async fn try_round(&mut self) -> Result<usize> {
        let mut rows = 0;
        for _ in 0..2000 {
            let finished = self.step().await?;
            rows += self.rows;
            if finished {
                return Ok(rows);
            }
        }
        panic!("the round does not end: {:?}", self.offset);
    }

    /// Plans a round, or what is left of one, and reads its partitions as executors do; whether there was nothing to do.
    pub async fn planned(&mut self) -> Result<bool> {
        let plan = self.session.plan(&self.pass, self.offset.as_deref(), None, None).await?;
        self.rows = 0;
        for text in &plan.partitions {
            let partition = Partition::parse(text)?;
            let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
            let reading = self.session.read_partition(&self.pass, &partition, false, sender);
            let mut batches = Vec::new();
            let taking = async {
                while let Some(batch) = receiver.recv().await {
                    batches.push(batch);
                }
            };
            futures::join!(reading, taking);
            for batch in batches {
                let (slot, batch) = batch?;
                self.rows += batch.num_rows();
                rows(&batch).into_iter().for_each(|row| self.lake.upsert(self.pass.table_of(slot), row));
            }
        }
        let is_over = self.offset.as_deref() == Some(plan.offset.as_str());
        self.offset = Some(plan.offset);
        Ok(is_over)
    }

    /// The tenant's clock goes on a little first: `Date` tells seconds, so that a change of this second lies ahead of it.
    pub async fn round(&mut self) -> usize {
        self.emulator.advance(2);
        self.try_round().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Steps until an error comes.
    pub async fn until_error(&mut self) -> Error {
        for _ in 0..200 {
            match self.step().await {
                Ok(finished) => assert!(!finished, "the round ended without an error"),
                Err(error) => return error,
            }
        }
        panic!("neither an end nor an error");
    }

    pub fn report(&self) -> Snapshot {
        self.session.report().snapshot()
    }

    #[track_caller]
    pub fn assert_whole(&self) {
        let tables: Vec<&str> = self.pass.tables.iter().map(|table| table.name).collect();
        assert_whole(self.emulator, &self.lake, &tables);
    }

    pub fn requests(&self) -> usize {
        self.emulator.requests().iter().filter(|request| request.path.contains("/v1.0/")).count()
    }
}

/// Reads the pass once; rows by table, in the order they came, and the error.
pub async fn read_once(session: &Session, pass: &Pass) -> (Vec<(&'static str, Value)>, Option<Error>) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let mut found = Vec::new();
    let mut failure = None;
    let reading = session.read(pass, sender);
    let taking = async {
        while let Some(batch) = receiver.recv().await {
            match batch {
                Ok((slot, batch)) => found.extend(rows(&batch).into_iter().map(|row| (pass.table_of(slot), row))),
                Err(error) => failure = Some(error),
            }
        }
    };
    futures::join!(reading, taking);
    (found, failure)
}

/// The rows of every partition of a plan for the whole round.
pub async fn read_planned(session: &Session, pass: &Pass) -> Vec<(&'static str, Value)> {
    let plan = session.plan(pass, None, None, None).await.unwrap();
    let mut found = Vec::new();
    for text in plan.partitions {
        let partition = Partition::parse(&text).unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
        let reading = session.read_partition(pass, &partition, false, sender);
        let taking = async {
            while let Some(batch) = receiver.recv().await {
                let (slot, batch) = batch.unwrap_or_else(|error| panic!("{error}"));
                found.extend(rows(&batch).into_iter().map(|row| (pass.table_of(slot), row)));
            }
        };
        futures::join!(reading, taking);
    }
    found
}

/// Reads tables through every door (at once, by rounds, by partitions) and compares each with the truth; what is read at
/// once holds each key once.
pub async fn assert_every_door(emulator: &Emulator, tables: &[&str], options: &[(&str, &str)], what: &str) {
    let pass = pass(tables, options);
    let (found, failure) = read_once(&session(emulator), &pass).await;
    assert!(failure.is_none(), "{what}: {failure:?}");
    let mut seen = BTreeSet::new();
    for (table, row) in &found {
        assert!(seen.insert((*table, key(table, row))), "{what}: {table} {} comes twice", key(table, row));
    }
    let planned = read_planned(&session(emulator), &pass).await;
    let mut reader = Reader::new(emulator, tables, options);
    reader.round().await;
    let lake = |rows: Vec<(&'static str, Value)>| {
        let mut lake = Lakehouse::default();
        rows.into_iter().for_each(|(table, row)| lake.upsert(table, row));
        lake
    };
    for (door, lake) in [("read", &lake(found)), ("partitions", &lake(planned)), ("rounds", &reader.lake)] {
        for table in tables {
            let wrong = differences(emulator, lake, table, &BTreeSet::new());
            let first = &wrong[..wrong.len().min(4)];
            assert!(wrong.is_empty(), "{what}, {door}: {} differences: {first:#?}", wrong.len());
        }
    }
}

/// Team ids, sorted as scopes are.
pub fn team_ids(emulator: &Emulator) -> Vec<String> {
    ids(emulator, "teams")
}

pub fn user_ids(emulator: &Emulator) -> Vec<String> {
    ids(emulator, "users")
}

fn ids(emulator: &Emulator, table: &str) -> Vec<String> {
    let mut ids: Vec<String> = emulator.truth(table).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// (team, channel, membership), sorted.
pub fn channel_ids(emulator: &Emulator) -> Vec<(String, String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut ids: Vec<_> = emulator
        .truth("channels")
        .iter()
        .map(|row| (text(row, "team_id"), text(row, "id"), text(row, "membershipType")))
        .collect();
    ids.sort();
    ids
}

pub fn all_kinds(seed: u64) -> Mutation {
    Mutation {
        seed,
        edits: 3,
        reply_edits: 3,
        deletes: 2,
        reply_deletes: 1,
        reactions: 3,
        new_messages: 3,
        late_replies: 3,
        ..Mutation::default()
    }
}
