//! What to do about a refusal of a subscription. The texts are those that Graph is documented or reported to answer.

use teams_base::error::Error;

use super::plan::Planned;

/// Advice for a failed request about a subscription.
pub fn remedy(error: &Error, planned: Option<&Planned>, is_hub: bool) -> String {
    let Some(failure) = error.graph() else { return String::new() };
    let message = failure.message.as_str();
    let says = |text: &str| message.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
    let permissions = || planned.map_or_else(String::new, |planned| planned.permissions.join(" or "));
    let quota = || planned.map_or("", |planned| planned.quota);
    match failure.status {
        Some(400) if says("hub notification url") => "Give the application 'Microsoft Graph Change Tracking' \
            (0bf30f3b-4a52-48df-9a82-234910c4a086) the role Azure Event Hubs Data Sender on the hub; tenantId in the address is the \
            domain name of the tenant"
            .to_owned(),
        Some(400) if says("forbidden") || says("unauthorized") => {
            "Something before the listener asks for a sign-in, such as a gateway or a tunnel: let Graph's POSTs through".to_owned()
        }
        Some(400) if says("timed out") => {
            "Graph got no answer within ten seconds: the address must lead to the running listener, through firewall and proxy"
                .to_owned()
        }
        Some(400) if says("validation request failed") => {
            "Graph's call of the notification address was not answered as it should be: try `lakeflow-teams listen check --url`"
                .to_owned()
        }
        Some(400) if says("certificate") => {
            "Graph takes a certificate (X.509, RSA of 2,048 to 4,096 bits), not a bare public key".to_owned()
        }
        Some(400) if says("lifecyclenotificationurl") => "Set lifecycle_url, or leave it to its default".to_owned(),
        Some(400) if says("allowed max") => "Correct the clock of this machine, or set lifetime_seconds".to_owned(),
        Some(401) => "Check the credential of the application".to_owned(),
        Some(402) => "The tenant has to set up payment for this resource".to_owned(),
        Some(403) if says("limit") || says("quota") || says("maximum") => {
            format!("The quota is used up ({}): remove subscriptions of other programs of the application", quota())
        }
        Some(403) => format!(
            "Grant the application {} with an administrator's consent; if it has it, the quota is used up ({})",
            permissions(),
            quota()
        ),
        Some(404) => "What it is of is not there (any more)".to_owned(),
        Some(409) => "Another listener of this application holds it: one application can have it once. Stop the other one, or use \
            an application of its own for each environment"
            .to_owned(),
        Some(429) => "Graph's limit of requests was met: it is tried again".to_owned(),
        _ if is_hub => "It is tried again; if it stays, check the namespace's firewall".to_owned(),
        _ => "It is tried again".to_owned(),
    }
}
