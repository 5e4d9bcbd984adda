//! What an endpoint is: one row of the table.

use crate::graph::limit::{self, Limit};
use crate::graph::permission::{self, Permission};
use crate::handlers::call::{Call, WriteCall};
use crate::http::error::{GraphError, Outcome};
use crate::http::method::Method;
use crate::push::proposal::Proposal;

#[derive(Clone, Copy)]
pub enum Handler {
    /// Reads the tenant, beside other reads.
    Read(fn(&Call<'_>) -> Outcome),
    /// Changes the tenant, alone.
    Write(fn(&mut WriteCall<'_>) -> Outcome),
    /// Checks a subscription, whose addresses are called before it stands.
    Subscribe(fn(&Call<'_>) -> Result<Proposal, GraphError>),
    /// Holds other requests, each of which is authenticated, limited and answered for itself.
    Batch,
}

pub struct Endpoint {
    pub method: Method,
    /// The path below `/v1.0` as Graph documents it; also the endpoint's name in logs and counts. `{id}` is handed to the
    /// handler, `{_}` is not. A segment `name({id})` is a function with its arguments.
    pub template: &'static str,
    /// Other paths that lead here. They have the same ids.
    pub aliases: &'static [&'static str],
    pub handler: Handler,
    pub permission: Permission,
    pub limit: Limit,
    /// Whether the handler draws on the limit itself, after all other checks.
    pub rate_last: bool,
}

impl Endpoint {
    /// The template without the arguments of a function.
    pub fn name(&self) -> &'static str {
        self.template.split('(').next().unwrap_or_default()
    }

    pub const fn rate_last(mut self) -> Self {
        self.rate_last = true;
        self
    }

    pub const fn alias(mut self, paths: &'static [&'static str]) -> Self {
        self.aliases = paths;
        self
    }
}

pub const fn get(
    template: &'static str,
    handler: fn(&Call<'_>) -> Outcome,
    permission: Permission,
    limit: Limit,
) -> Endpoint {
    Endpoint {
        method: Method::Get,
        template,
        aliases: &[],
        handler: Handler::Read(handler),
        permission,
        limit,
        rate_last: false,
    }
}

/// An endpoint that changes the tenant.
pub const fn write(
    method: Method,
    template: &'static str,
    handler: fn(&mut WriteCall<'_>) -> Outcome,
    permission: Permission,
    limit: Limit,
) -> Endpoint {
    Endpoint { method, template, aliases: &[], handler: Handler::Write(handler), permission, limit, rate_last: false }
}

/// An endpoint whose effect comes after calls to the addresses that it names.
pub const fn subscribe(
    method: Method,
    template: &'static str,
    propose: fn(&Call<'_>) -> Result<Proposal, GraphError>,
) -> Endpoint {
    Endpoint {
        method,
        template,
        aliases: &[],
        handler: Handler::Subscribe(propose),
        permission: permission::NONE,
        limit: limit::CHANGE_SUBSCRIPTION,
        rate_last: false,
    }
}

pub const fn batch(template: &'static str, permission: Permission) -> Endpoint {
    Endpoint {
        method: Method::Post,
        template,
        aliases: &[],
        handler: Handler::Batch,
        permission,
        limit: Limit::None,
        rate_last: false,
    }
}
