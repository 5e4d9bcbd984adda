//! From a response to the wire: standard headers, compression, bodies that break on purpose.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};

use crate::faults::injector::Injected;
use crate::faults::rule::FaultKind;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::server::body::{self, Body};
use crate::server::gzip;
use crate::server::state::Shared;
use crate::tenant::clock::{http_date, stamp};

fn compress(shared: &Shared, body: &Bytes) -> Option<Bytes> {
    let held = shared.gzip.lock().unwrap_or_else(PoisonError::into_inner).find(body);
    held.or_else(|| {
        let packed = gzip::pack(body)?;
        shared.gzip.lock().unwrap_or_else(PoisonError::into_inner).keep(body, &packed);
        Some(packed)
    })
}

pub fn respond(
    shared: &Shared,
    request: &Request,
    response: Response,
    request_id: &str,
    gzip: bool,
    injected: &Injected,
    delay: Duration,
) -> hyper::Response<Body> {
    let packed = if gzip { compress(shared, &response.body) } else { None };
    let mut wire = hyper::Response::new(());
    *wire.status_mut() = hyper::StatusCode::from_u16(response.status).unwrap_or_default();
    let headers = wire.headers_mut();
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
    put("client-request-id", request.client_request_id.as_deref().unwrap_or(request_id));
    put("x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"Loopback\"}}");
    if shared.knobs().date_header && !injected.no_date {
        put("Date", &http_date(stamp(shared.clock.now_ms())));
    }
    for (name, value) in &response.headers {
        put(name, value);
    }
    if packed.is_some() {
        put("Content-Encoding", "gzip");
        put("Vary", "Accept-Encoding");
    }
    let bytes = packed.unwrap_or(response.body);
    // Declared here, because a body that is streamed in parts does not know its length.
    put("Content-Length", &bytes.len().to_string());
    let body = match injected.rule.as_ref().map(|rule| rule.kind) {
        Some(FaultKind::Truncate) => body::truncated(&bytes),
        Some(FaultKind::SlowBody) => body::slow(&bytes, delay),
        _ => body::full(bytes),
    };
    wire.map(|()| body)
}
