//! Micro-batches that are fixed before they are read, for readers that run elsewhere: Spark's executors.
//!
//! A plan is a stretch of whole scopes. Its partitions hold all that a reader needs, and can be read any number of
//! times: the rows are the same, or later versions of them.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chats::Chats;
use super::conversations::{Conversations, Family, Round};
use super::engine::{self, Reader, Step};
use super::item::{Child, Item};
use super::job::Job;
use super::known::Known;
use super::offset::{Offset, Open, Phase};
use super::round::{self, Rounds};
use super::{directory, lists, roster};
use teams_base::error::{Error, Result};
use teams_base::options::Strategy;
use teams_tables::DirectoryObject;

/// Children listed at once.
const CONCURRENCY: usize = 16;

/// Where a micro-batch ends, and what it is made of.
#[derive(Debug)]
pub struct Plan {
    pub offset: String,
    /// JSON texts of [`Partition`]s.
    pub partitions: Vec<String>,
}

/// One scope of a planned micro-batch.
#[derive(Debug, Serialize, Deserialize)]
pub struct Partition {
    scope: String,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<Timestamp>,
    /// The children as the planner listed them, and which of them have been read whole before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    children: Option<Vec<Child>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    /// Where a directory delta starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl Partition {
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| Error::configuration("partition: it was not made by plan()"))
    }

    fn round(&self) -> Round {
        let mut known = Known::default();
        self.known.iter().for_each(|name| known.insert(name));
        Round {
            phase: self.phase,
            since: self.since,
            until: self.until,
            swept: self.swept,
            known: Mutex::new(known),
            export: AtomicBool::new(true),
        }
    }
}

/// Plans from `start` the next `max_scopes` scopes, or all that are left of the round. With `end`, a plan that was made
/// before is made again, for a micro-batch that has to be replayed.
pub async fn rounds(
    job: &Job,
    rounds: Rounds,
    start: Option<&Offset>,
    end: Option<&Offset>,
    max_scopes: Option<usize>,
) -> Result<Option<(Offset, Vec<Partition>)>> {
    let mut offset = match start {
        Some(offset) if offset.phase != Phase::Done => offset.clone(),
        finished => {
            let Some(until) = until(job, rounds, finished, end).await? else { return Ok(None) };
            round::begin(job, rounds, finished, until)
        }
    };
    let parents = round::parents(job, rounds, offset.until).await?;
    let mut partitions = Vec::new();
    loop {
        let room = max_scopes.map_or(usize::MAX, |max| max.saturating_sub(partitions.len()));
        let (scopes, is_phase_over) = stretch(&parents, &offset, end, room);
        let found = describe(job, rounds, &mut offset, scopes).await?;
        partitions.extend(found);
        if let Some(last) = scopes.last() {
            offset.after = Some(last.clone());
        }
        let is_end = end.is_some_and(|end| end.phase == offset.phase);
        if !is_phase_over || is_end || !round::next_phase(job, rounds, &mut offset) {
            return Ok(Some((offset, partitions)));
        }
    }
}

/// When the round to plan begins; `None` when it is too early for it.
async fn until(job: &Job, rounds: Rounds, last: Option<&Offset>, end: Option<&Offset>) -> Result<Option<Timestamp>> {
    if let Some(end) = end {
        return Ok(Some(end.until));
    }
    // As a step does: the answer tells the server's time.
    let parents = round::enumerate(job, rounds).await?;
    let until = round::server_time(job, rounds).await;
    if last.is_some_and(|last| until.duration_since(last.until) < round::min_poll(job)) {
        return Ok(None);
    }
    round::keep(job, rounds, until, parents.into());
    Ok(Some(until))
}

/// The next scopes of the phase, and whether they are the last ones.
fn stretch<'p>(parents: &'p [String], offset: &Offset, end: Option<&Offset>, room: usize) -> (&'p [String], bool) {
    let last = end.filter(|end| end.phase == offset.phase).and_then(|end| end.after.as_ref());
    // Parents are sorted.
    let from = offset.after.as_ref().map_or(0, |after| parents.partition_point(|scope| scope <= after));
    let to = last.map_or(parents.len(), |last| parents.partition_point(|scope| scope <= last)).max(from);
    let scopes = &parents[from..to];
    (&scopes[..scopes.len().min(room)], scopes.len() <= room)
}

/// Partitions of the scopes; what they read whole is known from here on.
async fn describe(job: &Job, rounds: Rounds, offset: &mut Offset, scopes: &[String]) -> Result<Vec<Partition>> {
    let lists_children = rounds == Rounds::ChannelMessages && job.options.strategy != Strategy::Export;
    let listed: Vec<Result<Option<Item>>> = if lists_children && offset.phase == Phase::Read {
        let lists: Vec<_> = scopes.iter().map(|scope| Box::pin(list(job, scope, offset.until))).collect();
        stream::iter(lists).buffered(CONCURRENCY).collect().await
    } else {
        scopes.iter().map(|scope| Ok(Some(Item::parent(scope)))).collect()
    };
    let mut partitions = Vec::new();
    for item in listed {
        let Some(item) = item? else { continue };
        partitions.push(partition(rounds, offset, item));
    }
    Ok(partitions)
}

/// Lists a team's channels; `None` when the team is to be skipped.
async fn list(job: &Job, scope: &str, until: Timestamp) -> Result<Option<Item>> {
    let reader = Conversations::new(job, Family::Channels, Round::first(until));
    let mut item = Item::parent(scope);
    loop {
        match reader.children(&mut item).await {
            Ok(()) => return Ok(Some(item)),
            Err(error) => match job.judge(&mut item, error, reader.is_parent_named())? {
                Step::More => {}
                _ => return Ok(None),
            },
        }
    }
}

fn partition(rounds: Rounds, offset: &mut Offset, item: Item) -> Partition {
    let names: Vec<String> = match &item.children {
        Some(children) => children.iter().map(|child| format!("{}/{}", item.scope, child.id)).collect(),
        None => vec![item.scope.clone()],
    };
    let known: Vec<String> = names.iter().filter(|name| offset.known.contains(name)).cloned().collect();
    if offset.phase == Phase::Read && (item.children.is_some() || rounds != Rounds::ChannelMessages) {
        names.iter().for_each(|name| offset.known.insert(name));
    }
    Partition {
        phase: offset.phase,
        since: offset.since,
        until: offset.until,
        swept: offset.swept,
        children: item.children.as_ref().map(|children| children.to_vec()),
        scope: item.scope,
        known,
        link: None,
    }
}

/// Reads one scope of a plan to its end.
pub async fn read(job: &Job, rounds: Rounds, partition: &Partition) -> Result<()> {
    let item = Item { children: partition.children.clone().map(Into::into), ..Item::parent(&partition.scope) };
    match rounds {
        Rounds::ChannelMessages => run(job, &Conversations::new(job, Family::Channels, partition.round()), item).await,
        Rounds::ChatMessages => run(job, &Conversations::new(job, Family::Chats, partition.round()), item).await,
        Rounds::Chats => run(job, &Chats::new(job, partition.round()), item).await,
    }
}

async fn run(job: &Job, reader: &dyn Reader, item: Item) -> Result<()> {
    let outcome = engine::run(reader, vec![item], Vec::new(), None, &job.caps, usize::MAX, || 0).await;
    outcome.failure.map_or(Ok(()), Err)
}

/// Plans a directory delta. Its end is known only when it has been read, so it is read here without its rows, and by
/// the reader once more from the same start.
pub async fn directory(
    job: &Job,
    object: DirectoryObject,
    start: Option<&Offset>,
) -> Result<Option<(Offset, Vec<Partition>)>> {
    let Some(offset) = directory::read(job, object, start).await? else { return Ok(None) };
    if start == Some(&offset) {
        return Ok(Some((offset, Vec::new())));
    }
    let link = start.and_then(|start| start.open.first()).and_then(|open| open.link.clone());
    let partition = Partition {
        scope: String::new(),
        phase: Phase::Read,
        since: None,
        until: offset.until,
        swept: None,
        children: None,
        known: Vec::new(),
        link,
    };
    Ok(Some((offset, vec![partition])))
}

/// Reads a directory delta from a partition's start.
pub async fn read_directory(job: &Job, object: DirectoryObject, partition: &Partition) -> Result<()> {
    let open = Open { link: partition.link.clone(), ..Open::default() };
    let start = Offset {
        phase: Phase::Read,
        since: None,
        until: partition.until,
        swept: None,
        export: true,
        after: None,
        open: vec![open],
        known: Known::default(),
    };
    let start = partition.link.is_some().then_some(&start);
    directory::read(job, object, start).await.map(drop)
}

/// What a whole read can be divided by. Chats have several members, so that each is given once only if one reader reads
/// them all.
pub async fn scopes(job: &Job, reading: teams_tables::Reading) -> Result<Vec<String>> {
    use teams_tables::{Archive, Meetings, Reading};
    match reading {
        Reading::ChannelMessages | Reading::Archive(Archive::Retained) => roster::teams(job).await,
        Reading::Meetings(Meetings::Transcripts | Meetings::Recordings) => roster::every_user(job).await,
        Reading::List(list) => lists::scopes(job, list.parent).await,
        Reading::Teams
        | Reading::Chats
        | Reading::ChatMessages
        | Reading::Archive(Archive::DeletedTeams)
        | Reading::Meetings(Meetings::CallRecords)
        | Reading::Report(_)
        | Reading::DirectoryDelta(_) => Ok(Vec::new()),
    }
}
