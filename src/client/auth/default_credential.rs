//! A credential found in the environment, in the order of Azure's `DefaultAzureCredential`. Only on request: a credential
//! that happens to be there may have rights that were not meant to be used.

use futures::future::BoxFuture;

use super::entra::EntraCredential;
use super::managed_identity::{ManagedIdentity, TokenService};
use super::provider::{AccessToken, TokenProvider};
use teams_base::error::{Error, Result};
use teams_base::options::ConnectionConfig;
use teams_base::secret::{Secret, SecretSource};
use teams_base::text;

/// What was found, and where.
pub struct DefaultCredential {
    provider: Box<dyn TokenProvider>,
    place: String,
}

impl DefaultCredential {
    /// Looks for a secret, a certificate, a federated token and a managed identity, and takes the first.
    pub fn find(config: &ConnectionConfig, scope: &str, env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let found = |name: &str| env(name).filter(|value| !text::word(value).is_empty());
        // Ids and paths as shells and forms leave them, with blanks or line breaks at their ends.
        let word = |name: &str| found(name).map(|value| text::word(&value).to_owned());
        let config = ConnectionConfig {
            tenant_id: config.tenant_id.clone().or_else(|| word("AZURE_TENANT_ID")),
            client_id: config.client_id.clone().or_else(|| word("AZURE_CLIENT_ID")),
            ..config.clone()
        };
        let mut passed_over = Vec::new();
        let is_named = config.tenant_id.is_some() && config.client_id.is_some();
        for name in ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"] {
            let Some(value) = word(name) else { continue };
            if !is_named {
                passed_over.push(name);
                continue;
            }
            let provider = match name {
                "AZURE_CLIENT_SECRET" => {
                    EntraCredential::secret(&config, scope, SecretSource::Environment(name.into()))
                }
                "AZURE_CLIENT_CERTIFICATE_PATH" => {
                    let password =
                        found("AZURE_CLIENT_CERTIFICATE_PASSWORD").map(|password| Secret::new(text::value(&password)));
                    EntraCredential::certificate(&config, scope, &Secret::new(value), password)
                }
                _ => EntraCredential::federated(&config, scope, value.into()),
            };
            let place = format!("environment variable {name}");
            return Ok(Self { provider: Box::new(provider.map_err(|error| at(&place, error))?), place });
        }
        let place = match passed_over.as_slice() {
            [] => "managed identity".to_owned(),
            names => format!(
                "managed identity ({} passed over: AZURE_TENANT_ID or AZURE_CLIENT_ID is missing)",
                names.join(" and ")
            ),
        };
        let provider = TokenService::detect(env).and_then(|service| ManagedIdentity::new(&config, scope, service));
        Ok(Self { provider: Box::new(provider.map_err(|error| at(&place, error))?), place })
    }
}

fn at(place: &str, error: Error) -> Error {
    match error {
        Error::Configuration(text) => Error::Configuration(format!("default_credential took {place}: {text}")),
        Error::Authentication(mut failure) => {
            failure.message = format!("{} [default_credential took {place}]", failure.message);
            Error::Authentication(failure)
        }
        other => other,
    }
}

impl TokenProvider for DefaultCredential {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        Box::pin(async { self.provider.fetch().await.map_err(|error| at(&self.place, error)) })
    }

    fn warning(&self) -> Option<String> {
        self.provider.warning()
    }

    fn describe(&self) -> Option<String> {
        Some(format!("default_credential took {}", self.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(vars: &[(&str, &str)]) -> Result<String> {
        let env = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        DefaultCredential::find(&ConnectionConfig::default(), "scope", env).map(|found| found.describe().unwrap())
    }

    #[test]
    fn the_first_complete_one_is_taken_and_named() {
        let app = [("AZURE_TENANT_ID", "contoso.example"), ("AZURE_CLIENT_ID", "app")];
        let with = |more: &[(&'static str, &'static str)]| take(&[&app[..], more].concat());
        let secret = ("AZURE_CLIENT_SECRET", "hush");
        let file = ("AZURE_FEDERATED_TOKEN_FILE", "/nowhere");
        let certificate = ("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere");
        assert!(with(&[secret, file]).unwrap().ends_with("AZURE_CLIENT_SECRET"));
        assert!(with(&[file]).unwrap().ends_with("AZURE_FEDERATED_TOKEN_FILE"));
        assert!(with(&[]).unwrap().ends_with("managed identity"));
        let error = with(&[certificate, file]).unwrap_err().to_string();
        assert!(error.contains("AZURE_CLIENT_CERTIFICATE_PATH") && error.contains("client_certificate"), "{error}");
        let text = take(&[secret]).unwrap();
        assert!(text.contains("managed identity (AZURE_CLIENT_SECRET passed over"), "{text}");
    }
}
