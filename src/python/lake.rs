//! What reading and writing a table's files takes of the core.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_arrow::PyTable;
use teams_lake as lake;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(splice_row_groups, module)?)?;
    module.add_class::<DataFile>()?;
    module.add_class::<KeyHashes>()?;
    module.add_class::<FileLayout>()?;
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

/// The columns that files of a table have.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct FileLayout(lake::FileLayout);

#[pymethods]
impl FileLayout {
    #[new]
    fn new(sample: Vec<u8>) -> PyResult<Self> {
        Ok(Self(lake::FileLayout::of(sample.into())?))
    }

    fn open(&self, py: Python<'_>, path: PathBuf) -> PyResult<Option<DataFile>> {
        Ok(py.detach(|| self.0.open(&path))?.map(DataFile))
    }
}

/// A file whose footer was read.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct DataFile(lake::DataFile);

/// The rows of a row group; of columns the least and greatest values, and how many nulls.
type Group<'py> = (usize, Bound<'py, PyDict>, Bound<'py, PyDict>);

#[pymethods]
impl DataFile {
    fn groups<'py>(&self, py: Python<'py>, columns: Vec<String>) -> PyResult<Vec<Group<'py>>> {
        let group = |found: lake::Group| {
            let (limits, nulls) = (PyDict::new(py), PyDict::new(py));
            for (name, facts) in columns.iter().zip(found.columns) {
                match facts.limits {
                    Some(lake::Limits::Texts(least, greatest)) => limits.set_item(name, (least, greatest))?,
                    Some(lake::Limits::Numbers(least, greatest)) => limits.set_item(name, (least, greatest))?,
                    None => {}
                }
                if let Some(count) = facts.nulls {
                    nulls.set_item(name, count)?;
                }
            }
            Ok((found.rows, limits, nulls))
        };
        self.0.groups(&columns)?.into_iter().map(group).collect()
    }

    fn fitting(&self, py: Python<'_>, column: &str, groups: Vec<usize>, keys: &KeyHashes) -> PyResult<Vec<usize>> {
        Ok(py.detach(|| self.0.fitting(column, groups, &keys.0))?)
    }

    fn read(&self, py: Python<'_>, columns: Vec<String>, groups: Vec<usize>) -> PyResult<PyTable> {
        table(py.detach(|| self.0.read(&columns, groups))?)
    }

    fn take(&self, py: Python<'_>, columns: Vec<String>, rows: Vec<usize>) -> PyResult<PyTable> {
        table(py.detach(|| self.0.take(&columns, &rows))?)
    }
}

fn table((schema, batches): lake::Rows) -> PyResult<PyTable> {
    PyTable::try_new(batches, schema)
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
