//! One connection, and the two ways to read through it: once, and step by step.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::chats::Chats;
use super::conversations::{Family, Round};
use super::details::{self, Details};
use super::engine::{self, Caps};
use super::export_pages::SmallPages;
use super::hosted::Fetcher;
use super::job::Job;
use super::listed::Listed;
use super::offset::{Offset, Parsed, Phase};
use super::plan::{self, Partition, Plan};
use super::round::{self, Rounds};
use super::sink::{Batch, Sink, Slot};
use super::window::ROWS_PER_WINDOW;
use super::{archive, directory, lists, meetings, once, reports, requirements, roster, snapshot};
use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, TableOptions};
use teams_client::GraphClient;
use teams_client::auth::TokenProvider;
use teams_client::metrics::Report;
use teams_tables::{Ingestion, Projection, Reading, Table, find};

/// What is read together: the tables of one pass, and which columns of them.
#[derive(Debug, Clone)]
pub struct Pass {
    pub tables: Vec<&'static Table>,
    pub options: TableOptions,
    /// Only for a single table.
    pub columns: Option<Vec<String>>,
    /// A share of the scopes that the options discover.
    pub scopes: Option<Vec<String>>,
}

impl Pass {
    /// Checks that the tables come from one pass and that the options say what is to be read.
    pub fn new(tables: &[String], options: TableOptions, columns: Option<Vec<String>>) -> Result<Self> {
        let tables = tables.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?;
        let Some(first) = tables.first() else {
            return Err(Error::configuration("no table was asked for"));
        };
        if let Some(other) = tables.iter().find(|table| table.reading != first.reading) {
            return Err(Error::configuration(format!(
                "tables '{}' and '{}' do not come from one pass; read them one after the other",
                first.name, other.name
            )));
        }
        for table in &tables {
            requirements::check(table, &options)?;
        }
        let pass = Self { tables, options, columns, scopes: None };
        pass.slots()?;
        Ok(pass)
    }

    fn reading(&self) -> Reading {
        self.tables[0].reading
    }

    /// The projection of each table asked for, in that order.
    pub fn projections(&self) -> Result<Vec<Projection>> {
        let columns = self.columns.as_deref();
        self.tables.iter().map(|table| Projection::with(table, columns, self.options.extras())).collect()
    }

    /// The builders of this pass. A table that is not wanted still has one, where its rows decide on others.
    fn slots(&self) -> Result<Vec<Slot>> {
        self.slots_and_details(false).map(|(slots, _)| slots)
    }

    /// The slots, and what fills those of details. `keeps_empty`: older versions of a message may have been given before.
    fn slots_and_details(&self, keeps_empty: bool) -> Result<(Vec<Slot>, Details)> {
        let wanted = self.projections()?;
        let parents = details::parents(self.reading());
        if parents.is_empty() {
            return Ok((self.plain_slots(wanted), Details::default()));
        }
        let mut slots = parents.iter().map(|name| self.message_slot(name, &wanted)).collect::<Result<Vec<_>>>()?;
        let details = details::add(&mut slots, &wanted, keeps_empty)?;
        Ok((slots, details))
    }

    fn plain_slots(&self, mut wanted: Vec<Projection>) -> Vec<Slot> {
        match self.reading() {
            Reading::DirectoryDelta(_) => {
                let rows = wanted.remove(0);
                let deletes = Projection::keys_and_cursor(rows.table);
                vec![Slot { projection: rows, wanted: true }, Slot { projection: deletes, wanted: true }]
            }
            _ => vec![Slot { projection: wanted.remove(0), wanted: true }],
        }
    }

    fn message_slot(&self, name: &str, wanted: &[Projection]) -> Result<Slot> {
        if let Some(projection) = wanted.iter().find(|projection| projection.table.name == name) {
            return Ok(Slot { projection: projection.clone(), wanted: true });
        }
        let table = find(name)?;
        // An export's rows are read as roots first, so that a reply's columns have to be there too.
        let replies = wanted.iter().find(|projection| projection.table.name == "message_replies");
        let columns = if let (Some(replies), "messages") = (replies, name) {
            let names: Vec<_> = replies.columns.iter().map(|column| column.name).collect();
            let all = Projection::with(table, None, self.options.extras())?.columns;
            all.into_iter().filter(|column| names.contains(&column.name)).collect()
        } else {
            Vec::new()
        };
        Ok(Slot { projection: Projection { table, columns }, wanted: false })
    }
}

/// The caps of a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    pub max_rows: Option<usize>,
    pub max_pages: Option<usize>,
}

/// What one step brought.
#[derive(Debug)]
pub struct MicroBatch {
    /// Batches of the pass's tables, by name.
    pub rows: Vec<(&'static str, arrow_array::RecordBatch)>,
    /// Keys and cursor of deleted rows.
    pub deletes: Vec<(&'static str, arrow_array::RecordBatch)>,
    pub offset: String,
    pub finished: bool,
    /// Everything has been read again since then: what was observed before and not again is gone.
    pub full_since: Option<Timestamp>,
}

/// Everything read through one connection shares its token, its pool, its budgets and its report.
#[derive(Clone)]
pub struct Session {
    client: GraphClient,
    /// Rounds that found nothing, by what was read: they leave no trace in the offset.
    polled: Arc<Mutex<HashMap<&'static str, (String, Timestamp)>>>,
    rows_per_window: usize,
    listed: Listed,
    small_pages: SmallPages,
}

impl Session {
    pub fn new(config: &ConnectionConfig, provider: Arc<dyn TokenProvider>) -> Result<Self> {
        let client = GraphClient::new(config, provider, Arc::new(Report::new()))?;
        Ok(Self {
            client,
            polled: Arc::default(),
            rows_per_window: ROWS_PER_WINDOW,
            listed: Listed::default(),
            small_pages: SmallPages::default(),
        })
    }

    /// Cuts exports past another number of rows, for tests that have fewer.
    #[must_use]
    pub fn with_rows_per_window(mut self, rows: usize) -> Self {
        self.rows_per_window = rows;
        self
    }

    pub fn report(&self) -> &Arc<Report> {
        self.client.report()
    }

    /// What sends this session's requests, for questions asked before anything is read.
    pub fn client(&self) -> &GraphClient {
        &self.client
    }

    /// Graph's clock, once Graph has answered.
    pub fn now(&self) -> Option<Timestamp> {
        self.client.now()
    }

    fn job(&self, pass: &Pass, sink: Sink, caps: Caps) -> Job {
        Job {
            client: self.client.clone(),
            options: Arc::new(pass.options.clone()),
            scopes: pass.scopes.clone(),
            sink,
            caps,
            polled: None,
            rows_per_window: self.rows_per_window,
            listed: self.listed.clone(),
            small_pages: self.small_pages.clone(),
        }
    }

    /// Reads everything once into a bounded channel: each key once, in its newest version. The slots of the batches
    /// are those of [`Pass::tables`]' pass: roots 0, replies 1.
    pub async fn read(&self, pass: &Pass, sender: mpsc::Sender<Result<Batch>>) {
        let result = self.read_into(pass, sender.clone()).await;
        if let Err(error) = result {
            // The consumer may be gone; then nobody waits for the error either.
            drop(sender.send(Err(error)).await);
        }
    }

    async fn read_into(&self, pass: &Pass, sender: mpsc::Sender<Result<Batch>>) -> Result<()> {
        let (slots, details) = pass.slots_and_details(false)?;
        let sink = Sink::stream(slots, sender, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let job = self.job(pass, sink, Caps::default());
        let result = whole(&job, pass).await;
        // What could be read is given even if a scope failed.
        job.sink.finish().await?;
        result
    }

    /// Takes one step of an incremental read.
    pub async fn micro_batch(&self, pass: &Pass, offset: Option<&str>, limits: Limits) -> Result<MicroBatch> {
        let start = self.start(offset)?;
        let (slots, details) = pass.slots_and_details(true)?;
        let sink = Sink::collect(slots, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let caps = Caps::new(limits.max_pages, limits.max_rows);
        let mut job = self.job(pass, sink, caps);
        job.polled = self.polled(pass, offset);
        let text = offset.unwrap_or("{}");
        let mut full_since = None;
        let (offset, finished) = match rounds(pass.reading()) {
            Some(rounds) => match round::step(&job, rounds, start.as_ref()).await? {
                Some(next) => {
                    let (offset, finished) = (next.to_text(), next.phase == Phase::Done);
                    if offset == text {
                        self.remember(pass, text);
                    }
                    (offset, finished)
                }
                // Too early for a new round.
                None => (text.to_owned(), true),
            },
            None => match unrounded(&job, pass, start.as_ref()).await? {
                Some(next) => {
                    let finished = next.phase == Phase::Done;
                    full_since = next.since.filter(|_| finished);
                    (next.to_text(), finished)
                }
                None if pass.is_snapshot() => ("{}".to_owned(), true),
                // Too early to ask again.
                None => (text.to_owned(), true),
            },
        };
        job.sink.finish().await?;
        Ok(MicroBatch { full_since, ..collect(pass, &job, offset, finished) })
    }

    /// What a read of the table can be divided by; nothing where it is one list.
    pub async fn scopes(&self, pass: &Pass) -> Result<Vec<String>> {
        plan::scopes(&self.silent(pass), pass.reading()).await
    }

    /// Fixes a micro-batch before it is read.
    pub async fn plan(
        &self,
        pass: &Pass,
        offset: Option<&str>,
        end: Option<&str>,
        max_scopes: Option<usize>,
    ) -> Result<Plan> {
        let start = self.start(offset)?;
        let end = self.start(end)?;
        let job = self.silent(pass);
        let planned = match (rounds(pass.reading()), pass.reading()) {
            (Some(rounds), _) => plan::rounds(&job, rounds, start.as_ref(), end.as_ref(), max_scopes).await?,
            (None, Reading::DirectoryDelta(object)) => plan::directory(&job, object, start.as_ref()).await?,
            (None, _) => {
                return Err(Error::configuration(format!(
                    "table '{}' is a snapshot, which can't be streamed: read it as a batch",
                    pass.tables[0].name
                )));
            }
        };
        Ok(match planned {
            None => Plan { offset: offset.unwrap_or("{}").to_owned(), partitions: Vec::new() },
            Some((offset, partitions)) => Plan {
                offset: offset.to_text(),
                partitions: partitions.iter().filter_map(|partition| serde_json::to_string(partition).ok()).collect(),
            },
        })
    }

    /// Reads one partition of a plan into a bounded channel; of a directory, its rows or its deletes.
    pub async fn read_partition(
        &self,
        pass: &Pass,
        partition: &Partition,
        deletes: bool,
        sender: mpsc::Sender<Result<Batch>>,
    ) {
        if let Err(error) = self.read_partition_into(pass, partition, deletes, sender.clone()).await {
            drop(sender.send(Err(error)).await);
        }
    }

    async fn read_partition_into(
        &self,
        pass: &Pass,
        partition: &Partition,
        deletes: bool,
        sender: mpsc::Sender<Result<Batch>>,
    ) -> Result<()> {
        let (mut slots, details) = pass.slots_and_details(true)?;
        if let (Reading::DirectoryDelta(_), [rows, deleted]) = (pass.reading(), slots.as_mut_slice()) {
            let ignored = if deletes { rows } else { deleted };
            *ignored =
                Slot { projection: Projection { columns: Vec::new(), ..ignored.projection.clone() }, wanted: false };
        }
        let sink = Sink::stream(slots, sender, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let job = self.job(pass, sink, Caps::default());
        let result = match (rounds(pass.reading()), pass.reading()) {
            (Some(rounds), _) => plan::read(&job, rounds, partition).await,
            (None, Reading::DirectoryDelta(object)) => plan::read_directory(&job, object, partition).await,
            (None, _) => whole(&job, pass).await,
        };
        job.sink.finish().await?;
        result
    }

    /// A job that keeps no rows: they are counted only.
    fn silent(&self, pass: &Pass) -> Job {
        let slot = |table| Slot { projection: Projection { table, columns: Vec::new() }, wanted: false };
        let slots = vec![slot(pass.tables[0]), slot(pass.tables[0])];
        self.job(pass, Sink::collect(slots, Arc::clone(self.report())), Caps::default())
    }

    fn polled(&self, pass: &Pass, offset: Option<&str>) -> Option<Timestamp> {
        let polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, at) = polled.get(pass.tables[0].name)?;
        (Some(seen.as_str()) == offset).then_some(*at)
    }

    fn remember(&self, pass: &Pass, offset: &str) {
        if let Some(now) = self.client.now() {
            let mut polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
            polled.insert(pass.tables[0].name, (offset.to_owned(), now));
        }
    }

    fn start(&self, offset: Option<&str>) -> Result<Option<Offset>> {
        Ok(match Offset::parse(offset.unwrap_or("{}"))? {
            Parsed::Start => None,
            Parsed::Offset(offset) => Some(*offset),
            Parsed::Foreign => {
                self.report().note(
                    "the offset is that of another Microsoft Teams connector, whose rows are known to be incomplete: \
                     everything is read again, and merging by key makes that harmless",
                );
                None
            }
        })
    }
}

/// A step of a table that is not read in rounds, and its next offset where it has one.
async fn unrounded(job: &Job, pass: &Pass, start: Option<&Offset>) -> Result<Option<Offset>> {
    match pass.reading() {
        Reading::DirectoryDelta(object) => directory::read(job, object, start).await,
        _ => whole(job, pass).await.map(|()| None),
    }
}

fn rounds(reading: Reading) -> Option<Rounds> {
    match reading {
        Reading::ChannelMessages => Some(Rounds::ChannelMessages),
        Reading::ChatMessages => Some(Rounds::ChatMessages),
        Reading::Chats => Some(Rounds::Chats),
        Reading::Teams
        | Reading::List(_)
        | Reading::Archive(_)
        | Reading::Meetings(_)
        | Reading::Report(_)
        | Reading::DirectoryDelta(_) => None,
    }
}

fn collect(pass: &Pass, job: &Job, offset: String, finished: bool) -> MicroBatch {
    let mut rows = Vec::new();
    let mut deletes = Vec::new();
    for (slot, batch) in job.sink.take() {
        match pass.reading() {
            Reading::DirectoryDelta(_) if slot == 1 => deletes.push((pass.tables[0].name, batch)),
            _ => rows.push((pass.table_of(slot), batch)),
        }
    }
    MicroBatch { rows, deletes, offset, finished, full_since: None }
}

impl Pass {
    /// The table that a slot's batches belong to.
    pub fn table_of(&self, slot: usize) -> &'static str {
        details::table_of(self.reading(), &self.tables, slot).unwrap_or(self.tables[0].name)
    }

    pub fn is_snapshot(&self) -> bool {
        self.tables[0].ingestion == Ingestion::Snapshot
    }
}

/// Reads everything there is, once.
async fn whole(job: &Job, pass: &Pass) -> Result<()> {
    match pass.reading() {
        Reading::Teams => snapshot::teams(job).await,
        Reading::List(list) => lists::read(job, list).await,
        Reading::Archive(archive) => archive::read(job, archive).await,
        Reading::Meetings(meetings) => meetings::read(job, meetings).await,
        Reading::Report(report) => reports::read(job, report).await,
        Reading::ChannelMessages => {
            let teams = roster::teams(job).await?;
            once::conversations(job, Family::Channels, teams, round::server_time(job, Rounds::ChannelMessages).await)
                .await
        }
        Reading::ChatMessages => {
            let users = round::enumerate(job, Rounds::ChatMessages).await?;
            once::conversations(job, Family::Chats, users, round::server_time(job, Rounds::ChatMessages).await).await
        }
        Reading::Chats => {
            let users = roster::users(job).await?;
            let until = round::server_time(job, Rounds::Chats).await;
            let reader = Chats::new(job, Round::first(until));
            let outcome = engine::run(&reader, Vec::new(), users, None, &job.caps, usize::MAX, || 0).await;
            outcome.failure.map_or(Ok(()), Err)
        }
        Reading::DirectoryDelta(object) => directory::read(job, object, None).await.map(drop),
    }
}
