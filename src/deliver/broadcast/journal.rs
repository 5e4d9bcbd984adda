//! What was sent and what became of it: an event per line, and an attempt is on disk before its message leaves.

use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::connector::State;
use teams_base::error::{Error, Result};
use teams_journal::append_log::{self, AppendLog};

/// A line of the journal. Recipients are named by their place among the frozen ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// A run begins, at this time.
    #[serde(rename = "r")]
    Run { t: i64 },
    /// Where a recipient is written to.
    #[serde(rename = "o")]
    Opened { i: u32, c: String, s: String },
    /// That conversation is no longer good.
    #[serde(rename = "x")]
    Forgotten { i: u32 },
    /// A message is about to be sent.
    #[serde(rename = "a")]
    Attempt { i: u32, t: i64 },
    /// It was taken; `k` is the digest of the card.
    #[serde(rename = "s")]
    Sent {
        i: u32,
        t: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        k: u64,
        /// The status, and how many times it was refused for its rate before.
        h: u16,
        #[serde(default, skip_serializing_if = "is_zero")]
        n: u32,
    },
    /// What became of it otherwise.
    #[serde(rename = "f")]
    Ended {
        i: u32,
        state: State,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        code: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        h: Option<u16>,
        #[serde(default, skip_serializing_if = "is_zero")]
        n: u32,
    },
    /// The card was replaced.
    #[serde(rename = "u")]
    Updated { i: u32, k: u64 },
    /// What was sent could not be replaced or taken back.
    #[serde(rename = "c")]
    Kept { i: u32, code: String, why: String },
    /// The message was taken back.
    #[serde(rename = "d")]
    Recalled { i: u32 },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is known of a recipient.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub state: State,
    pub conversation: Option<Box<str>>,
    pub service: Option<Box<str>>,
    pub activity: Option<Box<str>>,
    pub attempts: u16,
    pub throttled: u16,
    /// Statuses of the answers, the newest last.
    pub codes: Vec<u16>,
    pub error: Option<Box<(String, String)>>,
    /// Milliseconds since 1970; of an attempt until its answer is known.
    pub sent_at: i64,
    /// Digest of the card that stands there.
    pub card: u64,
}

/// Statuses that are kept of a recipient.
const MOST_CODES: usize = 16;

impl Entry {
    fn answered(&mut self, status: Option<u16>, throttled: u32) {
        self.throttled = self.throttled.saturating_add(throttled.min(u32::from(u16::MAX)) as u16);
        let refused = std::iter::repeat_n(429, throttled.min(MOST_CODES as u32) as usize);
        self.codes.extend(refused.chain(status));
        let surplus = self.codes.len().saturating_sub(MOST_CODES);
        self.codes.drain(..surplus);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Run { .. } => {}
            Event::Opened { c, s, .. } => {
                self.conversation = Some(c.into());
                self.service = Some(s.into());
            }
            Event::Forgotten { .. } => self.conversation = None,
            Event::Attempt { t, .. } => {
                self.state = State::Attempting;
                self.attempts = self.attempts.saturating_add(1);
                self.sent_at = t;
            }
            Event::Sent { t, id, k, h, n, .. } => {
                self.state = State::Succeeded;
                self.sent_at = t;
                self.activity = id.map(Into::into);
                self.card = k;
                self.error = None;
                self.answered(Some(h), n);
            }
            Event::Ended { state, code, why, h, n, .. } => {
                self.state = state;
                self.answered(h, n);
                self.error = (!code.is_empty() || !why.is_empty()).then(|| Box::new((code, why)));
            }
            Event::Updated { k, .. } => {
                self.card = k;
                self.error = None;
            }
            Event::Kept { code, why, .. } => self.error = Some(Box::new((code, why))),
            Event::Recalled { .. } => {
                self.state = State::Recalled;
                self.error = None;
            }
        }
    }
}

impl Event {
    fn recipient(&self) -> Option<u32> {
        match self {
            Self::Run { .. } => None,
            Self::Opened { i, .. }
            | Self::Forgotten { i }
            | Self::Attempt { i, .. }
            | Self::Sent { i, .. }
            | Self::Ended { i, .. }
            | Self::Updated { i, .. }
            | Self::Kept { i, .. }
            | Self::Recalled { i } => Some(*i),
        }
    }
}

#[derive(Default)]
struct Known {
    entries: Vec<Entry>,
    runs: u32,
    /// Of the last run, or zero.
    began: i64,
}

impl Known {
    fn take(&mut self, event: Event) {
        match event.recipient() {
            None => {
                if let Event::Run { t } = event {
                    self.runs += 1;
                    self.began = t;
                }
            }
            Some(at) => {
                let at = at as usize;
                if self.entries.len() <= at {
                    self.entries.resize_with(at + 1, Entry::default);
                }
                self.entries[at].take(event);
            }
        }
    }
}

/// The journal of one broadcast.
pub struct Journal {
    known: Mutex<Known>,
    /// None: it is only read.
    log: Option<AppendLog>,
}

impl Journal {
    /// Reads what is there, and goes on writing behind it.
    pub fn open(path: &Path) -> Result<Self> {
        let mut known = Known::default();
        let log = AppendLog::open(path, |event| known.take(event))?;
        Ok(Self { known: Mutex::new(known), log: Some(log) })
    }

    /// Reads what is there, which may be what another process is writing.
    pub fn read(path: &Path) -> Result<Self> {
        let mut known = Known::default();
        append_log::read(path, |event| known.take(event))?;
        Ok(Self { known: Mutex::new(known), log: None })
    }

    fn log(&self) -> Result<&AppendLog> {
        self.log.as_ref().ok_or_else(|| Error::Internal("a journal that is only read".to_owned()))
    }

    /// Notes an event; it is on disk at the latest with the next one that waits.
    pub fn note(&self, event: Event) -> Result<()> {
        self.log()?.note(&event)?;
        self.known.lock().take(event);
        Ok(())
    }

    /// Notes an event, and returns once it is on disk.
    pub async fn keep(&self, event: Event) -> Result<()> {
        self.log()?.keep(&event).await?;
        self.known.lock().take(event);
        Ok(())
    }

    pub fn entry(&self, at: usize) -> Entry {
        self.known.lock().entries.get(at).cloned().unwrap_or_default()
    }

    pub fn state(&self, at: usize) -> State {
        self.known.lock().entries.get(at).map_or(State::Queued, |entry| entry.state)
    }

    /// When the last run began, in milliseconds since 1970; zero before the first.
    pub fn began(&self) -> i64 {
        self.known.lock().began
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("broadcast-journal-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal");
        let _ = std::fs::remove_file(&path);
        path
    }

    #[tokio::test]
    async fn what_was_kept_is_read_again() {
        let path = path("again");
        {
            let journal = Journal::open(&path).unwrap();
            journal.note(Event::Run { t: 9 }).unwrap();
            journal.note(Event::Opened { i: 2, c: "a:1".into(), s: "https://x".into() }).unwrap();
            journal.keep(Event::Attempt { i: 2, t: 10 }).await.unwrap();
            journal.note(Event::Sent { i: 2, t: 11, id: Some("77".into()), k: 5, h: 201, n: 2 }).unwrap();
            journal.keep(Event::Attempt { i: 3, t: 12 }).await.unwrap();
            let ended =
                Event::Ended { i: 4, state: State::Blocked, code: "c".into(), why: "w".into(), h: Some(403), n: 0 };
            journal.note(ended).unwrap();
        }
        let journal = Journal::read(&path).unwrap();
        let entry = journal.entry(2);
        assert_eq!((entry.state, entry.attempts, entry.throttled, entry.sent_at), (State::Succeeded, 1, 2, 11));
        assert_eq!((entry.codes, entry.activity.as_deref()), (vec![429, 429, 201], Some("77")));
        assert_eq!(journal.state(3), State::Attempting);
        assert_eq!(journal.entry(4).error.unwrap().1, "w");
        assert_eq!((journal.state(0), journal.state(99), journal.began()), (State::Queued, State::Queued, 9));
        assert!(journal.note(Event::Recalled { i: 2 }).is_err(), "it is only read");
    }
}
