//! An incremental read: one step, from an offset to the next.

use jiff::Timestamp;

use super::clock::{after, min_poll, server_time};
use super::failures;
use super::parents::{discover, keep, key, of_round};
use super::phases;
use crate::context::ReadContext;
use crate::engine::{self, Outcome, Reader};
use crate::messages::conversations::Conversations;
use crate::state::offset::{Offset, Open};
use crate::state::round_kind::RoundKind;
use crate::state::round_state::{Phase, RoundState};
use crate::state::work_item::WorkItem;
use crate::tables::chats::Chats;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_client::request::Request;

/// Takes one step, and tells the offset to go on from; `None` when it is too early for a new round. An error is returned
/// only when nothing was gained, so that what was read can be committed.
///
/// A scope that fails for good is left behind, and its round ends for all others. The step after the one that ended the
/// round tells the error, once; the next one begins a new round. A process that did not see the failure begins it at once,
/// and meets the failure there. An error that ends the run leaves the round open.
pub async fn step(context: &ReadContext, kind: RoundKind, start: Option<&Offset>) -> Result<Option<Offset>> {
    let mut offset = match start {
        Some(offset) if offset.phase != Phase::Done => offset.clone(),
        finished => {
            failures::tell(context, kind, finished)?;
            let parents = discover(context, kind).await?;
            // A round that found nothing left the offset as it was, so that only the session knows of it.
            let last = |last: &Offset| context.polled.map_or(last.until, |polled| polled.max(last.until));
            let now = server_time(context, kind).await;
            let until = finished.map_or(now, |finished| after(last(finished), now));
            let is_early = |finished: &Offset| until.duration_since(last(finished)) < min_poll(context);
            if let Some(finished) = finished.filter(|finished| !failures::has_failed(finished) && is_early(finished)) {
                note_early_clock(context, finished, until);
                return Ok(None);
            }
            keep(context, kind, until, parents.into());
            phases::begin(context, kind, finished, until)
        }
    };
    let begun = offset.clone();
    let parents = of_round(context, kind, offset.until).await?;
    loop {
        let (outcome, round) = run(context, kind, &offset, &parents).await;
        let is_over = outcome.open.is_empty() && !outcome.left;
        let left = [outcome.open.as_slice(), &outcome.fresh].concat();
        context.discovered.keep_children(&key(context, kind, offset.until), &left, outcome.after.as_ref());
        offset = advance(context, &offset, round, &outcome);
        match outcome.failure {
            Some(error) if error.ends_run() => {
                // Rows alone are no gain: a step that leads nowhere repeats those of the step before.
                let is_nothing_gained = offset == begun || context.sink.rows() == 0;
                return if is_nothing_gained { Err(error) } else { Ok(Some(offset)) };
            }
            Some(error) => context.failures.keep(key(context, kind, offset.until), error),
            None => {}
        }
        if !is_over {
            return Ok(Some(offset));
        }
        if !phases::next(context, kind, &mut offset) {
            let failed = key(context, kind, offset.until);
            let end = finish(context, start, offset);
            // Where nothing was gained no step comes before the error.
            let is_vain = start.map_or(end.known.is_empty() && context.sink.rows() == 0, |start| *start == end);
            let is_told_now = is_vain && failures::has_failed(&end);
            let told = if is_told_now { context.failures.take(&failed) } else { None };
            return told.map_or(Ok(Some(end)), Err);
        }
    }
}

/// A server that was restored, or whose clock was set back, would be asked for nothing in silence until its clock has
/// passed the offset.
fn note_early_clock(context: &ReadContext, finished: &Offset, now: Timestamp) {
    if now < finished.until {
        context.report().note(format!(
            "the server's clock ({now:.0}) is behind the stored offset ({:.0}), so nothing is asked until it has passed it; \
             if the offset is the one that is wrong, read the table again from the beginning",
            finished.until
        ));
    }
}

async fn run(context: &ReadContext, kind: RoundKind, offset: &Offset, parents: &[String]) -> (Outcome, RoundState) {
    let is_after = |scope: &String| offset.after.as_ref().is_none_or(|after| scope > after);
    let is_left = |scope: &&String| is_after(scope) && !offset.is_export_standing(scope);
    let scopes = parents.iter().filter(is_left).cloned().collect();
    let open = reopen(context, offset);
    match kind {
        RoundKind::Messages(family) => {
            let reader = Conversations::new(context, family, offset.round());
            (drive(context, &reader, open, scopes, offset).await, reader.into_round())
        }
        RoundKind::Chats => {
            let reader = Chats::new(context, offset.round());
            (drive(context, &reader, open, scopes, offset).await, reader.round)
        }
    }
}

async fn drive(
    context: &ReadContext,
    reader: &dyn Reader,
    open: Vec<WorkItem>,
    scopes: Vec<String>,
    offset: &Offset,
) -> Outcome {
    let rows = || context.sink.rows();
    engine::run(reader, open, scopes, offset.after.clone(), &context.caps, offset.room(), rows).await
}

/// Half-read scopes go on at their page; a link that is not to be followed restarts its scope.
fn reopen(context: &ReadContext, offset: &Offset) -> Vec<WorkItem> {
    let anywhere = Request::new(&endpoint::TEAMS, &["teams"], "an offset");
    let link = |link: &str| context.client.link(link, &anywhere).ok();
    offset.open.iter().map(|open| WorkItem::from_open(open, link)).collect()
}

fn advance(context: &ReadContext, offset: &Offset, round: RoundState, outcome: &Outcome) -> Offset {
    // In which order they failed says nothing.
    let sorted = |mut open: Vec<Open>| {
        open.sort_by(|a, b| (&a.scope, a.from).cmp(&(&b.scope, b.from)));
        open
    };
    let mut next = Offset {
        export: round.export,
        known: round.known.into_inner(),
        after: outcome.after.clone(),
        open: sorted(outcome.open.iter().map(WorkItem::to_open).collect()),
        stood: sorted(offset.stood.iter().cloned().chain(outcome.stood.iter().map(WorkItem::to_open)).collect()),
        ..offset.clone()
    };
    if next.limit_stood() > 0 {
        context
            .report()
            .note("the slow way: more histories have failed than an offset has room for, so some of them begin again");
    }
    if next.drop_links() > 0 {
        context.report().note(
            "the slow way: the server's links are so long that they do not all fit into an offset, so some scopes that \
             were half-read at a pause begin again",
        );
    }
    next
}

/// A round over unchanged data returns the offset it started from.
fn finish(context: &ReadContext, start: Option<&Offset>, offset: Offset) -> Offset {
    let Some(start) = start else { return offset };
    let is_same = start.phase == Phase::Done
        && context.sink.rows() == 0
        && (start.swept, start.export, &start.known, &start.stood)
            == (offset.swept, offset.export, &offset.known, &offset.stood);
    if is_same { start.clone() } else { offset }
}
