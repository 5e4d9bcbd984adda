//! A panic ends here, as an exception: neither the process dies of it, nor does a reading end as if it were complete.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};

use futures::FutureExt;

use teams_base::error::{Error, Result};

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what a panic says to itself: it may quote the text at hand, and that may be what somebody wrote in a chat.
/// Nothing is logged, because whoever panics may hold a lock that a thread with the GIL waits for.
pub fn install() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
        eprintln!("lakeflow-teams: a bug, at {place}");
        PLACE.set(Some(place));
    }));
}

/// Runs a future to its end, or to the panic that it ends with.
pub async fn guarded<T>(future: impl Future<Output = T>) -> Result<T> {
    let result = AssertUnwindSafe(future).catch_unwind().await;
    result.map_err(|_| Error::Internal(PLACE.take().unwrap_or_else(|| "an unknown place".to_owned())))
}

#[cfg(test)]
mod tests {
    use pyo3::prelude::*;

    use super::*;
    use crate::runtime::wait;
    use crate::stream::{BatchStream, spawn};
    use teams_tables::{Projection, find};

    /// Panics with a text that must not be shown.
    fn cut(text: &str) -> &str {
        &text[1..]
    }

    #[test]
    fn a_panic_in_a_reading_is_an_exception_and_the_process_lives() {
        Python::initialize();
        install();
        Python::attach(|py| {
            let receiver = spawn(|_| async { assert!(!cut("ä marked").is_empty()) });
            let projection = Projection::new(find("teams").unwrap(), None, false).unwrap();
            let stream = Bound::new(py, BatchStream::new(receiver, projection)).unwrap();
            let error = stream.call_method0("__next__").unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("LakeflowTeamsError: A bug in lakeflow-teams, at src"), "{text}");
            assert!(!text.contains("marked"), "{text}");
            assert!(error.is_instance_of::<pyo3::exceptions::PyRuntimeError>(py));

            let waited: PyResult<usize> = wait(py, async { cut("ä marked").len() });
            assert!(waited.unwrap_err().to_string().contains("A bug in lakeflow-teams"));
            assert_eq!(wait(py, async { 7 }).unwrap(), 7, "the runtime lives on");
        });
    }
}
