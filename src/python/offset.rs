//! What Python asks of an offset.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What an offset tells; of a text that is none, nothing is known.
#[pyfunction]
pub fn offset_info<'py>(py: Python<'py>, offset: &str) -> PyResult<Bound<'py, PyDict>> {
    let found = teams_ingest::offset_info(offset);
    let info = PyDict::new(py);
    info.set_item("finished", found.finished)?;
    info.set_item("failed", found.failed)?;
    info.set_item("until", found.until)?;
    info.set_item("without_clock", found.without_clock)?;
    Ok(info)
}
