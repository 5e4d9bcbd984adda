//! Errors in Graph's form.

use serde_json::{Map, Value, json};

use crate::http::response::Response;
use crate::tenant::clock::iso;

/// What a handler gives: a response, or an error that is not rendered yet.
pub type Outcome = Result<Response, GraphError>;

#[derive(Debug, Clone)]
pub struct GraphError {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub headers: Vec<(&'static str, String)>,
    /// The members of `innerError` beside the date and the ids.
    pub inner: Map<String, Value>,
}

impl GraphError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), headers: Vec::new(), inner: Map::new() }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(404, "NotFound", what)
    }

    pub fn unsupported(option: &str) -> Self {
        let mut name = option.trim_start_matches('$').to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self::bad_request(format!("Parameter '{name}' not supported for this request."))
    }

    pub fn no_team(id: &str) -> Self {
        Self::not_found(&format!("No team found with Group Id {id}."))
    }

    pub fn no_resource(id: &str) -> Self {
        let message =
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// The Teams backend's own refusal, passed on as JSON inside the message.
    pub fn backend_forbidden() -> Self {
        let inner = json!({"error": {"code": "", "message": "This request is forbidden."}}).to_string();
        let nested = json!({"@odata.context": "https://api.teams.skype.com/v1.0/$metadata#Edm.String", "value": inner});
        Self::new(403, "UnknownError", nested.to_string())
    }

    pub fn directory_denied() -> Self {
        Self::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }

    pub fn unauthenticated(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    /// The Teams service's refusal of one scope, with a token that is good for all others.
    pub fn service_principal_disabled() -> Self {
        let message = "Teams has been disabled on the tenant. Ensure tenant has active Office 365 subscription.";
        let mut error = Self::new(401, "Unauthorized", message);
        error.add_inner("code", "ServicePrincipalDisabledOnTenant");
        error
    }

    pub fn add_inner(&mut self, name: &str, value: &str) {
        self.inner.insert(name.to_owned(), json!(value));
    }

    pub fn method_not_allowed() -> Self {
        Self::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    }

    pub fn throttled(headers: Vec<(&'static str, String)>) -> Self {
        let mut error = Self::new(429, "TooManyRequests", "Please retry again later.");
        error.headers = headers;
        error.add_inner("code", "429");
        error.add_inner("message", "Please retry after");
        error.add_inner("status", "429");
        error
    }

    /// The error for a bare status, with the code Graph usually pairs it with.
    pub fn of_status(status: u16) -> Self {
        let (code, message) = match status {
            400 => ("BadRequest", "Invalid request."),
            401 => ("InvalidAuthenticationToken", "Access token validation failure."),
            402 => ("PaymentRequired", "Payment is required to use this API."),
            403 => ("Forbidden", "Forbidden"),
            404 => ("NotFound", "NotFound"),
            405 => ("Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
            409 => ("Conflict", "Conflict"),
            410 => ("resyncRequired", "Resync required."),
            412 => ("PreconditionFailed", "PreconditionFailed"),
            423 => ("Locked", "The resource is locked."),
            424 => ("FailedDependency", "A dependency of this request failed."),
            429 => return Self::throttled(Vec::new()),
            501 => ("NotImplemented", "Not Implemented"),
            502 => ("BadGateway", "Failed to execute backend request."),
            503 => ("ServiceUnavailable", "The service is unavailable."),
            504 => ("GatewayTimeout", "The gateway did not receive a response in time."),
            _ => ("generalException", "General exception while processing."),
        };
        Self::new(status, code, message)
    }

    pub fn render(&self, now_ms: i64, request_id: &str, client_request_id: &str) -> Response {
        // innerError's date carries neither fraction nor zone.
        let date: String = iso(now_ms).chars().take(19).collect();
        let mut inner = self.inner.clone();
        for (name, value) in [("date", &*date), ("request-id", request_id), ("client-request-id", client_request_id)] {
            inner.insert(name.to_owned(), json!(value));
        }
        let body = json!({"error": {"code": self.code, "message": self.message, "innerError": inner}});
        Response { status: self.status, headers: self.headers.clone(), body: body.to_string().into() }
    }
}
