//! Micro-batches that are fixed before they are read, for readers that run elsewhere: Spark's executors.
//!
//! A planned micro-batch is a stretch of whole scopes. Its partitions hold all that a reader needs, and can be read any
//! number of times: the rows are the same, or later versions of them.

use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use super::clock::{after, min_poll, server_time};
use super::failures;
use super::parents::{discover, keep, key, of_round};
use super::phases;
use crate::context::ReadContext;
use crate::dedup::SeenKeys;
use crate::engine::{self, Reader, Step};
use crate::messages::children;
use crate::messages::conversations::Conversations;
use crate::messages::strategy::Ways;
use crate::state::offset::Offset;
use crate::state::partition::Partition;
use crate::state::round_kind::{Family, RoundKind};
use crate::state::round_state::Phase;
use crate::state::work_item::WorkItem;
use crate::tables::chats::Chats;
use teams_base::error::Result;

/// Children listed at once.
const CONCURRENCY: usize = 16;

/// Plans from `start` the next `max_scopes` scopes, or all that are left of the round. With `end`, a micro-batch that was
/// planned before is planned again, because it has to be replayed.
pub async fn plan(
    context: &ReadContext,
    kind: RoundKind,
    start: Option<&Offset>,
    end: Option<&Offset>,
    max_scopes: Option<usize>,
) -> Result<Option<(Offset, Vec<Partition>)>> {
    let mut offset = match start {
        Some(offset) if offset.phase != Phase::Done => offset.clone(),
        finished => {
            failures::tell(context, kind, finished)?;
            let Some(until) = until(context, kind, finished, end).await? else { return Ok(None) };
            // Executors have no place to go on from: what stands half-read is read whole.
            Offset { open: Vec::new(), ..phases::begin(context, kind, finished, until) }
        }
    };
    let parents = of_round(context, kind, offset.until).await?;
    let mut partitions = Vec::new();
    // A chat is listed by each of its members, and read for the first one.
    let seen_chats = SeenKeys::default();
    loop {
        let room = max_scopes.map_or(usize::MAX, |max| max.saturating_sub(partitions.len()));
        let (scopes, is_phase_over) = stretch(&parents, &offset, end, room);
        let found = describe(context, kind, &mut offset, scopes, end, &seen_chats).await?;
        partitions.extend(found);
        if let Some(last) = scopes.last() {
            offset.after = Some(last.clone());
        }
        let is_end = end.is_some_and(|end| end.phase == offset.phase);
        if !is_phase_over || is_end || !phases::next(context, kind, &mut offset) {
            return Ok(Some((offset, partitions)));
        }
    }
}

/// When the round to plan begins; `None` when it is too early for it.
async fn until(
    context: &ReadContext,
    kind: RoundKind,
    last: Option<&Offset>,
    end: Option<&Offset>,
) -> Result<Option<Timestamp>> {
    if let Some(end) = end {
        return Ok(Some(end.until));
    }
    // As a step does: the answer tells the server's time.
    let parents = discover(context, kind).await?;
    let now = server_time(context, kind).await;
    let until = last.map_or(now, |last| after(last.until, now));
    let is_early = |last: &Offset| until.duration_since(last.until) < min_poll(context);
    if last.is_some_and(|last| !failures::has_failed(last) && is_early(last)) {
        return Ok(None);
    }
    keep(context, kind, until, parents.into());
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

/// Partitions of the scopes; what they read whole is known from here on. A scope that can't be listed is left behind,
/// unless the micro-batch that is planned again had it.
async fn describe(
    context: &ReadContext,
    kind: RoundKind,
    offset: &mut Offset,
    scopes: &[String],
    end: Option<&Offset>,
    seen_chats: &SeenKeys,
) -> Result<Vec<Partition>> {
    let lists = |family: &Family| offset.phase == Phase::Read && !Ways::of(&context.options, *family).is_export_only();
    let listed: Vec<Result<Option<WorkItem>>> = match family(kind).filter(lists) {
        Some(family) => {
            let until = offset.until;
            let lists: Vec<_> =
                scopes.iter().map(|scope| Box::pin(list_children(context, family, scope, until))).collect();
            stream::iter(lists).buffered(CONCURRENCY).collect().await
        }
        None => scopes.iter().map(|scope| Ok(Some(WorkItem::parent(scope)))).collect(),
    };
    let had = |end: &Offset, scope: &str| {
        !end.known.has_failures() || end.known.contains(scope) && end.known.late(scope).is_none()
    };
    let mut partitions = Vec::new();
    for (scope, item) in scopes.iter().zip(listed) {
        match item {
            Ok(Some(mut item)) => {
                if kind == RoundKind::Messages(Family::Chats) && item.children.is_some() {
                    let first = item.listed_children().filter(|chat| seen_chats.insert(&chat.id));
                    item.children = Some(first.cloned().collect());
                }
                partitions.push(partition(kind, offset, item));
            }
            Ok(None) => {}
            Err(error) if error.ends_run() || end.is_some_and(|end| had(end, scope)) => return Err(error),
            Err(error) => {
                log::warn!("{scope}: {error}");
                offset.known.fail(scope, offset.since);
                context.failures.keep(key(context, kind, offset.until), error);
            }
        }
    }
    Ok(partitions)
}

fn family(kind: RoundKind) -> Option<Family> {
    match kind {
        RoundKind::Messages(family) => Some(family),
        RoundKind::Chats => None,
    }
}

/// Lists a team's channels or a user's chats; `None` when the parent is to be skipped.
async fn list_children(
    context: &ReadContext,
    family: Family,
    scope: &str,
    until: Timestamp,
) -> Result<Option<WorkItem>> {
    let is_named = family.is_parent_named(&context.options);
    let mut item = WorkItem::parent(scope);
    loop {
        match children::list(context, family, until, &mut item).await {
            Ok(()) => return Ok(Some(item)),
            Err(error) => match context.on_error(&mut item, error, is_named)? {
                Step::More => {}
                _ => return Ok(None),
            },
        }
    }
}

fn partition(kind: RoundKind, offset: &mut Offset, item: WorkItem) -> Partition {
    let name = |scope: String| family(kind).map_or(scope.clone(), |family| family.known_name(&scope).to_owned());
    let mut names = vec![item.scope.clone()];
    names.extend(item.listed_children().map(|child| name(item.child_scope(child))));
    let known: Vec<String> = names.iter().filter(|name| offset.known.contains(name)).cloned().collect();
    let (parent, is_doubtful) = (item.scope.clone(), item.is_doubtful);
    let partition = Partition::of_round(offset, item, known);
    match offset.phase {
        // They are read whole by the next round.
        Phase::Read if is_doubtful => names.iter().for_each(|name| offset.known.remove(name)),
        Phase::Read => names.iter().for_each(|name| offset.known.insert(name)),
        Phase::Sweep => offset.known.sweep_done(&parent),
        Phase::Done => {}
    }
    partition
}

/// Reads one scope of a planned micro-batch to its end.
pub async fn read(context: &ReadContext, kind: RoundKind, partition: &Partition) -> Result<()> {
    let (item, round) = (partition.item(), partition.round());
    match kind {
        RoundKind::Messages(family) => run(context, &Conversations::new(context, family, round), item).await,
        RoundKind::Chats => run(context, &Chats::new(context, round), item).await,
    }
}

async fn run(context: &ReadContext, reader: &dyn Reader, item: WorkItem) -> Result<()> {
    let outcome = engine::run(reader, vec![item], Vec::new(), None, &context.caps, usize::MAX, || 0).await;
    outcome.failure.map_or(Ok(()), Err)
}
