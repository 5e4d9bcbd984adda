//! Checks, as JSON: their shape is the core's, their looks are Python's.

use std::collections::HashMap;

use pyo3::prelude::*;

use super::error::to_py;
use super::runtime::wait;
use crate::config::{Strictness, parse_table};
use crate::error::Result;
use crate::preflight;
use crate::sync::Session;
use crate::tables::find;

pub fn check(
    py: Python<'_>,
    session: &Session,
    tables: Vec<(String, HashMap<String, String>)>,
    strictness: Strictness,
) -> PyResult<String> {
    let parse = |(table, options): (String, HashMap<String, String>)| -> Result<_> {
        Ok((find(&table)?, parse_table(options, strictness)?.0))
    };
    let tables = tables.into_iter().map(parse).collect::<Result<Vec<_>>>().map_err(|error| to_py(&error))?;
    let found = wait(py, preflight::check(session.client(), &tables))?;
    Ok(serde_json::to_string(&found).unwrap_or_default())
}
