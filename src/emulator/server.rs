//! The accept loop, and what happens to each HTTP request around its answer.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::answer::Answer;
use super::batch;
use super::clock::stamp;
use super::conn::Connection;
use super::dispatch::{self, Head};
use super::entra::{TokenRequest, token};
use super::faults::{FaultKind, Strike};
use super::generate::guid;
use super::odata::Query;
use super::reports;
use super::router::Endpoint;
use super::state::Shared;
use super::wire::{self, Body};

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

fn head_of(request: &Request<Incoming>, shared: &Shared, connection: u64) -> Head {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let host = header("host").unwrap_or_else(|| format!("127.0.0.1:{}", shared.config.port));
    Head {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        raw_query: request.uri().query().unwrap_or_default().to_owned(),
        base: format!("http://{host}"),
        authorization: header("authorization"),
        prefer: prefer(request),
        client_request_id: header("client-request-id"),
        user_agent: header("user-agent"),
        connection,
        batched: false,
    }
}

/// Preferences may come in one header or in several.
fn prefer(request: &Request<Incoming>) -> Option<String> {
    let all: Vec<&str> = request.headers().get_all("prefer").iter().filter_map(|value| value.to_str().ok()).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

async fn serve(
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let head = head_of(&request, &shared, connection);
    let gzip = request.headers().get("accept-encoding").is_some_and(|value| {
        value.to_str().is_ok_and(|names| names.split(',').any(|name| name.trim().starts_with("gzip")))
    });
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let knobs = shared.knobs();
    if knobs.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(knobs.latency_ms)).await;
    }
    let route = dispatch::route_of(&head);
    let is_token = head.path.ends_with("/oauth2/v2.0/token");
    let is_download = head.path.starts_with(reports::DOWNLOADS);
    let template = match (is_token, is_download) {
        (true, _) => "/{tenant}/oauth2/v2.0/token",
        (_, true) => "/reports/download",
        _ => dispatch::template_of(route.as_ref()),
    };
    let strike = dispatch::strike(&shared, &head, template);
    let fault = strike.other.as_ref().map(|rule| rule.kind);
    let delay = strike.other.as_ref().map_or(Duration::ZERO, |rule| Duration::from_millis(rule.delay_ms));
    if fault == Some(FaultKind::Slow) {
        tokio::time::sleep(delay).await;
    }
    if fault == Some(FaultKind::Reset) {
        dispatch::log(&shared, &head, template, 0, None);
        reset.store(true, Ordering::Relaxed);
        return Err(io::Error::other("reset"));
    }
    let request_id = guid(&mut shared.rng());
    let answer = match route.as_ref() {
        _ if is_token => entra(&shared, &head, &body, &strike),
        _ if is_download => file(&shared, &head, &strike),
        Some(route) if route.endpoint == Endpoint::Batch => {
            let refused = strike.other.is_some();
            let outcome = if refused {
                dispatch::answer(&shared, &head, Some(route), &strike)
            } else {
                batch::answer(&shared, &head, &body)
            };
            refuse(&shared, &head, &request_id, outcome)
        }
        route => refuse(&shared, &head, &request_id, dispatch::answer(&shared, &head, route, &strike)),
    };
    let answer = garble(answer, &strike);
    let retry_after = answer.headers.iter().find(|(name, _)| *name == "Retry-After").map(|(_, value)| value.clone());
    dispatch::log(&shared, &head, template, answer.status, retry_after);
    Ok(respond(&shared, &head, answer, &request_id, gzip && knobs.gzip, &strike, delay))
}

fn refuse(shared: &Shared, head: &Head, request_id: &str, outcome: super::answer::Outcome) -> Answer {
    outcome.unwrap_or_else(|refusal| {
        let client_id = head.client_request_id.as_deref().unwrap_or(request_id);
        refusal.render(shared.clock.now_ms(), request_id, client_id)
    })
}

fn entra(shared: &Shared, head: &Head, body: &Bytes, strike: &Strike) -> Answer {
    if let Some(rule) = strike.other.as_ref().filter(|rule| rule.kind == FaultKind::Status) {
        let headers = rule.retry_after.iter().map(|value| ("Retry-After", value.clone())).collect();
        let body = rule.body.clone().unwrap_or_default();
        return Answer { status: rule.status, headers, body: body.into() };
    }
    let form = Query::parse(&String::from_utf8_lossy(body));
    let tenant = head.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let (trace_id, correlation_id) = {
        let mut rng = shared.rng();
        (guid(&mut rng), guid(&mut rng))
    };
    let request = TokenRequest {
        tenant,
        form: &form,
        authorization: head.authorization.as_deref(),
        base: &head.base,
        now_ms: shared.clock.now_ms(),
        trace_id,
        correlation_id: head.client_request_id.clone().unwrap_or(correlation_id),
    };
    let mut tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    token(&request, &shared.config, &shared.knobs(), &mut tokens)
}

/// A file behind a signed link, which is no business of Graph's.
fn file(shared: &Shared, head: &Head, strike: &Strike) -> Answer {
    if let Some(rule) = strike.other.as_ref().filter(|rule| rule.kind == FaultKind::Status) {
        let body = rule.body.clone().unwrap_or_default();
        return Answer { status: rule.status, headers: Vec::new(), body: body.into() };
    }
    let tenant = shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
    let (knobs, now_ms) = (shared.knobs(), shared.clock.now_ms());
    reports::download(&tenant, &knobs, now_ms, &head.path, head.authorization.as_deref())
}

/// The faults that replace the body and leave the framing whole.
fn garble(mut answer: Answer, strike: &Strike) -> Answer {
    let Some(rule) = &strike.other else {
        return answer;
    };
    match rule.kind {
        FaultKind::GarbageHtml => {
            answer.status = 200;
            answer.headers.push(("Content-Type", "text/html".to_owned()));
            answer.body = Bytes::from_static(b"<!DOCTYPE html><html><body>Our services aren't available</body></html>");
        }
        FaultKind::GarbageUtf8 => {
            answer.status = 200;
            answer.body = Bytes::from_static(b"{\"value\":[{\"id\":\"1\xff\xfe\xc3\"}]}");
        }
        FaultKind::GarbageJson => answer.body = answer.body.slice(..answer.body.len() / 2),
        FaultKind::Status => {
            if let Some(body) = &rule.body {
                answer.body = body.clone().into();
            }
        }
        _ => {}
    }
    answer
}

fn compress(shared: &Shared, body: &Bytes) -> Option<Bytes> {
    let held = shared.gzip.lock().unwrap_or_else(PoisonError::into_inner).find(body);
    held.or_else(|| {
        let packed = wire::pack(body)?;
        shared.gzip.lock().unwrap_or_else(PoisonError::into_inner).keep(body, &packed);
        Some(packed)
    })
}

fn respond(
    shared: &Shared,
    head: &Head,
    answer: Answer,
    request_id: &str,
    gzip: bool,
    strike: &Strike,
    delay: Duration,
) -> Response<Body> {
    let packed = if gzip { compress(shared, &answer.body) } else { None };
    let mut response = Response::new(());
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap_or(hyper::header::WARNING), value);
        }
    };
    put(
        "Content-Type",
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    );
    put("Cache-Control", "no-store");
    put("request-id", request_id);
    put("client-request-id", head.client_request_id.as_deref().unwrap_or(request_id));
    put("x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"Loopback\"}}");
    if shared.knobs().date_header && !strike.no_date {
        put("Date", &wire::http_date(stamp(shared.clock.now_ms())));
    }
    for (name, value) in &answer.headers {
        put(name, value);
    }
    if packed.is_some() {
        put("Content-Encoding", "gzip");
        put("Vary", "Accept-Encoding");
    }
    let bytes = packed.unwrap_or(answer.body);
    // Declared here, because a body that is streamed in parts does not know its length.
    put("Content-Length", &bytes.len().to_string());
    let body = match strike.other.as_ref().map(|rule| rule.kind) {
        Some(FaultKind::Truncate) => wire::truncated(&bytes),
        Some(FaultKind::SlowBody) => wire::slow(&bytes, delay),
        _ => wire::full(bytes),
    };
    response.map(|()| body)
}
