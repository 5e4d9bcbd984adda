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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::generate::from_seed;
    use crate::graph::endpoint::{batch, get, write};
    use crate::graph::{limit, permission};
    use crate::handlers::call::WriteCall;
    use crate::handlers::teams;
    use crate::tenant::config::EmulatorConfig;

    static TABLE: &[Endpoint] = &[
        batch("/$batch", permission::NONE),
        get("/teams/{id}", teams::get, permission::TEAMS, limit::TEAM),
        write(Method::Patch, "/teams/{id}", rename, permission::TEAMS, limit::TEAM),
    ];

    fn rename(call: &mut WriteCall<'_>) -> Outcome {
        let body: Value = serde_json::from_slice(&call.request.body).map_err(|_| GraphError::of_status(400))?;
        let team = call.tenant.team_index.get(call.id(0)).copied().ok_or_else(|| GraphError::no_team(call.id(0)))?;
        call.tenant.teams[team].properties.insert("displayName".to_owned(), body["displayName"].clone());
        Ok(Response { status: 204, ..Response::ok("") })
    }

    fn shared() -> (Shared, Request, String) {
        let config = EmulatorConfig { teams: 1, messages_per_channel: 1, chats: 0, ..EmulatorConfig::default() };
        let tenant = from_seed::tenant(&config);
        let team = tenant.teams[0].id.clone();
        let shared = Shared::new(config, tenant, TABLE);
        let token = shared.tokens.lock().unwrap().issue(&shared.config, &shared.knobs(), "app", Audience::Graph, 0);
        (shared, Request { authorization: Some(format!("Bearer {token}")), ..Request::default() }, team)
    }

    fn send(shared: &Shared, request: &Request, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request =
            Request { method: method.to_owned(), path: format!("/v1.0{path}"), body: body.into(), ..request.clone() };
        let (audience, route) = route(shared, &request);
        let outcome = answer(shared, &request, (audience, &route), &Injected::default());
        let response = render(shared, &request, "", audience, outcome);
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    #[test]
    fn a_writing_endpoint_gets_the_body_and_changes_the_tenant() {
        let (shared, request, team) = shared();
        let path = format!("/teams/{team}");
        let name = || send(&shared, &request, "GET", &path, &Value::Null).1["displayName"].clone();
        assert_eq!(send(&shared, &request, "PATCH", &path, &json!({"displayName": "One"})).0, 204);
        assert_eq!(name(), "One");
        assert_eq!(send(&shared, &request, "PATCH", &path, &Value::Null).0, 400);
        assert_eq!(send(&shared, &Request::default(), "PATCH", &path, &json!({})).0, 401);
        for method in ["POST", "DELETE", "HEAD"] {
            let (status, error) = send(&shared, &request, method, &path, &Value::Null);
            assert_eq!((status, &error["error"]["code"]), (405, &json!("Request_BadRequest")), "{method}");
        }
        let part = json!({"id": "1", "method": "PATCH", "url": path, "body": {"displayName": "Two"}});
        let (status, batch) = send(&shared, &request, "POST", "/$batch", &json!({"requests": [part]}));
        assert_eq!((status, &batch["responses"][0]["status"]), (200, &json!(204)));
        assert_eq!(name(), "Two");
    }
}
