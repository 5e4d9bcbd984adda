//! `/users/delta` and `/groups/delta`: changes and deletes of directory objects.
//! <https://learn.microsoft.com/graph/delta-query-overview>

use crate::context::{ReadContext, into, never_empty};
use crate::engine::Step;
use crate::error_policy::{is_dead_link, is_refused_or_absent};
use crate::pagination::{Pagination, Trail};
use crate::state::offset::{Offset, Open};
use crate::state::partition::Partition;
use crate::state::round_state::{Phase, signed};
use crate::state::work_item::WorkItem;
use teams_base::error::Result;
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::{Context, DeltaLog, DeltaRows, DirectoryObject, KeySet, Page, Source, find};

/// Directory delta tokens live seven days; a link is renewed well before, even when nothing changed.
const RENEW_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Rows that are held back at most, because what comes after them may say otherwise of their objects: what a micro-batch
/// tells of an object is its last state, wherever in it that is told. Rows and deletes may be read by different readers at
/// different times, so that their `observed_at` alone does not settle it.
const ROWS_HELD: usize = 50_000;

struct Paths {
    delta: &'static Endpoint,
    deleted: &'static Endpoint,
    name: &'static str,
    kind: &'static str,
}

fn paths(object: DirectoryObject) -> Paths {
    match object {
        DirectoryObject::Users => Paths {
            delta: &endpoint::USERS_DELTA,
            deleted: &endpoint::DELETED_USERS,
            name: "users",
            kind: "microsoft.graph.user",
        },
        DirectoryObject::Groups => Paths {
            delta: &endpoint::GROUPS_DELTA,
            deleted: &endpoint::DELETED_GROUPS,
            name: "groups",
            kind: "microsoft.graph.group",
        },
    }
}

/// What was read and is not handed on yet, and when the last page of it was observed.
struct Delta<'c> {
    context: &'c ReadContext,
    log: DeltaLog,
    observed: jiff::Timestamp,
    /// More was told than is held.
    is_full: bool,
    /// The objects handed on, where each may come only once and nothing is held.
    handed_on: Option<KeySet>,
}

/// Everything there is now, each object once.
pub async fn read_whole(context: &ReadContext, object: DirectoryObject) -> Result<()> {
    read_from(context, object, None, Some(KeySet::default())).await.map(drop)
}

/// Reads on from the offset's link, or from the beginning; `None` when it is too early to ask again.
pub async fn read(context: &ReadContext, object: DirectoryObject, start: Option<&Offset>) -> Result<Option<Offset>> {
    read_from(context, object, start, None).await
}

async fn read_from(
    context: &ReadContext,
    object: DirectoryObject,
    start: Option<&Offset>,
    handed_on: Option<KeySet>,
) -> Result<Option<Offset>> {
    let paths = paths(object);
    if start.is_some_and(|last| last.phase == Phase::Done && is_too_early(context, last)) {
        return Ok(None);
    }
    let first = Request::new(paths.delta, &[paths.name, "delta"], paths.name).query("$select", select(paths.name)?);
    let link = start.and_then(|offset| offset.open.first()).and_then(|open| open.link.as_deref());
    let link = link.and_then(|link| context.client.link(link, &first).ok());
    let trail = start.and_then(|offset| offset.open.first()).map(|open| open.trail).unwrap_or_default();
    let pagination = Pagination::resumed(link.as_ref(), trail);
    let mut item = WorkItem { link, pagination, ..WorkItem::parent(paths.name) };
    let is_resync = start.and_then(|offset| offset.open.first()).is_some_and(|open| open.resync);
    let mut resynced = is_resync || start.is_some() && item.link.is_none();
    // What is observed later has a later time, though the server tells seconds only and each run begins anew.
    let mut began = start.and_then(|offset| offset.since).filter(|_| is_resync);
    let observed = start.map_or(jiff::Timestamp::MIN, |last| just_after(last.until));
    let mut delta = Delta { context, log: DeltaLog::default(), observed, is_full: false, handed_on };
    if resynced {
        began.get_or_insert(observed);
    }
    let mut is_whole = item.link.is_none();
    // Rows and deletes may be read by streams of their own, each at its time: what one of them tells of an object has to be
    // what is so at the round's end.
    let is_increment = start.is_some_and(|last| last.phase == Phase::Done) && !is_whole;
    let mut objects = 0;
    let mut was_empty = false;
    loop {
        let request = item.link.clone().map_or(first.clone(), |link| first.follow(link));
        let page = match delta.page(&request).await {
            Err(error) if item.link.is_some() && is_dead_link(&error) && !item.tries.restarted => {
                context
                    .report()
                    .note(format!("the delta token of {} has expired, so all {0} are read again", paths.name));
                item.restart();
                item.tries.restarted = true;
                (resynced, is_whole, objects) = (true, true, 0);
                began = Some(just_after(delta.observed));
                continue;
            }
            page => page?,
        };
        objects += page.items;
        let offset = |until, phase, link: Option<String>, trail| Offset {
            phase,
            since: began,
            open: vec![Open {
                scope: paths.name.to_owned(),
                link,
                trail,
                resync: resynced && phase != Phase::Done,
                ..Open::default()
            }],
            ..Offset::begin(until)
        };
        if matches!(context.advance(&mut item, &request, &page)?, Step::Done) {
            // A tenant has users, and a table that is read again had rows: all of them would be taken for deleted.
            if is_whole && objects == 0 && (resynced || object == DirectoryObject::Users) {
                if was_empty {
                    return Err(never_empty(&request));
                }
                was_empty = true;
                item.restart();
                continue;
            }
            if resynced {
                delta.deleted_items(&paths).await?;
            }
            delta.hand_on().await?;
            // A server that gives neither link is read from the beginning each time.
            let link = page.delta_link.filter(|link| context.client.link(link, &first).is_ok());
            let renewed = offset(delta.observed, Phase::Done, link, Trail::default());
            return Ok(Some(unless_equal(context, start, renewed, resynced)));
        }
        // Links that do not outlive a pause are followed to the end, and so are changes while they can be held.
        let is_held = is_increment && !resynced && !delta.is_full;
        if context.caps.are_reached(context.sink.rows()) && !item.outlasts_caps() && !is_held {
            delta.hand_on().await?;
            let link = item.link.as_ref().map(|link| link.as_str().to_owned());
            return Ok(Some(offset(delta.observed, Phase::Read, link, item.pagination.trail)));
        }
    }
}

/// Plans a micro-batch. Where it ends is known only when it has been read, so it is read here without its rows, and by the
/// reader of the partition once more from the same start.
pub async fn plan(
    context: &ReadContext,
    object: DirectoryObject,
    start: Option<&Offset>,
) -> Result<Option<(Offset, Vec<Partition>)>> {
    let Some(offset) = read(context, object, start).await? else { return Ok(None) };
    if start == Some(&offset) {
        return Ok(Some((offset, Vec::new())));
    }
    let link = start.and_then(|start| start.open.first()).and_then(|open| open.link.clone());
    let partition = Partition::of_directory(offset.until, link);
    Ok(Some((offset, vec![partition])))
}

/// Reads a planned micro-batch from its start.
pub async fn read_partition(context: &ReadContext, object: DirectoryObject, partition: &Partition) -> Result<()> {
    let open = Open { link: partition.link.clone(), ..Open::default() };
    let start = Offset { open: vec![open], ..Offset::begin(partition.until) };
    let start = partition.link.is_some().then_some(&start);
    read(context, object, start).await.map(drop)
}

/// A run over unchanged data returns the offset it started from, while its token is young.
fn unless_equal(context: &ReadContext, start: Option<&Offset>, renewed: Offset, resynced: bool) -> Offset {
    match start {
        Some(start)
            if !resynced
                && context.sink.rows() == 0
                && start.phase == Phase::Done
                && renewed.until.duration_since(start.until) < RENEW_AFTER =>
        {
            start.clone()
        }
        _ => renewed,
    }
}

/// A stream asks again and again; the clock of this process is enough to know that it is too early.
fn is_too_early(context: &ReadContext, last: &Offset) -> bool {
    let min_poll = signed(context.options.min_poll);
    !min_poll.is_zero() && context.client.now().is_some_and(|now| now.duration_since(last.until) < min_poll)
}

/// The properties that the table's columns take.
fn select(table: &str) -> Result<String> {
    let columns = find(table)?.columns.iter().filter(|column| column.source == Source::Property);
    Ok(columns.map(|column| column.name).collect::<Vec<_>>().join(","))
}

fn just_after(time: jiff::Timestamp) -> jiff::Timestamp {
    time.checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(time)
}

impl Delta<'_> {
    async fn page(&mut self, request: &Request) -> Result<Page> {
        let context = self.context;
        let page = context.held_page(request, |builders, body| {
            let [rows, deletes, ..] = builders else { return Err("no table to read into".to_owned()) };
            let observed_at = self.observe();
            let row = Context { observed_at: Some(&observed_at), ..Context::default() };
            into(body, &mut DeltaRows { rows, deletes, context: row, log: &mut self.log })
        });
        let page = page.await?;
        if self.handed_on.is_some() || self.log.len() >= ROWS_HELD {
            self.is_full = true;
            self.hand_on().await?;
        }
        Ok(page)
    }

    /// The time of an observation: the server's, which tells seconds, and later than all that was handed on before it.
    fn observe(&mut self) -> String {
        let now = self.context.client.now().unwrap_or_else(jiff::Timestamp::now);
        let earliest = if self.log.is_empty() { just_after(self.observed) } else { self.observed };
        self.observed = now.max(earliest);
        timestamp::to_text(self.observed)
    }

    /// What was deleted while the token was lost: the directory keeps deleted objects for 30 days.
    async fn deleted_items(&mut self, paths: &Paths) -> Result<()> {
        let request =
            Request::new(paths.deleted, &["directory", "deletedItems", paths.kind], paths.name).query("$select", "id");
        let items = match self.context.list_raw(&request).await {
            Err(error) if is_refused_or_absent(&error) => {
                let note = format!("deleted {} can't be listed after a lost delta token: {error}", paths.name);
                self.context.report().note(note);
                return Ok(());
            }
            items => items?,
        };
        let observed_at = self.observe();
        self.context.sink.with(|builders| {
            if let [_, deletes, ..] = builders {
                for item in &items {
                    self.log.append_deleted(deletes, item.get(), &observed_at);
                }
            }
        });
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<()> {
        self.context.sink.with(|builders| {
            if let [rows, deletes, ..] = builders {
                self.log.settle(rows, deletes, self.handed_on.as_mut());
            }
        });
        self.context.sink.flush().await
    }
}
