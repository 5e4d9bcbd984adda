//! Parquet files made of row groups of others.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;

/// Writes row groups (source and number, in that order) to a new file.
#[pyfunction]
pub fn splice_row_groups(
    py: Python<'_>,
    sources: Vec<PathBuf>,
    places: Vec<(usize, usize)>,
    target: PathBuf,
) -> PyResult<()> {
    let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    Ok(py.detach(|| teams_parquet::splice(&sources, &places, &target))?)
}
