//! What was sent and what became of it. A line per event in a file that only grows; an attempt is on disk before its
//! request leaves. After a crash the file is read again, without its last line where that is not whole.

use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use teams_base::error::{Error, Result};
use teams_journal::append_log::{self, AppendLog};

/// A line of the journal. Containers and teams are named by their place in the plan, posts by theirs in the container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// The application that owns the sessions.
    #[serde(rename = "app")]
    App { client_id: String },
    /// Something that is done once: a team completed, members added, a mark taken out.
    #[serde(rename = "dn")]
    Done { what: String },
    /// A team is about to be made.
    #[serde(rename = "tm")]
    Team { team: usize, made: Option<String> },
    #[serde(rename = "ct")]
    Container { container: usize, change: Change },
    /// A post is about to be sent with this time.
    #[serde(rename = "a")]
    Attempt {
        c: u32,
        i: u32,
        t: i64,
        /// As of a post: so what was sent is known when it is found later.
        h: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        g: Vec<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        u: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        n: Vec<String>,
    },
    #[serde(rename = "p")]
    Posted {
        c: u32,
        i: u32,
        t: i64,
        id: String,
        /// Of the body as it was sent, and of the bytes of its images.
        h: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        g: Vec<u64>,
        /// Another author than planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        u: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        n: Vec<String>,
    },
    /// It stands in Teams, and its id could not be read yet.
    #[serde(rename = "l")]
    Landed { c: u32, i: u32, h: u64 },
    /// The attempt certainly had no effect.
    #[serde(rename = "o")]
    Open { c: u32, i: u32 },
    #[serde(rename = "r")]
    Refused { c: u32, i: u32, code: String, reason: String },
}

/// What became of a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Change {
    Making,
    Made {
        id: String,
        team: Option<String>,
        kind: super::plan::Kind,
        migrates: bool,
    },
    /// startMigration is about to be sent.
    Opening,
    Opened,
    Completed,
    /// Its chat of two cannot be opened: a group chat takes its place.
    Grouped,
    Note {
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Pending,
    Attempting,
    Posted,
    Refused,
}

/// What is known of a post.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub state: State,
    /// It stands in Teams although its id is not known.
    pub landed: bool,
    pub attempts: u16,
    /// Milliseconds since 1970, as they were sent.
    pub at: i64,
    pub id: Option<Box<str>>,
    pub hash: u64,
    pub more: Option<Box<More>>,
}

#[derive(Debug, Clone, Default)]
pub struct More {
    pub author: Option<String>,
    pub notes: Vec<String>,
    pub images: Vec<u64>,
    pub code: String,
    pub reason: String,
}

#[derive(Debug, Clone, Default)]
pub struct TeamState {
    pub making: bool,
    pub id: Option<String>,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an event of its own")]
pub struct ContainerState {
    pub making: bool,
    pub id: Option<String>,
    pub team: Option<String>,
    pub kind: Option<super::plan::Kind>,
    /// startMigration may have been sent.
    pub opening: bool,
    pub opened: bool,
    pub completed: bool,
    /// It was made by this run, so that everything in it is its own.
    pub made: bool,
    pub notes: Vec<String>,
}

#[derive(Default)]
struct Known {
    app: Option<String>,
    done: std::collections::HashSet<String>,
    teams: Vec<TeamState>,
    containers: Vec<ContainerState>,
    posts: Vec<Vec<Entry>>,
}

impl Known {
    fn take(&mut self, event: &Event) {
        match event {
            Event::App { client_id } => self.app = Some(client_id.clone()),
            Event::Done { what } => {
                self.done.insert(what.clone());
            }
            Event::Team { team, made } => {
                let state = at(&mut self.teams, *team);
                state.making = true;
                state.id.clone_from(made);
            }
            Event::Container { container, change } => at(&mut self.containers, *container).take(change),
            Event::Attempt { c, i, t, h, g, u, n } => {
                let entry = self.post(*c, *i);
                entry.state = State::Attempting;
                entry.attempts = entry.attempts.saturating_add(1);
                entry.sent(*t, *h, g, u.as_ref(), n);
            }
            Event::Posted { c, i, t, id, h, g, u, n } => {
                let entry = self.post(*c, *i);
                entry.state = State::Posted;
                entry.id = Some(id.as_str().into());
                entry.sent(*t, *h, g, u.as_ref(), n);
            }
            Event::Landed { c, i, h } => {
                let entry = self.post(*c, *i);
                entry.landed = true;
                entry.hash = *h;
            }
            Event::Open { c, i } => self.post(*c, *i).state = State::Pending,
            Event::Refused { c, i, code, reason } => {
                let entry = self.post(*c, *i);
                entry.state = State::Refused;
                let more = entry.more.get_or_insert_default();
                more.code.clone_from(code);
                more.reason.clone_from(reason);
            }
        }
    }

    fn post(&mut self, container: u32, place: u32) -> &mut Entry {
        at(at(&mut self.posts, container as usize), place as usize)
    }
}

impl Entry {
    fn sent(&mut self, at: i64, hash: u64, images: &[u64], author: Option<&String>, notes: &[String]) {
        self.at = at;
        self.hash = hash;
        if self.more.is_none() && images.is_empty() && author.is_none() && notes.is_empty() {
            return;
        }
        let more = self.more.get_or_insert_default();
        more.images = images.to_vec();
        more.author = author.cloned();
        more.notes = notes.to_vec();
    }
}

impl ContainerState {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Making => self.making = true,
            Change::Made { id, team, kind, migrates } => {
                self.id = Some(id.clone());
                self.team.clone_from(team);
                self.kind = Some(*kind);
                // Asking for a chat of two gives the one there is.
                self.made = (self.making || *migrates) && *kind != super::plan::Kind::OneOnOne;
                self.opened |= migrates;
            }
            Change::Opening => self.opening = true,
            Change::Opened => {
                self.opened = true;
                self.opening = false;
                self.completed = false;
            }
            Change::Completed => {
                self.completed = true;
                self.opened = false;
            }
            Change::Grouped => {
                let notes = std::mem::take(&mut self.notes);
                *self = Self { kind: Some(super::plan::Kind::Group), notes, ..Self::default() };
                self.note(GROUPED);
            }
            Change::Note { text } => self.note(text),
        }
    }
}

impl ContainerState {
    fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|known| known == text) {
            self.notes.push(text.to_owned());
        }
    }

    /// Whether a group chat takes the place of a chat of two that cannot be opened.
    pub fn is_grouped(&self) -> bool {
        self.notes.iter().any(|note| note == GROUPED)
    }
}

const GROUPED: &str = "a chat of two became a group chat, because Teams does not take its import";

fn at<T: Default>(list: &mut Vec<T>, place: usize) -> &mut T {
    if list.len() <= place {
        list.resize_with(place + 1, T::default);
    }
    &mut list[place]
}

/// The journal of one run.
pub struct Journal {
    known: Mutex<Known>,
    /// None: it is only read.
    log: Option<AppendLog>,
}

impl Journal {
    /// Reads what is there, and goes on writing behind it.
    pub fn open(path: &Path) -> Result<Self> {
        let mut known = Known::default();
        let log = AppendLog::open(path, |event: Event| known.take(&event))?;
        Ok(Self { known: Mutex::new(known), log: Some(log) })
    }

    /// Reads what is there.
    pub fn read(path: &Path) -> Result<Self> {
        let mut known = Known::default();
        append_log::read(path, |event: Event| known.take(&event))?;
        Ok(Self { known: Mutex::new(known), log: None })
    }

    fn log(&self) -> Result<&AppendLog> {
        self.log.as_ref().ok_or_else(|| Error::Internal("a journal that is only read".to_owned()))
    }

    /// Notes an event; it is on disk at the latest with the next one that waits.
    pub fn note(&self, event: &Event) -> Result<()> {
        self.known.lock().take(event);
        self.log()?.note(event)
    }

    /// Notes an event, and returns once it is on disk.
    pub async fn keep(&self, event: &Event) -> Result<()> {
        self.known.lock().take(event);
        self.log()?.keep(event).await
    }

    pub fn app(&self) -> Option<String> {
        self.known.lock().app.clone()
    }

    pub fn is_done(&self, what: &str) -> bool {
        self.known.lock().done.contains(what)
    }

    pub fn team(&self, team: usize) -> TeamState {
        self.known.lock().teams.get(team).cloned().unwrap_or_default()
    }

    pub fn container(&self, container: usize) -> ContainerState {
        self.known.lock().containers.get(container).cloned().unwrap_or_default()
    }

    pub fn post(&self, container: usize, place: usize) -> Entry {
        let known = self.known.lock();
        known.posts.get(container).and_then(|posts| posts.get(place)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("journal-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal");
        let _ = std::fs::remove_file(&path);
        path
    }

    fn attempt(c: u32, i: u32, t: i64) -> Event {
        Event::Attempt { c, i, t, h: 0, g: Vec::new(), u: None, n: Vec::new() }
    }

    fn posted(i: u32) -> Event {
        Event::Posted { c: 1, i, t: 5, id: "77".into(), h: 9, g: vec![3], u: None, n: vec!["n".into()] }
    }

    #[tokio::test]
    async fn what_was_kept_is_read_again() {
        let path = path("again");
        {
            let journal = Journal::open(&path).unwrap();
            journal.keep(&Event::App { client_id: "a".into() }).await.unwrap();
            journal.keep(&attempt(1, 2, 4)).await.unwrap();
            journal.keep(&attempt(1, 2, 5)).await.unwrap();
            journal.note(&posted(2)).unwrap();
            journal.keep(&attempt(1, 3, 6)).await.unwrap();
            journal.note(&Event::Refused { c: 0, i: 0, code: "x".into(), reason: "y".into() }).unwrap();
        }
        let journal = Journal::read(&path).unwrap();
        assert_eq!(journal.app().as_deref(), Some("a"));
        let entry = journal.post(1, 2);
        assert_eq!((entry.state, entry.attempts, entry.at, entry.id.as_deref()), (State::Posted, 2, 5, Some("77")));
        assert_eq!((journal.post(1, 3).state, journal.post(1, 3).at), (State::Attempting, 6));
        assert_eq!((journal.post(0, 0).state, journal.post(9, 9).state), (State::Refused, State::Pending));
    }

    #[tokio::test]
    async fn a_torn_tail_is_cut_off_and_what_stood_before_it_stays() {
        let path = path("torn");
        Journal::open(&path).unwrap().keep(&attempt(0, 0, 1)).await.unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut next = serde_json::to_vec(&posted(0)).unwrap();
        next.push(b'\n');
        for cut in 0..next.len() {
            std::fs::write(&path, [&whole[..], &next[..cut]].concat()).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.post(0, 0).state, State::Attempting, "{cut}");
            journal.keep(&Event::Open { c: 0, i: 0 }).await.unwrap();
            drop(journal);
            assert_eq!(Journal::read(&path).unwrap().post(0, 0).state, State::Pending, "{cut}");
        }
        std::fs::write(&path, [&whole[..], b"\0\0\0\n"].concat()).unwrap();
        assert_eq!(Journal::read(&path).unwrap().post(0, 0).state, State::Attempting);
        std::fs::write(&path, [b"{\"zz\":1}\n", &whole[..]].concat()).unwrap();
        assert!(Journal::read(&path).is_err(), "a line in the middle that cannot be read is no torn tail");
    }
}
