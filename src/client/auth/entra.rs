//! Tokens from Entra ID by client credentials
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::certificate::CertificateSource;
use super::failure;
use super::{AccessToken, TokenProvider};
use crate::classify::Headers;
use crate::retry::{Trial, random};
use crate::transport::{self, Broken, read_body};
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::secret::{Secret, SecretSource};

/// Requests wait for their token, so a token that does not come is an error sooner than a page that does not come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Without a connection the host is more likely misspelt than down.
const PATIENCE_TO_CONNECT: Duration = Duration::from_secs(20);
/// The life of a token whose answer does not tell.
const USUAL_LIFE: u64 = 3_599;

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
    patience: Duration,
}

/// Whether another attempt may help, and after how long.
struct Refusal {
    failure: AuthFailure,
    retry: Option<(Duration, Option<Duration>)>,
}

impl EntraCredential {
    pub fn secret(config: &ConnectionConfig, source: SecretSource) -> Result<Self> {
        Self::new(config, Proof::Secret(source))
    }

    pub fn federated(config: &ConnectionConfig, file: PathBuf) -> Result<Self> {
        Self::new(config, Proof::Federated(SecretSource::File(file)))
    }

    /// `certificate` is PEM text, PFX in base64, or the path of either file.
    pub fn certificate(config: &ConnectionConfig, certificate: &Secret, password: Option<Secret>) -> Result<Self> {
        Self::new(config, Proof::Certificate(CertificateSource::new(certificate, password)?))
    }

    fn new(config: &ConnectionConfig, proof: Proof) -> Result<Self> {
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
            scope: config.scope(),
            proof,
            patience: PATIENCE.min(config.retry_timeout),
        })
    }

    async fn acquire(&self) -> Result<AccessToken> {
        let mut trial = Trial::new(self.patience, random);
        loop {
            let secret = match &self.proof {
                Proof::Secret(source) | Proof::Federated(source) => source.resolve()?,
                Proof::Certificate(source) => source.assertion(&self.client_id, self.url.as_str())?,
            };
            let started = Instant::now();
            let refusal = match self.ask(&secret).await {
                Ok(token) => return Ok(token),
                Err(refusal) => refusal,
            };
            let wait = refusal.retry.and_then(|(limit, asked)| trial.again_within(limit, started.elapsed(), asked));
            let Some(wait) = wait else {
                return Err(Error::Authentication(Box::new(refusal.failure)));
            };
            log::debug!(
                "Token endpoint: {}; again in {:.1} s",
                refusal.failure.status.unwrap_or(0),
                wait.as_secs_f64()
            );
            tokio::time::sleep(wait).await;
        }
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
        let body = read_body(response).await.map_err(|broken| self.broken(&broken))?;
        if status == 200 {
            return granted(&body, started).ok_or_else(|| Refusal {
                failure: AuthFailure {
                    status: Some(status),
                    message: "the answer holds no token".into(),
                    remedy: "check authority_host and the proxy".into(),
                    ..AuthFailure::default()
                },
                retry: Some((PATIENCE_TO_CONNECT, None)),
            });
        }
        let failure = failure::read(status, &secret.cut_out(&body));
        let transient = matches!(status, 408 | 429 | 500 | 502..=504) || failure::is_transient(&failure);
        Err(Refusal { failure, retry: transient.then(|| (PATIENCE, headers.wait())) })
    }

    fn broken(&self, broken: &Broken) -> Refusal {
        let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let limit = if broken.connect { PATIENCE_TO_CONNECT } else { PATIENCE };
        Refusal {
            failure: AuthFailure {
                message: format!("{host}: {}", broken.what),
                remedy: broken.remedy.unwrap_or("check authority_host, cloud, proxy and the network").into(),
                ..AuthFailure::default()
            },
            retry: broken.remedy.is_none().then_some((limit, None)),
        }
    }
}

impl TokenProvider for EntraCredential {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        Box::pin(self.acquire())
    }

    fn warning(&self) -> Option<String> {
        match &self.proof {
            Proof::Certificate(source) => source.warning(),
            Proof::Secret(_) | Proof::Federated(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
}

/// The token of an answer. Its life counts from the moment it was asked for.
fn granted(body: &[u8], asked_at: Instant) -> Option<AccessToken> {
    let granted: Granted = serde_json::from_slice(body).ok()?;
    let secret = Secret::new(granted.access_token);
    let seconds = granted
        .expires_in
        .as_u64()
        .or_else(|| granted.expires_in.as_str()?.parse().ok())
        .unwrap_or(USUAL_LIFE)
        .min(7 * 86_400);
    let usable = !secret.expose().is_empty();
    usable.then(|| AccessToken { secret, expires_at: asked_at + Duration::from_secs(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_token_is_read_in_any_form() {
        let now = Instant::now();
        for (body, seconds) in [
            (r#"{"access_token":"t","expires_in":60}"#, 60),
            (r#"{"access_token":"t","expires_in":"60"}"#, 60),
            (r#"{"access_token":"t"}"#, USUAL_LIFE),
            (r#"{"access_token":"t","expires_in":99999999999}"#, 7 * 86_400),
        ] {
            assert_eq!(granted(body.as_bytes(), now).unwrap().expires_at, now + Duration::from_secs(seconds), "{body}");
        }
        for bad in [r#"{"access_token":""}"#, "{}", "<html>", ""] {
            assert!(granted(bad.as_bytes(), now).is_none(), "{bad}");
        }
    }
}
