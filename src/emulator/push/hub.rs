//! Event Hubs as an address of notifications.
//!
//! Source: "Receive change notifications through Azure Event Hubs".

use url::Url;

pub const SCHEME: &str = "EventHub:";

pub fn is_hub(url: &str) -> bool {
    url.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// The hub's name: of the address with a role, or the secret's of the one with a connection string; nothing for another form.
pub fn name(url: &str) -> Option<String> {
    let parsed = Url::parse(url.get(SCHEME.len()..)?).ok().filter(|parsed| parsed.scheme() == "https")?;
    parsed.query_pairs().find(|(name, value)| name.eq_ignore_ascii_case("tenantId") && !value.is_empty())?;
    let segments: Vec<&str> = parsed.path_segments()?.collect();
    let host = parsed.host_str()?;
    match segments.as_slice() {
        [kind, name] if kind.eq_ignore_ascii_case("eventhubname") && host.ends_with(".servicebus.windows.net") => {
            Some((*name).to_owned())
        }
        [kind, name] if kind.eq_ignore_ascii_case("secrets") && host.ends_with(".vault.azure.net") => {
            Some((*name).to_owned())
        }
        _ => None,
    }
}
