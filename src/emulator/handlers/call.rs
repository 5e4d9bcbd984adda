//! One request, as a handler sees it.

use crate::faults::injector::PageFaults;
use crate::http::error::GraphError;
use crate::http::request::Request;
use crate::odata::query::Query;
use crate::odata::token::{Token, seal, unseal};
use crate::tenant::knobs::Knobs;
use crate::tenant::model::{Access, Channel, Team, Tenant};
use crate::tenant::visibility::access;

/// Custom query options of links that lead in a circle: the page of the circle, and the query of its first page.
pub const CIRCLE_PAGE: &str = "circlePage";
pub const CIRCLE_START: &str = "circleStart";

/// `T` is the tenant as the handler may use it: shared for those that read, exclusive for those that write.
pub struct Call<'a, T = &'a Tenant> {
    pub tenant: T,
    pub knobs: &'a Knobs,
    pub now_ms: i64,
    pub request: &'a Request,
    pub query: &'a Query,
    /// The template of the endpoint, and the ids of the path, in order.
    pub template: &'static str,
    pub ids: &'a [String],
    /// `Prefer: include-unknown-enum-members`.
    pub known_enums: bool,
    /// `Prefer: return=minimal`.
    pub minimal: bool,
    pub faults: &'a PageFaults,
    /// The client that the token was issued to.
    pub app: &'a str,
    /// Draws on the endpoint's limit, where its handler does that after all other checks.
    pub rate: &'a dyn Fn() -> Result<(), GraphError>,
}

/// The call of a handler that changes the tenant.
pub type WriteCall<'a> = Call<'a, &'a mut Tenant>;

/// The collection a token belongs to: the endpoint and the ids, however the path spelled them.
fn scope<'i>(template: &str, ids: impl IntoIterator<Item = &'i str>) -> String {
    ids.into_iter().fold(template.to_owned(), |scope, id| scope + "|" + id)
}

impl<'a, T> Call<'a, T> {
    pub fn id(&self, at: usize) -> &'a str {
        &self.ids[at]
    }

    fn scope(&self) -> String {
        scope(self.template, self.ids.iter().map(String::as_str))
    }

    pub fn top(&self, default: usize, max: usize) -> Result<usize, GraphError> {
        if self.faults.ignore_top {
            return Ok(default);
        }
        self.query.top(default, max, self.knobs.top_over_max)
    }

    /// The position of the `$skiptoken`; an empty one means the start.
    pub fn position(&self) -> Result<Option<String>, GraphError> {
        let Some(text) = self.query.get("$skiptoken") else {
            return Ok(None);
        };
        let Token { issued_ms, position } = unseal(&self.scope(), text)?;
        let life_ms = self.knobs.link_lifetime_seconds as i64 * 1000;
        if life_ms > 0 && self.now_ms - issued_ms > life_ms {
            return Err(GraphError::bad_request("The skip token has expired."));
        }
        Ok((!position.is_empty()).then_some(position))
    }

    pub fn delta_token(&self) -> Result<Option<Token>, GraphError> {
        match self.query.get("$deltatoken") {
            None | Some("") => Ok(None),
            Some(text) => unseal(&self.scope(), text).map(Some),
        }
    }

    /// A `$skiptoken` of this collection.
    pub fn seal(&self, position: &str) -> String {
        let token = seal(&self.scope(), self.issued_ms(), position);
        match self.knobs.link_padding {
            0 => token,
            bytes => format!("{token}={}", "x".repeat(bytes)),
        }
    }

    /// A `$skiptoken` of another endpoint's collection.
    pub fn seal_for(&self, template: &str, ids: &[&str], position: &str) -> String {
        seal(&scope(template, ids.iter().copied()), self.issued_ms(), position)
    }

    /// Only a link that expires needs to know its age; without it equal requests give equal bytes.
    fn issued_ms(&self) -> i64 {
        if self.knobs.link_lifetime_seconds > 0 { self.now_ms } else { 0 }
    }

    /// The request's own link, with some options dropped and one added.
    pub fn link(&self, dropped: &[&str], added: &str) -> String {
        let kept = self.query.without(&[dropped, &[CIRCLE_PAGE, CIRCLE_START]].concat());
        let joint = if kept.is_empty() { "" } else { "&" };
        format!("{}{}?{kept}{joint}{added}", self.request.base, self.request.path)
    }

    /// A link to this collection's next page: the options asked for, and the token.
    pub fn next_link(&self, position: &str) -> String {
        self.link(&["$skiptoken", "$skip", "$deltatoken"], &format!("$skiptoken={}", self.seal(position)))
    }

    pub fn delta_link(&self, seq: u64) -> String {
        let token = seal(&self.scope(), self.now_ms, &seq.to_string());
        let dropped = ["$skiptoken", "$skip", "$deltatoken", "$filter", "$top"];
        self.link(&dropped, &format!("$deltatoken={token}"))
    }

    pub fn context(&self, of: &str) -> String {
        format!("{}/v1.0/$metadata#{of}", self.request.base)
    }
}

impl<'a> Call<'a> {
    pub fn team(&self) -> Result<(usize, &'a Team), GraphError> {
        team(self.tenant, self.knobs, self.id(0))
    }

    pub fn channel(&self) -> Result<(&'a Team, &'a Channel), GraphError> {
        let (_, team) = self.team()?;
        let id = self.id(1);
        let channel = team.channels.iter().find(|channel| channel.id == id && !channel.removed);
        channel.map(|channel| (team, channel)).ok_or_else(|| GraphError::not_found("NotFound"))
    }
}

/// A team that can be read, or why it cannot.
pub fn team<'a>(tenant: &'a Tenant, knobs: &Knobs, id: &str) -> Result<(usize, &'a Team), GraphError> {
    let found = tenant.team_index.get(id).copied().ok_or_else(|| GraphError::no_team(id))?;
    match access(tenant, knobs, found) {
        Access::Open => Ok((found, &tenant.teams[found])),
        Access::Missing => Err(GraphError::no_team(id)),
        Access::Forbidden => Err(GraphError::backend_forbidden()),
    }
}
