//! One Python class per thing a user can act on.

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use teams_base::error::Error;

const MODULE: &str = "lakeflow_teams._core";

const CLASSES: [(&str, &str); 7] = [
    ("ConfigurationError", "An option is missing, unknown or malformed."),
    ("AuthenticationError", "Entra ID refused a token."),
    ("PermissionDeniedError", "Graph refused access: a permission is missing."),
    ("NotFoundError", "What an option names does not exist."),
    ("ThrottledError", "Graph kept throttling beyond the retry budget."),
    ("ServiceError", "Graph kept failing beyond the retry budget, or refused the request."),
    ("ProtocolError", "Graph answered with something that it does not document."),
];

struct Classes {
    base: Py<PyType>,
    /// In the order of [`CLASSES`].
    by_kind: Vec<Py<PyType>>,
}

static REGISTRY: PyOnceLock<Classes> = PyOnceLock::new();

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    REGISTRY.get_or_try_init(py, || {
        let base =
            new_class(py, "LakeflowTeamsError", "Base of the connector's errors.", &[py.get_type::<PyRuntimeError>()])?;
        let mut by_kind = Vec::new();
        for (name, doc) in CLASSES {
            let mut bases = vec![base.bind(py).clone()];
            if name == "ConfigurationError" {
                bases.push(py.get_type::<PyValueError>());
            }
            by_kind.push(new_class(py, name, doc, &bases)?);
        }
        Ok(Classes { base, by_kind })
    })
}

/// Makes a class as `type(name, bases, attributes)` does: a native class can't have two bases.
fn new_class(py: Python<'_>, name: &str, doc: &str, bases: &[Bound<'_, PyType>]) -> PyResult<Py<PyType>> {
    let attributes = PyDict::new(py);
    attributes.set_item("__module__", MODULE)?;
    attributes.set_item("__doc__", doc)?;
    for field in ["status", "code", "request_id", "endpoint", "scope"] {
        attributes.set_item(field, py.None())?;
    }
    let class = py.get_type::<PyType>().call1((name, PyTuple::new(py, bases)?, attributes))?;
    Ok(class.cast_into::<PyType>()?.unbind())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = classes(py)?;
    module.add("LakeflowTeamsError", classes.base.bind(py))?;
    for ((name, _), class) in CLASSES.iter().zip(&classes.by_kind) {
        module.add(*name, class.bind(py))?;
    }
    Ok(())
}

/// The exception of an error.
pub fn to_py(error: &Error) -> PyErr {
    Python::attach(|py| build(py, error).unwrap_or_else(|error| error))
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let index = match error {
        Error::Configuration(_) => 0,
        Error::Authentication(_) => 1,
        Error::PermissionDenied(_) => 2,
        Error::NotFound(_) => 3,
        Error::Throttled(_) => 4,
        Error::Service(_) => 5,
        Error::Protocol(_) => 6,
        Error::Interrupted => return Ok(PyKeyboardInterrupt::new_err(())),
        Error::Internal(_) => return Ok(PyErr::from_value(classes(py)?.base.bind(py).call1((error.to_string(),))?)),
    };
    let exception = classes(py)?.by_kind[index].bind(py).call1((error.to_string(),))?;
    exception.setattr("status", error.status())?;
    match error {
        Error::Authentication(failure) => {
            exception
                .setattr("code", failure.aadsts.map_or(failure.code.clone(), |number| format!("AADSTS{number}")))?;
        }
        other => {
            if let Some(failure) = other.graph() {
                exception.setattr("code", &failure.code)?;
                exception.setattr("request_id", &failure.request_id)?;
                exception.setattr("endpoint", failure.endpoint)?;
                exception.setattr("scope", &failure.scope)?;
            }
        }
    }
    Ok(PyErr::from_value(exception))
}
