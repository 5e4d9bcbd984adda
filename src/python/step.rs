//! A step of a job that writes to Teams: it runs without the GIL, tells how far it is, and ends with Ctrl-C.

use std::time::Duration;

use pyo3::prelude::*;

use super::error::to_py;
use super::guard::guarded;
use super::runtime::runtime;
use teams_base::error::{Error, Result};

/// How often a step looks for Ctrl-C, and tells how far it is.
const TICK: Duration = Duration::from_millis(200);

/// Runs the step that `begin` makes on this thread, and gives `counts` to `on_progress` while it goes and once it is over.
pub fn run<T: Send, F: Future<Output = Result<T>>, C>(
    py: Python<'_>,
    on_progress: Option<Py<PyAny>>,
    counts: impl Fn() -> C + Send + Sync,
    begin: impl FnOnce() -> F + Send,
) -> PyResult<T>
where
    C: for<'py> IntoPyObject<'py>,
{
    py.detach(|| {
        let tell = || {
            Python::attach(|py| {
                py.check_signals()?;
                on_progress.as_ref().map(|tell| tell.call1(py, (counts(),))).transpose()
            })
        };
        let result = runtime().block_on(async {
            let mut step = std::pin::pin!(guarded(begin()));
            loop {
                tokio::select! {
                    ended = &mut step => return PyResult::Ok(ended.and_then(|inner| inner)),
                    () = tokio::time::sleep(TICK) => tell().map(drop)?,
                }
            }
        })?;
        tell()?;
        result.map_err(|error| to_py(&error))
    })
}

/// The error of a file or a text that is not what we write there.
pub fn broken(what: &str, error: impl std::fmt::Display) -> Error {
    Error::Configuration(format!("{what} cannot be read: {error}"))
}
