//! Log records go to Python's `logging`, under the name of their module: `lakeflow_teams.client.exchange`.

use std::sync::OnceLock;

use log::LevelFilter;
use pyo3::prelude::*;
use pyo3_log::{Caching, Logger, ResetHandle};

/// Python's levels are kept here, so that a record nobody wants costs no GIL.
static LEVELS: OnceLock<ResetHandle> = OnceLock::new();

/// Other crates' details stay in here: nobody checked them for links and headers.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let logger = Logger::new(py, Caching::LoggersAndLevels)?
        .filter(LevelFilter::Warn)
        .filter_target("lakeflow_teams".to_owned(), LevelFilter::Debug);
    if let Ok(handle) = logger.install() {
        LEVELS.get_or_init(|| handle);
    }
    Ok(())
}

/// Asks Python for its levels again: a notebook may have changed them since the last call.
pub fn refresh() {
    if let Some(levels) = LEVELS.get() {
        levels.reset();
    }
}
