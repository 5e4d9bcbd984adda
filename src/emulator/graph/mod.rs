//! What Graph decides before a handler runs: the table of endpoints, the route, the permission, the limit, the parts of
//! a batch. Knows the handlers, and nothing of connections.

pub mod batch;
pub mod connector;
pub mod endpoint;
pub mod endpoints;
pub mod limit;
pub mod permission;
pub mod router;
pub mod throttle;
