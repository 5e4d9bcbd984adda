//! A Python object with `get_token(scope)`, such as those of azure-identity, as a token provider.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use teams_base::error::{AuthFailure, Error, Result};
use teams_base::secret::Secret;
use teams_client::auth::{AccessToken, TokenProvider};

pub struct PythonCredential {
    credential: Arc<Py<PyAny>>,
    scope: String,
}

impl PythonCredential {
    pub fn new(credential: Py<PyAny>, scope: String) -> Self {
        Self { credential: Arc::new(credential), scope }
    }
}

impl PythonCredential {
    fn ask(&self, refused: Option<Secret>) -> BoxFuture<'_, Result<AccessToken>> {
        let credential = Arc::clone(&self.credential);
        let scope = self.scope.clone();
        Box::pin(async move {
            // Credentials block on the network, so they get a thread of their own.
            let token = tokio::task::spawn_blocking(move || {
                Python::attach(|py| {
                    let token = get_token(py, &credential, &scope, None)?;
                    if refused.is_none_or(|refused| refused != token.secret) {
                        return Ok(token);
                    }
                    // A credential without `claims` has only its cache to offer; Graph then has the last word.
                    Ok(get_token(py, &credential, &scope, Some(&newer_than_now())).unwrap_or(token))
                })
            });
            token.await.map_err(|_| failure("the credential's token could not be read"))?
        })
    }
}

impl TokenProvider for PythonCredential {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        self.ask(None)
    }

    fn replace<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<AccessToken>> {
        self.ask(Some(refused.clone()))
    }
}

/// azure-identity passes its cache by when claims are asked for, and these are what a claims challenge asks for
/// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
fn newer_than_now() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!(r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{now}"}}}}}}"#)
}

fn get_token(py: Python<'_>, credential: &Py<PyAny>, scope: &str, claims: Option<&str>) -> Result<AccessToken> {
    let options = claims.map(|claims| [("claims", claims)].into_py_dict(py)).transpose();
    let token = options.and_then(|options| credential.bind(py).call_method("get_token", (scope,), options.as_ref()));
    let token = token.map_err(|error| refused(py, &error))?;
    let read = || -> PyResult<(String, f64)> {
        Ok((token.getattr("token")?.extract()?, token.getattr("expires_on")?.extract()?))
    };
    let (secret, expires_on) = read().map_err(|_| {
        failure("the credential's get_token must return an object with token and expires_on; async credentials are not supported")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    // What is no number is no life at all.
    let life = Duration::try_from_secs_f64((expires_on - now).clamp(0.0, 1e9)).unwrap_or_default();
    let expires_at = Instant::now() + life;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A credential that keeps its token unless claims are asked for.
    const CACHING: &std::ffi::CStr = c"
class Token:
    def __init__(self, token):
        self.token, self.expires_on = token, 4102444800

class Caching:
    calls = 0
    def get_token(self, scope, claims=None):
        if claims is None:
            return Token('kept')
        assert 'nbf' in claims
        return Token('new')

class Plain:
    def get_token(self, scope):
        return Token('kept')
";

    fn provider(class: &str) -> PythonCredential {
        Python::initialize();
        Python::attach(|py| {
            let module = PyModule::from_code(py, CACHING, c"caching.py", c"caching").unwrap();
            PythonCredential::new(module.getattr(class).unwrap().call0().unwrap().unbind(), "scope".into())
        })
    }

    #[tokio::test]
    async fn a_refused_token_does_not_come_back_from_the_credentials_own_cache() {
        let caching = provider("Caching");
        assert_eq!(caching.fetch().await.unwrap().secret.expose(), "kept");
        assert_eq!(caching.replace(&Secret::new("another")).await.unwrap().secret.expose(), "kept");
        assert_eq!(caching.replace(&Secret::new("kept")).await.unwrap().secret.expose(), "new");
        assert_eq!(provider("Plain").replace(&Secret::new("kept")).await.unwrap().secret.expose(), "kept");
    }
}
