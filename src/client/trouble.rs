//! What went wrong with one attempt, and the error it becomes when no other follows.

use std::fmt;

use crate::auth::Roles;
use crate::circuit_breaker::Stop;
use crate::classify::Kind;
use crate::http::broken::Broken;
use crate::http::error_body::ErrorBody;
use crate::http::headers::Headers;
use crate::malformed::Malformed;
use crate::remedy;
use crate::request::Request;
use teams_base::error::{AuthFailure, Error, GraphFailure, ServiceName};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::redact;

pub struct Trouble {
    pub kind: Kind,
    status: Option<u16>,
    code: String,
    message: String,
    request_id: Option<String>,
    remedy: String,
    /// As in [`GraphFailure`].
    tells_why: bool,
    gave_up: bool,
    timed_out: bool,
}

impl Trouble {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            code: String::new(),
            message: message.into(),
            request_id: None,
            remedy: String::new(),
            tells_why: false,
            gave_up: false,
            timed_out: false,
        }
    }

    /// An answer that was not accepted.
    pub fn answered(kind: Kind, status: u16, headers: &Headers, body: &[u8]) -> Self {
        let ErrorBody { code, message, request_id } = ErrorBody::parse(body);
        let (message, remedy) = match status {
            300..=399 => ("a redirect, which is not followed because the token would go with it".into(), ""),
            407 => (message, "Check the user and password of proxy"),
            400..=499 => {
                let remedy = remedy::of_resource(&code, &message);
                (message, remedy)
            }
            _ => (message, ""),
        };
        Self {
            status: Some(status),
            code,
            request_id: headers.request_id.clone().or(request_id),
            remedy: remedy.into(),
            tells_why: !remedy.is_empty(),
            timed_out: status == 504,
            ..Self::new(kind, message)
        }
    }

    /// An accepted answer whose body its reader refused.
    pub fn malformed(why: &Malformed, status: u16, headers: &Headers, body: &[u8]) -> Self {
        // An error page may say what is wrong; a page of data must not be quoted.
        let said = if ErrorBody::is_error(body) || body.trim_ascii_start().starts_with(b"<") {
            ErrorBody::parse(body)
        } else {
            ErrorBody::default()
        };
        let message = [redact::clean(&why.0), said.message].join(": ");
        let message = message.trim_end_matches(": ").to_owned();
        Self {
            status: Some(status),
            code: said.code,
            request_id: headers.request_id.clone().or(said.request_id),
            ..Self::new(Kind::Protocol, message)
        }
    }

    pub fn broken(broken: &Broken, host: &str, reached: bool, service: ServiceName) -> Self {
        let remedy = match broken.remedy {
            Some(remedy) => remedy.to_owned(),
            None if broken.connect && !reached => {
                format!("Check {}, cloud, proxy and the network", remedy::address(service))
            }
            None => String::new(),
        };
        let trouble = Self::new(Kind::Service, format!("{host}: {}", broken.what));
        Self { remedy, timed_out: broken.stalled, ..trouble }
    }

    /// A new token was refused by a service that accepts the application's tokens elsewhere.
    pub fn refuses_scope(&mut self) {
        if self.kind == Kind::Authentication {
            self.kind = Kind::PermissionDenied;
            self.tells_why = true;
            if self.remedy.is_empty() {
                self.remedy = remedy::SCOPE.into();
            }
        }
    }

    /// A refusal of what the token allows is that of the scope itself, and no permission helps.
    pub fn holds_permission(&mut self, request: &Request, roles: &Roles) {
        let is_open = self.kind == Kind::PermissionDenied && self.remedy.is_empty();
        if is_open && !remedy::wants_permission(&self.message) && remedy::is_held(request.endpoint, roles) {
            self.remedy = remedy::of_scope(request.endpoint, &request.scope);
        }
    }

    /// Whether the answer says what the resource refuses, so that it is not about the token.
    pub fn tells_why(&self) -> bool {
        self.tells_why
    }

    /// The server, or a gateway before it, broke down over the request.
    pub fn is_failure_of_server(&self) -> bool {
        matches!(self.status, Some(500 | 502 | 504)) || self.timed_out
    }

    /// Notes why there is no other attempt, if there is none.
    pub fn stopped(&mut self, may_go_on: Result<(), Stop>) -> Option<()> {
        let Err(stop) = may_go_on else { return Some(()) };
        self.gave_up = true;
        if self.remedy.is_empty() {
            self.remedy = stop.remedy();
        }
        None
    }

    pub fn protocol(why: &str) -> Self {
        Self::new(Kind::Protocol, why)
    }

    /// A request that was still waiting to be sent when the host was given up.
    pub fn given_up(stop: Stop) -> Self {
        let kind = if matches!(stop, Stop::Throttled(_)) { Kind::Throttled } else { Kind::Service };
        Self { remedy: stop.remedy(), gave_up: true, ..Self::new(kind, "not asked any more") }
    }

    /// A request that is not even sent, or a link that is not followed.
    pub fn refused(request: &Request, why: &str) -> Error {
        Self::protocol(why).into_error(request, 0)
    }

    pub fn into_error(self, request: &Request, retries: u32) -> Error {
        self.into_error_of(request.endpoint, request.service(), &request.scope, retries)
    }

    /// The same for what is fetched from elsewhere on a request's behalf.
    pub fn into_error_of(self, endpoint: &'static Endpoint, service: ServiceName, scope: &str, retries: u32) -> Error {
        if self.kind == Kind::Authentication {
            return Error::Authentication(Box::new(AuthFailure {
                status: self.status,
                aadsts: None,
                code: self.code,
                message: format!("{service} refused a new token at {}: {}", endpoint.template, self.message),
                remedy: remedy::token(service).into(),
                effect_unknown: false,
            }));
        }
        let remedy = match (self.kind, self.status) {
            _ if !self.remedy.is_empty() => self.remedy,
            (Kind::PermissionDenied, _) => remedy::permission(endpoint),
            (_, Some(300..=399)) => format!("Check {} and proxy", remedy::address(service)),
            _ => String::new(),
        };
        let failure = Box::new(GraphFailure {
            service,
            method: endpoint.method,
            endpoint: endpoint.template,
            scope: scope.to_owned(),
            status: self.status,
            code: self.code,
            message: self.message,
            request_id: self.request_id,
            retries,
            remedy,
            tells_why: self.tells_why,
            gave_up: self.gave_up,
            timed_out: self.timed_out,
            effect_unknown: false,
        });
        match self.kind {
            // A server without batches, not a scope that is gone.
            Kind::NotFound if *endpoint == endpoint::BATCH => Error::Service(failure),
            Kind::PermissionDenied => Error::PermissionDenied(failure),
            Kind::NotFound => Error::NotFound(failure),
            Kind::Throttled => Error::Throttled(failure),
            Kind::Service => Error::Service(failure),
            Kind::Protocol | Kind::Authentication => Error::Protocol(failure),
        }
    }
}

/// For the log.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} {} {}", self.code, self.message),
            None => f.write_str(&self.message),
        }
    }
}
