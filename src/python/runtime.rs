//! The async runtime behind the blocking Python calls.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::error::to_py;
use super::guard::guarded;

/// How often a blocked call looks for Ctrl-C: a reader can sleep minutes on a Retry-After.
const SIGNAL_CHECK: Duration = Duration::from_millis(100);

static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The runtime of this process. Spark forks its workers, and a forked child has none of its parent's threads: there a
/// new one is made, and the parent's is left alone for good.
pub fn runtime() -> &'static Runtime {
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match *slot {
        Some((pid, runtime)) if pid == std::process::id() => runtime,
        _ => {
            // One thread keeps the columns in its core's cache, and no other waits for them: a tenth less CPU than with two, and
            // no slower. It reads 200,000 rows a second, four times what Graph's limits allow.
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .thread_name("lakeflow-teams")
                .build()
                .expect("the operating system grants threads");
            let runtime: &'static Runtime = Box::leak(Box::new(runtime));
            *slot = Some((std::process::id(), runtime));
            runtime
        }
    }
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough over lifetimes")]
fn signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

/// Waits for a future without the GIL; Ctrl-C ends the wait, and with it the future.
pub fn wait<F: Future + Send>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F::Output: Send,
{
    py.detach(|| {
        runtime().block_on(async {
            let mut future = std::pin::pin!(guarded(future));
            loop {
                tokio::select! {
                    output = &mut future => return output.map_err(|error| to_py(&error)),
                    () = tokio::time::sleep(SIGNAL_CHECK) => signals()?,
                }
            }
        })
    })
}
