//! What writing a table's files takes of the core.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use teams_lake as lake;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(splice_row_groups, module)?)?;
    module.add_class::<KeyHashes>()?;
    module.add_class::<RecentKeys>()
}

/// Writes row groups to a new file: of each where it lies (source and number), and where columns lie that are others.
#[pyfunction]
fn splice_row_groups(
    py: Python<'_>,
    sources: Vec<PathBuf>,
    groups: Vec<lake::Layers>,
    target: PathBuf,
) -> PyResult<()> {
    let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    Ok(py.detach(|| lake::splice(&sources, &groups, &target))?)
}

/// The keys of some rows.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct KeyHashes(lake::KeyHashes);

#[pymethods]
impl KeyHashes {
    #[new]
    fn new(py: Python<'_>, keys: PyTable) -> PyResult<Self> {
        let (batches, _) = keys.into_inner();
        let hashes = py.detach(|| lake::KeyHashes::of(&batches));
        let named = |lake::Unhashable(kind)| PyTypeError::new_err(format!("keys must be text, and one is {kind}"));
        Ok(Self(hashes.map_err(named)?))
    }

    #[getter]
    fn repeated(&self) -> Vec<u32> {
        self.0.repeated()
    }
}

/// The keys of files that this process wrote.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct RecentKeys(Mutex<lake::RecentKeys>);

#[pymethods]
impl RecentKeys {
    #[new]
    fn new(most_bytes: usize) -> Self {
        Self(Mutex::new(lake::RecentKeys::new(most_bytes)))
    }

    fn note(&self, paths: Vec<String>, keys: &KeyHashes) {
        self.0.lock().note(paths, &keys.0);
    }

    fn follow(&self, before: Vec<String>, after: Vec<String>) {
        self.0.lock().follow(&before, after);
    }

    fn keep(&self, paths: HashSet<String>) {
        self.0.lock().keep(|path| paths.contains(path));
    }

    fn among(&self, py: Python<'_>, paths: Vec<String>, keys: &KeyHashes) -> Vec<Option<Vec<u32>>> {
        py.detach(|| self.0.lock().among(&paths, &keys.0))
    }
}
