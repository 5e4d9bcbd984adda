//! What is known of our subscriptions, on disk before and after each request that changes one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::plan::{Place, Planned};
use crate::notify::registry::Known;
use crate::private_file;
use teams_base::error::{Error, Result};
use teams_base::secret::Secret;

/// Subscriptions that a new one took the place of: what was on its way still comes.
const FORMER: usize = 8;
/// Random bytes of a clientState: as base64 they stay far below Graph's 128 characters.
const STATE_BYTES: usize = 48;

/// A subscription of ours.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    pub resource: String,
    pub change_type: String,
    pub tables: Vec<String>,
    pub scope: Place,
    client_state: String,
    /// `None` while it is being made.
    pub id: Option<String>,
    pub former: Vec<String>,
    /// The label of the key that it names.
    pub key: String,
    pub renewed_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// When it was certainly alive; what came later may be lost once it is gone.
    pub alive_at: Option<Timestamp>,
    /// Whether it was there before: then its next one has taken its place.
    pub was_there: bool,
    /// Since when Graph asks for a renewal.
    pub asked_at: Option<Timestamp>,
    /// How often the last action failed in a row, and when it is tried again.
    pub failures: u32,
    pub retry_at: Option<Timestamp>,
    pub last_notification: Option<Timestamp>,
}

impl Entry {
    pub fn new(planned: &Planned) -> Self {
        let mut random = [0; STATE_BYTES];
        aws_lc_rs::rand::fill(&mut random).expect("the operating system has random bytes");
        let state = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, random);
        Self {
            resource: planned.resource.clone(),
            change_type: planned.change_type.to_owned(),
            tables: planned.tables.clone(),
            scope: planned.scope.clone(),
            client_state: state,
            id: None,
            former: Vec::new(),
            key: String::new(),
            renewed_at: None,
            expires_at: None,
            alive_at: None,
            was_there: false,
            asked_at: None,
            failures: 0,
            retry_at: None,
            last_notification: None,
        }
    }

    pub fn client_state(&self) -> Secret {
        Secret::new(self.client_state.clone())
    }

    fn known(&self) -> Known {
        Known {
            ids: self.id.iter().chain(&self.former).cloned().collect(),
            is_pending: self.id.is_none(),
            client_state: self.client_state(),
            tables: self.tables.clone(),
        }
    }

    pub fn is_ours(&self, id: &str) -> bool {
        self.id.iter().chain(&self.former).any(|own| own.eq_ignore_ascii_case(id))
    }

    /// It is there no more.
    pub fn gone(&mut self) {
        if let Some(id) = self.id.take() {
            self.former.insert(0, id);
            self.former.truncate(FORMER);
        }
        (self.expires_at, self.renewed_at, self.asked_at) = (None, None, None);
        (self.failures, self.retry_at) = (0, None);
    }

    /// Half of its life is over, or Graph asks for it.
    pub fn renew_at(&self) -> Option<Timestamp> {
        if let Some(asked) = self.asked_at {
            return Some(asked);
        }
        let (from, until) = (self.renewed_at?, self.expires_at?);
        from.checked_add(until.duration_since(from) / 2).ok()
    }
}

/// A stretch of time in which changes may have been missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub resource: String,
    pub tables: Vec<String>,
    pub scope: Place,
    /// `None`: from the beginning.
    pub since: Option<Timestamp>,
    pub until: Timestamp,
    pub reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The subscription is new: what was before it has to be read.
    Created,
    Recreated,
    Expired,
    Removed,
    /// Graph says that it could not deliver.
    Missed,
    /// Graph was not allowed to deliver for a while.
    Unauthorized,
    /// Nobody listened for a while.
    Restarted,
}

#[derive(Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    subscriptions: Vec<Entry>,
    #[serde(default)]
    gaps: Vec<Gap>,
    /// When somebody listened last.
    #[serde(default)]
    listened_at: Option<Timestamp>,
}

pub struct State {
    path: PathBuf,
    stored: Stored,
}

impl State {
    pub fn open(path: &Path) -> Result<Self> {
        let stored = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Error::configuration(format!(
                    "{} cannot be read ({error}): move it away, and the subscriptions are made anew",
                    path.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stored::default(),
            Err(error) => return Err(unwritable(path, &error)),
        };
        Ok(Self { path: path.to_owned(), stored })
    }

    pub fn save(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.stored).map_err(|error| Error::Internal(error.to_string()))?;
        private_file::replace(&self.path, &text).map_err(|error| unwritable(&self.path, &error))
    }

    pub fn entries(&self) -> &[Entry] {
        &self.stored.subscriptions
    }

    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.stored.subscriptions
    }

    pub fn entry(&mut self, resource: &str) -> Option<&mut Entry> {
        self.stored.subscriptions.iter_mut().find(|entry| entry.resource == resource)
    }

    pub fn known(&self) -> Vec<Known> {
        self.stored.subscriptions.iter().map(Entry::known).collect()
    }

    pub fn gaps(&self) -> &[Gap] {
        &self.stored.gaps
    }

    pub fn listened_at(&self) -> Option<Timestamp> {
        self.stored.listened_at
    }

    pub fn listens(&mut self, now: Timestamp) {
        self.stored.listened_at = Some(now);
    }

    /// Notes a gap of an entry; gaps of one resource become one.
    pub fn gap(&mut self, resource: &str, since: Option<Timestamp>, until: Timestamp, reason: Reason) {
        let Some(entry) = self.stored.subscriptions.iter().find(|entry| entry.resource == resource) else { return };
        let (tables, scope) = (entry.tables.clone(), entry.scope.clone());
        match self.stored.gaps.iter_mut().find(|gap| gap.resource == resource) {
            Some(gap) => {
                gap.since = gap.since.min(since);
                gap.until = gap.until.max(until);
                gap.reason = reason;
                gap.tables = tables;
            }
            None => self.stored.gaps.push(Gap { resource: resource.to_owned(), tables, scope, since, until, reason }),
        }
    }

    /// A gap has been read up to a time.
    pub fn caught_up(&mut self, resource: &str, until: Timestamp) {
        for gap in self.stored.gaps.iter_mut().filter(|gap| gap.resource == resource) {
            gap.since = gap.since.max(Some(until));
        }
        self.stored.gaps.retain(|gap| gap.since.is_none_or(|since| since < gap.until));
    }

    pub fn forget(&mut self, resource: &str) {
        self.stored.subscriptions.retain(|entry| entry.resource != resource);
        self.stored.gaps.retain(|gap| gap.resource != resource);
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::configuration(format!("{} cannot be read or written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry::new(&Planned {
            resource: "/chats".to_owned(),
            change_type: "created",
            tables: vec!["chats".to_owned()],
            scope: Place::default(),
            permissions: &[],
            quota: "",
            max_minutes: 1,
        })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn everything_is_there_after_a_restart() {
        let path = std::env::temp_dir().join(format!("subscriptions-{}.json", uuid::Uuid::new_v4()));
        let mut state = State::open(&path).unwrap();
        state.entries_mut().push(Entry { id: Some("a".to_owned()), ..entry() });
        state.gap("/chats", None, at(5), Reason::Created);
        state.save().unwrap();
        let again = State::open(&path).unwrap();
        assert_eq!(again.entries()[0].client_state, state.entries()[0].client_state);
        assert!((60..=128).contains(&again.entries()[0].client_state.len()));
        assert_eq!(again.gaps(), state.gaps());
        fs::write(&path, "{").unwrap();
        assert!(State::open(&path).err().unwrap().to_string().contains("made anew"));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn gaps_grow_together_and_close_from_their_beginning() {
        let mut state = State { path: PathBuf::new(), stored: Stored::default() };
        state.entries_mut().push(entry());
        state.gap("/chats", Some(at(10)), at(20), Reason::Removed);
        state.gap("/chats", Some(at(5)), at(15), Reason::Missed);
        assert_eq!((state.gaps()[0].since, state.gaps()[0].until), (Some(at(5)), at(20)));
        state.caught_up("/chats", at(12));
        assert_eq!(state.gaps()[0].since, Some(at(12)));
        state.caught_up("/chats", at(20));
        assert!(state.gaps().is_empty());
        state.gap("/chats", None, at(20), Reason::Created);
        state.caught_up("/chats", at(20));
        assert!(state.gaps().is_empty());
    }

    #[test]
    fn it_is_renewed_at_half_of_its_life_and_when_graph_asks() {
        let mut entry = Entry { renewed_at: Some(at(0)), expires_at: Some(at(100)), ..entry() };
        assert_eq!(entry.renew_at(), Some(at(50)));
        entry.asked_at = Some(at(3));
        assert_eq!(entry.renew_at(), Some(at(3)));
        entry.id = Some("a".to_owned());
        entry.gone();
        assert!(entry.is_ours("A") && entry.id.is_none() && entry.renew_at().is_none());
    }
}
