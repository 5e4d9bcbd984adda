//! One connection, and the ways to read through it: all at once, step by step, and in planned partitions.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::attach::hosted_contents::Fetcher;
use crate::caps::{Caps, Limits};
use crate::context::ReadContext;
use crate::dedup::GivenVersions;
use crate::discover::{teams, users};
use crate::doubts::Doubts;
use crate::engine;
use crate::messages::full_read;
use crate::output::Output;
use crate::page_sizes::SmallExports;
use crate::pass::Pass;
use crate::rounds::{clock, incremental, parents, partitions};
use crate::sink::{Batch, Sink};
use crate::state::discovery_cache::DiscoveryCache;
use crate::state::offset::{Offset, Parsed};
use crate::state::partition::Partition;
use crate::state::round_failures::RoundFailures;
use crate::state::round_kind::{Family, RoundKind};
use crate::state::round_state::{Phase, RoundState};
use crate::state::window::ROWS_PER_WINDOW;
use crate::tables::{self, archive, chats::Chats, directory, list_tables, meetings, reports};
use teams_base::error::{Error, Result};
use teams_base::options::ConnectionConfig;
use teams_client::GraphClient;
use teams_client::auth::TokenProvider;
use teams_client::metrics::Report;
use teams_tables::{Archive, Meetings, Projection, Reading};

/// What one step brought.
#[derive(Debug)]
pub struct MicroBatch {
    /// Batches of the pass's tables, by name.
    pub rows: Vec<(&'static str, arrow_array::RecordBatch)>,
    /// Keys and cursor of deleted rows.
    pub deletes: Vec<(&'static str, arrow_array::RecordBatch)>,
    pub offset: String,
    /// The round is over; of one in which a scope failed the next step tells the error first.
    pub finished: bool,
    /// Everything has been read again since then: what was observed before and not again is gone.
    pub full_since: Option<Timestamp>,
    /// How much of the round's scopes has been read, from 0 to 1; nothing where that is not known.
    pub share: Option<f64>,
}

/// Where a micro-batch ends, and what it is made of.
#[derive(Debug)]
pub struct Plan {
    pub offset: String,
    /// JSON texts of [`Partition`]s.
    pub partitions: Vec<String>,
}

/// Everything read through one connection shares its token, its pool, its budgets and its report.
#[derive(Clone)]
pub struct Session {
    client: GraphClient,
    /// The last rounds that found nothing, by table: the offset they began from, and when. An offset does not tell them.
    polled: Arc<Mutex<HashMap<&'static str, (String, Timestamp)>>>,
    rows_per_window: usize,
    discovered: DiscoveryCache,
    failures: RoundFailures,
    small_exports: SmallExports,
    /// What open rounds have given of rows that come twice, by table: for a step that goes on from this offset. Who has that
    /// has the rows before it.
    given: Arc<Mutex<HashMap<&'static str, (String, GivenVersions)>>>,
}

impl Session {
    pub fn new(config: &ConnectionConfig, provider: Arc<dyn TokenProvider>) -> Result<Self> {
        let client = GraphClient::new(config, provider, Arc::new(Report::new()))?;
        Ok(Self {
            client,
            polled: Arc::default(),
            rows_per_window: ROWS_PER_WINDOW,
            discovered: DiscoveryCache::default(),
            failures: RoundFailures::default(),
            small_exports: SmallExports::default(),
            given: Arc::default(),
        })
    }

    /// Cuts exports past another number of rows, for tests with few of them.
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

    fn context(&self, pass: &Pass, sink: Sink, limits: Limits) -> ReadContext {
        ReadContext {
            client: self.client.clone(),
            options: Arc::new(pass.options.clone()),
            scopes: pass.scopes.clone(),
            left_out: pass.left_out.clone(),
            sink,
            caps: Caps::new(limits),
            polled: None,
            rows_per_window: self.rows_per_window,
            discovered: self.discovered.clone(),
            failures: self.failures.clone(),
            small_exports: self.small_exports.clone(),
            given: None,
            // What is no snapshot takes no missing row for a delete.
            doubts: pass.doubts.clone().or_else(|| (!pass.is_snapshot()).then(Doubts::default)),
        }
    }

    /// Reads everything once into a bounded channel: each key once, in its newest version. [`Pass::table_of`] tells the
    /// table of a batch.
    pub async fn read(&self, pass: &Pass, sender: mpsc::Sender<Result<Batch>>) {
        let result = self.read_into(pass, sender.clone()).await;
        if let Err(error) = result {
            // The consumer may be gone, and with it the need for the error.
            drop(sender.send(Err(error)).await);
        }
    }

    async fn read_into(&self, pass: &Pass, sender: mpsc::Sender<Result<Batch>>) -> Result<()> {
        let (outputs, details) = pass.outputs(false)?;
        let sink = Sink::stream(outputs, sender, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let context = self.context(pass, sink, Limits::default());
        let result = whole(&context, pass).await;
        // What could be read is handed on even if a scope failed.
        context.sink.finish().await?;
        result
    }

    /// Takes one step of an incremental read. `limits` hold where the options give none.
    pub async fn micro_batch(&self, pass: &Pass, offset: Option<&str>, limits: Limits) -> Result<MicroBatch> {
        let start = self.start(offset)?;
        let (outputs, details) = pass.outputs(true)?;
        let sink = Sink::collect(outputs, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let mut context = self.context(pass, sink, limits.unless_given(&pass.options));
        context.polled = self.polled(pass, offset);
        let given = self.given(pass, offset);
        context.given = Some(given.clone());
        let text = offset.unwrap_or("{}");
        let (mut full_since, mut share) = (None, None);
        let (offset, finished) = match pass.round_kind() {
            Some(kind) => match incremental::step(&context, kind, start.as_ref()).await? {
                Some(next) => {
                    // A round in which a scope failed is not over before its error has been told.
                    let finished = next.phase == Phase::Done && !next.known.has_failures();
                    share = parents::share(&context, kind, &next);
                    let offset = next.to_text();
                    if offset == text {
                        self.remember(pass, text);
                    }
                    (offset, finished)
                }
                // Too early for a new round.
                None => (text.to_owned(), true),
            },
            None => match without_rounds(&context, pass, start.as_ref()).await? {
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
        context.sink.finish().await?;
        if !finished {
            self.given.lock().insert(pass.tables[0].name, (offset.clone(), given));
        }
        Ok(MicroBatch { full_since, share, ..collect(pass, &context, offset, finished) })
    }

    /// What a read of the table can be divided by; nothing where it is one list, and where a chat is listed by each of its
    /// members, so that only one reader of all can leave the repeats out.
    pub async fn scopes(&self, pass: &Pass) -> Result<Vec<String>> {
        let context = self.without_rows(pass);
        match pass.reading() {
            Reading::ChannelMessages | Reading::Archive(Archive::Retained) => teams::ids(&context).await,
            Reading::Meetings(Meetings::Transcripts | Meetings::Recordings) => users::all_ids(&context).await,
            Reading::List(list) => tables::parents::scopes(&context, list.parent).await,
            Reading::Teams
            | Reading::Chats
            | Reading::ChatMessages
            | Reading::Archive(Archive::DeletedTeams)
            | Reading::Meetings(Meetings::CallRecords)
            | Reading::Report(_)
            | Reading::DirectoryDelta(_) => Ok(Vec::new()),
        }
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
        let context = self.without_rows(pass);
        let planned = match (pass.round_kind(), pass.reading()) {
            (Some(kind), _) => partitions::plan(&context, kind, start.as_ref(), end.as_ref(), max_scopes).await?,
            (None, Reading::DirectoryDelta(object)) => directory::plan(&context, object, start.as_ref()).await?,
            (None, _) => {
                return Err(Error::configuration(format!(
                    "table '{}' is a snapshot, which can't be streamed: read it as a batch",
                    pass.tables[0].name
                )));
            }
        };
        Ok(match planned {
            None => Plan { offset: offset.unwrap_or("{}").to_owned(), partitions: Vec::new() },
            Some((offset, partitions)) => {
                Plan { offset: offset.to_text(), partitions: partitions.iter().map(Partition::to_text).collect() }
            }
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
        let (mut outputs, details) = pass.outputs(true)?;
        if let (Reading::DirectoryDelta(_), [rows, deleted]) = (pass.reading(), outputs.as_mut_slice()) {
            let ignored = if deletes { rows } else { deleted };
            *ignored = Output::unwanted(Projection::nothing(ignored.projection.table));
        }
        let sink = Sink::stream(outputs, sender, Arc::clone(self.report()))
            .with_details(details)
            .with_fetcher(Fetcher::new(&self.client, &pass.options));
        let context = self.context(pass, sink, Limits::default());
        let result = match (pass.round_kind(), pass.reading()) {
            (Some(kind), _) => partitions::read(&context, kind, partition).await,
            (None, Reading::DirectoryDelta(object)) => directory::read_partition(&context, object, partition).await,
            (None, _) => whole(&context, pass).await,
        };
        context.sink.finish().await?;
        result
    }

    /// A context that keeps no rows: they are counted only.
    fn without_rows(&self, pass: &Pass) -> ReadContext {
        let output = |table| Output::unwanted(Projection::nothing(table));
        let outputs = vec![output(pass.tables[0]), output(pass.tables[0])];
        self.context(pass, Sink::collect(outputs, Arc::clone(self.report())), Limits::default())
    }

    /// A step that fails gives nothing, so that what it would have given is forgotten with it.
    fn given(&self, pass: &Pass, offset: Option<&str>) -> GivenVersions {
        let last = self.given.lock().remove(pass.tables[0].name);
        last.filter(|(end, _)| offset == Some(end)).map(|(_, versions)| versions).unwrap_or_default()
    }

    fn polled(&self, pass: &Pass, offset: Option<&str>) -> Option<Timestamp> {
        let polled = self.polled.lock();
        let (seen, at) = polled.get(pass.tables[0].name)?;
        (Some(seen.as_str()) == offset).then_some(*at)
    }

    fn remember(&self, pass: &Pass, offset: &str) {
        if let Some(now) = self.client.now() {
            let mut polled = self.polled.lock();
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
async fn without_rounds(context: &ReadContext, pass: &Pass, start: Option<&Offset>) -> Result<Option<Offset>> {
    match pass.reading() {
        Reading::DirectoryDelta(object) => directory::read(context, object, start).await,
        _ => whole(context, pass).await.map(|()| None),
    }
}

fn collect(pass: &Pass, context: &ReadContext, offset: String, finished: bool) -> MicroBatch {
    let mut rows = Vec::new();
    let mut deletes = Vec::new();
    for (output, batch) in context.sink.take() {
        match pass.reading() {
            Reading::DirectoryDelta(_) if output == 1 => deletes.push((pass.tables[0].name, batch)),
            _ => rows.push((pass.table_of(output), batch)),
        }
    }
    MicroBatch { rows, deletes, offset, finished, full_since: None, share: None }
}

/// Reads everything there is, once.
async fn whole(context: &ReadContext, pass: &Pass) -> Result<()> {
    match pass.reading() {
        Reading::Teams => tables::teams::read(context).await,
        Reading::List(list) => list_tables::read(context, list).await,
        Reading::Archive(archive) => archive::read(context, archive).await,
        Reading::Meetings(meetings) => meetings::read(context, meetings).await,
        Reading::Report(report) => reports::read(context, report).await,
        Reading::ChannelMessages => whole_messages(context, Family::Channels).await,
        Reading::ChatMessages => whole_messages(context, Family::Chats).await,
        Reading::Chats => {
            let users = users::ids(context).await?;
            let until = clock::server_time(context, RoundKind::Chats).await;
            let reader = Chats::once(context, RoundState::first(until));
            let outcome = engine::run(&reader, Vec::new(), users, None, &context.caps, usize::MAX, || 0).await;
            outcome.failure.map_or(Ok(()), Err)
        }
        Reading::DirectoryDelta(object) => directory::read_whole(context, object).await,
    }
}

async fn whole_messages(context: &ReadContext, family: Family) -> Result<()> {
    let kind = RoundKind::Messages(family);
    let parents = parents::discover(context, kind).await?;
    full_read::read(context, family, parents, clock::server_time(context, kind).await).await
}
