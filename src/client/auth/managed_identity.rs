//! Tokens of a managed identity: the machine's own, from a service on the machine
//! (<https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>).

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Deserialize;
use url::{Host, Url};

use super::provider::{AccessToken, TokenProvider};
use super::token_request::{Again, Refusal, acquire, granted};
use crate::http::body;
use crate::http::broken::Broken;
use crate::http::headers::Headers;
use crate::http::transport;
use teams_base::cloud::is_loopback;
use teams_base::error::{AuthFailure, Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::redact;
use teams_base::secret::Secret;
use teams_base::text;

/// Longer than the 70 seconds for which the service may be away while it is updated (410).
const RETRY_TIMEOUT: Duration = Duration::from_secs(100);
/// Where no such service runs, nothing answers at all.
const CONNECT_RETRY_TIMEOUT: Duration = Duration::from_secs(10);
/// The service is on the machine: an answer takes no longer.
const TIMEOUT: Duration = Duration::from_secs(15);

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
            (Some(endpoint), Some(header)) => Ok(Self::AppService {
                endpoint: address("IDENTITY_ENDPOINT", &endpoint)?,
                header: Secret::new(text::value(&header)),
            }),
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
    retry_timeout: Duration,
}

impl ManagedIdentity {
    pub fn new(config: &ConnectionConfig, scope: &str, service: TokenService) -> Result<Self> {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
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
        Ok(Self { http, service, url, retry_timeout: RETRY_TIMEOUT.min(config.retry_timeout) })
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
        let body = body::read(response).await.map_err(|error| broken(&error))?.text().unwrap_or_default();
        if status == 200 {
            return granted(&body, started, headers.date).ok_or_else(|| {
                let failure = AuthFailure {
                    status: Some(status),
                    message: "the managed identity's answer holds no token".into(),
                    ..AuthFailure::default()
                };
                Refusal { failure, again: Some(Again { within: CONNECT_RETRY_TIMEOUT, after: None }) }
            });
        }
        let failure = match &self.service {
            TokenService::AppService { header, .. } => refused(status, &header.cut_out(&body)),
            TokenService::Imds(_) => refused(status, &body),
        };
        // Microsoft's own libraries try again at these: 404 and 410 come while the service is updated.
        let is_transient = matches!(status, 404 | 408 | 410 | 429 | 500..=599);
        let again = is_transient.then(|| Again { within: RETRY_TIMEOUT, after: headers.wait() });
        Err(Refusal { failure, again })
    }
}

impl TokenProvider for ManagedIdentity {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        Box::pin(acquire("Managed identity", self.retry_timeout, || async { Ok(self.ask().await) }))
    }
}

fn broken(broken: &Broken) -> Refusal {
    let failure = AuthFailure {
        message: format!("the managed identity's service: {}", broken.what),
        remedy: broken
            .remedy
            .unwrap_or("check that this machine has a managed identity, or choose another credential")
            .into(),
        ..AuthFailure::default()
    };
    let within = if broken.connect { CONNECT_RETRY_TIMEOUT } else { RETRY_TIMEOUT };
    Refusal { failure, again: broken.remedy.is_none().then_some(Again { within, after: None }) }
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
}
