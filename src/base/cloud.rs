//! National clouds (<https://learn.microsoft.com/graph/deployments>). Tokens of one are refused by another.

use url::{Host, Url};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    #[default]
    Global,
    UsGov,
    UsGovDod,
    China,
}

impl Cloud {
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "usgov" => Self::UsGov,
            "usgov_dod" => Self::UsGovDod,
            "china" => Self::China,
            _ => Self::Global,
        }
    }

    pub fn authority(self) -> Url {
        known(match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        })
    }

    pub fn graph(self) -> Url {
        known(match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        })
    }

    /// What stands before and behind the tenant's id in the issuer of tokens, of version 1 and of version 2
    /// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#token-ownership>).
    pub fn token_issuers(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Global => [("https://sts.windows.net/", "/"), ("https://login.microsoftonline.com/", "/v2.0")],
            Self::UsGov | Self::UsGovDod => {
                [("https://sts.windows.net/", "/"), ("https://login.microsoftonline.us/", "/v2.0")]
            }
            Self::China => {
                [("https://sts.chinacloudapi.cn/", "/"), ("https://login.partner.microsoftonline.cn/", "/v2.0")]
            }
        }
    }

    /// The scope of tokens for the Bot Connector.
    pub fn bot_connector_scope(self) -> &'static str {
        match self {
            Self::Global => "https://api.botframework.com/.default",
            Self::UsGov | Self::UsGovDod => "https://api.botframework.us/.default",
            Self::China => "https://api.botframework.azure.cn/.default",
        }
    }

    /// Where the tokens of old multi-tenant bots come from; new bots belong to one tenant
    /// (<https://learn.microsoft.com/azure/bot-service/abs-quickstart>).
    pub fn bot_tenant(self) -> &'static str {
        match self {
            Self::Global => "botframework.com",
            Self::UsGov | Self::UsGovDod => "MicrosoftServices.onmicrosoft.us",
            Self::China => "microsoftservices.partner.onmschina.cn",
        }
    }

    /// The Bot Connector's address for a first contact
    /// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages>). China's is
    /// not documented.
    pub fn bot_service(self) -> Option<Url> {
        match self {
            Self::Global => Some(known("https://smba.trafficmanager.net/teams/")),
            Self::UsGov => Some(known("https://smba.infra.gov.teams.microsoft.us/teams/")),
            Self::UsGovDod => Some(known("https://smba.infra.dod.teams.microsoft.us/teams/")),
            Self::China => None,
        }
    }

    /// The issuer of what the Bot Connector sends, and where its metadata is
    /// (<https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>).
    pub fn bot_issuer(self) -> &'static str {
        match self {
            Self::Global => "https://api.botframework.com",
            Self::UsGov | Self::UsGovDod => "https://api.botframework.us",
            Self::China => "https://api.botframework.azure.cn",
        }
    }

    pub fn bot_openid_metadata(self) -> Url {
        known(match self {
            Self::Global => "https://login.botframework.com/v1/.well-known/openidconfiguration",
            Self::UsGov | Self::UsGovDod => "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
            Self::China => "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
        })
    }

    /// Domains of the Bot Connector's hosts
    /// (<https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages>); GCC is
    /// part of the global cloud. China's are not documented.
    pub fn bot_connector_domains(self) -> &'static [&'static str] {
        match self {
            Self::Global => &["smba.trafficmanager.net", "teams.microsoft.com", "botframework.com"],
            Self::UsGov | Self::UsGovDod => &["teams.microsoft.us", "botframework.us"],
            Self::China => &["botframework.azure.cn"],
        }
    }
}

fn known(text: &'static str) -> Url {
    Url::parse(text).expect("the hosts above are valid addresses")
}

/// Whether nothing sent to this host leaves the machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Checks the address of a login or Graph host. What is wrong comes back as text.
pub(super) fn host_address(text: &str) -> Result<Url, &'static str> {
    let url = address(text)?;
    if url.path() != "/" {
        return Err("has a path: leave out the version and everything after the host");
    }
    Ok(url)
}

/// Checks an address that may have a path.
pub(super) fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not an address")?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err("would send credentials over plain http"),
        _ => return Err("is not an https address"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries user info");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query: leave out everything after the path");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_only_to_loopback() {
        for good in [
            "https://graph.microsoft.com",
            "https://graph.example/",
            "http://127.0.0.1:8480",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(host_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://graph.microsoft.com",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "https://user@graph.microsoft.com",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com?x=1",
            "ftp://graph.microsoft.com",
            "graph.microsoft.com",
            "",
        ] {
            assert!(host_address(bad).is_err(), "{bad}");
        }
    }
}
