//! The services that requests go to, each with tokens of its own, and the hosts that may see them.

use url::Url;

use crate::link::{has_user_info, stays_at};
use teams_base::cloud::{Cloud, is_loopback};

/// The hosts of a service. A request is sent, with the service's token, only to a URL that [`Self::admit`] lets through.
#[derive(Debug, Clone)]
pub struct Audience {
    pub base: Url,
    /// Domains whose hosts belong to the service too, over https.
    domains: &'static [&'static str],
}

impl Audience {
    pub fn graph(base: Url) -> Self {
        Self { base, domains: &[] }
    }

    /// `base` is where a first contact goes; each conversation then names a host of its own (`serviceUrl`). Those of an
    /// emulator on this machine are on this machine.
    pub fn bot_connector(base: Url, cloud: Cloud) -> Self {
        let domains = if is_loopback(&base) { &[][..] } else { cloud.bot_connector_domains() };
        Self { base, domains }
    }

    /// Checks that a URL leads to the service.
    pub fn admit(&self, url: &Url) -> Result<(), &'static str> {
        let is_in_domain = |host: &str| {
            self.domains.iter().any(|domain| {
                host.strip_suffix(domain).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            })
        };
        let is_ours = stays_at(url, &self.base).is_ok()
            || url.scheme() == "https"
                && url.port().is_none()
                && !has_user_info(url)
                && url.domain().is_some_and(is_in_domain);
        if is_ours { Ok(()) } else { Err("its address belongs to another service, which must not see the token") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_token_goes_to_the_hosts_of_its_service_only() {
        let graph = Audience::graph(Cloud::Global.graph());
        let connector = |base: &str, cloud| Audience::bot_connector(url(base), cloud);
        let global = connector("https://smba.trafficmanager.net/teams/", Cloud::Global);
        let gov = connector("https://smba.infra.gov.teams.microsoft.us/teams", Cloud::UsGov);
        let emulator = connector("http://127.0.0.1:4000/connector/", Cloud::Global);
        for (audience, address, expected) in [
            (&graph, "https://graph.microsoft.com/v1.0/teams", true),
            (&graph, "https://graph.microsoft.com:443/beta", true),
            (&graph, "http://graph.microsoft.com/v1.0/teams", false),
            (&graph, "https://graph.microsoft.com:8443/v1.0/teams", false),
            (&graph, "https://u:p@graph.microsoft.com/v1.0/teams", false),
            (&graph, "https://smba.trafficmanager.net/teams/v3/conversations", false),
            (&graph, "https://graph.microsoft.com.evil.example/", false),
            (&global, "https://smba.trafficmanager.net/amer/11111111-2222-3333-4444-555555555555/v3/x", true),
            (&global, "https://smba.infra.gcc.teams.microsoft.com/teams/v3/x", true),
            (&global, "https://europe.botframework.com/v3/x", true),
            (&global, "https://graph.microsoft.com/v1.0/teams", false),
            (&global, "https://teams.microsoft.com.evil.example/v3/x", false),
            (&global, "https://evilteams.microsoft.com/v3/x", false),
            (&global, "https://evil.trafficmanager.net/v3/x", false),
            (&global, "http://smba.trafficmanager.net/amer/v3/x", false),
            (&global, "https://smba.trafficmanager.net:8443/amer/v3/x", false),
            (&global, "https://u@smba.trafficmanager.net/amer/v3/x", false),
            (&global, "https://smba.infra.gov.teams.microsoft.us/v3/x", false),
            (&global, "http://127.0.0.1:4000/v3/x", false),
            (&gov, "https://smba.infra.dod.teams.microsoft.us/teams/v3/x", true),
            (&gov, "https://smba.trafficmanager.net/amer/v3/x", false),
            (&emulator, "http://127.0.0.1:4000/connector/v3/x", true),
            (&emulator, "http://127.0.0.1:4001/connector/v3/x", false),
            (&emulator, "https://smba.trafficmanager.net/amer/v3/x", false),
        ] {
            assert_eq!(audience.admit(&url(address)).is_ok(), expected, "{address} of {}", audience.base);
        }
    }
}
