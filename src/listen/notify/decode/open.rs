//! One item opened: proven where that is still due, decrypted, and what decides about it read.

use std::borrow::Cow;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::notify::item::{ChangeKind, Item, LifecycleKind, Members, Subject};
use crate::notify::keys::KeyRing;
use crate::notify::outcome::Outcome;
use crate::notify::registry::Registry;
use crate::notify::resource::Resource;
use teams_base::secret::Secret;
use teams_base::timestamp;

/// What is still to be proven of an item.
#[derive(Clone, Copy)]
pub enum Gate<'g> {
    /// Nothing: it was proven when it came.
    Proven,
    /// Its subscription and clientState.
    Registry(&'g Registry),
    /// Its clientState, of any of these; nothing where there are none.
    States(&'g [Secret]),
}

impl Gate<'_> {
    fn check(self, item: &Item<'_>) -> Result<(), Outcome> {
        let state = item.client_state.as_deref();
        match self {
            Self::Proven | Self::States([]) => Ok(()),
            Self::Registry(registry) => registry.check(&item.subscription, state),
            Self::States(states) => {
                let state = state.unwrap_or_default().as_bytes();
                let equal = |own: &Secret| {
                    aws_lc_rs::constant_time::verify_slices_are_equal(own.expose().as_bytes(), state).is_ok()
                };
                // All of them are compared.
                let found = states.iter().filter(|own| equal(own)).count();
                if found > 0 && !state.is_empty() { Ok(()) } else { Err(Outcome::ClientState) }
            }
        }
    }
}

/// What happened to one object.
pub struct Change {
    pub resource: Resource,
    /// The path as it came.
    pub path: String,
    pub kind: ChangeKind,
    /// The object as JSON, wiped when dropped.
    pub payload: Option<Zeroizing<String>>,
    /// When the object changed, as far as it tells.
    pub version: Option<Timestamp>,
    pub etag: Option<String>,
    pub arrived: Timestamp,
    pub subscription: String,
}

impl Change {
    /// What orders the versions of an object: what has none of its own is as new as its arrival.
    pub fn order(&self) -> Timestamp {
        self.version.unwrap_or(self.arrived)
    }
}

pub enum Opened {
    Change(Box<Change>),
    Lifecycle {
        event: LifecycleKind,
        subscription: String,
    },
    Oversized {
        subscription: String,
        storage: Option<String>,
    },
    /// Nothing else is to be done with it.
    Ended(Outcome),
}

pub fn open(text: &str, arrived: Timestamp, keys: &KeyRing, gate: Gate<'_>) -> Opened {
    let Some(item) = Item::read(text) else { return Opened::Ended(Outcome::Malformed) };
    opened(&item, arrived, keys, gate).unwrap_or_else(Opened::Ended)
}

fn opened(item: &Item<'_>, arrived: Timestamp, keys: &KeyRing, gate: Gate<'_>) -> Result<Opened, Outcome> {
    if matches!(item.subject, Subject::Validation) {
        return Err(Outcome::Validation);
    }
    gate.check(item)?;
    let subscription = item.subscription.clone().into_owned();
    let kind = match item.subject {
        Subject::Change(kind) => kind,
        Subject::Lifecycle(event) => return Ok(Opened::Lifecycle { event, subscription }),
        Subject::Validation | Subject::Unknown => return Err(Outcome::UnknownKind),
    };
    if item.encrypted.is_none() && item.storage.is_some() {
        return Ok(Opened::Oversized { subscription, storage: item.storage.as_deref().map(str::to_owned) });
    }
    if item.is_without_content(kind) {
        return Err(Outcome::Unencrypted);
    }
    let path = item.path().ok_or(Outcome::Malformed)?;
    let resource = Resource::parse(&path).ok_or(Outcome::UnknownKind)?;
    let payload = match &item.encrypted {
        None => None,
        Some(content) => match keys.find(content) {
            Some(key) => Some(key.decrypt(content)?),
            // That it was deleted is known without its key.
            None if kind == ChangeKind::Deleted => None,
            None => return Err(Outcome::UnknownKey),
        },
    };
    let head = payload.as_ref().map(|text| Head::read(text, &resource, kind)).transpose()?.unwrap_or_default();
    let Head { version, etag } = head;
    let path = path.into_owned();
    Ok(Opened::Change(Box::new(Change { resource, path, kind, payload, version, etag, arrived, subscription })))
}

/// What an object says of its version.
#[derive(Default)]
struct Head {
    version: Option<Timestamp>,
    etag: Option<String>,
}

impl Head {
    fn read(text: &str, resource: &Resource, kind: ChangeKind) -> Result<Self, Outcome> {
        let members = Members::of(text).ok_or(Outcome::Content)?;
        if members.get("id").is_some_and(|id| !is_id(id.get(), resource.id())) {
            return Err(Outcome::Content);
        }
        let text = |name: &str| members.text(name).ok().flatten();
        let time = |name: &str| text(name).and_then(|time| timestamp::known(&time));
        let version = match resource {
            Resource::Chat { .. } => time("lastUpdatedDateTime"),
            _ if !resource.is_message() => None,
            // What was deleted without saying when has changed since its last version, and not then.
            _ if kind == ChangeKind::Deleted => {
                time("deletedDateTime").max(time("lastModifiedDateTime").filter(|_| time("deletedDateTime").is_some()))
            }
            _ => time("lastModifiedDateTime").or_else(|| time("createdDateTime")).max(time("deletedDateTime")),
        };
        Ok(Self { version, etag: text("etag").map(Cow::into_owned) })
    }
}

/// Whether a value is this id. A number is its text.
fn is_id(value: &str, id: &str) -> bool {
    serde_json::from_str::<Cow<'_, str>>(value).map_or(value == id, |text| text.eq_ignore_ascii_case(id))
}
