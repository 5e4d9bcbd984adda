//! Rounds: one step of an incremental read, from an offset to the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::chats::Chats;
use super::conversations::{Conversations, Family, Round, days};
use super::engine::{self, Outcome, Reader};
use super::item::Item;
use super::job::Job;
use super::known::Known;
use super::listed::Key;
use super::offset::{Offset, Phase};
use super::roster;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_base::options::Strategy;
use teams_client::request::Request;

/// What is read in rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    ChannelMessages,
    ChatMessages,
    Chats,
}

/// Where a step ended: the offset to go on from, or `None` when it is too early for a new round.
pub type Ended = Option<Offset>;

/// Takes one step. An error is returned only when nothing was gained: a failed scope stays open in the offset, what
/// was read can be committed, and the next step meets the failure again.
pub async fn step(job: &Job, rounds: Rounds, start: Option<&Offset>) -> Result<Ended> {
    let offset = match start {
        Some(offset) if offset.phase != Phase::Done => offset.clone(),
        finished => {
            let parents = enumerate(job, rounds).await?;
            let until = server_time(job, rounds).await;
            // A round that found nothing left the offset as it was, so that only the session knows of it.
            let last = |last: &Offset| job.polled.map_or(last.until, |polled| polled.max(last.until));
            if finished.is_some_and(|finished| until.duration_since(last(finished)) < min_poll(job)) {
                return Ok(None);
            }
            keep(job, rounds, until, parents.into());
            begin(job, rounds, finished, until)
        }
    };
    let begun = offset.clone();
    let mut offset = offset;
    let parents = parents(job, rounds, offset.until).await?;
    loop {
        let (outcome, round) = run(job, rounds, &offset, &parents).await;
        let is_over = outcome.open.is_empty() && !outcome.left;
        let failure = outcome.failure;
        let left = [outcome.open.as_slice(), &outcome.fresh].concat();
        job.listed.keep_children(&key(job, rounds, offset.until), &left, outcome.after.as_ref());
        offset = advance(job, &offset, round, outcome.after, &outcome.open);
        if let Some(error) = failure {
            // Rows alone are no gain: a step that leads nowhere repeats those of the step before.
            return if offset == begun || error.ends_run() && job.sink.rows() == 0 {
                Err(error)
            } else {
                Ok(Some(offset))
            };
        }
        if !is_over {
            return Ok(Some(offset));
        }
        if !next_phase(job, rounds, &mut offset) {
            return Ok(Some(finish(job, start, offset)));
        }
    }
}

pub(super) fn min_poll(job: &Job) -> SignedDuration {
    SignedDuration::try_from(job.options.min_poll).unwrap_or(SignedDuration::ZERO)
}

pub async fn enumerate(job: &Job, rounds: Rounds) -> Result<Vec<String>> {
    match rounds {
        Rounds::ChannelMessages => roster::teams(job).await,
        Rounds::ChatMessages if !job.options.chat_ids.is_empty() => Ok(vec![String::new()]),
        Rounds::Chats | Rounds::ChatMessages => roster::users(job).await,
    }
}

pub fn key(job: &Job, rounds: Rounds, until: Timestamp) -> Key {
    Key { rounds, options: Arc::clone(&job.options), until }
}

/// Keeps what was listed for a round that begins.
pub fn keep(job: &Job, rounds: Rounds, until: Timestamp, parents: Arc<[String]>) {
    if job.scopes.is_none() {
        job.listed.keep(key(job, rounds, until), parents, job.client.now().unwrap_or(until));
    }
}

/// The parents of a round under way: as they were listed for it, or anew where this session has not.
pub async fn parents(job: &Job, rounds: Rounds, until: Timestamp) -> Result<Arc<[String]>> {
    let listed = job.listed.parents(&key(job, rounds, until), job.client.now()).filter(|_| job.scopes.is_none());
    if let Some(parents) = listed {
        return Ok(parents);
    }
    let parents: Arc<[String]> = enumerate(job, rounds).await?.into();
    keep(job, rounds, until, Arc::clone(&parents));
    Ok(parents)
}

/// Graph's clock. Where nothing had to be listed it is asked for by a small request, of which only the `Date` counts.
pub async fn server_time(job: &Job, rounds: Rounds) -> Timestamp {
    let options = &job.options;
    let is_named = !options.team_ids.is_empty() || !options.user_ids.is_empty() || !options.chat_ids.is_empty();
    // A share of the scopes is not listed either, and often comes to a process that has asked nothing yet.
    if is_named || job.scopes.is_some() && job.client.now().is_none() {
        let team = options.team_ids.first().or(job.scopes.as_ref().and_then(|scopes| scopes.first()));
        let request = match rounds {
            Rounds::ChannelMessages => team.map(|team| {
                let request = Request::new(&endpoint::TEAM, &["teams", team], format!("team {team}"));
                request.team(team).query("$select", "id")
            }),
            Rounds::Chats | Rounds::ChatMessages => {
                Some(Request::new(&endpoint::USERS, &["users"], "the clock").query("$select", "id").query("$top", 1))
            }
        };
        if let Some(request) = request {
            // Refused or not, the answer has a date; what is wrong with the scope shows when it is read.
            drop(job.client.get(&request, |_| Ok(())).await);
        }
    }
    job.client.now().unwrap_or_else(|| {
        job.report().note("the server sends no Date header, so the clock of this machine is used");
        Timestamp::now()
    })
}

pub(super) fn begin(job: &Job, rounds: Rounds, last: Option<&Offset>, until: Timestamp) -> Offset {
    let Some(last) = last else {
        return Offset {
            phase: Phase::Read,
            since: None,
            until,
            swept: Some(until),
            export: true,
            after: None,
            open: Vec::new(),
            known: Known::default(),
        };
    };
    let mut offset = Offset { phase: Phase::Read, since: Some(last.until), until, after: None, ..last.clone() };
    offset.known.begin_round();
    // Lists of channels do not show late edits of old replies. Those of chats do, but quiet chats were not asked while
    // there seemed to be an export to sweep.
    let is_listed = !offset.export || rounds == Rounds::ChannelMessages && job.options.strategy == Strategy::Channels;
    if is_listed && is_sweep_due(&offset) {
        let swept = offset.swept.unwrap_or(until);
        offset.known.forget_due(days(swept, until), job.options.resweep_days);
        offset.swept = Some(until);
    }
    offset
}

fn is_sweep_due(offset: &Offset) -> bool {
    super::conversations::is_sweep_due(offset.swept, offset.until)
}

async fn run(job: &Job, rounds: Rounds, offset: &Offset, parents: &[String]) -> (Outcome, Round) {
    let is_left = |scope: &&String| offset.after.as_ref().is_none_or(|after| *scope > after);
    let scopes = parents.iter().filter(is_left).cloned().collect();
    let round = Round {
        phase: offset.phase,
        since: offset.since,
        until: offset.until,
        swept: offset.swept,
        known: Mutex::new(offset.known.clone()),
        export: AtomicBool::new(offset.export),
    };
    let open = reopen(job, offset);
    match rounds {
        Rounds::ChannelMessages | Rounds::ChatMessages => {
            let family = if rounds == Rounds::ChannelMessages { Family::Channels } else { Family::Chats };
            let reader = Conversations::new(job, family, round);
            (drive(job, &reader, open, scopes, offset).await, reader.round)
        }
        Rounds::Chats => {
            let reader = Chats::new(job, round);
            (drive(job, &reader, open, scopes, offset).await, reader.round)
        }
    }
}

async fn drive(job: &Job, reader: &dyn Reader, open: Vec<Item>, scopes: Vec<String>, offset: &Offset) -> Outcome {
    engine::run(reader, open, scopes, offset.after.clone(), &job.caps, offset.room(), || job.sink.rows()).await
}

/// Half-read scopes go on at their page; a link that is not to be followed restarts its scope.
fn reopen(job: &Job, offset: &Offset) -> Vec<Item> {
    let anywhere = Request::new(&endpoint::TEAMS, &["teams"], "an offset");
    offset.open.iter().map(|open| Item::from_open(open, |link| job.client.link(link, &anywhere).ok())).collect()
}

fn advance(job: &Job, offset: &Offset, round: Round, after: Option<String>, open: &[Item]) -> Offset {
    let mut open: Vec<_> = open.iter().map(Item::to_open).collect();
    // In which order they failed says nothing.
    open.sort_by(|a, b| (&a.scope, a.from).cmp(&(&b.scope, b.from)));
    let mut next = Offset {
        export: round.export.load(Ordering::Relaxed),
        known: round.known.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
        after,
        open,
        ..offset.clone()
    };
    if next.drop_links() > 0 {
        job.report().note(
            "the slow way: the server's links are so long that they do not all fit into an offset, so some scopes that \
             were half-read at a pause begin again",
        );
    }
    next
}

/// Moves to the round's next phase, if it has one.
pub(super) fn next_phase(job: &Job, rounds: Rounds, offset: &mut Offset) -> bool {
    let sweeps = rounds != Rounds::Chats
        && job.options.strategy == Strategy::Auto
        && job.options.chat_ids.is_empty()
        && offset.export
        && is_sweep_due(offset);
    offset.after = None;
    if offset.phase == Phase::Read {
        offset.known.end_round();
    }
    if offset.phase == Phase::Read && sweeps {
        offset.phase = Phase::Sweep;
        return true;
    }
    if offset.phase == Phase::Sweep {
        offset.swept = Some(offset.until);
    }
    offset.phase = Phase::Done;
    job.listed.forget(&key(job, rounds, offset.until));
    false
}

/// A round over unchanged data returns the offset it started from.
fn finish(job: &Job, start: Option<&Offset>, offset: Offset) -> Offset {
    let Some(start) = start else { return offset };
    let is_same = start.phase == Phase::Done
        && job.sink.rows() == 0
        && (start.swept, start.export, &start.known) == (offset.swept, offset.export, &offset.known);
    if is_same { start.clone() } else { offset }
}
