//! Tokens from Entra ID by client credentials
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use url::Url;

use super::certificate::CertificateSource;
use super::error_response;
use super::provider::{AccessToken, TokenProvider};
use super::token_request::{Again, Refusal, acquire, granted};
use crate::http::body;
use crate::http::broken::Broken;
use crate::http::headers::Headers;
use crate::http::transport;
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::secret::{Secret, SecretSource};

/// Requests wait for their token, so a token that does not come is an error sooner than a page that does not come.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
/// Without a connection the host is more likely misspelt than down.
const CONNECT_RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// What proves that we are the application.
enum Proof {
    Secret(SecretSource),
    /// A token of another issuer, read at each use because it is replaced often
    /// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation>).
    Federated(SecretSource),
    /// An assertion that the certificate's key signs, made anew for each request.
    Certificate(CertificateSource),
}

/// An application of a tenant.
pub struct EntraCredential {
    http: reqwest::Client,
    url: Url,
    client_id: String,
    scope: String,
    proof: Proof,
    retry_timeout: Duration,
}

impl EntraCredential {
    pub fn secret(config: &ConnectionConfig, scope: &str, source: SecretSource) -> Result<Self> {
        Self::new(config, scope, Proof::Secret(source))
    }

    pub fn federated(config: &ConnectionConfig, scope: &str, file: PathBuf) -> Result<Self> {
        Self::new(config, scope, Proof::Federated(SecretSource::File { option: "federated_token_file", path: file }))
    }

    /// `certificate` is PEM text, PFX in base64, or the path of either file.
    pub fn certificate(
        config: &ConnectionConfig,
        scope: &str,
        certificate: &Secret,
        password: Option<Secret>,
    ) -> Result<Self> {
        Self::new(config, scope, Proof::Certificate(CertificateSource::new(certificate, password)?))
    }

    fn new(config: &ConnectionConfig, scope: &str, proof: Proof) -> Result<Self> {
        let required = |value: &Option<String>, name: &str| {
            value.clone().ok_or_else(|| Error::Configuration(format!("Option {name} is required")))
        };
        let tenant = required(&config.tenant_id, "tenant_id")?;
        let url = config.authority.join(&format!("/{tenant}/oauth2/v2.0/token")).map_err(|_| {
            Error::configuration("Option tenant_id does not make an address: copy the Directory (tenant) ID")
        })?;
        Ok(Self {
            http: transport::build(config, &config.authority)?,
            url,
            client_id: required(&config.client_id, "client_id")?,
            scope: scope.to_owned(),
            proof,
            retry_timeout: RETRY_TIMEOUT.min(config.retry_timeout),
        })
    }

    async fn attempt(&self) -> Result<Result<AccessToken, Refusal>> {
        let secret = match &self.proof {
            Proof::Secret(source) | Proof::Federated(source) => source.resolve()?,
            Proof::Certificate(source) => source.assertion(&self.client_id, self.url.as_str())?,
        };
        Ok(self.ask(&secret).await)
    }

    async fn ask(&self, secret: &Secret) -> Result<AccessToken, Refusal> {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("scope", self.scope.as_str()),
        ];
        match self.proof {
            Proof::Secret(_) => form.push(("client_secret", secret.expose())),
            Proof::Federated(_) | Proof::Certificate(_) => form.extend([
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", secret.expose()),
            ]),
        }
        let started = Instant::now();
        let response =
            self.http.post(self.url.clone()).form(&form).send().await.map_err(|error| self.broken(&error.into()))?;
        let status = response.status().as_u16();
        let headers = Headers::of(response.headers());
        let body = body::read(response).await.map_err(|broken| self.broken(&broken))?.text().unwrap_or_default();
        if status == 200 {
            return granted(&body, started, headers.date).ok_or_else(|| Refusal {
                failure: AuthFailure {
                    status: Some(status),
                    message: "the answer holds no token".into(),
                    remedy: "check authority_host and the proxy".into(),
                    ..AuthFailure::default()
                },
                again: Some(Again { within: CONNECT_RETRY_TIMEOUT, after: None }),
            });
        }
        let failure = error_response::read(status, &secret.cut_out(&body));
        let transient = matches!(status, 408 | 429 | 500 | 502..=504) || error_response::is_transient(&failure);
        let again = transient.then(|| Again { within: RETRY_TIMEOUT, after: headers.wait() });
        Err(Refusal { failure, again })
    }

    fn broken(&self, broken: &Broken) -> Refusal {
        let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let within = if broken.connect { CONNECT_RETRY_TIMEOUT } else { RETRY_TIMEOUT };
        Refusal {
            failure: AuthFailure {
                message: format!("{host}: {}", broken.what),
                remedy: broken.remedy.unwrap_or("check authority_host, cloud, proxy and the network").into(),
                ..AuthFailure::default()
            },
            again: broken.remedy.is_none().then_some(Again { within, after: None }),
        }
    }
}

impl TokenProvider for EntraCredential {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        Box::pin(acquire("Token endpoint", self.retry_timeout, || self.attempt()))
    }

    fn warning(&self) -> Option<String> {
        match &self.proof {
            Proof::Certificate(source) => source.warning(),
            Proof::Secret(_) | Proof::Federated(_) => None,
        }
    }
}
