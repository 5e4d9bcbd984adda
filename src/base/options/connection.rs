//! How Graph is reached and as whom.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Strictness;
use super::catalogue::{self, Door};
use super::value::{Values, refuse};
use crate::cloud::{Cloud, is_loopback};
use crate::error::{Error, Result};
use crate::secret::{Secret, SecretSource};

/// Proof of being the application. Exactly one is given by options; none where the caller brings a token provider of its own.
#[derive(Debug, Clone)]
pub enum Credential {
    ClientSecret(SecretSource),
    /// PEM text, or the path of a file that holds it.
    ClientCertificate {
        certificate: Secret,
        password: Option<Secret>,
    },
    FederatedTokenFile(PathBuf),
    ManagedIdentity,
    /// The first of those in the environment.
    Default,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// Plan at 80 % of the documented limits.
    #[default]
    Documented,
    /// Only what the server asks for, for emulators and benchmarks.
    Off,
}

/// The bot, where it differs from the application and from the cloud's own.
#[derive(Debug, Clone, Default)]
pub struct BotConfig {
    pub app_id: Option<String>,
    pub tenant_id: Option<String>,
    /// Where a first contact goes.
    pub service_url: Option<Url>,
    pub openid_metadata: Option<Url>,
}

#[derive(Clone)]
pub struct ConnectionConfig {
    pub tenant_id: Option<String>,
    pub client_id: Option<String>,
    pub credential: Option<Credential>,
    pub cloud: Cloud,
    pub authority: Url,
    pub graph: Url,
    pub bot: BotConfig,
    pub rate_limits: RateLimits,
    pub requests_per_second: Option<f64>,
    /// Of the limits that all clients of the application share in a tenant.
    pub rate_share: f64,
    pub max_concurrency: usize,
    pub request_timeout: Duration,
    pub retry_timeout: Duration,
    pub ca_bundle: Option<PathBuf>,
    /// May carry a user and a password.
    pub proxy: Option<Secret>,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            tenant_id: None,
            client_id: None,
            credential: None,
            cloud: Cloud::Global,
            authority: Cloud::Global.authority(),
            graph: Cloud::Global.graph(),
            bot: BotConfig::default(),
            rate_limits: RateLimits::Documented,
            requests_per_second: None,
            rate_share: 1.0,
            max_concurrency: 16,
            request_timeout: Duration::from_secs(100),
            retry_timeout: Duration::from_secs(900),
            ca_bundle: None,
            proxy: None,
        }
    }
}

impl ConnectionConfig {
    /// The application as which the bot speaks: its id, and the tenant that its tokens come from.
    #[must_use]
    pub fn as_bot(&self) -> Self {
        let own = self.bot.clone();
        Self {
            client_id: own.app_id.or_else(|| self.client_id.clone()),
            tenant_id: own.tenant_id.or_else(|| self.tenant_id.clone()),
            ..self.clone()
        }
    }

    /// The Bot Connector's address for a first contact.
    pub fn bot_service(&self) -> Result<Url> {
        self.bot.service_url.clone().or_else(|| self.cloud.bot_service()).ok_or_else(|| {
            Error::configuration(
                "Option bot_service_url is required in this cloud, whose Bot Connector is not documented",
            )
        })
    }

    /// The scope of the token: everything consented to, on this cloud's Graph.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.graph.as_str().trim_end_matches('/'))
    }
}

/// Shows what helps to find a mistake; the credential and the proxy redact themselves.
impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionConfig")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("credential", &self.credential)
            .field("authority", &self.authority.as_str())
            .field("graph", &self.graph.as_str())
            .field("rate_limits", &self.rate_limits)
            .field("requests_per_second", &self.requests_per_second)
            .field("rate_share", &self.rate_share)
            .field("max_concurrency", &self.max_concurrency)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// Reads the connection options of a map; known table options are left alone.
pub fn parse_connection(
    pairs: impl IntoIterator<Item = (String, String)>,
    strictness: Strictness,
) -> Result<(ConnectionConfig, Vec<String>)> {
    let (mut values, warnings) = Values::collect(pairs, Door::Connection, strictness)?;
    let default = ConnectionConfig::default();
    let cloud = Cloud::from_word(values.text("cloud").as_deref().unwrap_or("global"));
    let config = ConnectionConfig {
        credential: credential(&mut values)?,
        tenant_id: values.text("tenant_id").map(tenant).transpose()?,
        client_id: values.text("client_id"),
        cloud,
        authority: values.host("authority_host").unwrap_or_else(|| cloud.authority()),
        graph: values.host("graph_base_url").unwrap_or_else(|| cloud.graph()),
        bot: BotConfig {
            app_id: values.text("bot_app_id"),
            tenant_id: values.text("bot_tenant_id"),
            service_url: values.host("bot_service_url"),
            openid_metadata: values.host("bot_openid_metadata"),
        },
        rate_limits: match values.text("rate_limits").as_deref() {
            Some("off") => RateLimits::Off,
            _ => RateLimits::Documented,
        },
        requests_per_second: values.float("requests_per_second"),
        rate_share: values.float("rate_share").unwrap_or(default.rate_share),
        max_concurrency: values.int("max_concurrency").map_or(default.max_concurrency, |n| n as usize),
        request_timeout: values.int("request_timeout_seconds").map_or(default.request_timeout, Duration::from_secs),
        retry_timeout: values.int("retry_timeout_seconds").map_or(default.retry_timeout, Duration::from_secs),
        ca_bundle: values.text("ca_bundle").map(PathBuf::from),
        proxy: values.text("proxy").map(Secret::new),
    };
    if config.rate_limits == RateLimits::Off && !is_loopback(&config.graph) {
        return Err(Error::configuration(
            "Option rate_limits: \"off\" is for emulators on loopback only, and graph_base_url is not one. Leave it out",
        ));
    }
    require(&config)?;
    Ok((config, warnings))
}

/// A GUID or a domain. The multi-tenant words cannot be used with application permissions
/// (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).
fn tenant(text: String) -> Result<String> {
    let spec = catalogue::find("tenant_id").expect("declared in the catalogue");
    let multi = ["common", "organizations", "consumers"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let domain = text.contains('.') && text.split('.').all(|label| !label.is_empty());
    if multi || !plain || !(domain || uuid::Uuid::try_parse(&text).is_ok()) {
        return Err(refuse(
            spec,
            &text,
            "is neither a directory (tenant) ID nor a domain: copy the Directory (tenant) ID of the app registration",
        ));
    }
    Ok(text)
}

const CREDENTIALS: [&str; 7] = [
    "client_secret",
    "client_secret_env",
    "client_secret_file",
    "client_certificate",
    "federated_token_file",
    "managed_identity",
    "default_credential",
];

fn credential(values: &mut Values) -> Result<Option<Credential>> {
    let flags = ["managed_identity", "default_credential"].map(|name| values.flag(name).then_some(name));
    let given: Vec<_> =
        CREDENTIALS.into_iter().filter(|name| values.has(name) || flags.contains(&Some(*name))).collect();
    if given.len() > 1 {
        return Err(Error::Configuration(format!(
            "Options {} are all credentials: keep exactly one",
            given.join(" and ")
        )));
    }
    let password = values.text("client_certificate_password").map(Secret::new);
    if password.is_some() && !values.has("client_certificate") {
        return Err(Error::configuration("Option client_certificate_password needs client_certificate"));
    }
    let Some(name) = given.first().copied() else { return Ok(None) };
    match name {
        "managed_identity" => return Ok(Some(Credential::ManagedIdentity)),
        "default_credential" => return Ok(Some(Credential::Default)),
        _ => {}
    }
    let Some(text) = values.text(name) else { return Ok(None) };
    Ok(Some(match name {
        "client_secret" => Credential::ClientSecret(SecretSource::Value(Secret::new(text))),
        "client_secret_env" => Credential::ClientSecret(SecretSource::Environment(text)),
        "client_secret_file" => Credential::ClientSecret(SecretSource::File { option: name, path: text.into() }),
        "client_certificate" => Credential::ClientCertificate { certificate: Secret::new(text), password },
        _ => Credential::FederatedTokenFile(text.into()),
    }))
}

/// What the chosen credential cannot do without.
fn require(config: &ConnectionConfig) -> Result<()> {
    if matches!(config.credential, None | Some(Credential::ManagedIdentity | Credential::Default)) {
        return Ok(());
    }
    for (name, value) in [("tenant_id", &config.tenant_id), ("client_id", &config.client_id)] {
        if value.is_none() {
            return Err(Error::Configuration(format!(
                "Option {name} is required: {}",
                catalogue::find(name).map_or("", |spec| spec.doc)
            )));
        }
    }
    Ok(())
}
