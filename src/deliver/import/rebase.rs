//! The journal of an import that is staged anew, because its source or its mappings changed: what was sent stays sent.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::journal::{Change, Entry, Event, Journal, State};
use super::plan::{Plan, Team};
use super::spool::{Item, Spool};
use teams_base::error::{Error, Result};

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("The import could not be staged anew: {error}"))
}

fn plan_of(folder: &Path) -> Result<Plan> {
    serde_json::from_str(&std::fs::read_to_string(folder.join("plan.json")).map_err(failed)?).map_err(failed)
}

/// Writes the journal of `new` from that of `old`, and returns how many posts it knows. Refused where a message that was
/// sent is no longer in the source: the counts would not add up any more.
pub fn rebase(old: &Path, new: &Path) -> Result<u64> {
    let (before, after) = (plan_of(old)?, plan_of(new)?);
    let journal = Journal::read(&old.join("journal"))?;
    let mut file = BufWriter::new(std::fs::File::create(new.join("journal")).map_err(failed)?);
    let mut write = |event: &Event| -> Result<()> {
        serde_json::to_writer(&mut file, event).map_err(failed)?;
        file.write_all(b"\n").map_err(failed)
    };
    if let Some(client_id) = journal.app() {
        write(&Event::App { client_id })?;
    }
    let is_same = |one: &Team, other: &Team| one.id == other.id && one.name == other.name;
    for (at, team) in before.teams.iter().enumerate() {
        let state = journal.team(at);
        let Some(now) = after.teams.iter().position(|other| is_same(team, other)) else {
            if state.making {
                return Err(failed(format!("team {:?} was made already and is not in the plan any more", team.name)));
            }
            continue;
        };
        if now != at && state.making {
            return Err(failed("the teams are in another order than before"));
        }
        if state.making {
            write(&Event::Team { team: now, made: state.id })?;
        }
        let what = format!("team {at} completed");
        if journal.is_done(&what) {
            write(&Event::Done { what })?;
        }
    }
    let places: HashMap<&str, usize> =
        after.containers.iter().enumerate().map(|(at, container)| (container.source.as_str(), at)).collect();
    let mut known = 0;
    for (at, container) in before.containers.iter().enumerate() {
        let sent = sent(old, &journal, at)?;
        let Some(&now) = places.get(container.source.as_str()) else {
            if sent.is_empty() {
                continue;
            }
            return Err(failed(format!(
                "container {:?} was sent in part and is not in the plan any more",
                container.name
            )));
        };
        let state = journal.container(at);
        let mut change = |change: Change| write(&Event::Container { container: now, change });
        for text in &state.notes {
            change(Change::Note { text: text.clone() })?;
        }
        if state.is_grouped() {
            change(Change::Grouped)?;
        }
        if state.making {
            change(Change::Making)?;
        }
        if let (Some(id), Some(kind)) = (state.id.clone(), state.kind) {
            change(Change::Made { id, team: state.team.clone(), kind, migrates: state.made && !state.making })?;
        }
        for (is_so, what) in
            [(state.opening, Change::Opening), (state.opened, Change::Opened), (state.completed, Change::Completed)]
        {
            if is_so {
                change(what)?;
            }
        }
        known += carry(new, now, sent, &mut write)?;
    }
    file.into_inner().map_err(failed)?.sync_all().map_err(failed)?;
    Ok(known)
}

type Sent = HashMap<(String, u32), Entry>;

/// What was attempted, posted or refused, by the source's id and the part.
fn sent(folder: &Path, journal: &Journal, container: usize) -> Result<Sent> {
    let mut sent = HashMap::new();
    for (place, item) in Spool::of(folder, container).items().map_err(failed)?.enumerate() {
        let Item { source_id, part, left, .. } = item.map_err(failed)?;
        let entry = journal.post(container, place);
        if left.is_none() && entry.state != State::Pending {
            sent.insert((source_id, part), entry);
        }
    }
    Ok(sent)
}

fn carry(folder: &Path, container: usize, mut sent: Sent, write: &mut impl FnMut(&Event) -> Result<()>) -> Result<u64> {
    let c = container as u32;
    let mut known = 0;
    for (place, item) in Spool::of(folder, container).items().map_err(failed)?.enumerate() {
        let Item { source_id, part, left, .. } = item.map_err(failed)?;
        if left.is_some() {
            continue;
        }
        let Some(entry) = sent.remove(&(source_id, part)) else { continue };
        let i = place as u32;
        for _ in 0..entry.attempts.max(1) {
            write(&Event::Attempt { c, i, t: entry.at })?;
        }
        let more = entry.more.unwrap_or_default();
        match (entry.state, entry.id) {
            (State::Posted, Some(id)) => {
                let (t, h) = (entry.at, entry.hash);
                write(&Event::Posted { c, i, t, id: id.into(), h, g: more.images, u: more.author, n: more.notes })?;
            }
            // Refused once, it has another chance with other mappings.
            (State::Refused, _) => write(&Event::Open { c, i })?,
            _ if entry.landed => write(&Event::Landed { c, i, h: entry.hash })?,
            _ => {}
        }
        known += 1;
    }
    match sent.into_iter().find(|(_, entry)| entry.state != State::Refused) {
        None => Ok(known),
        Some(((source_id, part), _)) => Err(failed(format!(
            "message {source_id:?} (part {part}) was sent already and is not in the source any more, or is split otherwise. \
             Take the changes of the source or of the mappings back, or import into another target"
        ))),
    }
}
