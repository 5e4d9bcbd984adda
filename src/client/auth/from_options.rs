//! The choice among the credentials.

use std::sync::Arc;

use super::default_credential::DefaultCredential;
use super::entra::EntraCredential;
use super::managed_identity::{ManagedIdentity, TokenService};
use super::provider::TokenProvider;
use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, Credential};

/// The provider that the options choose, of tokens for a scope such as `https://graph.microsoft.com/.default`; or the
/// caller's own. Exactly one of them must be given.
pub fn provider(
    config: &ConnectionConfig,
    scope: &str,
    own: Option<Arc<dyn TokenProvider>>,
) -> Result<Arc<dyn TokenProvider>> {
    match (&config.credential, own) {
        (None, Some(own)) => Ok(own),
        (Some(_), Some(_)) => {
            Err(Error::configuration("A credential object and a credential option are both given: keep exactly one"))
        }
        (None, None) => Err(Error::configuration(
            "No credential is given: set tenant_id, client_id and client_secret \
             (or client_secret_env, client_secret_file, client_certificate, federated_token_file), managed_identity=true \
             or default_credential=true",
        )),
        (Some(Credential::ClientSecret(source)), None) => {
            Ok(Arc::new(EntraCredential::secret(config, scope, source.clone())?))
        }
        (Some(Credential::FederatedTokenFile(path)), None) => {
            Ok(Arc::new(EntraCredential::federated(config, scope, path.clone())?))
        }
        (Some(Credential::ClientCertificate { certificate, password }), None) => {
            Ok(Arc::new(EntraCredential::certificate(config, scope, certificate, password.clone())?))
        }
        (Some(Credential::ManagedIdentity), None) => {
            Ok(Arc::new(ManagedIdentity::new(config, scope, TokenService::detect(environment)?)?))
        }
        (Some(Credential::Default), None) => Ok(Arc::new(DefaultCredential::find(config, scope, environment)?)),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
