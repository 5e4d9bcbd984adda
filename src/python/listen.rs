//! Change notifications as Python sees them. Settings and reports cross as JSON text, rows as Arrow.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyDict;
use pyo3_arrow::PyRecordBatch;
use serde_json::json;

use super::batch::{Batch, Schema};
use super::credential::PythonCredential;
use super::error::to_py;
use super::runtime::{runtime, wait};
use super::step;
use teams_base::error::{Error, Result};
use teams_base::options::{Strictness, parse_connection, parse_table};
use teams_base::secret::Secret;
use teams_base::timestamp;
use teams_client::auth::{self, TokenProvider};
use teams_client::{GraphClient, Report};
use teams_listen::listener::{self, Listener as Core, Settings};
use teams_listen::notify::decode::{Decoder, Filled, Gate, Received, Wanted, changes, kept};
use teams_listen::notify::keys::{KeyRing, PrivateKey};
use teams_listen::notify::receive::{Posted, Reply};
use teams_listen::notify::spool;
use teams_listen::subscriptions::state::{Entry, State};
use teams_tables::Projection;

/// How often a call that waits looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(200);

type Options = HashMap<String, String>;
type Tables = Vec<(String, Options, Option<Vec<String>>)>;
type Headers = Vec<(Vec<u8>, Vec<u8>)>;
/// Status, headers and body, in ASGI's shapes.
type Answer = (u16, Headers, Vec<u8>);

fn wanted(tables: Tables) -> Result<Vec<Wanted>> {
    let one = |(table, options, columns)| {
        let (options, _) = parse_table(options, Strictness::Strict)?;
        Ok(Wanted { table, options, columns })
    };
    tables.into_iter().map(one).collect()
}

/// Bytes or text.
#[derive(FromPyObject)]
pub enum Value {
    Bytes(PyBackedBytes),
    Text(PyBackedStr),
}

impl Value {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// A certificate with its key: a path, or what such a file holds.
#[derive(FromPyObject)]
pub enum Source {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

#[derive(FromPyObject)]
pub enum Certificate {
    Labelled(String, Source),
    Plain(Source),
}

impl Certificate {
    fn read(&self, password: Option<&Secret>) -> Result<PrivateKey> {
        let (label, source) = match self {
            Self::Labelled(label, source) => (Some(label.as_str()), source),
            Self::Plain(source) => (None, source),
        };
        match source {
            Source::Bytes(bytes) => PrivateKey::given(bytes, password, label),
            Source::Path(path) => {
                let bytes = std::fs::read(path).map_err(|error| {
                    Error::configuration(format!("Option certificate: the file cannot be read ({})", error.kind()))
                })?;
                PrivateKey::given(&bytes, password, label)
            }
        }
    }
}

/// When each value came; now, where nothing else is said.
fn arrivals(values: usize, arrived: Option<Vec<Option<f64>>>, now: Timestamp) -> PyResult<Vec<Timestamp>> {
    let Some(arrived) = arrived else { return Ok(vec![now; values]) };
    if arrived.len() != values {
        return Err(PyValueError::new_err(format!("arrived_at has {} times for {values} values", arrived.len())));
    }
    let time = |seconds: f64| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok();
    Ok(arrived.into_iter().map(|seconds| seconds.and_then(time).unwrap_or(now)).collect())
}

/// Seconds since 1970 of datetimes.
fn seconds(times: Option<Vec<Option<Bound<'_, PyAny>>>>) -> PyResult<Option<Vec<Option<f64>>>> {
    let second = |time: Bound<'_, PyAny>| time.call_method0("timestamp")?.extract::<f64>();
    let all = |times: Vec<Option<Bound<'_, PyAny>>>| {
        times.into_iter().map(|time| time.map(second).transpose()).collect::<PyResult<Vec<_>>>()
    };
    times.map(all).transpose()
}

fn json_text(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| to_py(&Error::Internal(error.to_string())))
}

/// A stretch of notifications, decoded.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Notifications {
    inner: listener::Notifications,
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

/// Decodes values that come by any way.
#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct NotificationDecoder {
    decoder: Decoder,
    keys: KeyRing,
    states: Vec<Secret>,
}

impl NotificationDecoder {
    fn decode_items(&self, values: &[(&[u8], Timestamp)]) -> Notifications {
        let items: Vec<_> = values.iter().flat_map(|(value, arrived)| Received::of_value(value, *arrived)).collect();
        let decoded = self.decoder.decode(&items, &self.keys, Gate::States(&self.states));
        let oversized_tables = vec![Vec::new(); decoded.oversized.len()];
        let kept = decoded.problems(&items);
        Notifications { inner: listener::Notifications { decoded, position: None, kept, oversized_tables } }
    }

    fn projection(&self, table: &str) -> PyResult<&Projection> {
        let mut projections = self.decoder.projections();
        projections
            .find(|projection| projection.table.name == table)
            .ok_or_else(|| PyKeyError::new_err(table.to_owned()))
    }
}

#[pymethods]
impl NotificationDecoder {
    #[new]
    #[pyo3(signature = (tables, certificates, *, password=None, client_states=None))]
    fn new(
        tables: Tables,
        certificates: Vec<Certificate>,
        password: Option<String>,
        client_states: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let password = password.map(Secret::new);
        let make = || -> Result<Self> {
            let keys = certificates.iter().map(|one| one.read(password.as_ref())).collect::<Result<Vec<_>>>()?;
            Ok(Self {
                decoder: Decoder::new(&wanted(tables)?)?,
                keys: KeyRing::given(keys),
                states: client_states.unwrap_or_default().into_iter().map(Secret::new).collect(),
            })
        };
        make().map_err(|error| to_py(&error))
    }

    fn schema(&self, table: &str) -> PyResult<Schema> {
        Ok(Schema::new(self.projection(table)?))
    }

    #[staticmethod]
    fn changes_schema() -> Schema {
        Schema::own(changes::schema(), changes::COLUMNS)
    }

    #[staticmethod]
    fn received_schema() -> Schema {
        Schema::own(kept::empty().schema(), kept::COLUMNS)
    }

    #[pyo3(signature = (values, arrived_at=None))]
    fn decode(
        &self,
        py: Python<'_>,
        values: Vec<Value>,
        arrived_at: Option<Vec<Option<Bound<'_, PyAny>>>>,
    ) -> PyResult<Notifications> {
        let arrived = arrivals(values.len(), seconds(arrived_at)?, Timestamp::now())?;
        let values: Vec<_> = values.iter().map(Value::as_bytes).zip(arrived).collect();
        Ok(py.detach(|| self.decode_items(&values)))
    }

    #[pyo3(
        signature = (batch, value="value", timestamp=Some("timestamp")),
        text_signature = "($self, batch, value='value', timestamp='timestamp')"
    )]
    fn decode_batch(
        &self,
        py: Python<'_>,
        batch: PyRecordBatch,
        value: &str,
        timestamp: Option<&str>,
    ) -> PyResult<Notifications> {
        let batch = batch.into_inner();
        let values = values_of(&batch, value)?;
        let arrived = times_of(&batch, timestamp)?;
        let values: Vec<_> = values.into_iter().zip(arrived).collect();
        Ok(py.detach(|| self.decode_items(&values)))
    }
}

/// A binary or text column; null is an empty value.
fn values_of<'b>(batch: &'b RecordBatch, name: &str) -> PyResult<Vec<&'b [u8]>> {
    let column = batch.column_by_name(name).ok_or_else(|| {
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(", ");
        PyKeyError::new_err(format!("the batch has no column '{name}': it has {names}"))
    })?;
    Ok(match column.data_type() {
        DataType::Binary => column.as_binary::<i32>().iter().map(Option::unwrap_or_default).collect(),
        DataType::LargeBinary => column.as_binary::<i64>().iter().map(Option::unwrap_or_default).collect(),
        DataType::Utf8 => column.as_string::<i32>().iter().map(|text| text.unwrap_or_default().as_bytes()).collect(),
        DataType::LargeUtf8 => {
            column.as_string::<i64>().iter().map(|text| text.unwrap_or_default().as_bytes()).collect()
        }
        other => return Err(PyTypeError::new_err(format!("column '{name}' must be binary or text, and is {other}"))),
    })
}

/// A column of timestamps in microseconds; now, where there is none.
fn times_of(batch: &RecordBatch, name: Option<&str>) -> PyResult<Vec<Timestamp>> {
    let now = Timestamp::now();
    let Some((name, column)) = name.and_then(|name| Some((name, batch.column_by_name(name)?))) else {
        return Ok(vec![now; batch.num_rows()]);
    };
    if !matches!(column.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)) {
        let kind = column.data_type();
        return Err(PyTypeError::new_err(format!("column '{name}' must be timestamps in microseconds, and is {kind}")));
    }
    let times = column.as_primitive::<TimestampMicrosecondType>();
    Ok(times.iter().map(|time| time.and_then(|time| Timestamp::from_microsecond(time).ok()).unwrap_or(now)).collect())
}

#[pyclass(module = "lakeflow_teams._core", frozen)]
pub struct Listener {
    /// `None` once it is closed.
    core: Mutex<Option<Arc<Core>>>,
    max_body_bytes: usize,
}

impl Listener {
    fn core(&self) -> PyResult<Arc<Core>> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.clone().ok_or_else(|| PyValueError::new_err("the listener has been closed"))
    }
}

/// What of a POST is looked at.
struct Post {
    query: Vec<u8>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body: PyBackedBytes,
}

impl Post {
    fn new(kind: &str, query: &Value, headers: &Bound<'_, PyAny>, body: PyBackedBytes) -> PyResult<Self> {
        if !matches!(kind, "notifications" | "lifecycle") {
            return Err(PyValueError::new_err(format!("kind must be notifications or lifecycle, and is '{kind}'")));
        }
        let (mut content_type, mut content_encoding) = (None, None);
        for header in headers.try_iter()? {
            let (name, value): (PyBackedBytes, PyBackedBytes) = header?.extract()?;
            let text = || Some(String::from_utf8_lossy(&value).into_owned());
            if name.eq_ignore_ascii_case(b"content-type") {
                content_type = text();
            } else if name.eq_ignore_ascii_case(b"content-encoding") {
                content_encoding = text();
            }
        }
        Ok(Self { query: query.as_bytes().to_vec(), content_type, content_encoding, body })
    }

    async fn receive(&self, core: &Core) -> Answer {
        let posted = Posted {
            query: &self.query,
            content_type: self.content_type.as_deref(),
            content_encoding: self.content_encoding.as_deref(),
            body: &self.body,
        };
        answer(&core.receive(posted).await)
    }
}

fn answer(reply: &Reply) -> Answer {
    let body = reply.body().as_bytes().to_vec();
    let length = ("content-length", body.len().to_string());
    let headers = reply.headers().into_iter().chain([length]);
    let headers = headers.map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes()));
    (reply.status(), headers.collect(), body)
}

#[pymethods]
impl Listener {
    #[new]
    #[pyo3(signature = (folder, options, tables, settings, *, credential=None))]
    fn new(
        folder: PathBuf,
        options: Options,
        tables: Tables,
        settings: &str,
        credential: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let make = || -> Result<Core> {
            let settings = Settings::parse(settings)?;
            let (config, _) = parse_connection(options, Strictness::Strict)?;
            let own = credential.map(|credential| {
                Arc::new(PythonCredential::new(credential, config.scope())) as Arc<dyn TokenProvider>
            });
            let _guard = runtime().enter();
            let provider = auth::provider(&config, &config.scope(), own)?;
            let client = GraphClient::new(&config, provider, Arc::new(Report::new()))?;
            Core::new(&folder, &config, client, &wanted(tables)?, &settings)
        };
        let core = make().map_err(|error| to_py(&error))?;
        Ok(Self { max_body_bytes: core.caps().body_bytes, core: Mutex::new(Some(Arc::new(core))) })
    }

    fn receive<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        query: Value,
        headers: &Bound<'_, PyAny>,
        body: PyBackedBytes,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (core, post) = (self.core()?, Post::new(kind, &query, headers, body)?);
        pyo3_async_runtimes::tokio::future_into_py(py, async move { Ok(post.receive(&core).await) })
    }

    fn receive_now(
        &self,
        py: Python<'_>,
        kind: &str,
        query: Value,
        headers: &Bound<'_, PyAny>,
        body: PyBackedBytes,
    ) -> PyResult<Answer> {
        let (core, post) = (self.core()?, Post::new(kind, &query, headers, body)?);
        wait(py, async { post.receive(&core).await })
    }

    #[getter]
    fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }

    #[getter]
    fn received(&self) -> PyResult<HashMap<&'static str, u64>> {
        Ok(self.core()?.received().into_iter().collect())
    }

    #[getter]
    fn spool<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let core = self.core()?;
        let (waiting, aside) = py.detach(|| core.waiting());
        let told = PyDict::new(py);
        told.set_item("items", waiting.items)?;
        told.set_item("bytes", waiting.bytes)?;
        told.set_item("oldest", waiting.oldest.map(timestamp::to_text))?;
        told.set_item("damaged", waiting.damaged)?;
        told.set_item("aside", aside)?;
        Ok(told)
    }

    #[pyo3(signature = (max_items=2000, wait_seconds=0.0))]
    fn next(&self, py: Python<'_>, max_items: usize, wait_seconds: f64) -> PyResult<Option<Notifications>> {
        let core = self.core()?;
        let until = Instant::now() + Duration::try_from_secs_f64(wait_seconds.max(0.0)).unwrap_or(Duration::MAX / 4);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let next = py.detach(|| core.next(max_items.max(1), left.min(TICK)));
            if let Some(inner) = next.map_err(|error| to_py(&error))? {
                return Ok(Some(Notifications { inner }));
            }
            py.check_signals()?;
            if left <= TICK {
                return Ok(None);
            }
        }
    }

    fn rewind(&self) -> PyResult<()> {
        self.core()?.rewind();
        Ok(())
    }

    fn done(&self, py: Python<'_>, position: i64) -> PyResult<()> {
        let core = self.core()?;
        py.detach(|| core.done(position)).map_err(|error| to_py(&error))
    }

    #[pyo3(signature = (max_items=2000))]
    fn retry_aside(&self, py: Python<'_>, max_items: usize) -> PyResult<Option<Notifications>> {
        let core = self.core()?;
        let next = py.detach(|| core.retry_aside(max_items.max(1))).map_err(|error| to_py(&error))?;
        Ok(next.map(|inner| Notifications { inner }))
    }

    #[pyo3(signature = (values, arrived_at=None))]
    fn decode(
        &self,
        py: Python<'_>,
        values: Vec<Value>,
        arrived_at: Option<Vec<Option<Bound<'_, PyAny>>>>,
    ) -> PyResult<Notifications> {
        let core = self.core()?;
        let arrived = arrivals(values.len(), seconds(arrived_at)?, core.engine().now())?;
        let values: Vec<_> = values.iter().map(Value::as_bytes).zip(arrived).collect();
        let inner = py.detach(|| core.decode(&values)).map_err(|error| to_py(&error))?;
        Ok(Notifications { inner })
    }

    fn maintain(&self, py: Python<'_>) -> PyResult<String> {
        let core = self.core()?;
        let turn = step::run(py, None, || (), || async move { core.turn().await })?;
        json_text(&turn)
    }

    fn caught_up(&self, resource: &str, until: &str) -> PyResult<()> {
        let until = timestamp::parse(until).ok_or_else(|| PyValueError::new_err("until is no time in ISO 8601"))?;
        self.core()?.engine().caught_up(resource, until).map_err(|error| to_py(&error))
    }

    fn unsubscribe(&self, py: Python<'_>) -> PyResult<String> {
        let core = self.core()?;
        let turn = step::run(py, None, || (), || async move { core.engine().unsubscribe().await })?;
        json_text(&turn)
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        keys(py, self.core()?.keys())
    }

    fn rotate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let core = self.core()?;
        let made = py.detach(|| core.keys().make(Timestamp::now())).map_err(|error| to_py(&error))?;
        key(py, &made, true)
    }

    #[getter]
    fn now(&self) -> PyResult<Option<String>> {
        Ok(self.core()?.engine().client().now().map(timestamp::to_text))
    }

    fn close(&self) {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn keys<'py>(py: Python<'py>, ring: &KeyRing) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let current = ring.current().map(|key| key.label.clone());
    ring.all().iter().map(|one| key(py, one, current.as_ref() == Some(&one.label))).collect()
}

fn key<'py>(py: Python<'py>, key: &PrivateKey, is_current: bool) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("label", &key.label)?;
    told.set_item("thumbprint", &key.thumbprint)?;
    told.set_item("created_at", timestamp::to_text(key.created))?;
    told.set_item("not_after", timestamp::to_text(key.ends))?;
    told.set_item("current", is_current)?;
    Ok(told)
}

/// The subscriptions that tables need, without a request.
#[pyfunction]
pub fn plan_subscriptions(tables: Tables) -> PyResult<String> {
    let plan = wanted(tables).and_then(|wanted| Core::plan_of(&wanted));
    json_text(&plan.map_err(|error| to_py(&error))?)
}

/// What stands in a listener's folder, also while it runs.
#[pyfunction]
pub fn listen_status(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    let status = py.detach(|| status(&folder)).map_err(|error| to_py(&error))?;
    json_text(&status)
}

fn status(folder: &Path) -> Result<serde_json::Value> {
    let unreadable = |error: std::io::Error| {
        Error::configuration(format!("The listener's folder {} cannot be read: {error}", folder.display()))
    };
    let survey = |name: &str| {
        let folder = folder.join(name);
        if folder.is_dir() { spool::survey(&folder).map_err(unreadable) } else { Ok(spool::Survey::default()) }
    };
    let (waiting, aside) = (survey(listener::SPOOL)?, survey(listener::ASIDE)?);
    let state = State::open(&folder.join(listener::SUBSCRIPTIONS))?;
    let time = |time: Option<Timestamp>| time.map(timestamp::to_text);
    let entry = |entry: &Entry| {
        json!({
            "resource": entry.resource, "tables": entry.tables, "id": entry.id, "key": entry.key,
            "state": match (&entry.id, entry.failures) { (Some(_), 0) => "active", (Some(_), _) => "failing", (None, _) => "missing" },
            "expires_at": time(entry.expires_at), "renew_at": time(entry.renew_at()),
            "last_notification": time(entry.last_notification),
        })
    };
    let key_folder = folder.join(listener::KEYS);
    let keys = if key_folder.is_dir() { KeyRing::open(&key_folder)?.all() } else { Vec::new() };
    let keys = keys.iter().map(|key| {
        json!({"label": key.label, "thumbprint": key.thumbprint, "created_at": timestamp::to_text(key.created),
               "not_after": timestamp::to_text(key.ends)})
    });
    Ok(json!({
        "subscriptions": state.entries().iter().map(entry).collect::<Vec<_>>(),
        "spool": {"items": waiting.items, "bytes": waiting.bytes, "oldest": time(waiting.oldest), "damaged": waiting.damaged,
                  "aside": aside.items},
        "keys": keys.collect::<Vec<_>>(),
        "gaps": state.gaps(),
        "listened_at": time(state.listened_at()),
    }))
}

/// Makes a new key in a folder, also beside a listener that runs.
#[pyfunction]
pub fn rotate_listen_key(py: Python<'_>, folder: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let rotate = || KeyRing::open(&folder.join(listener::KEYS))?.make(Timestamp::now());
    let made = py.detach(rotate).map_err(|error| to_py(&error))?;
    key(py, &made, true)
}

/// What the module offers of this.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Listener>()?;
    module.add_class::<NotificationDecoder>()?;
    module.add_class::<Notifications>()?;
    module.add_function(wrap_pyfunction!(plan_subscriptions, module)?)?;
    module.add_function(wrap_pyfunction!(listen_status, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_listen_key, module)?)?;
    Ok(())
}
