//! What a fault does in place of a response, or to its body.

use bytes::Bytes;

use crate::faults::injector::Injected;
use crate::faults::rule::FaultKind;
use crate::http::error::GraphError;
use crate::http::response::Response;

/// An error in place of the handler's response.
pub fn error(injected: &Injected) -> Option<GraphError> {
    let rule = injected.rule.as_ref()?;
    match rule.kind {
        FaultKind::Status => {
            let mut error = GraphError::of_status(rule.status);
            if let Some(code) = &rule.code {
                error.code.clone_from(code);
            }
            if let Some(message) = &rule.message {
                error.message.clone_from(message);
            }
            for (name, text) in [("code", &rule.inner_code), ("message", &rule.inner_message)] {
                if let Some(text) = text {
                    error.add_inner(name, text);
                }
            }
            if let Some(value) = &rule.retry_after {
                error.headers.push(("Retry-After", value.clone()));
            }
            Some(error)
        }
        FaultKind::ExpiredToken => {
            Some(GraphError::unauthenticated("Lifetime validation failed, the token is expired."))
        }
        FaultKind::ServicePrincipalDisabled => Some(GraphError::service_principal_disabled()),
        FaultKind::NoAuthorizationInformation => {
            Some(GraphError::new(403, "Forbidden", "No authorization information present on the request."))
        }
        _ => None,
    }
}

/// Whether the request has its effect before its fault hits.
pub fn is_after(injected: &Injected) -> bool {
    injected.rule.as_ref().is_some_and(|rule| rule.after)
}

/// A bare status in place of a response that does not come from Graph.
pub fn bare_status(injected: &Injected) -> Option<Response> {
    let rule = injected.rule.as_ref().filter(|rule| rule.kind == FaultKind::Status)?;
    let body = rule.body.clone().unwrap_or_default();
    Some(Response { status: rule.status, headers: Vec::new(), body: body.into() })
}

/// The same, with the rule's `Retry-After`.
pub fn bare_status_with_retry_after(injected: &Injected) -> Option<Response> {
    let mut response = bare_status(injected)?;
    let value = injected.rule.as_ref().and_then(|rule| rule.retry_after.clone());
    response.headers.extend(value.map(|value| ("Retry-After", value)));
    Some(response)
}

/// The faults that replace the body and leave its framing whole.
pub fn corrupt(mut response: Response, injected: &Injected) -> Response {
    let Some(rule) = &injected.rule else {
        return response;
    };
    match rule.kind {
        FaultKind::GarbageHtml => {
            response.status = 200;
            response.headers.push(("Content-Type", "text/html".to_owned()));
            response.body =
                Bytes::from_static(b"<!DOCTYPE html><html><body>Our services aren't available</body></html>");
        }
        FaultKind::GarbageUtf8 => {
            response.status = 200;
            response.body = Bytes::from_static(b"{\"value\":[{\"id\":\"1\xff\xfe\xc3\"}]}");
        }
        FaultKind::GarbageJson => response.body = response.body.slice(..response.body.len() / 2),
        FaultKind::Status => {
            if let Some(body) = &rule.body {
                response.body = body.clone().into();
            }
        }
        _ => {}
    }
    response
}

/// The byte order mark before the body, where a fault asks for it.
pub fn mark(mut response: Response, injected: &Injected) -> Response {
    if injected.byte_order_mark {
        response.body = [b"\xef\xbb\xbf", &response.body[..]].concat().into();
    }
    response
}
