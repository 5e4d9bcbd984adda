//! A bot as Python sees it: what comes in is proven and kept here, what goes out is sent here. Activities and cards cross as JSON.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::Field;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use serde_json::{Value, json};
use url::Url;

use super::broadcast::connect;
use super::error::to_py;
use super::guard::guarded;
use super::runtime::{runtime, wait};
use super::step::broken;
use teams_base::cloud::is_loopback;
use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, Strictness, parse_connection};
use teams_client::{Posted, Report};
use teams_deliver::card::key_file;
use teams_deliver::card::seal::{self, Binding, Key, Opened};
use teams_deliver::connector::{Courier, Failed, Next, Taken as Delivered};
use teams_listen::bot::emulator::EmulatorTokens;
use teams_listen::bot::{Gate, Journal, State, Taken, Tenants, gate, table};
use teams_listen::token::{Fetch, Keys, Verifier};

/// Domains of the stores that files of people lie in: OneDrive and SharePoint
/// (<https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges>).
const FILE_DOMAINS: [&str; 5] =
    [".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn", ".onedrive.com"];
/// A piece of a file, of a multiple of 320 KiB
/// (<https://learn.microsoft.com/graph/api/driveitem-createuploadsession>).
const PIECE: usize = 10 * 320 * 1_024;

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

struct Shared {
    folder: PathBuf,
    gate: Gate,
    /// Open in the one process that receives.
    journal: Mutex<Option<Arc<Journal>>>,
    courier: Courier,
    key: Key,
}

/// What a request to the bot is answered: status, why it is refused, the activity's number, whether it is new, its state, and the
/// answer of an invoke that was answered before.
type Received = (u16, &'static str, u64, bool, &'static str, Option<String>);

impl Shared {
    fn opened(&self) -> MutexGuard<'_, Option<Arc<Journal>>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> Result<Arc<Journal>> {
        self.opened().clone().ok_or_else(|| Error::configuration("This bot only sends: it has not begun to receive"))
    }

    async fn receive(&self, authorization: Option<&str>, body: &[u8]) -> Received {
        let refused = |status, why| (status, why, 0, false, "", None);
        let activity = match self.gate.admit(authorization, body).await {
            Ok(activity) => activity,
            Err(why) => return refused(why.status(), why.name()),
        };
        // The gate has read it as text.
        let text = std::str::from_utf8(body).unwrap_or_default();
        let taken = async { self.journal()?.take(&activity, text, now_ms()).await };
        match taken.await {
            Ok(Taken::New(number)) => (200, "", number, true, State::Pending.as_str(), None),
            Ok(Taken::Again { number, state, answer }) => {
                (200, "", number, false, state.as_str(), answer.map(|answer| answer.to_string()))
            }
            Err(error) => {
                log::error!("{error}");
                refused(503, "it could not be kept")
            }
        }
    }
}

/// A bot: proves and keeps what comes in, sends what goes out. Everything lies in `folder`.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Bot {
    shared: Arc<Shared>,
    app: String,
    tenant: String,
}

fn keys(metadata: Url, fetch: &Arc<dyn Fetch>) -> Keys {
    Keys::new(metadata, Arc::clone(fetch))
}

/// The login service's keys, as the Bot Framework Emulator's tokens name them.
fn login_metadata(config: &ConnectionConfig) -> Result<Url> {
    let joined = config.authority.join("/botframework.com/v2.0/.well-known/openid-configuration");
    joined.map_err(|error| Error::Internal(error.to_string()))
}

/// What the constructor is given beside the connection.
struct Settings {
    folder: PathBuf,
    allowed_tenants: Option<Vec<String>>,
    signing_key_file: Option<PathBuf>,
    development: bool,
}

fn open(options: HashMap<String, String>, credential: Option<Py<PyAny>>, settings: Settings) -> Result<Bot> {
    let (config, _) = parse_connection(options.clone(), Strictness::Strict)?;
    let (client, bot, service) = connect(options, credential, &Arc::new(Report::default()))?;
    let fetch: Arc<dyn Fetch> = Arc::new(client.clone());
    let metadata = config.bot.openid_metadata.clone().unwrap_or_else(|| config.cloud.bot_openid_metadata());
    let development = if settings.development {
        let keys = keys(login_metadata(&config)?, &fetch);
        Some(EmulatorTokens::new(&bot.app_id, Some(&bot.tenant), config.authority.as_str(), keys))
    } else {
        None
    };
    let tenants = match settings.allowed_tenants {
        None => Tenants::only([bot.tenant.clone()]),
        Some(all) if all.iter().any(|one| one == "*") => Tenants::Any,
        Some(some) => Tenants::only(some),
    };
    let verifier = Verifier::new(&bot.app_id, config.cloud.bot_issuer(), keys(metadata, &fetch));
    let gate = Gate { verifier, development, app: bot.app_id.clone(), tenants };
    let key = match settings.signing_key_file {
        Some(path) => key_file::read(&path)?,
        None => key_file::read_or_make(&settings.folder.join(key_file::NAME))?,
    };
    let folder = settings.folder;
    let (app, tenant) = (bot.app_id.clone(), bot.tenant.clone());
    let courier = Courier { client, bot, service };
    Ok(Bot { shared: Arc::new(Shared { folder, gate, journal: Mutex::default(), courier, key }), app, tenant })
}

/// Runs something to its end, whether its caller waits for it or not.
fn in_background<'py, T>(
    py: Python<'py>,
    future: impl Future<Output = T> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    T: Send + 'static + for<'a> IntoPyObject<'a>,
{
    let task = runtime().spawn(guarded(future));
    pyo3_async_runtimes::tokio::future_into_py(py, async move {
        let ended = task.await.map_err(|_| PyRuntimeError::new_err("the bot was closed meanwhile"))?;
        ended.map_err(|error| to_py(&error))
    })
}

fn url(text: &str) -> Result<Url, Failed> {
    Url::parse(text).map_err(|_| failed_before("The conversation's service URL is no address"))
}

/// Nothing was sent.
fn failed_before(why: &str) -> Failed {
    let error = Error::configuration(why);
    Failed { verdict: teams_deliver::connector::judge(teams_deliver::connector::Call::Open, &error), error }
}

fn next(next: Next) -> &'static str {
    match next {
        Next::Rest | Next::Again => "",
        Next::Install => "install",
        Next::Reopen => "reopen",
        Next::Forget => "forget",
        Next::OtherHost => "other_host",
        Next::StopRun => "stop",
    }
}

/// As JSON text: `conversation`, `service`, `activity` of what was taken; `state`, `code`, `next`, `why` of what was not.
fn outcome(result: Result<Delivered, Failed>) -> String {
    let said = match result {
        Ok(taken) => json!({
            "state": "succeeded", "conversation": taken.conversation, "service": taken.service.as_str(),
            "activity": taken.activity,
        }),
        Err(Failed { verdict, error }) => {
            let remedy = if verdict.remedy.is_empty() { String::new() } else { format!(": {}", verdict.remedy) };
            json!({
                "state": verdict.state.as_str(), "code": verdict.code, "next": next(verdict.next),
                "why": format!("{error}{remedy}"),
            })
        }
    };
    said.to_string()
}

fn activity(text: &str) -> Result<Value, Failed> {
    serde_json::from_str(text).map_err(|_| failed_before("The message is no JSON"))
}

fn json_of(what: &str, text: &str) -> PyResult<Value> {
    serde_json::from_str(text).map_err(|error| to_py(&broken(what, error)))
}

/// Puts a file to an upload's address, piece by piece; the text of an error says why not.
async fn upload(courier: &Courier, address: &str, bytes: &[u8]) -> Option<String> {
    let Ok(url) = Url::parse(address) else { return Some("its address is none".to_owned()) };
    let base = &courier.service;
    let is_file_store = url.scheme() == "https"
        && url
            .domain()
            .is_some_and(|host| FILE_DOMAINS.iter().any(|domain| host.to_ascii_lowercase().ends_with(domain)));
    // An emulator on this machine keeps files on this machine.
    let is_own = is_loopback(base) && url.origin() == base.origin();
    if !is_file_store && !is_own {
        return Some("its address is not one of OneDrive or SharePoint".to_owned());
    }
    for (at, piece) in bytes.chunks(PIECE).enumerate() {
        let from = at * PIECE;
        let range = format!("bytes {from}-{}/{}", from + piece.len() - 1, bytes.len());
        match courier.client.put_elsewhere(&url, &range, piece.to_vec()).await {
            Ok(Posted::Answered { status: 200..=299, .. }) => {}
            Ok(Posted::Answered { status, .. }) => return Some(format!("the store answered {status}")),
            Ok(Posted::Unsent(why) | Posted::Lost(why)) => return Some(why),
            Err(error) => return Some(error.to_string()),
        }
    }
    None
}

impl Bot {
    fn journal(&self) -> PyResult<Arc<Journal>> {
        self.shared.journal().map_err(|error| to_py(&error))
    }
}

#[pymethods]
impl Bot {
    #[new]
    #[pyo3(signature = (folder, options, *, credential=None, allowed_tenants=None, signing_key_file=None, development=false))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        options: HashMap<String, String>,
        credential: Option<Py<PyAny>>,
        allowed_tenants: Option<Vec<String>>,
        signing_key_file: Option<PathBuf>,
        development: bool,
    ) -> PyResult<Self> {
        let settings = Settings { folder, allowed_tenants, signing_key_file, development };
        py.detach(|| open(options, credential, settings)).map_err(|error| to_py(&error))
    }

    #[getter]
    fn app_id(&self) -> &str {
        &self.app
    }

    #[getter]
    fn tenant_id(&self) -> &str {
        &self.tenant
    }

    /// Where a first contact goes.
    #[getter]
    fn service_url(&self) -> &str {
        self.shared.courier.service.as_str()
    }

    #[classattr]
    fn most_bytes() -> usize {
        gate::MOST_BYTES
    }

    /// Opens the journal. One process at a time may do it, which is its caller's to see to.
    fn begin(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| {
            let mut opened = self.shared.opened();
            if opened.is_none() {
                *opened = Some(Arc::new(Journal::open(&self.shared.folder, now_ms())?));
            }
            Ok(())
        })
        .map_err(|error: Error| to_py(&error))
    }

    /// Closes it, so that another process may open it.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.shared.opened().take()));
    }

    /// Proves a request and keeps its activity.
    fn receive<'py>(
        &self,
        py: Python<'py>,
        authorization: Option<String>,
        body: PyBackedBytes,
    ) -> PyResult<Bound<'py, PyAny>> {
        let shared = Arc::clone(&self.shared);
        in_background(py, async move { shared.receive(authorization.as_deref(), &body).await })
    }

    /// The same for servers without an event loop.
    fn receive_now(&self, py: Python<'_>, authorization: Option<&str>, body: &[u8]) -> PyResult<Received> {
        wait(py, self.shared.receive(authorization, body))
    }

    /// Acknowledged and not handled: numbers and activities.
    fn pending(&self, py: Python<'_>) -> PyResult<Vec<(u64, String)>> {
        let journal = self.journal()?;
        let pending = py.detach(|| journal.pending());
        Ok(pending.into_iter().map(|(number, body)| (number, body.to_string())).collect())
    }

    fn attempt(&self, number: u64) -> PyResult<bool> {
        self.journal()?.attempt(number, now_ms()).map_err(|error| to_py(&error))
    }

    #[pyo3(signature = (number, state, code="", answer=None))]
    fn end(&self, number: u64, state: &str, code: &str, answer: Option<&str>) -> PyResult<()> {
        let state = State::parse(state).ok_or_else(|| PyValueError::new_err(format!("no such state: {state}")))?;
        self.journal()?.end(number, state, code, answer, now_ms()).map_err(|error| to_py(&error))
    }

    fn counts(&self) -> PyResult<(usize, usize, usize)> {
        Ok(self.journal()?.counts())
    }

    /// What the table lacks: with the rows of both everything up to this number stands there.
    fn unfiled(&self, py: Python<'_>) -> PyResult<(u64, ActivityRows, ActivityRows)> {
        let journal = self.journal()?;
        let made = py.detach(|| {
            let unfiled = journal.unfiled();
            Ok((unfiled.version, table::rows(&unfiled.new)?, table::changes(&unfiled.changed)?))
        });
        let (version, new, changed) = made.map_err(|error: Error| to_py(&error))?;
        Ok((version, ActivityRows(new), ActivityRows(changed)))
    }

    fn filed(&self, py: Python<'_>, version: u64) -> PyResult<()> {
        let journal = self.journal()?;
        py.detach(|| journal.filed(version, now_ms()));
        Ok(())
    }

    /// Seals the data of a card's actions, so that they come back as they were sent.
    fn seal(&self, card: &str, run: &str, recipient: &str, expires: i64) -> PyResult<String> {
        let mut card = json_of("The card", card)?;
        seal::seal(&mut card, &self.shared.key, &Binding { run, recipient, expires });
        Ok(card.to_string())
    }

    /// Opens what an action brought back: why it cannot be relied on, or empty; its name, run, data and inputs as JSON.
    #[pyo3(signature = (data, verb, recipients))]
    fn unseal(
        &self,
        data: &str,
        verb: Option<&str>,
        recipients: Vec<String>,
    ) -> PyResult<(&'static str, String, String, String, String)> {
        let data = json_of("The data", data)?;
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let opened = seal::open(&self.shared.key, verb, &data, &recipients, now_ms() / 1_000);
        let why = opened.as_ref().err().map_or("", |why| why.as_str());
        let Opened { action, run, data, inputs } = opened.unwrap_or_else(|_| seal::unsealed(verb, &data));
        Ok((why, action, run, data.to_string(), Value::Object(inputs).to_string()))
    }

    /// The conversation with a person.
    fn open<'py>(&self, py: Python<'py>, user: String) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move { outcome(courier.open(&user).await) })
    }

    /// A new post in a channel.
    fn post<'py>(
        &self,
        py: Python<'py>,
        service: Option<String>,
        channel: String,
        message: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move {
            let post = async {
                let service = service.map_or_else(|| Ok(courier.service.clone()), |text| url(&text))?;
                courier.post(&service, &channel, &activity(&message)?).await
            };
            outcome(post.await)
        })
    }

    fn send<'py>(
        &self,
        py: Python<'py>,
        service: String,
        conversation: String,
        message: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move {
            let send = async { courier.send(&url(&service)?, &conversation, &activity(&message)?).await };
            outcome(send.await)
        })
    }

    fn update<'py>(
        &self,
        py: Python<'py>,
        service: String,
        conversation: String,
        activity_id: String,
        message: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move {
            let update =
                async { courier.update(&url(&service)?, &conversation, &activity_id, &activity(&message)?).await };
            outcome(update.await)
        })
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        service: String,
        conversation: String,
        activity_id: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move {
            let delete = async { courier.delete(&url(&service)?, &conversation, &activity_id).await };
            outcome(delete.await)
        })
    }

    /// Puts a file to the address that a person's consent gave; says why it could not.
    fn upload<'py>(&self, py: Python<'py>, address: String, content: PyBackedBytes) -> PyResult<Bound<'py, PyAny>> {
        let courier = self.shared.courier.clone();
        in_background(py, async move { upload(&courier, &address, &content).await })
    }
}

/// Rows of the table of activities.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct ActivityRows(RecordBatch);

#[pymethods]
impl ActivityRows {
    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.schema().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let field = Arc::new(Field::new_struct("", self.0.schema().fields().clone(), false));
        let rows: ArrayRef = Arc::new(StructArray::from(self.0.clone()));
        Ok(to_stream_pycapsule(py, Box::new(ArrayIterator::new(std::iter::once(Ok(rows)), field)), requested_schema)?)
    }
}
