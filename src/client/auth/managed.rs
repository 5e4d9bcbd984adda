//! Tokens of a managed identity: the machine's own, from a service on the machine
//! (<https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>).

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::{Host, Url};

use super::{AccessToken, TokenProvider};
use crate::classify::Headers;
use crate::retry::{Trial, random};
use crate::transport::{self, Broken, read_body};
use teams_base::cloud::is_loopback;
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::redact;
use teams_base::secret::Secret;

/// Longer than the 70 seconds for which the service may be away while it is updated (410).
const PATIENCE: Duration = Duration::from_secs(100);
/// Where no such service runs, nothing answers at all.
const PATIENCE_TO_CONNECT: Duration = Duration::from_secs(10);
/// The service is on the machine: an answer takes no longer.
const TIMEOUT: Duration = Duration::from_secs(15);
const LONGEST_LIFE: u64 = 7 * 86_400;

/// The service that hands out tokens.
#[derive(Debug, Clone)]
pub enum TokenService {
    /// Virtual machines and what runs on them.
    Imds(Url),
    /// App Service, Functions, Container Apps: an address and a header from the environment.
    AppService { endpoint: Url, header: Secret },
}

impl TokenService {
    /// Chooses by the environment, as the Azure SDKs do.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let found = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        let address = |name: &str, text: &str| {
            Url::parse(text).ok().filter(is_safe).ok_or_else(|| {
                Error::Configuration(format!("Environment variable {name} is no address on this machine"))
            })
        };
        match (found("IDENTITY_ENDPOINT"), found("IDENTITY_HEADER")) {
            (Some(_), Some(_)) if found("IDENTITY_SERVER_THUMBPRINT").is_some() => Err(elsewhere("Service Fabric")),
            (Some(endpoint), Some(header)) => {
                Ok(Self::AppService { endpoint: address("IDENTITY_ENDPOINT", &endpoint)?, header: Secret::new(header) })
            }
            (Some(_), None) if found("IMDS_ENDPOINT").is_some() => Err(elsewhere("Azure Arc")),
            _ => {
                let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
                let host = found(name).unwrap_or_else(|| "http://169.254.169.254".into());
                Ok(Self::Imds(address(name, &host)?))
            }
        }
    }
}

/// The service's address is plain http, so it must not leave the machine.
fn is_safe(url: &Url) -> bool {
    let is_link_local = matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local());
    url.scheme() == "https" || url.scheme() == "http" && (is_loopback(url) || is_link_local)
}

fn elsewhere(place: &str) -> Error {
    Error::Configuration(format!(
        "Option managed_identity: {place} is not supported; use another credential, or from Python a credential object"
    ))
}

/// The identity of the machine, or one that was assigned to it.
pub struct ManagedIdentity {
    http: reqwest::Client,
    service: TokenService,
    url: Url,
    patience: Duration,
}

enum Refusal {
    Final(AuthFailure),
    Passing(AuthFailure, Duration, Option<Duration>),
}

impl ManagedIdentity {
    pub fn new(config: &ConnectionConfig, service: TokenService) -> Result<Self> {
        let scope = config.scope();
        let resource = scope.trim_end_matches("/.default");
        let (mut url, version) = match &service {
            TokenService::Imds(host) => {
                let url = host.join("/metadata/identity/oauth2/token");
                (url.map_err(|_| Error::configuration("The metadata service's address is malformed"))?, "2018-02-01")
            }
            TokenService::AppService { endpoint, .. } => (endpoint.clone(), "2019-08-01"),
        };
        url.query_pairs_mut().append_pair("api-version", version).append_pair("resource", resource);
        if let Some(client_id) = &config.client_id {
            url.query_pairs_mut().append_pair("client_id", client_id);
        }
        let local =
            ConnectionConfig { proxy: None, request_timeout: TIMEOUT.min(config.request_timeout), ..config.clone() };
        let http = transport::build_direct(&local)?;
        Ok(Self { http, service, url, patience: PATIENCE.min(config.retry_timeout) })
    }

    async fn acquire(&self) -> Result<AccessToken> {
        let mut trial = Trial::new(self.patience, random);
        loop {
            let started = Instant::now();
            let (failure, wait) = match self.ask().await {
                Ok(token) => return Ok(token),
                Err(Refusal::Final(failure)) => (failure, None),
                Err(Refusal::Passing(failure, limit, asked)) => {
                    (failure, trial.again_within(limit, started.elapsed(), asked))
                }
            };
            let Some(wait) = wait else { return Err(Error::Authentication(Box::new(failure))) };
            log::debug!("Managed identity: {}; again in {:.1} s", failure.status.unwrap_or(0), wait.as_secs_f64());
            tokio::time::sleep(wait).await;
        }
    }

    async fn ask(&self) -> Result<AccessToken, Refusal> {
        let request = self.http.get(self.url.clone());
        let request = match &self.service {
            TokenService::Imds(_) => request.header("Metadata", "true"),
            TokenService::AppService { header, .. } => request.header("X-IDENTITY-HEADER", header.expose()),
        };
        let started = Instant::now();
        let response = request.send().await.map_err(|error| broken(&error.into()))?;
        let status = response.status().as_u16();
        let headers = Headers::of(response.headers());
        let body = read_body(response).await.map_err(|error| broken(&error))?;
        if status == 200 {
            return granted(&body, started, headers.date).ok_or_else(|| {
                let failure = AuthFailure {
                    status: Some(status),
                    message: "the managed identity's answer holds no token".into(),
                    ..AuthFailure::default()
                };
                Refusal::Passing(failure, PATIENCE_TO_CONNECT, None)
            });
        }
        let failure = match &self.service {
            TokenService::AppService { header, .. } => refused(status, &header.cut_out(&body)),
            TokenService::Imds(_) => refused(status, &body),
        };
        // Microsoft's own libraries try again at these: 404 and 410 come while the service is updated.
        Err(match status {
            404 | 408 | 410 | 429 | 500..=599 => Refusal::Passing(failure, PATIENCE, headers.wait()),
            _ => Refusal::Final(failure),
        })
    }
}

impl TokenProvider for ManagedIdentity {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        Box::pin(self.acquire())
    }
}

fn broken(broken: &Broken) -> Refusal {
    let failure = AuthFailure {
        message: format!("the managed identity's service: {}", broken.what),
        remedy: "check that this machine has a managed identity, or choose another credential".into(),
        ..AuthFailure::default()
    };
    let limit = if broken.connect { PATIENCE_TO_CONNECT } else { PATIENCE };
    Refusal::Passing(failure, limit, None)
}

fn refused(status: u16, body: &[u8]) -> AuthFailure {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Body {
        error: String,
        error_description: String,
        message: String,
    }
    let parsed = serde_json::from_slice::<Body>(body);
    let said = parsed.unwrap_or_else(|_| Body { message: redact::snippet(body), ..Body::default() });
    let message = if said.error_description.is_empty() { said.message } else { said.error_description };
    let remedy = match status {
        400 => "assign a managed identity to this machine; where it has several, client_id picks one",
        403 => "the managed identity may not be used from here: check the machine's access to it",
        _ => "",
    };
    AuthFailure {
        status: Some(status),
        code: redact::clean(&said.error),
        message: redact::clean(&message),
        remedy: remedy.into(),
        ..AuthFailure::default()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_on: Value,
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The token of an answer. `expires_on` is a time on the server's clock, and mostly a string; `expires_in` needs no clock.
fn granted(body: &[u8], asked_at: Instant, date: Option<Timestamp>) -> Option<AccessToken> {
    let granted: Granted = serde_json::from_slice(body).ok()?;
    let secret = Secret::new(granted.access_token);
    let now = date.unwrap_or_else(Timestamp::now).as_second() as u64;
    let left = seconds(&granted.expires_in).or_else(|| Some(seconds(&granted.expires_on)?.saturating_sub(now)));
    let usable = !secret.expose().is_empty();
    let life = Duration::from_secs(left.unwrap_or(3_599).min(LONGEST_LIFE));
    usable.then(|| AccessToken { secret, expires_at: asked_at + life })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(vars: &[(&str, &str)]) -> Result<TokenService> {
        TokenService::detect(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_tells_the_service() {
        assert!(matches!(detect(&[]), Ok(TokenService::Imds(url)) if url.as_str() == "http://169.254.169.254/"));
        let app = [("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token/"), ("IDENTITY_HEADER", "marked")];
        let service = detect(&app).unwrap();
        assert!(matches!(&service, TokenService::AppService { .. }));
        assert!(!format!("{service:?}").contains("marked"));
        for vars in [
            &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/"), ("IMDS_ENDPOINT", "http://127.0.0.1:1")][..],
            &[("IDENTITY_ENDPOINT", "https://x/"), ("IDENTITY_HEADER", "h"), ("IDENTITY_SERVER_THUMBPRINT", "t")],
            &[("IDENTITY_ENDPOINT", "http://evil.example/"), ("IDENTITY_HEADER", "h")],
            &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://10.0.0.1")],
        ] {
            assert!(matches!(detect(vars), Err(Error::Configuration(_))), "{vars:?}");
        }
    }

    #[test]
    fn the_end_of_a_token_is_read_in_every_form() {
        let (now, date) = (Instant::now(), Timestamp::from_second(1_000_000).unwrap());
        for (body, life) in [
            (r#"{"access_token":"t","expires_on":"1000060"}"#, 60),
            (r#"{"access_token":"t","expires_on":1000060}"#, 60),
            (r#"{"access_token":"t","expires_in":"70","expires_on":"1"}"#, 70),
            (r#"{"access_token":"t","expires_on":"1"}"#, 0),
            (r#"{"access_token":"t","expires_on":"soon"}"#, 3_599),
            (r#"{"access_token":"t","expires_on":"99999999999"}"#, LONGEST_LIFE),
        ] {
            let token = granted(body.as_bytes(), now, Some(date)).unwrap();
            assert_eq!(token.expires_at, now + Duration::from_secs(life), "{body}");
        }
        assert!(granted(br#"{"access_token":""}"#, now, None).is_none() && granted(b"<html>", now, None).is_none());
    }
}
