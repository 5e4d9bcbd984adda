//! Tokens: who gives them, and how they are kept. Uses `http`, and knows nothing of requests to Graph.

mod certificate;
mod default_credential;
mod entra;
mod error_response;
mod from_options;
mod key_error;
mod managed_identity;
mod pem;
mod pkcs12;
mod provider;
mod roles;
mod token_cache;
mod token_request;

pub use certificate::Certificate;
pub use default_credential::DefaultCredential;
pub use entra::EntraCredential;
pub use error_response::REMEDIES;
pub use from_options::provider;
pub use managed_identity::{ManagedIdentity, TokenService};
pub use provider::{AccessToken, TokenProvider};
pub use roles::Roles;
pub use token_cache::{Token, TokenCache};
