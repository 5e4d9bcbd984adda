//! Entra ID: the token endpoint and the tokens it issued.

pub mod token_endpoint;
pub mod tokens;
