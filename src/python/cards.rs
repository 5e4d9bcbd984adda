//! Adaptive Cards as Python sees them. Cards and data cross as JSON text.

use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use serde_json::Value;

use super::error::to_py;
use teams_base::error::{Error, Result};
use teams_deliver::card::check::{LARGE_BYTES, MOST_BYTES, check_size};
use teams_deliver::card::{Clock, Problem, Severity, Template, check};

fn json(what: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::Configuration(format!("{what} is no JSON: {error}")))
}

fn template(card: &str) -> Result<Template> {
    let card = json("The card", card)?;
    Template::parse(&card)
        .map_err(|fault| Error::Configuration(format!("The card cannot be used as a template: {fault}")))
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Binds data into a template, once for each of the texts; `now_ms` is what `utcNow()` gives.
#[pyfunction]
#[pyo3(signature = (card, data, now_ms=None))]
pub fn expand_card(py: Python<'_>, card: &str, data: Vec<String>, now_ms: Option<i64>) -> PyResult<Vec<String>> {
    let expand = || -> Result<Vec<String>> {
        let template = template(card)?;
        let now = now_ms.unwrap_or_else(self::now_ms);
        let one = |(at, text): (usize, &String)| {
            let data = json("The data", text)?;
            let expanded = template.expand(&data, &Value::Null, &mut Clock::new(now));
            expanded.map(|card| card.to_string()).map_err(|fault| {
                Error::Configuration(format!("The card cannot be expanded with row {} of the data: {fault}", at + 1))
            })
        };
        data.iter().enumerate().map(one).collect()
    };
    py.detach(expand).map_err(|error| to_py(&error))
}

type Said = (String, String, &'static str, String);

fn said(problem: Problem) -> Said {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    (problem.pointer, problem.element, severity, problem.message)
}

/// What Teams would refuse or leave out of a card: pointer, element, severity and message of each problem.
#[pyfunction]
pub fn check_card(py: Python<'_>, card: &str) -> PyResult<Vec<Said>> {
    let found = py.detach(|| -> Result<Vec<Said>> {
        let card = json("The card", card)?;
        let mut problems = check(&card);
        problems.extend(check_size(&card.to_string()).1);
        Ok(problems.into_iter().map(said).collect())
    });
    found.map_err(|error| to_py(&error))
}

/// The members of the data that a template names: the columns that a table must have.
#[pyfunction]
pub fn card_columns(card: &str) -> PyResult<Vec<String>> {
    Ok(template(card).map_err(|error| to_py(&error))?.columns().into_iter().collect())
}

/// The names that a template's expressions can call.
#[pyfunction]
pub fn card_functions() -> Vec<&'static str> {
    teams_deliver::card::functions()
}

/// Bytes of a text in UTF-16, and the sizes from which a message is large, and refused.
#[pyfunction]
pub fn card_size(activity: &str) -> (usize, usize, usize) {
    (check_size(activity).0, LARGE_BYTES, MOST_BYTES)
}
