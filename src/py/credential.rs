//! A Python object with `get_token(scope)`, such as those of azure-identity, as a token provider.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use pyo3::prelude::*;

use crate::auth::{AccessToken, Secret, TokenProvider};
use crate::error::{AuthFailure, Error, Result};

pub struct PythonCredential {
    credential: Arc<Py<PyAny>>,
    scope: String,
}

impl PythonCredential {
    pub fn new(credential: Py<PyAny>, scope: String) -> Self {
        Self { credential: Arc::new(credential), scope }
    }
}

impl TokenProvider for PythonCredential {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        let credential = Arc::clone(&self.credential);
        let scope = self.scope.clone();
        Box::pin(async move {
            // Credentials block on the network, so they get a thread of their own.
            let token = tokio::task::spawn_blocking(move || Python::attach(|py| get_token(py, &credential, &scope)));
            token.await.map_err(|_| Error::Interrupted)?
        })
    }
}

fn get_token(py: Python<'_>, credential: &Py<PyAny>, scope: &str) -> Result<AccessToken> {
    let token = credential.bind(py).call_method1("get_token", (scope,)).map_err(|error| refused(py, &error))?;
    let read = || -> PyResult<(String, f64)> {
        Ok((token.getattr("token")?.extract()?, token.getattr("expires_on")?.extract()?))
    };
    let (secret, expires_on) = read().map_err(|_| {
        failure("the credential's get_token must return an object with token and expires_on; async credentials are not supported")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let expires_at = Instant::now() + Duration::from_secs_f64((expires_on - now).clamp(0.0, 1e9));
    Ok(AccessToken { secret: Secret::new(secret), expires_at })
}

/// Only the class of the exception is told: its text may hold what it should not.
fn refused(py: Python<'_>, error: &PyErr) -> Error {
    let class = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    failure(&format!("the credential raised {class}"))
}

fn failure(message: &str) -> Error {
    Error::Authentication(Box::new(AuthFailure { message: message.to_owned(), ..AuthFailure::default() }))
}
