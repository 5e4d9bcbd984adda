//! The token endpoint of Entra ID: client credentials, by secret or assertion.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::http::response::Response;
use crate::login::tokens::{Audience, Tokens};
use crate::odata::query::Query;
use crate::tenant::clock::iso;
use crate::tenant::config::EmulatorConfig;
use crate::tenant::knobs::Knobs;

/// Hosts a scope may name: the clouds' Graph hosts. The emulator's own is allowed as well.
const GRAPH_HOSTS: &[&str] =
    &["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"];

/// The resource of the Bot Connector, in each cloud.
const BOT_HOSTS: &[&str] = &["api.botframework.com", "api.botframework.us", "api.botframework.azure.cn"];
/// Where old multi-tenant bots get their tokens.
const SHARED_TENANT: &str = "botframework.com";

struct Denial {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

pub struct TokenRequest<'a> {
    pub tenant: &'a str,
    pub form: &'a Query,
    pub authorization: Option<&'a str>,
    pub base: &'a str,
    pub now_ms: i64,
    pub trace_id: String,
    pub correlation_id: String,
}

pub fn token(request: &TokenRequest<'_>, config: &EmulatorConfig, knobs: &Knobs, tokens: &mut Tokens) -> Response {
    match check(request, config, knobs) {
        Ok((client, audience)) => {
            let life = knobs.token_lifetime_seconds;
            let body = json!({
                "token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
                "access_token": tokens.issue(config, knobs, &client, audience, request.now_ms),
            });
            Response::ok(body.to_string())
        }
        Err(denial) => deny(request, &denial),
    }
}

fn deny(request: &TokenRequest<'_>, denial: &Denial) -> Response {
    let (trace, correlation) = (&request.trace_id, &request.correlation_id);
    let time = iso(request.now_ms - request.now_ms.rem_euclid(1000)).replace('T', " ");
    let description = format!(
        "AADSTS{}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}",
        denial.code, denial.text
    );
    let body = json!({
        "error": denial.error, "error_description": description, "error_codes": [denial.code], "timestamp": time,
        "trace_id": trace, "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={}", denial.code),
    });
    Response { status: denial.status, headers: Vec::new(), body: body.to_string().into() }
}

fn check(request: &TokenRequest<'_>, config: &EmulatorConfig, knobs: &Knobs) -> Result<(String, Audience), Denial> {
    let denial = |status, error, code, text: String| Denial { status, error, code, text };
    let (basic_id, basic_secret) = request.authorization.and_then(basic).unzip();
    let field = |name: &str| request.form.get(name).map(str::to_owned);
    let tenant = request.tenant;
    let is_shared = tenant.eq_ignore_ascii_case(SHARED_TENANT);
    let is_own = tenant.eq_ignore_ascii_case(&config.tenant_id) || tenant.eq_ignore_ascii_case(&config.tenant_domain);
    if !is_own && !is_shared {
        return Err(denial(
            400,
            "invalid_request",
            90002,
            format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."),
        ));
    }
    let missing = |name: &str| {
        denial(
            400,
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{name}'."),
        )
    };
    match field("grant_type").as_deref() {
        Some("client_credentials") => {}
        None => return Err(missing("grant_type")),
        Some(other) => {
            return Err(denial(
                400,
                "unsupported_grant_type",
                70003,
                format!("The app requested an unsupported grant type '{other}'."),
            ));
        }
    }
    let client = basic_id.or_else(|| field("client_id")).ok_or_else(|| missing("client_id"))?;
    if client != config.client_id && !knobs.more_client_ids.contains(&client) {
        let text = format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        return Err(denial(400, "unauthorized_client", 700_016, text));
    }
    let audience = check_scope(&field("scope").ok_or_else(|| missing("scope"))?, request.base)?;
    if is_shared && !(knobs.multi_tenant_bot && audience == Audience::BotConnector) {
        let text = format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        return Err(denial(400, "unauthorized_client", 700_016, text));
    }
    if let Some(kind) = field("client_assertion_type") {
        return check_assertion(&kind, field("client_assertion").as_deref()).map(|()| (client, audience));
    }
    let secret = basic_secret.or_else(|| field("client_secret"));
    let secret = secret.ok_or_else(|| {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        denial(401, "invalid_client", 7_000_218, text.to_owned())
    })?;
    if secret != config.client_secret {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
        );
        return Err(denial(401, "invalid_client", 7_000_215, text));
    }
    if knobs.secret_expired {
        let text = format!("The provided client secret keys for app '{client}' are expired.");
        return Err(denial(401, "invalid_client", 7_000_222, text));
    }
    Ok((client, audience))
}

fn check_scope(scope: &str, base: &str) -> Result<Audience, Denial> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let text =
            format!("The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.");
        return Err(Denial { status: 400, error: "invalid_scope", code: 70011, text });
    };
    let own = resource.eq_ignore_ascii_case(base);
    let host = resource.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
    if own || GRAPH_HOSTS.contains(&host) {
        return Ok(Audience::Graph);
    }
    if BOT_HOSTS.contains(&host) {
        return Ok(Audience::BotConnector);
    }
    let text = format!("The resource principal named {resource} was not found in the tenant.");
    Err(Denial { status: 400, error: "invalid_resource", code: 500_011, text })
}

/// An assertion in the form of a JSON Web Token is accepted; its signature is not checked.
fn check_assertion(kind: &str, assertion: Option<&str>) -> Result<(), Denial> {
    let jwt =
        assertion.is_some_and(|text| text.split('.').count() == 3 && text.split('.').all(|part| !part.is_empty()));
    if kind == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" && jwt {
        return Ok(());
    }
    let text = "Client assertion failed signature validation.".to_owned();
    Err(Denial { status: 401, error: "invalid_client", code: 700_027, text })
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    // RFC 6749: both are form-encoded inside the header.
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}
