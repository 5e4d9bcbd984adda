//! Broadcasts as Python sees them: freezing recipients, and the steps of a run. Numbers and lists cross as JSON text.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Field};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use serde_json::{Value, json};
use url::Url;

use super::credential::PythonCredential;
use super::error::to_py;
use super::runtime::{runtime, wait};
use super::step::{self, broken};
use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, Strictness, parse_connection};
use teams_client::auth::{self, TokenProvider};
use teams_client::{GraphClient, Report};
use teams_deliver::broadcast::change::Change;
use teams_deliver::broadcast::job::{Job, Outcome};
use teams_deliver::broadcast::journal::Journal;
use teams_deliver::broadcast::ledger;
use teams_deliver::broadcast::plan::Plan;
use teams_deliver::broadcast::recipients::{Recipients, Writer};
use teams_deliver::broadcast::resolve::{Resolver, Wanted};
use teams_deliver::broadcast::webhook::check_address;
use teams_deliver::card::key_file;
use teams_deliver::connector::Bot;

/// Requests on the wire where the connection does not say: recipients wait for each other no longer than they must.
const CONCURRENCY: usize = 64;
/// Reasons that a summary names.
const MOST_REASONS: usize = 20;

/// A client for Graph and the Bot Connector, the bot, and where a first contact goes.
pub fn connect(
    options: HashMap<String, String>,
    credential: Option<Py<PyAny>>,
    report: &Arc<Report>,
) -> Result<(GraphClient, Bot, Url)> {
    let spoken = options.contains_key("max_concurrency");
    let (mut config, _) = parse_connection(options, Strictness::Strict)?;
    if !spoken {
        config.max_concurrency = CONCURRENCY;
    }
    let as_bot = config.as_bot();
    let required = |value: &Option<String>, name: &str, why: &str| {
        value.clone().ok_or_else(|| Error::Configuration(format!("Option {name} is required: {why}")))
    };
    let app_id = required(&as_bot.client_id, "bot_app_id", "the application (client) ID of the bot")?;
    let tenant = required(&config.tenant_id, "tenant_id", "the Directory (tenant) ID whose people are written to")?;
    if tenant.contains('.') {
        return Err(Error::Configuration(format!(
            "Option tenant_id: \"{tenant}\" is a domain, and the Bot Connector takes the Directory (tenant) ID only"
        )));
    }
    let service = config.bot_service()?;
    let (own, bots) = match credential {
        None => (None, None),
        Some(object) => Python::attach(|py| {
            let clone = object.clone_ref(py);
            (Some(provider_of(object, config.scope())), Some(provider_of(clone, connector_scope(&config))))
        }),
    };
    let _guard = runtime().enter();
    let graph = auth::provider(&config, &config.scope(), own)?;
    let connector = auth::provider(&as_bot, &connector_scope(&config), bots)?;
    let client = GraphClient::new(&config, graph, Arc::clone(report))?;
    let client = client.with_connector(&config, service.clone(), connector)?;
    Ok((client, Bot { app_id, tenant }, service))
}

fn connector_scope(config: &ConnectionConfig) -> String {
    config.cloud.bot_connector_scope().to_owned()
}

fn provider_of(credential: Py<PyAny>, scope: String) -> Arc<dyn TokenProvider> {
    Arc::new(PythonCredential::new(credential, scope))
}

/// Collects recipients and freezes them in a folder; without one they are only counted. Counts as JSON text.
#[pyfunction]
#[pyo3(signature = (options, wanted, rows, folder=None, *, credential=None))]
pub fn resolve_recipients(
    py: Python<'_>,
    options: HashMap<String, String>,
    wanted: &str,
    rows: &Bound<'_, PyAny>,
    folder: Option<PathBuf>,
    credential: Option<Py<PyAny>>,
) -> PyResult<String> {
    let report = Arc::new(Report::default());
    let make = || -> Result<(GraphClient, Wanted, Option<Writer>)> {
        let (client, _, _) = connect(options, credential, &report)?;
        let wanted = serde_json::from_str(wanted).map_err(|error| broken("The recipients", error))?;
        let writer = folder.map(|folder| Writer::create(&folder.join("recipients.jsonl"))).transpose()?;
        Ok((client, wanted, writer))
    };
    let (client, wanted, writer) = py.detach(make).map_err(|error| to_py(&error))?;
    let mut resolver = Resolver::new(&client, wanted, writer);
    wait(py, resolver.named())?.map_err(|error| to_py(&error))?;
    for row in rows.try_iter()? {
        let (user, data): (String, String) = row?.extract()?;
        let data: Value = serde_json::from_str(&data).map_err(|error| to_py(&broken("A row of the table", error)))?;
        wait(py, resolver.row(&user, data))?.map_err(|error| to_py(&error))?;
    }
    let counts = wait(py, resolver.finish())?.map_err(|error| to_py(&error))?;
    Ok(serde_json::to_string(&counts).unwrap_or_default())
}

/// A broadcast: its steps, and what became of its recipients.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Broadcast {
    folder: PathBuf,
    plan: Plan,
    job: Mutex<Option<Arc<Job>>>,
    report: Arc<Report>,
}

fn plan_of(folder: &Path) -> Result<Plan> {
    let path = folder.join("plan.json");
    let text = std::fs::read_to_string(&path).map_err(|error| broken(&path.display().to_string(), error))?;
    serde_json::from_str(&text).map_err(|error| broken("The plan", error))
}

/// Recipients and journal, whether they are open or only read.
enum Known {
    Open(Arc<Job>),
    Read(Recipients, Journal),
}

impl Known {
    fn parts(&self) -> (&Recipients, &Journal) {
        match self {
            Self::Open(job) => (&job.recipients, &job.journal),
            Self::Read(recipients, journal) => (recipients, journal),
        }
    }
}

impl Broadcast {
    fn job(&self) -> MutexGuard<'_, Option<Arc<Job>>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> PyResult<Arc<Job>> {
        self.job().clone().ok_or_else(|| PyRuntimeError::new_err("the broadcast is closed, or only read"))
    }

    fn known(&self) -> Result<Known> {
        match self.job().clone() {
            Some(job) => Ok(Known::Open(job)),
            None => Ok(Known::Read(
                Recipients::open(&self.folder.join("recipients.jsonl"))?,
                Journal::read(&self.folder.join("journal"))?,
            )),
        }
    }

    /// Runs a step without the GIL on this thread, and tells `on_progress` how far it is.
    fn step<F: Future<Output = Result<Outcome>>>(
        &self,
        py: Python<'_>,
        on_progress: Option<Py<PyAny>>,
        begin: impl FnOnce(Arc<Job>) -> F + Send,
    ) -> PyResult<String> {
        let job = self.open()?;
        let outcome = step::run(py, on_progress, || job.progress.counts(), || begin(Arc::clone(&job)))?;
        Ok(serde_json::to_string(&outcome).unwrap_or_default())
    }
}

#[pymethods]
impl Broadcast {
    /// Opens the broadcast in a folder. With `options` it can go on; without, it is only read. The key that signs its cards is in
    /// `signing_key_file`, or lies in `signing_key_folder`, where it is made on first use.
    #[new]
    #[pyo3(signature = (folder, options=None, *, credential=None, webhooks=HashMap::new(), signing_key_file=None, signing_key_folder=None))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        options: Option<HashMap<String, String>>,
        credential: Option<Py<PyAny>>,
        webhooks: HashMap<String, String>,
        signing_key_file: Option<PathBuf>,
        signing_key_folder: Option<PathBuf>,
    ) -> PyResult<Self> {
        let report = Arc::new(Report::default());
        let open = || -> Result<(Plan, Option<Job>)> {
            let plan = plan_of(&folder)?;
            let Some(options) = options else { return Ok((plan, None)) };
            let (client, bot, service) = connect(options, credential, &report)?;
            let address = |(name, text): (String, String)| match check_address(&text) {
                Ok(url) => Ok((name, url)),
                Err(why) => Err(Error::Configuration(format!("The webhook {name}: {why}"))),
            };
            let webhooks = webhooks.into_iter().map(address).collect::<Result<_>>()?;
            let key = match signing_key_file {
                Some(path) => key_file::read(&path)?,
                None => key_file::read_or_make(&signing_key_folder.as_ref().unwrap_or(&folder).join(key_file::NAME))?,
            };
            let job = Job::open(&folder, plan.clone(), client, bot, service, webhooks, key)?;
            Ok((plan, Some(job)))
        };
        let (plan, job) = py.detach(open).map_err(|error| to_py(&error))?;
        Ok(Self { folder, plan, job: Mutex::new(job.map(Arc::new)), report })
    }

    fn missing_app(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let job = self.open()?;
        wait(py, async move { job.missing_app().await })?.map_err(|error| to_py(&error))
    }

    /// Makes every recipient's card and sends none. JSON text.
    fn preview(&self, py: Python<'_>) -> PyResult<String> {
        let job = self.open()?;
        let preview = py.detach(|| job.preview()).map_err(|error| to_py(&error))?;
        Ok(serde_json::to_string(&preview).unwrap_or_default())
    }

    #[pyo3(signature = (on_progress=None))]
    fn run(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        self.step(py, on_progress, |job: Arc<Job>| async move { job.run().await })
    }

    #[pyo3(signature = (on_progress=None))]
    fn update(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        self.step(py, on_progress, |job: Arc<Job>| async move { job.change(Change::Update).await })
    }

    #[pyo3(signature = (on_progress=None))]
    fn recall(&self, py: Python<'_>, on_progress: Option<Py<PyAny>>) -> PyResult<String> {
        self.step(py, on_progress, |job: Arc<Job>| async move { job.change(Change::Recall).await })
    }

    /// How many recipients are in each state, and the most frequent reasons.
    fn states(&self, py: Python<'_>) -> PyResult<String> {
        let count = || -> Result<String> {
            let known = self.known()?;
            let (recipients, journal) = known.parts();
            let mut states: BTreeMap<&str, u64> = BTreeMap::new();
            let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
            for at in 0..recipients.len() {
                let entry = journal.entry(at);
                *states.entry(ledger::state(&recipients.get(at)?, &entry).as_str()).or_default() += 1;
                if let Some((code, _)) = entry.error.as_deref().filter(|(code, _)| !code.is_empty()) {
                    *reasons.entry(code.clone()).or_default() += 1;
                }
            }
            let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            reasons.truncate(MOST_REASONS);
            let reasons: serde_json::Map<String, Value> =
                reasons.into_iter().map(|(code, count)| (code, json!(count))).collect();
            Ok(json!({"states": states, "reasons": reasons, "began": journal.began()}).to_string())
        };
        py.detach(count).map_err(|error| to_py(&error))
    }

    fn timeline(&self) -> Vec<u32> {
        self.job().as_ref().map(|job| job.progress.timeline()).unwrap_or_default()
    }

    fn report(&self) -> String {
        serde_json::to_string(&self.report.snapshot()).unwrap_or_default()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.job().take()));
    }

    #[expect(clippy::unused_self, reason = "the protocol's method")]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, ledger::schema().as_ref())?)
    }

    /// A row per recipient.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let known = self.known().map_err(|error| to_py(&error))?;
        let rows = Rows { name: self.plan.name.clone(), queued_ms: self.plan.queued_at, known, next: 0 };
        let field = Arc::new(Field::new_struct("", ledger::schema().fields().clone(), false));
        Ok(to_stream_pycapsule(py, Box::new(ArrayIterator::new(rows, field)), requested_schema)?)
    }
}

/// The rows, some thousands at a time.
struct Rows {
    name: String,
    queued_ms: i64,
    known: Known,
    next: usize,
}

impl Iterator for Rows {
    type Item = std::result::Result<ArrayRef, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (recipients, journal) = self.known.parts();
        if self.next >= recipients.len() {
            return None;
        }
        let batch: Result<RecordBatch> = ledger::batch(&self.name, recipients, journal, self.next, self.queued_ms);
        self.next += ledger::ROWS;
        match batch {
            Ok(batch) => Some(Ok(Arc::new(StructArray::from(batch)))),
            Err(error) => {
                self.next = usize::MAX;
                Some(Err(ArrowError::ExternalError(Box::new(error))))
            }
        }
    }
}
