//! The accept loop, and what happens to an HTTP request: latency, faults, its target, the log.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::bot::{error, openid, upload, workflow};
use crate::faults::effect;
use crate::faults::injector::Injected;
use crate::faults::rule::FaultKind;
use crate::graph::router::Route;
use crate::handlers::reports;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::login::token_endpoint::{TokenRequest, token};
use crate::login::tokens::Audience;
use crate::odata::query::Query;
use crate::push::login;
use crate::server::body::Body;
use crate::server::connection::Connection;
use crate::server::control;
use crate::server::graph;
use crate::server::respond::respond;
use crate::server::state::Shared;
use crate::tenant::ids::guid;

pub async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give the others time to end.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        // Without this small answers wait for the peer's acknowledgements.
        let _ = stream.set_nodelay(true);
        let reset = Arc::new(AtomicBool::new(false));
        let io = TokioIo::new(Connection::new(stream, reset.clone()));
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(shared.clone(), reset.clone(), number, request));
            // A connection that breaks, on purpose or not, concerns only its own client.
            let _ = http1::Builder::new().auto_date_header(false).serve_connection(io, service).await;
        });
    }
}

/// The request without its body.
fn head_of(request: &hyper::Request<Incoming>, shared: &Shared, connection: u64) -> Request {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let host = header("host").unwrap_or_else(|| format!("127.0.0.1:{}", shared.config.port));
    Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        raw_query: request.uri().query().unwrap_or_default().to_owned(),
        base: format!("http://{host}"),
        authorization: header("authorization"),
        prefer: prefer(request),
        client_request_id: header("client-request-id"),
        user_agent: header("user-agent"),
        content_range: header("content-range"),
        body: Bytes::new(),
        connection,
        batched: false,
    }
}

/// Preferences may come in one header or in several.
fn prefer(request: &hyper::Request<Incoming>) -> Option<String> {
    let all: Vec<&str> = request.headers().get_all("prefer").iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// What a request is for.
enum Target {
    Token,
    /// The file of a report, behind a signed link.
    Download,
    /// The trigger of a workflow that posts cards to a channel.
    Workflow,
    /// A piece of a file that a person allowed to be uploaded.
    Upload,
    /// The metadata of the tokens that the Bot Connector sends, and their keys.
    OpenId(&'static str),
    /// The same of those that come with change notifications.
    Login(&'static str),
    Service(Audience, Route),
}

impl Target {
    fn of(shared: &Shared, request: &Request) -> Self {
        if request.path.ends_with("/oauth2/v2.0/token") {
            Self::Token
        } else if request.path.starts_with(reports::DOWNLOADS) {
            Self::Download
        } else if request.path.starts_with(workflow::TRIGGERS) {
            Self::Workflow
        } else if request.path.starts_with(upload::SESSIONS) {
            Self::Upload
        } else if let Some(name) = openid::name(&request.path) {
            Self::OpenId(name)
        } else if let Some(name) = login::name(&request.path) {
            Self::Login(name)
        } else {
            let (audience, route) = graph::route(shared, request);
            Self::Service(audience, route)
        }
    }

    /// The name in logs and counts.
    fn name(&self) -> &'static str {
        match self {
            Self::Token => "/{tenant}/oauth2/v2.0/token",
            Self::Download => "/reports/download",
            Self::Workflow => "/workflows/{id}",
            Self::Upload => "/emulator/upload/{id}",
            Self::OpenId(name) | Self::Login(name) => name,
            Self::Service(_, route) => route.name(),
        }
    }

    /// The conversation of the Bot Connector that a request changes.
    fn conversation(&self, request: &Request) -> Option<&str> {
        match self {
            Self::Service(Audience::BotConnector, Route::Found { ids, .. }) if request.method != "GET" => {
                ids.first().and_then(|id| id.split(';').next())
            }
            _ => None,
        }
    }
}

async fn serve(
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
    connection: u64,
    incoming: hyper::Request<Incoming>,
) -> Result<hyper::Response<Body>, io::Error> {
    let mut request = head_of(&incoming, &shared, connection);
    let gzip = incoming.headers().get("accept-encoding").is_some_and(|value| {
        value.to_str().is_ok_and(|names| names.split(',').any(|name| name.trim().starts_with("gzip")))
    });
    request.body = incoming.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let knobs = shared.knobs();
    if let Some(response) = control::answer(&shared, &request) {
        return Ok(respond(&shared, &request, response, "", false, &Injected::default(), Duration::ZERO));
    }
    let target = Target::of(&shared, &request);
    let turn = target.conversation(&request).map(|conversation| shared.turns.enter(conversation));
    if knobs.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(knobs.latency_ms)).await;
    }
    let injected = graph::inject(&shared, &request, target.name());
    let fault = injected.rule.as_ref().map(|rule| rule.kind);
    let delay = injected.rule.as_ref().map_or(Duration::ZERO, |rule| Duration::from_millis(rule.delay_ms));
    let after = effect::is_after(&injected);
    if fault == Some(FaultKind::Slow) && !after {
        tokio::time::sleep(delay).await;
    }
    let cut_off = || {
        shared.record(&request, target.name(), 0, None);
        reset.store(true, Ordering::Relaxed);
        Err(io::Error::other("reset"))
    };
    if fault == Some(FaultKind::Reset) && !after {
        return cut_off();
    }
    let request_id = guid(&mut shared.rng());
    let response = match &target {
        Target::Token => {
            effect::bare_status_with_retry_after(&injected).unwrap_or_else(|| issue_token(&shared, &request))
        }
        Target::Download => effect::bare_status(&injected).unwrap_or_else(|| download(&shared, &request)),
        Target::Workflow => {
            let refused = effect::bare_status_with_retry_after(&injected);
            match refused {
                Some(refused) if !after => refused,
                refused => {
                    let mut tenant = shared.tenant.write().unwrap_or_else(PoisonError::into_inner);
                    let taken = workflow::trigger(&mut tenant, shared.clock.now_ms(), &request);
                    refused.unwrap_or(taken)
                }
            }
        }
        Target::Upload => effect::bare_status(&injected).unwrap_or_else(|| {
            upload::put(&mut shared.tenant.write().unwrap_or_else(PoisonError::into_inner), &request)
        }),
        Target::OpenId(name) => effect::bare_status_with_retry_after(&injected)
            .unwrap_or_else(|| openid::answer(name, &request.base, &knobs)),
        Target::Login(name) => effect::bare_status_with_retry_after(&injected)
            .unwrap_or_else(|| login::answer(name, &request.base, &knobs.push)),
        Target::Service(audience, route) => {
            let overlaps = knobs.concurrent_operations_refused && turn.as_ref().is_some_and(|turn| !turn.alone);
            let outcome = if overlaps {
                Err(error::of("PreconditionFailed"))
            } else {
                graph::answer(&shared, &request, (*audience, route), &injected)
            };
            graph::render(&shared, &request, &request_id, *audience, outcome)
        }
    };
    if after && fault == Some(FaultKind::Reset) {
        return cut_off();
    }
    if after && fault == Some(FaultKind::Slow) {
        tokio::time::sleep(delay).await;
    }
    let response = effect::mark(effect::corrupt(response, &injected), &injected);
    shared.record(&request, target.name(), response.status, response.header("Retry-After"));
    Ok(respond(&shared, &request, response, &request_id, gzip && knobs.gzip, &injected, delay))
}

fn issue_token(shared: &Shared, request: &Request) -> Response {
    let form = Query::parse(&String::from_utf8_lossy(&request.body));
    let tenant = request.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let (trace_id, correlation_id) = {
        let mut rng = shared.rng();
        (guid(&mut rng), guid(&mut rng))
    };
    let request = TokenRequest {
        tenant,
        form: &form,
        authorization: request.authorization.as_deref(),
        base: &request.base,
        now_ms: shared.clock.now_ms(),
        trace_id,
        correlation_id: request.client_request_id.clone().unwrap_or(correlation_id),
    };
    let mut tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    token(&request, &shared.config, &shared.knobs(), &mut tokens)
}

fn download(shared: &Shared, request: &Request) -> Response {
    let tenant = shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
    let (knobs, now_ms) = (shared.knobs(), shared.clock.now_ms());
    reports::download(&tenant, &knobs, now_ms, &request.path, request.authorization.as_deref())
}
