//! `_core.GraphEmulator`: the loopback tenant for Python.

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::truth;
use teams_base::nearest::nearest;
use teams_base::timestamp;
use teams_emulator::{ACTIONS, Act, Emulator, EmulatorConfig, FaultRule, Mutation, Post, Tamper, is_knob, knob_names};
use teams_tables::find;

/// A Microsoft Graph tenant on loopback, for tests, demos and benchmarks.
///
/// Use it as a context manager; `options` is what a connector needs to read from it.
#[pyclass(name = "GraphEmulator", module = "lakeflow_teams._core", frozen)]
pub struct GraphEmulator {
    running: std::sync::RwLock<Option<Emulator>>,
    url: String,
}

/// Python values cross as JSON: names and types are then checked in one place, by the Rust types.
fn to_json(values: Option<&Bound<'_, PyDict>>) -> PyResult<Map<String, Value>> {
    let Some(values) = values else {
        return Ok(Map::new());
    };
    // Times of Python as ISO 8601, whatever else is no JSON as its text.
    let form = PyDict::new(values.py());
    form.set_item("default", wrap_pyfunction!(plain, values.py())?)?;
    let text: String = values.py().import("json")?.call_method("dumps", (values,), Some(&form))?.extract()?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(PyTypeError::new_err("keywords expected")),
    }
}

#[pyfunction]
fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_time = value.hasattr("isoformat")?;
    if !is_time {
        return Err(PyTypeError::new_err(format!("a {} cannot be used as a value", value.get_type().name()?)));
    }
    let is_naive = value.hasattr("tzinfo")? && value.getattr("tzinfo")?.is_none();
    let text: String = value.call_method0("isoformat")?.extract()?;
    Ok(if is_naive { format!("{text}Z") } else { text }.into_pyobject(value.py())?.into_any())
}

fn to_python(py: Python<'_>, value: &impl Serialize) -> PyResult<Py<PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(py.import("json")?.call_method1("loads", (text,))?.unbind())
}

/// An unknown name is a TypeError, as for any Python function; a wrong value is a ValueError. `others` are names that are
/// known beside those of the type.
fn checked<T: DeserializeOwned>(function: &str, values: Map<String, Value>, others: &[String]) -> PyResult<T> {
    serde_json::from_value(Value::Object(values)).map_err(|error| {
        let text = error.to_string();
        // serde: "unknown field `a`, expected one of `b`, `c`"
        match text.strip_prefix("unknown field ") {
            Some(rest) => {
                let mut names = rest.split('`').skip(1).step_by(2);
                let name = names.next().unwrap_or_default();
                unexpected(function, name, names.chain(others.iter().map(String::as_str)))
            }
            None => PyValueError::new_err(format!("{function}(): {text}")),
        }
    })
}

fn unexpected<'k>(function: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> PyErr {
    let hint = nearest(name, known).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    PyTypeError::new_err(format!("{function}() got an unexpected keyword argument '{name}'{hint}"))
}

fn knob_error(error: String) -> PyErr {
    match error.strip_prefix("unknown knob: ") {
        Some(name) => unexpected("set", name, knob_names().iter().map(String::as_str).chain(ACTIONS.iter().copied())),
        None => PyValueError::new_err(error),
    }
}

impl GraphEmulator {
    /// Runs something on the emulator without holding the interpreter.
    fn with<T: Send>(&self, py: Python<'_>, action: impl FnOnce(&Emulator) -> T + Send) -> PyResult<T> {
        py.detach(|| {
            let running = self.running.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            running.as_ref().map(action)
        })
        .ok_or_else(|| PyRuntimeError::new_err("the emulator is closed"))
    }
}

#[pymethods]
impl GraphEmulator {
    #[new]
    #[pyo3(
        signature = (**knobs),
        text_signature = "(*, teams=5, channels_per_team=3, messages_per_channel=40, replies_per_message=1.0, users=20, chats=10, messages_per_chat=20, seed=7, port=0, rate_limits=False, time_scale=1.0, latency_ms=0, export_lag_seconds=0, history_days=400, gzip=True, **knobs)"
    )]
    fn new(py: Python<'_>, knobs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (switches, sizes): (Map<_, _>, Map<_, _>) =
            to_json(knobs)?.into_iter().partition(|(name, _)| is_knob(name));
        let mut config: EmulatorConfig = checked("GraphEmulator", sizes, &knob_names())?;
        config.knobs = checked("GraphEmulator", switches, &[])?;
        let emulator = py.detach(|| Emulator::start(config)).map_err(|error| PyOSError::new_err(error.to_string()))?;
        let url = emulator.url();
        Ok(Self { running: std::sync::RwLock::new(Some(emulator)), url })
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, pyo3::types::PyTuple>) {
        self.close(py);
    }

    /// Stop serving. The port is free again shortly after.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.running.write().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    }

    fn __repr__(&self) -> String {
        let closed = self.running.read().unwrap_or_else(std::sync::PoisonError::into_inner).is_none();
        format!("GraphEmulator(url='{}'{})", self.url, if closed { ", closed" } else { "" })
    }

    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// Connection options for a connector, all strings.
    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (tenant, client, secret, enforced) = self.with(py, |emulator| {
            let names = [emulator.tenant_id(), emulator.client_id(), emulator.client_secret()].map(str::to_owned);
            let [tenant, client, secret] = names;
            (tenant, client, secret, emulator.knobs().rate_limits)
        })?;
        let options = PyDict::new(py);
        options.set_item("tenant_id", tenant)?;
        options.set_item("client_id", client)?;
        options.set_item("client_secret", secret)?;
        options.set_item("authority_host", &self.url)?;
        options.set_item("graph_base_url", &self.url)?;
        options.set_item("bot_service_url", format!("{}/teams/", self.url))?;
        options.set_item("bot_openid_metadata", format!("{}/v1/.well-known/openidconfiguration", self.url))?;
        if !enforced {
            options.set_item("rate_limits", "off")?;
        }
        Ok(options)
    }

    /// Change the tenant: `mutate(edits=3, late_replies=2)`. Returns what was changed, by kind.
    #[pyo3(signature = (**counts))]
    fn mutate(&self, py: Python<'_>, counts: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        let mutation: Mutation = checked("mutate", to_json(counts)?, &[])?;
        let summary = self.with(py, |emulator| emulator.mutate(&mutation))?;
        to_python(py, &summary)
    }

    /// Write one message: `post(text="Hello", author="...", at="2026-01-15T12:00:00Z")`. Returns the ids that find it.
    #[pyo3(signature = (text, **details))]
    fn post(&self, py: Python<'_>, text: String, details: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        let mut values = to_json(details)?;
        values.retain(|_, value| !value.is_null());
        values.insert("text".to_owned(), Value::String(text));
        let post: Post = checked("post", values, &[])?;
        let touched = self.with(py, |emulator| emulator.post(&post))?;
        to_python(py, &touched.map_err(|error| PyValueError::new_err(format!("post(): {error}")))?)
    }

    /// Let a person act: `act(deed="message", user=..., text="hi")`. Returns what Teams sends the bot of it, signed.
    #[pyo3(signature = (**act))]
    fn act(&self, py: Python<'_>, act: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        let act: Act = checked("act", to_json(act)?, &[])?;
        let said = self.with(py, |emulator| emulator.act(&act))?;
        to_python(py, &said.map_err(|error| PyValueError::new_err(format!("act(): {error}")))?)
    }

    /// The same, and post it to the bot at `url`; what gets no answer comes again. Returns the answers.
    #[pyo3(signature = (url, **act))]
    fn tell(&self, py: Python<'_>, url: &str, act: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        let act: Act = checked("tell", to_json(act)?, &[])?;
        let told = self.with(py, |emulator| emulator.tell(url, &act))?;
        to_python(py, &told.map_err(|error| PyValueError::new_err(format!("tell(): {error}")))?)
    }

    /// Everything that the bot was told by `tell`, with what it answered, in order.
    fn told(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let told = self.with(py, Emulator::told)?;
        to_python(py, &told)
    }

    /// Everything that the bot sent, replaced and deleted, in order: the truth of who received what, and how often.
    fn deliveries(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let deliveries = self.with(py, Emulator::deliveries)?;
        to_python(py, &deliveries)
    }

    /// The names of everything that the constructor takes: what the tenant is made of, and how it behaves.
    #[staticmethod]
    fn knobs() -> Vec<String> {
        EmulatorConfig::names().into_iter().chain(knob_names()).collect()
    }

    /// Move the clock forward.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        #[allow(clippy::cast_possible_truncation)] // seconds of an emulator's clock
        self.with(py, |emulator| emulator.advance(seconds as i64))
    }

    /// The emulator's time, as ISO 8601 text.
    #[getter]
    fn now(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |emulator| emulator.now().to_string())
    }

    /// Every row of a table as a whole and correct reader would hold it now, in the form that reading gives.
    fn truth(&self, py: Python<'_>, table: &str) -> PyResult<Py<PyAny>> {
        let declared = find(table).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let rows = self.with(py, |emulator| {
            let now = timestamp::to_text(emulator.now());
            let texts = emulator.truth_texts(table);
            texts.map(|texts| texts.iter().map(|text| truth::row(declared, text, &now)).collect::<Vec<_>>())
        })?;
        to_python(py, &rows.ok_or_else(|| PyValueError::new_err(format!("of {table} the emulator knows no truth")))?)
    }

    /// The same as JSON text, as the tenant holds it: with every property, and Graph's own times.
    fn truth_json(&self, py: Python<'_>, table: &str) -> PyResult<String> {
        self.with(py, |emulator| emulator.truth_texts(table).map(|rows| format!("[{}]", rows.join(","))))?
            .ok_or_else(|| PyValueError::new_err(format!("no such table: {table}")))
    }

    /// The files that were uploaded, as (drive, path, bytes).
    fn files<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, String, Bound<'py, PyBytes>)>> {
        let files = self.with(py, Emulator::files)?;
        Ok(files.into_iter().map(|(drive, path, bytes)| (drive, path, PyBytes::new(py, &bytes))).collect())
    }

    /// Ids of teams that are listed and answer 403 or 404.
    fn unreadable_teams(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, Emulator::unreadable_teams)
    }

    /// The subscriptions that live, with their states.
    fn subscriptions(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let subscriptions = self.with(py, Emulator::subscriptions)?;
        to_python(py, &subscriptions)
    }

    /// Take subscriptions away, one or all, as Graph does without telling. Returns how many.
    #[pyo3(signature = (subscription_id=None))]
    fn remove_subscriptions(&self, py: Python<'_>, subscription_id: Option<&str>) -> PyResult<usize> {
        self.with(py, |emulator| emulator.remove_subscriptions(subscription_id))
    }

    /// What subscribers were told of, in order, and what became of it: the truth of deliveries.
    fn notices(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let notices = self.with(py, Emulator::notices)?;
        to_python(py, &notices)
    }

    /// The values that an Event Hub got since they were last taken, as JSON text.
    fn hub_values(&self, py: Python<'_>, hub: &str) -> PyResult<Vec<String>> {
        self.with(py, |emulator| emulator.hub_values(hub))
    }

    /// Tell of subscriptions, one or all: `reauthorizationRequired`, `subscriptionRemoved` (which removes), `missed`. Returns how many.
    #[pyo3(signature = (event, subscription_id=None))]
    fn lifecycle(&self, py: Python<'_>, event: &str, subscription_id: Option<&str>) -> PyResult<usize> {
        self.with(py, |emulator| emulator.lifecycle(event, subscription_id))
    }

    /// Arm a fault: `fault(path="/messages", kind="status", status=503, times=2)`.
    #[pyo3(signature = (**rule))]
    fn fault(&self, py: Python<'_>, rule: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let rule: FaultRule = checked("fault", to_json(rule)?, &[])?;
        self.with(py, |emulator| emulator.fault(rule))
    }

    /// Change one message in a way that no request can: `tamper(conversation=..., message=..., drop=True)`.
    #[pyo3(signature = (**change))]
    fn tamper(&self, py: Python<'_>, change: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let change: Tamper = checked("tamper", to_json(change)?, &[])?;
        self.with(py, |emulator| emulator.tamper(&change))?.map_err(PyValueError::new_err)
    }

    fn clear_faults(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Emulator::clear_faults)
    }

    /// Switch behaviour: `set(export_lag_seconds=3600, forbid_team=team_id)`.
    #[pyo3(signature = (**knobs))]
    fn set(&self, py: Python<'_>, knobs: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let knobs = to_json(knobs)?;
        self.with(py, |emulator| knobs.iter().try_for_each(|(name, value)| emulator.set_by_name(name, value)))?
            .map_err(knob_error)
    }

    /// The requests so far, oldest first.
    fn requests(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let requests = self.with(py, Emulator::requests)?;
        to_python(py, &requests)
    }

    /// Requests by method and endpoint template.
    fn request_counts(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let counts = self.with(py, Emulator::request_counts)?;
        to_python(py, &counts)
    }

    fn clear_requests(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Emulator::clear_requests)
    }

    /// TCP connections accepted so far.
    #[getter]
    fn connections(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, Emulator::connections)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<GraphEmulator>()
}
