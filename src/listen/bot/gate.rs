//! All that has to hold before an activity is kept: first its token, then what the token is for, then who may send at all.

use std::collections::HashSet;

use url::Url;

use super::activity::Activity;
use super::emulator::EmulatorTokens;
use crate::token::{Asked, Refusal, Verifier};

/// No activity of Teams is longer; a longer one is not read.
pub const MOST_BYTES: usize = 1 << 20;
/// The Bot Framework Emulator's channel.
const EMULATOR: &str = "emulator";

/// Whose people may write to the bot.
#[derive(Debug, Clone)]
pub enum Tenants {
    Any,
    /// Of these tenants, by id in lower case.
    Only(HashSet<String>),
}

impl Tenants {
    pub fn only(ids: impl IntoIterator<Item = String>) -> Self {
        Self::Only(ids.into_iter().map(|id| id.to_ascii_lowercase()).collect())
    }
}

/// Why an activity is refused: it leaves no trace but this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    Token(Refusal),
    TooLarge,
    Malformed(&'static str),
    /// It names no tenant, several, or one that is not allowed.
    Tenant(&'static str),
    /// It is for another bot.
    OtherBot,
}

impl Refused {
    /// The HTTP status that it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Token(refusal) => refusal.status(),
            Self::TooLarge => 413,
            Self::Malformed(_) => 400,
            Self::Tenant(_) | Self::OtherBot => 403,
        }
    }

    /// Its name in logs, which quotes nothing of what came.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Token(refusal) => refusal.name(),
            Self::TooLarge => "too large",
            Self::Malformed(why) | Self::Tenant(why) => why,
            Self::OtherBot => "another bot's activity",
        }
    }
}

pub struct Gate {
    pub verifier: Verifier,
    /// In development also tokens of the Bot Framework Emulator are taken.
    pub development: Option<EmulatorTokens>,
    /// The bot's application id.
    pub app: String,
    pub tenants: Tenants,
}

impl Gate {
    /// Proves an activity. Nothing of the body is looked at before its token is good.
    pub async fn admit(&self, authorization: Option<&str>, body: &[u8]) -> Result<Activity, Refused> {
        if body.len() > MOST_BYTES {
            return Err(Refused::TooLarge);
        }
        let proven = match (self.verifier.prove(authorization).await, &self.development) {
            (Ok(proven), _) => Some(proven),
            (Err(refusal), Some(development)) => {
                development.prove(authorization).await.map_err(|_| Refused::Token(refusal))?;
                None
            }
            (Err(refusal), None) => return Err(Refused::Token(refusal)),
        };
        let text = std::str::from_utf8(body).map_err(|_| Refused::Malformed("no UTF-8"))?;
        let activity = Activity::parse(text).map_err(Refused::Malformed)?;
        let channel = activity.channel_id.as_deref().unwrap_or_default();
        match proven {
            Some(proven) => {
                let service_url = activity.service_url.as_deref().unwrap_or_default();
                proven.agrees(Asked { channel, service_url }).map_err(Refused::Token)?;
                self.check_recipient(&activity)?;
                self.check_tenant(&activity)?;
            }
            // A developer's machine has no tenant; and nobody else's channel is taken on its word.
            None if channel != EMULATOR => return Err(Refused::Token(Refusal::Endorsement)),
            None => {}
        }
        Ok(activity)
    }

    fn check_recipient(&self, activity: &Activity) -> Result<(), Refused> {
        let named = activity.recipient.id.as_deref().and_then(|id| id.strip_prefix("28:"));
        match named {
            Some(bot) if !bot.eq_ignore_ascii_case(&self.app) => Err(Refused::OtherBot),
            _ => Ok(()),
        }
    }

    /// The channel's data, the conversation and the service URL have to name one tenant, as far as they name one; the first has to.
    fn check_tenant(&self, activity: &Activity) -> Result<(), Refused> {
        let tenant = activity.tenant().filter(|id| !id.is_empty()).ok_or(Refused::Tenant("no tenant"))?;
        let others = [activity.conversation.tenant_id.clone(), activity.service_url.as_deref().and_then(tenant_of)];
        if others.into_iter().flatten().any(|other| !other.eq_ignore_ascii_case(tenant)) {
            return Err(Refused::Tenant("tenants that disagree"));
        }
        match &self.tenants {
            Tenants::Only(allowed) if !allowed.contains(&tenant.to_ascii_lowercase()) => {
                Err(Refused::Tenant("another tenant"))
            }
            _ => Ok(()),
        }
    }
}

/// The tenant that newer service URLs name: `https://.../amer/{tenant}/`.
fn tenant_of(service_url: &str) -> Option<String> {
    let url = Url::parse(service_url).ok()?;
    let mut found = url.path_segments()?.filter(|segment| is_guid(segment));
    found.next().map(str::to_owned)
}

fn is_guid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(
            |(at, byte)| {
                if hyphens.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
            },
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_service_urls_name_a_tenant() {
        let tenant = "11111111-2222-3333-4444-555555555555";
        assert_eq!(tenant_of(&format!("https://smba.trafficmanager.net/amer/{tenant}/")).as_deref(), Some(tenant));
        assert_eq!(tenant_of("https://smba.trafficmanager.net/de/"), None);
        assert_eq!(tenant_of("no address"), None);
    }
}
