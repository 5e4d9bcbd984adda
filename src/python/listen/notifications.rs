//! What a stretch of notifications amounts to.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use teams_base::timestamp;
use teams_listen::listener;
use teams_listen::notify::decode::{Filled, changes, kept};

/// A stretch of notifications, decoded.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Notifications {
    pub(super) inner: listener::Notifications,
}

impl Notifications {
    fn table(&self, name: &str) -> PyResult<&Filled> {
        let mut tables = self.inner.decoded.tables.iter();
        tables.find(|filled| filled.projection.table.name == name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }
}

#[pymethods]
impl Notifications {
    #[getter]
    fn position(&self) -> Option<i64> {
        self.inner.position
    }

    #[getter]
    fn items(&self) -> usize {
        self.inner.decoded.outcomes.len()
    }

    #[getter]
    fn counts(&self) -> HashMap<&'static str, u64> {
        self.inner.decoded.counts().iter().collect()
    }

    #[getter]
    fn tables(&self) -> Vec<&'static str> {
        self.inner.decoded.tables.iter().map(|filled| filled.projection.table.name).collect()
    }

    fn rows(&self, table: &str) -> PyResult<Batch> {
        let filled = self.table(table)?;
        Ok(Batch::new(filled.rows.clone(), Arc::clone(&filled.projection)))
    }

    fn changes(&self, table: &str) -> PyResult<Batch> {
        Ok(Batch::own(self.table(table)?.changes.clone(), "changes", changes::COLUMNS))
    }

    #[getter]
    fn lifecycle<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let event = |event: &teams_listen::notify::decode::Event| {
            let told = PyDict::new(py);
            told.set_item("event", event.event.as_str())?;
            told.set_item("subscription_id", &event.subscription)?;
            told.set_item("arrived_at", timestamp::to_text(event.arrived))?;
            Ok(told)
        };
        self.inner.decoded.lifecycle.iter().map(event).collect()
    }

    #[getter]
    fn oversized<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let items = self.inner.decoded.oversized.iter().zip(&self.inner.oversized_tables);
        items
            .map(|(item, tables)| {
                let told = PyDict::new(py);
                told.set_item("subscription_id", &item.subscription)?;
                told.set_item("storage_id", &item.storage)?;
                told.set_item("tables", tables)?;
                told.set_item("arrived_at", timestamp::to_text(item.arrived))?;
                Ok(told)
            })
            .collect()
    }

    #[getter]
    fn oldest_arrival(&self) -> Option<String> {
        self.inner.decoded.oldest.map(timestamp::to_text)
    }

    fn received(&self) -> Batch {
        Batch::own(self.inner.kept.clone(), "notifications", kept::COLUMNS)
    }

    fn __repr__(&self) -> String {
        format!("Notifications({} items, rows of {})", self.items(), self.tables().join(", "))
    }
}
