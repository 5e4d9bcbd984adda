//! What lies in a listener's folder, whether it runs or not: keys, subscriptions, what waits.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;

use super::values::{Tables, json_text, wanted};
use crate::error::to_py;
use teams_base::error::{Error, Result};
use teams_base::timestamp;
use teams_listen::listener::{self, Listener as Core};
use teams_listen::notify::keys::{KeyRing, PrivateKey};
use teams_listen::notify::spool;
use teams_listen::subscriptions::state::{Entry, State};

pub(super) fn keys<'py>(py: Python<'py>, ring: &KeyRing) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let current = ring.current().map(|key| key.label.clone());
    ring.all().iter().map(|one| key(py, one, current.as_ref() == Some(&one.label))).collect()
}

pub(super) fn key<'py>(py: Python<'py>, key: &PrivateKey, is_current: bool) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("label", &key.label)?;
    told.set_item("thumbprint", &key.thumbprint)?;
    told.set_item("created_at", timestamp::to_text(key.created))?;
    told.set_item("not_after", timestamp::to_text(key.ends))?;
    told.set_item("current", is_current)?;
    Ok(told)
}

/// The subscriptions that tables need, without a request.
#[pyfunction]
pub fn plan_subscriptions(tables: Tables) -> PyResult<String> {
    let plan = wanted(tables).and_then(|wanted| Core::plan_of(&wanted));
    json_text(&plan.map_err(|error| to_py(&error))?)
}

/// What stands in a listener's folder, also while it runs.
#[pyfunction]
pub fn listen_status(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    let status = py.detach(|| status(&folder)).map_err(|error| to_py(&error))?;
    json_text(&status)
}

fn status(folder: &Path) -> Result<serde_json::Value> {
    let unreadable = |error: std::io::Error| {
        Error::configuration(format!("The listener's folder {} cannot be read: {error}", folder.display()))
    };
    let survey = |name: &str| {
        let folder = folder.join(name);
        if folder.is_dir() { spool::survey(&folder).map_err(unreadable) } else { Ok(spool::Survey::default()) }
    };
    let (waiting, aside) = (survey(listener::SPOOL)?, survey(listener::ASIDE)?);
    let state = State::open(&folder.join(listener::SUBSCRIPTIONS))?;
    let time = |time: Option<Timestamp>| time.map(timestamp::to_text);
    let entry = |entry: &Entry| {
        json!({
            "resource": entry.resource, "tables": entry.tables, "id": entry.id, "key": entry.key,
            "state": match (&entry.id, entry.failures) { (Some(_), 0) => "active", (Some(_), _) => "failing", (None, _) => "missing" },
            "expires_at": time(entry.expires_at), "renew_at": time(entry.renew_at()),
            "last_notification": time(entry.last_notification),
        })
    };
    let key_folder = folder.join(listener::KEYS);
    let keys = if key_folder.is_dir() { KeyRing::open(&key_folder)?.all() } else { Vec::new() };
    let keys = keys.iter().map(|key| {
        json!({"label": key.label, "thumbprint": key.thumbprint, "created_at": timestamp::to_text(key.created),
               "not_after": timestamp::to_text(key.ends)})
    });
    Ok(json!({
        "subscriptions": state.entries().iter().map(entry).collect::<Vec<_>>(),
        "spool": {"items": waiting.items, "bytes": waiting.bytes, "oldest": time(waiting.oldest), "damaged": waiting.damaged,
                  "aside": aside.items},
        "keys": keys.collect::<Vec<_>>(),
        "gaps": state.gaps(),
        "listened_at": time(state.listened_at()),
    }))
}

/// Makes a new key in a folder, also beside a listener that runs.
#[pyfunction]
pub fn rotate_listen_key(py: Python<'_>, folder: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let rotate = || KeyRing::open(&folder.join(listener::KEYS))?.make(Timestamp::now());
    let made = py.detach(rotate).map_err(|error| to_py(&error))?;
    key(py, &made, true)
}
