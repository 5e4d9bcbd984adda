//! One request, as the endpoints see it.

use super::config::Knobs;
use super::errors::Refusal;
use super::faults::Shape;
use super::odata::{Query, Token, seal, unseal};
use super::router::Route;
use super::tenant::{Access, Channel, Team, Tenant};

pub struct Call<'a> {
    pub tenant: &'a Tenant,
    pub knobs: &'a Knobs,
    pub now_ms: i64,
    /// `http://host:port`, as the caller named it: Graph's links come back on the host that was asked.
    pub base: &'a str,
    /// The path as requested, with `/v1.0`.
    pub path: &'a str,
    /// The undecoded query.
    pub raw_query: &'a str,
    pub query: &'a Query,
    pub route: &'a Route,
    /// `Prefer: include-unknown-enum-members`.
    pub known_enums: bool,
    /// `Prefer: return=minimal`.
    pub minimal: bool,
    pub roles: &'a [String],
    pub shape: &'a Shape,
}

impl<'a> Call<'a> {
    pub fn id(&self, at: usize) -> &'a str {
        &self.route.ids[at]
    }

    /// The collection a token belongs to: the endpoint and the ids, however the path spelled them.
    fn scope(&self) -> String {
        format!("{:?}|{}", self.route.endpoint, self.route.ids.join("|"))
    }

    pub fn top(&self, default: usize, max: usize) -> Result<usize, Refusal> {
        if self.shape.ignore_top {
            return Ok(default);
        }
        self.query.top(default, max, self.knobs.top_over_max)
    }

    /// The position of the `$skiptoken`; an empty one means the start.
    pub fn position(&self) -> Result<Option<String>, Refusal> {
        let Some(text) = self.query.get("$skiptoken") else {
            return Ok(None);
        };
        let Token { issued_ms, position } = unseal(&self.scope(), text)?;
        let life_ms = self.knobs.link_lifetime_seconds as i64 * 1000;
        if life_ms > 0 && self.now_ms - issued_ms > life_ms {
            return Err(Refusal::bad_request("The skip token has expired."));
        }
        Ok((!position.is_empty()).then_some(position))
    }

    pub fn delta_token(&self) -> Result<Option<Token>, Refusal> {
        match self.query.get("$deltatoken") {
            None | Some("") => Ok(None),
            Some(text) => unseal(&self.scope(), text).map(Some),
        }
    }

    pub fn seal(&self, position: &str) -> String {
        // Only a mortal link needs to know its age; without it equal requests give equal bytes.
        let issued = if self.knobs.link_lifetime_seconds > 0 { self.now_ms } else { 0 };
        let token = seal(&self.scope(), issued, position);
        match self.knobs.link_padding {
            0 => token,
            bytes => format!("{token}={}", "x".repeat(bytes)),
        }
    }

    /// A link to this collection's next page: the options asked for, and the token.
    pub fn next_link(&self, position: &str) -> String {
        let kept = self.query.without(&["$skiptoken", "$skip", "$deltatoken"]);
        let joint = if kept.is_empty() { "" } else { "&" };
        format!("{}{}?{kept}{joint}$skiptoken={}", self.base, self.path, self.seal(position))
    }

    pub fn delta_link(&self, seq: u64) -> String {
        let kept = self.query.without(&["$skiptoken", "$skip", "$deltatoken", "$filter", "$top"]);
        let joint = if kept.is_empty() { "" } else { "&" };
        let token = seal(&self.scope(), self.now_ms, &seq.to_string());
        format!("{}{}?{kept}{joint}$deltatoken={token}", self.base, self.path)
    }

    pub fn context(&self, of: &str) -> String {
        format!("{}/v1.0/$metadata#{of}", self.base)
    }

    pub fn team(&self) -> Result<(usize, &'a Team), Refusal> {
        team(self.tenant, self.knobs, self.id(0))
    }

    pub fn channel(&self) -> Result<(&'a Team, &'a Channel), Refusal> {
        let (_, team) = self.team()?;
        let id = self.id(1);
        let channel = team.channels.iter().find(|channel| channel.id == id && !channel.removed);
        channel.map(|channel| (team, channel)).ok_or_else(|| Refusal::not_found("NotFound"))
    }
}

/// A team that can be read; otherwise why not.
pub fn team<'a>(tenant: &'a Tenant, knobs: &Knobs, id: &str) -> Result<(usize, &'a Team), Refusal> {
    let found = tenant.team_index.get(id).copied().ok_or_else(|| Refusal::no_team(id))?;
    match access(tenant, knobs, found) {
        Access::Open => Ok((found, &tenant.teams[found])),
        Access::Missing => Err(Refusal::no_team(id)),
        Access::Forbidden => Err(Refusal::backend_forbidden()),
    }
}

pub fn access(tenant: &Tenant, knobs: &Knobs, team: usize) -> Access {
    let id = &tenant.teams[team].id;
    let group_gone = tenant.groups[tenant.group_of_team(team)].removal.is_some();
    if group_gone || knobs.missing_team_ids.contains(id) {
        Access::Missing
    } else if knobs.forbidden_team_ids.contains(id) {
        Access::Forbidden
    } else {
        tenant.teams[team].access
    }
}
