//! One Graph request, in memory: fault, token, route, limit, permission, handler. The parts of a batch pass here too.

use std::sync::PoisonError;

use rand::seq::SliceRandom;
use serde_json::json;

use crate::bot::address::below_service;
use crate::bot::error;
use crate::faults::effect;
use crate::faults::injector::Injected;
use crate::graph::batch;
use crate::graph::endpoint::{Endpoint, Handler};
use crate::graph::limit::Limit;
use crate::graph::router::Route;
use crate::graph::throttle::resource_units;
use crate::handlers::call::Call;
use crate::http::error::{GraphError, Outcome};
use crate::http::method::Method;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::login::tokens::Audience;
use crate::odata::query::Query;
use crate::server::notify;
use crate::server::state::Shared;
use crate::tenant::knobs::Knobs;

/// Which service a request goes to, and where it leads there.
pub fn route(shared: &Shared, request: &Request) -> (Audience, Route) {
    let method = Method::parse(&request.method);
    if let Some(path) = below_service(&request.path, &shared.config.tenant_id) {
        return (Audience::BotConnector, shared.connector.route(method, path));
    }
    let route = match request.path.strip_prefix("/v1.0") {
        Some(path) => shared.router.route(method, path),
        None => Route::Unknown,
    };
    (Audience::Graph, route)
}

/// The faults of this request. `name` is that of its endpoint.
pub fn inject(shared: &Shared, request: &Request, name: &str) -> Injected {
    shared.faults.lock().unwrap_or_else(PoisonError::into_inner).take(request, name)
}

/// Answers one request, which may be a batch.
pub fn answer(
    shared: &Shared,
    request: &Request,
    (audience, route): (Audience, &Route),
    injected: &Injected,
) -> Outcome {
    match effect::error(injected) {
        Some(error) if !effect::is_after(injected) => Err(error),
        // The request has its effect, and this in place of its answer.
        Some(error) => routed(shared, request, audience, route, injected).and(Err(error)),
        None => routed(shared, request, audience, route, injected),
    }
}

fn routed(shared: &Shared, request: &Request, audience: Audience, route: &Route, injected: &Injected) -> Outcome {
    match route {
        Route::Found { endpoint, ids } => handle(shared, request, audience, endpoint, ids, injected),
        Route::MethodNotAllowed(endpoint) if matches!(endpoint.handler, Handler::Batch) => {
            answer_batch(shared, request, injected)
        }
        Route::MethodNotAllowed(_) => {
            authenticate(shared, request, audience)?;
            Err(GraphError::method_not_allowed())
        }
        Route::Unknown => {
            authenticate(shared, request, audience)?;
            let segment = request.path.rsplit('/').next().unwrap_or_default();
            Err(GraphError::bad_request(format!("Resource not found for the segment '{segment}'.")))
        }
    }
}

fn handle(
    shared: &Shared,
    request: &Request,
    audience: Audience,
    endpoint: &Endpoint,
    ids: &[String],
    injected: &Injected,
) -> Outcome {
    let knobs = shared.knobs();
    let query = Query::parse(&request.raw_query);
    let app = authenticate(shared, request, audience);
    let users = shared.tenant.read().unwrap_or_else(PoisonError::into_inner).users.len();
    let rate = || {
        let mut throttle = shared.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.admit(&endpoint.limit, ids, &query, &knobs, users, shared.clock.now_ms())
    };
    let gate = Gate { shared, request, endpoint, ids, knobs: &knobs, query: &query, injected, app: &app, rate: &rate };
    let mut response = match endpoint.handler {
        Handler::Batch => answer_batch(shared, request, injected)?,
        Handler::Read(read) => {
            let tenant = shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
            read(&gate.admit(&*tenant)?)?
        }
        Handler::Subscribe(propose) => {
            let proposal = {
                let tenant = shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
                propose(&gate.admit(&*tenant)?)?
            };
            notify::settle(shared, proposal)?
        }
        Handler::Write(write) => {
            let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
            write(&mut gate.admit(&mut *tenant)?)?
        }
    };
    if let Limit::Units(base) = endpoint.limit {
        response.headers.push(("x-ms-resource-unit", resource_units(base, &query).to_string()));
    }
    Ok(response)
}

/// What stands between a request and its handler.
struct Gate<'a> {
    shared: &'a Shared,
    request: &'a Request,
    endpoint: &'a Endpoint,
    ids: &'a [String],
    knobs: &'a Knobs,
    query: &'a Query,
    injected: &'a Injected,
    app: &'a Result<String, GraphError>,
    rate: &'a dyn Fn() -> Result<(), GraphError>,
}

impl<'a> Gate<'a> {
    /// The call for the handler, once token, limit and permission are checked. The tenant is locked before the clock is
    /// read, so that no handler sees changes that are younger than its `now_ms`.
    fn admit<T>(&self, tenant: T) -> Result<Call<'a, T>, GraphError> {
        let Self { shared, request, endpoint, ids, knobs, query, .. } = *self;
        let app = self.app.as_ref().map_err(Clone::clone)?;
        let now_ms = shared.clock.now_ms();
        if !endpoint.rate_last {
            (self.rate)()?;
        }
        let is_team = request.path.contains("/teams");
        let team_consents = is_team && ids.first().is_some_and(|id| knobs.rsc_team_ids.contains(id));
        endpoint.permission.check(|role| knobs.roles.contains(role), team_consents)?;
        if knobs.expand_refused.iter().any(|name| query.expands(name)) {
            return Err(GraphError::unsupported("$expand"));
        }
        Ok(Call {
            tenant,
            knobs,
            now_ms,
            request,
            query,
            template: endpoint.template,
            ids,
            known_enums: request.prefers("include-unknown-enum-members"),
            minimal: request.prefers("return=minimal"),
            faults: &self.injected.page,
            app,
            rate: self.rate,
        })
    }
}

/// The client that the token was issued to.
fn authenticate(shared: &Shared, request: &Request, audience: Audience) -> Result<String, GraphError> {
    let denied = |message| match audience {
        Audience::Graph => GraphError::unauthenticated(message),
        Audience::BotConnector => error::unauthenticated(),
    };
    let Some(token) = request.bearer_token() else {
        return Err(denied("Access token is empty."));
    };
    let tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    let client = tokens.client(token, audience).map(str::to_owned);
    let client = client.ok_or_else(|| denied("Lifetime validation failed, the token is expired."))?;
    if audience == Audience::BotConnector && client != shared.config.client_id {
        return Err(error::of("BotNotRegistered"));
    }
    Ok(client)
}

/// A batch that runs needs no token of its own: each part is authenticated. One inside a batch does not run, nor does one
/// with a fault on its response.
fn answer_batch(shared: &Shared, request: &Request, injected: &Injected) -> Outcome {
    let runs = !request.batched && injected.rule.is_none();
    if !runs {
        authenticate(shared, request, Audience::Graph)?;
        if request.method == "GET" {
            return Err(GraphError::bad_request("A batch cannot hold a batch."));
        }
    }
    if !runs || request.method != "POST" {
        return Err(GraphError::method_not_allowed());
    }
    let mut responses = batch::run(request, |part, is_blocked| {
        let (_, route) = route(shared, part);
        let injected = inject(shared, part, route.name());
        let outcome = if is_blocked {
            Err(GraphError::of_status(424))
        } else {
            answer(shared, part, (Audience::Graph, &route), &injected)
        };
        let id = request.client_request_id.as_deref().unwrap_or_default();
        let response = render(shared, part, id, Audience::Graph, outcome);
        let response = effect::corrupt(response, &injected);
        shared.record(part, route.name(), response.status, response.header("Retry-After"));
        response
    })?;
    if shared.knobs().batch_shuffle {
        responses.shuffle(&mut *shared.rng());
    }
    Ok(Response::ok(json!({"responses": responses}).to_string()))
}

/// The response, with errors in the form of its service.
pub fn render(shared: &Shared, request: &Request, request_id: &str, audience: Audience, outcome: Outcome) -> Response {
    outcome.unwrap_or_else(|error| {
        if audience == Audience::BotConnector {
            return error::render(&error, request_id);
        }
        let client_request_id = request.client_request_id.as_deref().unwrap_or(request_id);
        error.render(shared.clock.now_ms(), request_id, client_request_id)
    })
}
