//! Tokens for Microsoft Graph: who gives them, and how they are kept.

mod cache;
mod certificate;
mod entra;
mod failure;
mod managed;
mod order;
mod pfx;
mod roles;

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;

pub use cache::{Token, TokenCache};
pub use entra::EntraCredential;
pub use failure::REMEDIES;
pub use managed::{ManagedIdentity, TokenService};
pub use order::Found;
pub use roles::Roles;

use teams_base::error::{Error, Result};
use teams_base::options::{ConnectionConfig, Credential};
use teams_base::secret::Secret;

#[derive(Debug, Clone)]
pub struct AccessToken {
    pub secret: Secret,
    pub expires_at: Instant,
}

/// Gets a new token each time it is asked. Keeping it is [`TokenCache`]'s job.
pub trait TokenProvider: Send + Sync {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>>;

    /// Gets a token after one was refused. A provider that keeps tokens itself must not give the refused one again.
    fn replace<'a>(&'a self, _refused: &'a Secret) -> BoxFuture<'a, Result<AccessToken>> {
        self.fetch()
    }

    /// Where the tokens come from, if the options leave that open.
    fn describe(&self) -> Option<String> {
        None
    }

    /// What will soon need somebody's attention, such as a certificate near its end.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A closure as provider, for credentials that live outside, such as an object of azure-identity.
impl<F> TokenProvider for F
where
    F: Fn() -> BoxFuture<'static, Result<AccessToken>> + Send + Sync,
{
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken>> {
        self()
    }
}

/// The provider that the options choose, or the caller's own. Exactly one of them must be given.
pub fn provider(config: &ConnectionConfig, own: Option<Arc<dyn TokenProvider>>) -> Result<Arc<dyn TokenProvider>> {
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
            Ok(Arc::new(EntraCredential::secret(config, source.clone())?))
        }
        (Some(Credential::FederatedTokenFile(path)), None) => {
            Ok(Arc::new(EntraCredential::federated(config, path.clone())?))
        }
        (Some(Credential::ClientCertificate { certificate, password }), None) => {
            Ok(Arc::new(EntraCredential::certificate(config, certificate, password.clone())?))
        }
        (Some(Credential::ManagedIdentity), None) => {
            Ok(Arc::new(ManagedIdentity::new(config, TokenService::detect(environment)?)?))
        }
        (Some(Credential::Default), None) => Ok(Arc::new(Found::first(config, environment)?)),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
