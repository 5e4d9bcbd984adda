//! A table being read: an iterator, an async iterator and an Arrow stream in one.

use std::future::Future;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Field};
use pyo3::exceptions::{PyStopAsyncIteration, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::mpsc;

use super::batch::{Batch, Schema};
use super::error::to_py;
use super::guard::guarded;
use super::runtime::{runtime, wait};
use teams_base::error::Result;
use teams_ingest::{Doubts, LeftOut, Partition, Pass, Session};
use teams_tables::{Derived, Projection, Source};

/// Batches read ahead of a slow consumer.
const AHEAD: usize = 2;

type Receiver = mpsc::Receiver<Result<teams_ingest::Batch>>;
type Sender = mpsc::Sender<Result<teams_ingest::Batch>>;

/// Starts reading in the background; dropping the receiver ends it.
pub fn start(session: Session, pass: Pass) -> Receiver {
    spawn(|sender| async move { session.read(&pass, sender).await })
}

/// A reading that panics ends with an error: a channel that only closes would look like the end of the table.
pub(super) fn spawn<F>(read: impl FnOnce(Sender) -> F) -> Receiver
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(AHEAD);
    let reading = read(sender.clone());
    runtime().spawn(async move {
        if let Err(error) = guarded(reading).await {
            drop(sender.send(Err(error)).await);
        }
    });
    receiver
}

/// The same for one partition of a plan.
pub fn start_partition(session: Session, pass: Pass, partition: Partition, deletes: bool) -> Receiver {
    spawn(move |sender| async move { session.read_partition(&pass, &partition, deletes, sender).await })
}

/// A table being read. It can be consumed once, in any one of its ways.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct BatchStream {
    /// `None` once an Arrow consumer has taken it.
    receiver: Arc<AsyncMutex<Option<Receiver>>>,
    projection: Arc<Projection>,
    doubts: Doubts,
    left_out: Option<LeftOut>,
}

impl BatchStream {
    pub fn new(receiver: Receiver, projection: Projection) -> Self {
        let receiver = Arc::new(AsyncMutex::new(Some(receiver)));
        Self { receiver, projection: Arc::new(projection), doubts: Doubts::default(), left_out: None }
    }

    /// Of a read that goes on where rows of a team are missing that can't be gone, or where a scope refuses.
    pub fn noting(self, doubts: Doubts, left_out: Option<LeftOut>) -> Self {
        Self { doubts, left_out, ..self }
    }

    fn batch(&self, batch: RecordBatch) -> Batch {
        Batch::new(batch, Arc::clone(&self.projection))
    }
}

async fn next(receiver: &AsyncMutex<Option<Receiver>>) -> Result<Option<RecordBatch>, Taken> {
    let mut receiver = receiver.lock().await;
    let receiver = receiver.as_mut().ok_or(Taken::Already)?;
    match receiver.recv().await {
        None => Ok(None),
        Some(Ok((_, batch))) => Ok(Some(batch)),
        Some(Err(error)) => Err(Taken::Failed(error)),
    }
}

enum Taken {
    Already,
    Failed(teams_base::error::Error),
}

impl From<Taken> for PyErr {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Already => PyValueError::new_err("this stream has been consumed already: read the table again"),
            Taken::Failed(error) => to_py(&error),
        }
    }
}

#[pymethods]
impl BatchStream {
    #[getter]
    fn schema(&self) -> Schema {
        Schema::new(&self.projection)
    }

    /// The scopes that refused to be read and were left out, by the columns that name them.
    #[getter]
    fn left_out(&self) -> Vec<Vec<(&'static str, String)>> {
        let column = |derived: Derived| {
            let columns = self.projection.table.columns.iter();
            columns.filter(|column| column.source == Source::Derived(derived)).map(|column| column.name).next()
        };
        let named = |place: &Vec<(Derived, String)>| {
            place.iter().filter_map(|(derived, id)| Some((column(*derived)?, id.clone()))).collect()
        };
        self.left_out.as_ref().map_or_else(Vec::new, |places| places.lock().iter().map(named).collect())
    }

    #[getter]
    fn doubtful(&self) -> Vec<String> {
        self.doubts.teams()
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let batch = wait(py, next(&self.receiver))??;
        Ok(batch.map(|batch| self.batch(batch)))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let receiver = Arc::clone(&self.receiver);
        let projection = Arc::clone(&self.projection);
        pyo3_async_runtimes::tokio::future_into_py(py, async move {
            match next(&receiver).await? {
                Some(batch) => Ok(Batch::new(batch, projection)),
                None => Err(PyStopAsyncIteration::new_err(())),
            }
        })
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.projection.schema().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let receiver = wait(py, async { self.receiver.lock().await.take() })?.ok_or(Taken::Already)?;
        let field = Arc::new(Field::new_struct("", self.projection.schema().fields().clone(), false));
        let batches = ArrowBatches { receiver };
        Ok(to_stream_pycapsule(py, Box::new(ArrayIterator::new(batches, field)), requested_schema)?)
    }

    fn __repr__(&self) -> String {
        format!("BatchStream(table={:?})", self.projection.table.name)
    }
}

/// Pulled by an Arrow consumer, which may hold the GIL or not, and which takes an error as text only.
struct ArrowBatches {
    receiver: Receiver,
}

impl Iterator for ArrowBatches {
    type Item = std::result::Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let received = Python::attach(|py| wait(py, self.receiver.recv()));
        match received {
            Err(interrupted) => Some(Err(ArrowError::ExternalError(Box::new(interrupted)))),
            Ok(None) => None,
            Ok(Some(Ok((_, batch)))) => Some(Ok(Arc::new(StructArray::from(batch)))),
            Ok(Some(Err(error))) => Some(Err(ArrowError::ExternalError(Box::new(error)))),
        }
    }
}

/// The batches of several tables from one pass, as `(table, batch)`.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct ManyStream {
    receiver: AsyncMutex<Receiver>,
    pass: Pass,
    projections: Vec<Arc<Projection>>,
}

impl ManyStream {
    pub fn new(receiver: Receiver, pass: Pass, projections: Vec<Projection>) -> Self {
        let projections = projections.into_iter().map(Arc::new).collect();
        Self { receiver: AsyncMutex::new(receiver), pass, projections }
    }
}

#[pymethods]
impl ManyStream {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<(&'static str, Batch)>> {
        let received = wait(py, async { self.receiver.lock().await.recv().await })?;
        let Some(received) = received else { return Ok(None) };
        let (output, batch) = received.map_err(|error| to_py(&error))?;
        let table = self.pass.table_of(output);
        let projection = self.projections.iter().find(|projection| projection.table.name == table);
        let projection =
            projection.cloned().ok_or_else(|| PyValueError::new_err("a batch of a table not asked for"))?;
        Ok(Some((table, Batch::new(batch, projection))))
    }
}
