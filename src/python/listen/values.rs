//! What Python gives: tables with their options, bytes or text, certificates, times.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::error::to_py;
use teams_base::error::{Error, Result};
use teams_base::options::{Strictness, parse_table};
use teams_base::secret::Secret;
use teams_listen::notify::decode::Wanted;
use teams_listen::notify::keys::PrivateKey;

pub(super) type Options = HashMap<String, String>;
pub(super) type Tables = Vec<(String, Options, Option<Vec<String>>)>;

pub(super) fn wanted(tables: Tables) -> Result<Vec<Wanted>> {
    let one = |(table, options, columns)| {
        let (options, _) = parse_table(options, Strictness::Strict)?;
        Ok(Wanted { table, options, columns })
    };
    tables.into_iter().map(one).collect()
}

/// Bytes or text.
#[derive(FromPyObject)]
pub enum Value {
    Bytes(PyBackedBytes),
    Text(PyBackedStr),
}

impl Value {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// A certificate with its key: a path, or what such a file holds.
#[derive(FromPyObject)]
pub enum Source {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

#[derive(FromPyObject)]
pub enum Certificate {
    Labelled(String, Source),
    Plain(Source),
}

impl Certificate {
    pub(super) fn read(&self, password: Option<&Secret>) -> Result<PrivateKey> {
        let (label, source) = match self {
            Self::Labelled(label, source) => (Some(label.as_str()), source),
            Self::Plain(source) => (None, source),
        };
        match source {
            Source::Bytes(bytes) => PrivateKey::given(bytes, password, label),
            Source::Path(path) => {
                let bytes = std::fs::read(path).map_err(|error| {
                    Error::configuration(format!("Option certificate: the file cannot be read ({})", error.kind()))
                })?;
                PrivateKey::given(&bytes, password, label)
            }
        }
    }
}

/// When each value came; now, where nothing else is said.
pub(super) fn arrivals(values: usize, arrived: Option<Vec<Option<f64>>>, now: Timestamp) -> PyResult<Vec<Timestamp>> {
    let Some(arrived) = arrived else { return Ok(vec![now; values]) };
    if arrived.len() != values {
        return Err(PyValueError::new_err(format!("arrived_at has {} times for {values} values", arrived.len())));
    }
    let time = |seconds: f64| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok();
    Ok(arrived.into_iter().map(|seconds| seconds.and_then(time).unwrap_or(now)).collect())
}

/// Seconds since 1970 of datetimes.
pub(super) fn seconds(times: Option<Vec<Option<Bound<'_, PyAny>>>>) -> PyResult<Option<Vec<Option<f64>>>> {
    let second = |time: Bound<'_, PyAny>| time.call_method0("timestamp")?.extract::<f64>();
    let all = |times: Vec<Option<Bound<'_, PyAny>>>| {
        times.into_iter().map(|time| time.map(second).transpose()).collect::<PyResult<Vec<_>>>()
    };
    times.map(all).transpose()
}

pub(super) fn json_text(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| to_py(&Error::Internal(error.to_string())))
}
