//! What is documented of Microsoft Graph: endpoints, limits, permissions.

pub mod endpoint;
pub mod limits;
pub mod permissions;
