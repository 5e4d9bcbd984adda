//! Log records go to Python's `logging`, under the name of their room: `lakeflow_teams.client.exchange`.

use std::sync::OnceLock;

use log::{LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;
use pyo3_log::{Caching, Logger, ResetHandle};

/// Python's levels are kept here, so that a record nobody wants costs no GIL.
static LEVELS: OnceLock<ResetHandle> = OnceLock::new();

/// Gives the rooms' records the name of the package: `teams_client::exchange` is logged as `lakeflow_teams::client::exchange`.
struct Named(Logger);

/// The logger of a room's module; nothing for a crate of somebody else.
fn name_of(target: &str) -> Option<String> {
    Some(format!("lakeflow_teams::{}", target.strip_prefix("teams_")?))
}

impl Log for Named {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match name_of(metadata.target()) {
            Some(name) => self.0.enabled(&Metadata::builder().level(metadata.level()).target(&name).build()),
            None => self.0.enabled(metadata),
        }
    }

    fn log(&self, record: &Record<'_>) {
        match name_of(record.target()) {
            Some(name) => {
                let named = Record::builder()
                    .metadata(Metadata::builder().level(record.level()).target(&name).build())
                    .args(*record.args())
                    .module_path(record.module_path())
                    .file(record.file())
                    .line(record.line())
                    .build();
                self.0.log(&named);
            }
            None => self.0.log(record),
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Other crates' details stay in here: nobody checked them for links and headers.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let logger = Logger::new(py, Caching::LoggersAndLevels)?
        .filter(LevelFilter::Warn)
        .filter_target("lakeflow_teams".to_owned(), LevelFilter::Debug);
    let handle = logger.reset_handle();
    if log::set_boxed_logger(Box::new(Named(logger))).is_ok() {
        log::set_max_level(LevelFilter::Debug);
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
