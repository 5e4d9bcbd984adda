//! Checks, as JSON: their shape is the core's, their looks are Python's.

use std::collections::{BTreeMap, HashMap};

use pyo3::prelude::*;
use serde_json::{Value, json};

use super::error::to_py;
use super::runtime::wait;
use teams_base::error::Result;
use teams_base::options::{Strictness, TableOptions, parse_table};
use teams_ingest::Session;
use teams_ingest::preflight::{self, COUNTS, Case, Part, Run, Tenant, pace, rates};
use teams_tables::{Table, find};

pub fn check(
    py: Python<'_>,
    session: &Session,
    tables: Vec<(String, HashMap<String, String>)>,
    strictness: Strictness,
) -> PyResult<String> {
    let tables = parse(tables, strictness)?;
    let found = wait(py, preflight::check(session.client(), &tables))?;
    Ok(serde_json::to_string(&found).unwrap_or_default())
}

/// The counts that the tables' costs depend on, from a few requests, as JSON text.
pub fn sample(
    py: Python<'_>,
    session: &Session,
    tables: Vec<(String, HashMap<String, String>)>,
    strictness: Strictness,
) -> PyResult<String> {
    let tables = parse(tables, strictness)?;
    let before = session.report().snapshot().requests;
    let found = wait(py, preflight::sample(session.client(), &tables))?.map_err(|error| to_py(&error))?;
    let requests = session.report().snapshot().requests - before;
    let content = json!({"counts": found.counts, "unknown": found.unknown, "notes": found.notes, "requests": requests});
    Ok(content.to_string())
}

fn parse(
    tables: Vec<(String, HashMap<String, String>)>,
    strictness: Strictness,
) -> PyResult<Vec<(&'static Table, TableOptions)>> {
    let parse = |(table, options): (String, HashMap<String, String>)| -> Result<_> {
        Ok((find(&table)?, parse_table(options, strictness)?.0))
    };
    tables.into_iter().map(parse).collect::<Result<Vec<_>>>().map_err(|error| to_py(&error))
}

/// The counts that costs depend on: name, what it is taken to be where it is not given, and what it means.
#[pyfunction]
pub fn counts() -> Vec<(&'static str, Option<f64>, &'static str)> {
    COUNTS.to_vec()
}

/// The counts that a run of a table costs by, without those that its options give.
#[pyfunction]
#[pyo3(signature = (table, options, *, run="first"))]
pub fn needed_counts(table: &str, options: HashMap<String, String>, run: &str) -> PyResult<Vec<&'static str>> {
    let needed = || -> Result<Vec<&'static str>> {
        let (options, _) = parse_table(options, Strictness::Lenient)?;
        Ok(preflight::needed_counts(find(table)?, &options, Run::parse(run)?)?.into_iter().collect())
    };
    needed().map_err(|error| to_py(&error))
}

fn part(part: &Part) -> Value {
    json!({
        "endpoint": part.endpoint.template,
        "requests": part.requests,
        "formula": part.formula,
        "rates": rates(part.endpoint),
    })
}

/// What one pass costs, as JSON text.
#[pyfunction]
#[pyo3(signature = (table, options, tenant, *, run="first", requests_per_second=None))]
pub fn cost(
    table: &str,
    options: HashMap<String, String>,
    tenant: BTreeMap<String, f64>,
    run: &str,
    requests_per_second: Option<f64>,
) -> PyResult<String> {
    let price = || -> Result<String> {
        let (options, _) = parse_table(options, Strictness::Lenient)?;
        let tenant = Tenant::new(tenant)?;
        let case = Case { table: find(table)?, options: &options, tenant: &tenant, run: Run::parse(run)? };
        let parts = preflight::cost(&case)?;
        let requests: f64 = parts.iter().map(|part: &Part| part.round_trips).sum();
        let pace = pace(&parts, requests_per_second);
        let parts: Vec<_> = parts.iter().map(part).collect();
        Ok(json!({"requests": requests, "pace": pace, "parts": parts}).to_string())
    };
    price().map_err(|error| to_py(&error))
}
