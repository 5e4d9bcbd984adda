//! What to do about a refusal, decided by what the back end says: a permission helps only where one is missing.

use crate::auth::Roles;
use teams_base::error::ServiceName;
use teams_base::graph::endpoint::Endpoint;
use teams_base::graph::permissions::alternatives;

/// What a refusing resource says, in lower case, and what helps against it. The first that fits counts.
const REFUSALS: &[(&[&str], &str)] = &[
    (
        &["tenant id mismatch", "tenantidmismatch", "tenant mismatch"],
        "Another tenant hosts this, and no permission here opens it: read it in that tenant, or leave it out",
    ),
    (
        &["application access policy"],
        "Have an administrator grant the app an application access policy (New-CsApplicationAccessPolicy, \
         Grant-CsApplicationAccessPolicy): a permission alone does not open this",
    ),
    (
        &["serviceprincipaldisabledontenant", "disabled on the tenant", "disabled in the tenant"],
        "Teams or its service principal is disabled for this user or tenant, and no permission helps: have an administrator \
         look at subscriptions and enterprise applications, or leave it out",
    ),
    (
        &["license", "licence"],
        "Assign the user a license that includes Teams, or leave the user out: no permission helps",
    ),
    (
        &["application-only", "app-only context", "application context", "missinguseridheaderinappcontext"],
        "Graph does not serve this to an application without a signed-in user, and no permission helps: leave it out",
    ),
    (
        &["archived", "team is locked", "teamlocked", "resource is locked", "thread is locked"],
        "It is archived or locked, and no permission helps: have an owner restore it, or leave it out",
    ),
    (
        &["aclcheckfailed", "access thread", "guestaccessdenied", "access control list"],
        "The resource's own access list refuses the app, and no permission helps: have its owner look at it, or leave it out",
    ),
];

/// The remedy of a 401 that new tokens do not lift while they serve elsewhere.
pub const SCOPE: &str = "The token serves elsewhere, so this refusal is the resource's own: look for licenses and disabled \
                         services, or leave it out";

/// The remedy of a refusal that no permission lifts. Empty where nothing is said of one.
pub fn of_resource(code: &str, message: &str) -> &'static str {
    if wants_permission(message) {
        return "";
    }
    let said = format!("{code} {message}").to_lowercase();
    REFUSALS.iter().find(|(texts, _)| texts.iter().any(|text| said.contains(text))).map_or("", |(_, remedy)| remedy)
}

/// Whether the answer lists permissions ("API requires one of ..."): those that the token holds do not do, whatever else
/// is named.
pub fn wants_permission(message: &str) -> bool {
    message.to_lowercase().contains("missing role permissions")
}

/// What says where a service is.
pub fn address(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Graph => "graph_base_url",
        ServiceName::BotConnector => "the conversation's serviceUrl",
    }
}

/// The remedy of a 401 for every token.
pub fn token(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Graph => "check that tenant_id, cloud and graph_base_url belong together",
        ServiceName::BotConnector => {
            "check that the bot is registered with this client_id, and that tenant_id and cloud are those of its registration"
        }
    }
}

/// The remedy of a 403 that names no other reason.
pub fn permission(endpoint: &Endpoint) -> String {
    if endpoint.permission.is_empty() {
        return String::new();
    }
    format!("Grant the application permission {} with admin consent", endpoint.permission)
}

/// Whether the token grants what the endpoint needs, or more.
pub fn is_held(endpoint: &Endpoint, roles: &Roles) -> bool {
    let Roles::Granted(roles) = roles else { return false };
    !endpoint.permission.is_empty()
        && (roles.contains(endpoint.permission)
            || alternatives(endpoint.permission).iter().any(|other| roles.contains(*other)))
}

/// The remedy of a 403 although the token holds the permission: one team is locked, archived, or guarded by a policy.
pub fn of_scope(endpoint: &Endpoint, scope: &str) -> String {
    let option = match scope.split_once(' ') {
        Some(("team", id)) => format!("exclude_team_id={id}"),
        Some(("channel", ids)) => format!("exclude_channel_id={}", ids.split_once('/').map_or(ids, |(_, id)| id)),
        _ => String::new(),
    };
    let scope = if scope.is_empty() { "the tenant" } else { scope };
    let held = format!("The token holds {}, so it is {scope} itself that refuses", endpoint.permission);
    let why = "it may be locked, archived or under a policy, and no permission helps";
    if option.is_empty() {
        format!("{held}: {why}. Leave it out, or look for access policies and licenses")
    } else {
        format!("{held}: {why}. Leave it out with {option}, or what refuses with on_forbidden=skip")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_resource_refuses_has_a_remedy_of_its_own() {
        for (code, message, part) in [
            ("Forbidden", "InsufficientPrivileges; AclCheckFailed-no. Tenant Id mismatch.", "Another tenant"),
            ("Forbidden", "AclCheckFailed-Invoker is not in the roster", "access list"),
            ("General", "No application access policy found for this app.", "New-CsApplicationAccessPolicy"),
            ("Forbidden", "Ensure user has a valid Office365 license assigned.", "Assign the user a license"),
            ("PreconditionFailed", "not supported in application-only context", "without a signed-in user"),
            ("Unauthorized", "Teams has been disabled on the tenant.", "disabled"),
            ("Forbidden", "Team is archived.", "restore it"),
            ("Locked", "The resource is locked.", "restore it"),
        ] {
            assert!(of_resource(code, message).contains(part), "{message}");
        }
        for message in
            ["", "Insufficient privileges.", "Missing role permissions on the request: License.Read or Team.Read"]
        {
            assert_eq!(of_resource("Forbidden", message), "", "{message}");
        }
    }
}
