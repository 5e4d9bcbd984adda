//! Imports as Python sees them: staging a source's batches, and the steps of a run. Numbers and lists cross as JSON text.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Field};
use futures::FutureExt;
use futures::future::BoxFuture;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use pyo3_arrow::PyRecordBatch;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use serde_json::json;

use super::credential::PythonCredential;
use super::error::to_py;
use super::runtime::runtime;
use super::step::{self, broken};
use teams_base::error::Result;
use teams_base::options::{Strictness, parse_connection};
use teams_client::auth::{self, TokenProvider};
use teams_client::{GraphClient, Report};
use teams_deliver::import::job::{Contents, Job};
use teams_deliver::import::journal::Journal;
use teams_deliver::import::ledger::{self, States};
use teams_deliver::import::plan::Plan;
use teams_deliver::import::stage::{Counts, Stage};
use teams_deliver::import::{existing, names, rebase};

fn plan_of(text: &str) -> Result<Plan> {
    serde_json::from_str(text).map_err(|error| broken("The plan", error))
}

/// Names that Teams takes for channels, in the order given; `taken` are those that exist.
#[pyfunction]
#[pyo3(signature = (names, taken=Vec::new()))]
pub fn channel_names(names: Vec<String>, taken: Vec<String>) -> Vec<String> {
    let mut taken = taken.into_iter().map(|name| name.to_lowercase()).collect();
    names.iter().map(|name| names::channel(name, &mut taken)).collect()
}

/// Turns a source's batches into posts in a folder, or only counts them; returns the counts by container.
#[pyfunction]
#[pyo3(signature = (plan, batches, folder=None))]
pub fn stage_import(
    py: Python<'_>,
    plan: &str,
    batches: &Bound<'_, PyAny>,
    folder: Option<PathBuf>,
) -> PyResult<String> {
    let now_us =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
    let make = || Stage::new(plan_of(plan)?, folder.as_deref(), now_us);
    let mut stage = make().map_err(|error| to_py(&error))?;
    for batch in batches.try_iter()? {
        let batch: PyRecordBatch = batch?.extract()?;
        let batch: RecordBatch = batch.into_inner();
        py.detach(|| stage.push(&batch)).map_err(|error| to_py(&error))?;
        py.check_signals()?;
    }
    let counts = py.detach(|| stage.finish()).map_err(|error| to_py(&error))?;
    Ok(serde_json::to_string(&counts).unwrap_or_default())
}

/// Takes over what an earlier staging of the same import sent.
#[pyfunction]
pub fn rebase_import(py: Python<'_>, old: PathBuf, new: PathBuf) -> PyResult<u64> {
    py.detach(|| rebase::rebase(&old, &new)).map_err(|error| to_py(&error))
}

/// What is wrong with the containers of a plan that exist already: their place in the plan, and why.
#[pyfunction]
#[pyo3(signature = (plan, options, *, credential=None))]
pub fn existing_containers(
    py: Python<'_>,
    plan: &str,
    options: HashMap<String, String>,
    credential: Option<Py<PyAny>>,
) -> PyResult<Vec<(usize, String)>> {
    py.detach(|| {
        let plan = plan_of(plan)?;
        let client = connect(options, credential, &Arc::new(Report::default()))?;
        runtime().block_on(existing::look_at_all(&client, &plan))
    })
    .map_err(|error| to_py(&error))
}

/// The bytes of images, from a Python function that takes a key.
struct PythonContents(Arc<Py<PyAny>>);

impl Contents for PythonContents {
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, std::result::Result<Vec<u8>, String>> {
        let (function, key) = (Arc::clone(&self.0), key.to_owned());
        async move {
            let read = tokio::task::spawn_blocking(move || {
                Python::attach(|py| {
                    let bytes = function.call1(py, (key,))?;
                    let bytes = bytes.bind(py).cast::<PyBytes>()?.as_bytes().to_vec();
                    PyResult::Ok(bytes)
                })
                .map_err(|_| "the source does not give it".to_owned())
            });
            read.await.unwrap_or_else(|_| Err("the source does not give it".to_owned()))
        }
        .boxed()
    }
}

/// A staged import: its steps, and what became of its posts.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Import {
    folder: PathBuf,
    plan: Plan,
    counts: Vec<Counts>,
    job: Mutex<Option<Arc<Job>>>,
    report: Arc<Report>,
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| broken(&path.display().to_string(), error))
}

impl Import {
    fn job(&self) -> MutexGuard<'_, Option<Arc<Job>>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> PyResult<Arc<Job>> {
        self.job().clone().ok_or_else(|| PyRuntimeError::new_err("the import is closed"))
    }

    /// Runs a step without the GIL on this thread, and tells `on_progress` how far it is.
    fn step<T: Send, F: Future<Output = Result<T>>>(
        &self,
        py: Python<'_>,
        on_progress: Option<Py<PyAny>>,
        begin: impl FnOnce(Arc<Job>) -> F + Send,
    ) -> PyResult<T> {
        let job = self.open()?;
        step::run(py, on_progress, || job.progress.counts(), || begin(Arc::clone(&job)))
    }
}

fn connect(
    options: HashMap<String, String>,
    credential: Option<Py<PyAny>>,
    report: &Arc<Report>,
) -> Result<GraphClient> {
    let (config, _) = parse_connection(options, Strictness::Strict)?;
    let own = credential
        .map(|credential| Arc::new(PythonCredential::new(credential, config.scope())) as Arc<dyn TokenProvider>);
    let _guard = runtime().enter();
    let provider = auth::provider(&config, &config.scope(), own)?;
    GraphClient::new(&config, provider, Arc::clone(report))
}

#[pymethods]
impl Import {
    /// Opens the staged import in a folder. With `options` it can go on; without, it is only read.
    #[new]
    #[pyo3(signature = (folder, options=None, *, credential=None, contents=None))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        options: Option<HashMap<String, String>>,
        credential: Option<Py<PyAny>>,
        contents: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let report = Arc::new(Report::default());
        let open = || -> Result<(Plan, Vec<Counts>, Option<Job>)> {
            let plan = plan_of(&read_text(&folder.join("plan.json"))?)?;
            let counts: Vec<Counts> = serde_json::from_str(&read_text(&folder.join("stage.json"))?)
                .map_err(|error| broken("The staged counts", error))?;
            let Some(options) = options else { return Ok((plan, counts, None)) };
            let client = connect(options, credential, &report)?;
            let journal = Journal::open(&folder.join("journal"))?;
            let contents = contents.unwrap_or_else(|| Python::attach(|py| -> Py<PyAny> { py.None() }));
            let contents = Arc::new(PythonContents(Arc::new(contents)));
            let job = Job::new(plan.clone(), &folder, journal, client, contents, counts.clone());
            Ok((plan, counts, Some(job)))
        };
        let (plan, counts, job) = py.detach(open).map_err(|error| to_py(&error))?;
        Ok(Self { folder, plan, counts, job: Mutex::new(job.map(Arc::new)), report })
    }

    /// Why nothing may be sent: another application began this import, or has a container in migration mode.
    fn begin(&self, py: Python<'_>, client_id: String) -> PyResult<Option<String>> {
        self.step(py, None, |job: Arc<Job>| async move {
            if let Some(why) = job.claim(&client_id).await? {
                return Ok(Some(why));
            }
            job.foreign_session().await
        })
    }

    /// Makes, opens and posts all there is. JSON text: `stopped`, `reopened`, `to_do`.
    #[pyo3(signature = (on_progress=None))]
    fn run(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        let outcome = self.step(py, on_progress, |job: Arc<Job>| async move { job.run().await })?;
        Ok(serde_json::to_string(&outcome).unwrap_or_default())
    }

    /// Ends migration mode and adds members. JSON text as of `run`.
    #[pyo3(signature = (on_progress=None))]
    fn complete(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        let outcome = self.step(py, on_progress, |job: Arc<Job>| async move { job.complete().await })?;
        Ok(serde_json::to_string(&outcome).unwrap_or_default())
    }

    /// Reads everything back. JSON text: `differences`, `read`, `equal`, `images`, `found`, `unreadable`.
    #[pyo3(signature = (on_progress=None))]
    fn verify(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        let verified = self.step(py, on_progress, |job: Arc<Job>| async move { job.verify().await })?;
        Ok(serde_json::to_string(&verified).unwrap_or_default())
    }

    /// Where each container is and how many posts are in each state, in the plan's order, as JSON text.
    fn states(&self, py: Python<'_>) -> PyResult<String> {
        let found = py.detach(|| -> Result<String> {
            let job = self.job().clone();
            let read = if job.is_none() { Some(Journal::read(&self.folder.join("journal"))?) } else { None };
            let journal = read.as_ref().or(job.as_deref().map(|job| &job.journal));
            let Some(journal) = journal else { return Ok("[]".to_owned()) };
            let mut all = Vec::new();
            for (at, container) in self.plan.containers.iter().enumerate() {
                let mut states = States::default();
                let mut notes: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
                let mut reasons: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
                ledger::each(&self.folder, journal, at, |_, item, entry| {
                    states.count(ledger::state(item, entry));
                    let more = entry.more.as_deref();
                    for note in item.notes.iter().chain(more.into_iter().flat_map(|more| &more.notes)) {
                        *notes.entry(note.clone()).or_default() += 1;
                    }
                    let why = item.left.as_ref().map(|left| &left.reason).or(more.map(|more| &more.reason));
                    if let Some(why) = why.filter(|why| !why.is_empty()) {
                        *reasons.entry(why.clone()).or_default() += 1;
                    }
                    Ok(())
                })?;
                let state = journal.container(at);
                if states != States::default() {
                    for note in container.notes.iter().chain(&state.notes) {
                        *notes.entry(note.clone()).or_default() += 1;
                    }
                }
                all.push(json!({
                    "source": container.source, "name": container.name, "kind": state.kind.unwrap_or(container.kind),
                    "id": state.id, "team": state.team, "opened": state.opened, "completed": state.completed,
                    "states": states, "notes": notes, "reasons": reasons,
                    "messages": self.counts.get(at).map_or(0, |counts| counts.messages),
                }));
            }
            Ok(serde_json::to_string(&all).unwrap_or_default())
        });
        found.map_err(|error| to_py(&error))
    }

    /// Posts in each second since the import was opened.
    fn timeline(&self) -> Vec<u32> {
        self.job().as_ref().map(|job| job.progress.timeline()).unwrap_or_default()
    }

    /// Requests, retries and throttled seconds, as JSON text.
    fn report(&self) -> String {
        serde_json::to_string(&self.report.snapshot()).unwrap_or_default()
    }

    /// Puts everything on disk. The import is of no use after it.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.job().take()));
    }

    #[expect(clippy::unused_self, reason = "the protocol's method")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, ledger::schema().as_ref())?)
    }

    /// The ledger: a row per post.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let journal = match self.job().clone() {
            Some(job) => Known::Open(job),
            None => Known::Read(Journal::read(&self.folder.join("journal")).map_err(|error| to_py(&error))?),
        };
        let rows = Rows { plan: self.plan.clone(), folder: self.folder.clone(), journal, next: 0, ready: Vec::new() };
        let field = Arc::new(Field::new_struct("", ledger::schema().fields().clone(), false));
        Ok(to_stream_pycapsule(py, Box::new(ArrayIterator::new(rows, field)), requested_schema)?)
    }
}

enum Known {
    Open(Arc<Job>),
    Read(Journal),
}

/// The ledger's rows, container by container.
struct Rows {
    plan: Plan,
    folder: PathBuf,
    journal: Known,
    next: usize,
    ready: Vec<RecordBatch>,
}

impl Iterator for Rows {
    type Item = std::result::Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.next < self.plan.containers.len() {
            let journal = match &self.journal {
                Known::Open(job) => &job.journal,
                Known::Read(journal) => journal,
            };
            let read = ledger::batches(&self.plan, &self.folder, journal, self.next);
            self.next += 1;
            match read {
                // The first comes out first.
                Ok(batches) => self.ready = batches.into_iter().rev().collect(),
                Err(error) => return Some(Err(ArrowError::ExternalError(Box::new(error)))),
            }
        }
        let batch = self.ready.pop()?;
        Some(Ok(Arc::new(StructArray::from(batch))))
    }
}
