//! The Python face of the core: `lakeflow_teams._core`. Nothing outside this crate knows of Python.

mod batch;
mod bot;
mod broadcast;
mod cards;
mod client;
mod credential;
mod deliver;
#[cfg(feature = "emulator")]
mod emulator;
mod error;
mod guard;
mod lake;
mod listen;
mod logs;
mod offset;
mod preflight;
mod runtime;
mod step;
mod stream;
#[cfg(feature = "emulator")]
mod truth;

use std::collections::HashMap;

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use teams_base::graph::permissions::alternatives;
use teams_base::options::catalogue::CATALOGUE;
use teams_client::auth::REMEDIES;
use teams_tables::{ColumnType, TABLES};

fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("__debug_build__", cfg!(debug_assertions))?;
    module.add_function(wrap_pyfunction!(tables, module)?)?;
    module.add_function(wrap_pyfunction!(options, module)?)?;
    module.add_function(wrap_pyfunction!(login_errors, module)?)?;
    module.add_function(wrap_pyfunction!(preflight::counts, module)?)?;
    module.add_function(wrap_pyfunction!(preflight::needed_counts, module)?)?;
    module.add_function(wrap_pyfunction!(preflight::cost, module)?)?;
    module.add_function(wrap_pyfunction!(client::schema, module)?)?;
    module.add_function(wrap_pyfunction!(offset::offset_info, module)?)?;
    module.add_function(wrap_pyfunction!(deliver::channel_names, module)?)?;
    module.add_function(wrap_pyfunction!(deliver::stage_import, module)?)?;
    module.add_function(wrap_pyfunction!(deliver::rebase_import, module)?)?;
    module.add_function(wrap_pyfunction!(deliver::existing_containers, module)?)?;
    module.add_class::<deliver::Import>()?;
    module.add_function(wrap_pyfunction!(broadcast::resolve_recipients, module)?)?;
    module.add_class::<broadcast::Broadcast>()?;
    module.add_class::<bot::Bot>()?;
    module.add_class::<bot::ActivityRows>()?;
    module.add_function(wrap_pyfunction!(cards::expand_card, module)?)?;
    module.add_function(wrap_pyfunction!(cards::check_card, module)?)?;
    module.add_function(wrap_pyfunction!(cards::card_columns, module)?)?;
    module.add_function(wrap_pyfunction!(cards::card_functions, module)?)?;
    module.add_function(wrap_pyfunction!(cards::card_size, module)?)?;
    lake::register(module)?;
    listen::register(module)?;
    module.add_class::<client::Client>()?;
    module.add_class::<client::MicroBatch>()?;
    module.add_class::<client::Plan>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<batch::Schema>()?;
    module.add_class::<stream::BatchStream>()?;
    #[cfg(feature = "emulator")]
    emulator::register(module)?;
    error::register(module)?;
    guard::install();
    Ok(())
}

/// The debug build decodes several times slower, so it is not taken for the optimised one by mistake.
fn warn_of_debug_build(py: Python<'_>) -> PyResult<()> {
    if cfg!(debug_assertions) {
        let text =
            c"lakeflow_teams is a debug build, which is several times slower; `make build` makes the optimised one";
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1)?;
    }
    Ok(())
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
        info.set_item("permissions", table.permissions())?;
        info.set_item("reading", table.reading.as_str())?;
        info.set_item("set_keys", table.set_keys())?;
        info.set_item("endpoint", table.documented_endpoint())?;
        info.set_item("required_options", table.required_options)?;
        let json = table.columns.iter().filter(|column| column.kind == ColumnType::Json).map(|column| column.name);
        info.set_item("json_columns", json.collect::<Vec<_>>())?;
        let wider = table.permissions().into_iter().map(|name| (name, alternatives(name)));
        info.set_item("wider_permissions", wider.collect::<HashMap<_, _>>())?;
        info.set_item("prerequisite", table.prerequisite())?;
        info.set_item("may_be_empty", table.may_be_empty())?;
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
        info.set_item("allowed", option.kind.allowed())?;
        list.append(info)?;
    }
    Ok(list)
}

/// What Entra ID's error numbers mean for the user: the numbers, and what to do.
#[pyfunction]
fn login_errors() -> Vec<(Vec<u32>, &'static str)> {
    REMEDIES.iter().map(|(numbers, remedy)| (numbers.to_vec(), *remedy)).collect()
}

/// `lakeflow_teams._core`
#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::logs::install(module.py())?;
        crate::warn_of_debug_build(module.py())?;
        crate::register(module)
    }
}
