//! The Python face of the core. Nothing outside this folder knows of Python.

mod batch;
mod client;
mod credential;
#[cfg(feature = "emulator")]
mod emulator;
mod error;
pub mod logs;
mod runtime;
mod stream;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::config::catalogue::CATALOGUE;
use crate::tables::TABLES;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(tables, module)?)?;
    module.add_function(wrap_pyfunction!(options, module)?)?;
    module.add_function(wrap_pyfunction!(client::schema, module)?)?;
    module.add_class::<client::Client>()?;
    module.add_class::<client::MicroBatch>()?;
    module.add_class::<client::Plan>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<batch::Schema>()?;
    module.add_class::<stream::BatchStream>()?;
    #[cfg(feature = "emulator")]
    emulator::register(module)?;
    error::register(module)
}

/// Every table, in the order of the documentation.
#[pyfunction]
fn tables(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for table in TABLES {
        let info = PyDict::new(py);
        info.set_item("name", table.name)?;
        info.set_item("description", table.description)?;
        info.set_item("primary_keys", table.keys)?;
        info.set_item("cursor_field", table.cursor)?;
        info.set_item("ingestion_type", table.ingestion.as_str())?;
        info.set_item("permissions", table.permissions)?;
        info.set_item("reading", table.reading.as_str())?;
        info.set_item("endpoint", table.endpoint)?;
        info.set_item("required_options", table.required_options)?;
        list.append(info)?;
    }
    Ok(list)
}

/// Every connection and table option.
#[pyfunction]
fn options(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for option in CATALOGUE {
        let info = PyDict::new(py);
        info.set_item("name", option.name)?;
        info.set_item("door", option.door.as_str())?;
        info.set_item("kind", option.kind.as_str())?;
        info.set_item("default", option.default)?;
        info.set_item("description", option.doc)?;
        info.set_item("secret", option.kind.is_secret())?;
        list.append(info)?;
    }
    Ok(list)
}
