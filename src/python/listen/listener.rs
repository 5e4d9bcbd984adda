//! The listener of a folder: what is posted, what is kept, and the subscriptions.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use super::folder::{key, keys};
use super::notifications::Notifications;
use super::values::{Options, Tables, Value, arrivals, json_text, seconds, wanted};
use crate::credential::PythonCredential;
use crate::error::to_py;
use crate::runtime::{runtime, wait};
use crate::step;
use teams_base::error::Result;
use teams_base::options::{Strictness, parse_connection};
use teams_base::timestamp;
use teams_client::auth::{self, TokenProvider};
use teams_client::{GraphClient, Report};
use teams_listen::listener::{Listener as Core, Settings};
use teams_listen::notify::receive::{Posted, Reply};

/// How often a call that waits looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(200);

type Headers = Vec<(Vec<u8>, Vec<u8>)>;
/// Status, headers and body, in ASGI's shapes.
type Answer = (u16, Headers, Vec<u8>);

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
