//! What the tables cost that are lists: one for each team, channel, chat, user or group. They are snapshots, so that every
//! run costs the same.

use super::cost::{Case, Part, pages, pages_each};
use crate::page_sizes;
use teams_base::error::Result;
use teams_base::graph::endpoint;
use teams_tables::{Archive, List, Meetings, Parent, Shape};

impl Case<'_> {
    pub(super) fn list(&self, list: &'static List) -> Result<Vec<Part>> {
        let (mut parts, lists, formula) = self.parents_of(list.parent)?;
        let each = match (list.parent, list.endpoint.template) {
            (Parent::Tenant, "/users") => pages(self.count("users")?, self.top(page_sizes::USERS)),
            (_, "/teams/{id}/members") => {
                let members = self.tenant.get("members_per_team", self.table.name)?;
                pages(members, self.top(page_sizes::MEMBERS))
            }
            _ => 1.0,
        };
        let formula = if list.shape == Shape::Object { formula.0 } else { formula.1 };
        parts.push(Part::per(list.endpoint, lists, each, formula));
        Ok(parts)
    }

    /// What finds the parents, how many there are, and the formula of one request for each, without and with pages.
    fn parents_of(&self, parent: Parent) -> Result<(Vec<Part>, f64, (&'static str, &'static str))> {
        macro_rules! formula {
            ($each:literal) => {
                ($each, concat!($each, ", and 1 for each further page"))
            };
        }
        Ok(match parent {
            Parent::Tenant => (Vec::new(), 1.0, formula!("1")),
            Parent::Team => (self.all_teams()?, self.count("teams")?, formula!("teams")),
            Parent::SharedChannel if self.options.channel_ids.is_empty() => {
                let shared = self.tenant.get("shared_channels", self.table.name)?;
                (self.all_channels()?, shared, formula!("shared channels"))
            }
            Parent::Channel | Parent::SharedChannel => {
                (self.all_channels()?, self.count("channels")?, formula!("channels"))
            }
            Parent::Chat => (self.all_chats()?, self.count("chats")?, formula!("chats")),
            Parent::User => (self.all_users()?, self.count("users")?, formula!("users")),
            Parent::Group | Parent::MailGroup => {
                let (parts, groups) = self.all_groups()?;
                (parts, groups, formula!("groups"))
            }
            Parent::Item(above) => {
                let parts = self.list(above)?;
                let lists = parts.last().map_or(0.0, |part| part.requests);
                let name = if above.parent == Parent::Team { "tags_per_team" } else { "threads_per_group" };
                let items = lists * self.tenant.get(name, self.table.name)?;
                (parts, items, formula!("1 for each of their items"))
            }
        })
    }

    fn all_channels(&self) -> Result<Vec<Part>> {
        let mut parts = self.all_teams()?;
        if self.options.channel_ids.is_empty() {
            parts.push(Part::per(&endpoint::CHANNELS, self.count("teams")?, 1.0, "teams"));
        }
        Ok(parts)
    }

    fn all_chats(&self) -> Result<Vec<Part>> {
        if !self.options.chat_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut parts = self.all_users()?;
        let users = self.count("users")?;
        let listed = self.count("chats")? * self.tenant.get("members_per_chat", self.table.name)?;
        let each = pages_each(listed, users, self.top(page_sizes::CHATS));
        parts.push(Part::per(&endpoint::USER_CHATS, users, each, "users × (chats of a user / 50)"));
        Ok(parts)
    }

    /// A team is a group of the same id.
    fn all_groups(&self) -> Result<(Vec<Part>, f64)> {
        let options = self.options;
        if options.fetch_all_teams || !options.team_ids.is_empty() {
            return Ok((self.all_teams()?, self.count("teams")?));
        }
        let groups = self.count("groups")?;
        let is_named = !options.group_ids.is_empty();
        let list = Part::new(&endpoint::GROUPS, pages(groups, page_sizes::USERS), "groups / 999");
        Ok((if is_named { Vec::new() } else { vec![list] }, groups))
    }

    pub(super) fn archive(&self, archive: Archive) -> Result<Vec<Part>> {
        let count = |name| self.tenant.get(name, self.table.name);
        let named = self.options.team_ids.len();
        match archive {
            Archive::Retained => {
                let teams = self.count("teams")?;
                let rows = count("messages")? * (1.0 + count("replies_per_message")?);
                let each = pages_each(rows, teams, self.top(page_sizes::EXPORT));
                let mut parts = self.all_teams()?;
                let formula = "teams × (messages of a team / 250), and more for every version that is retained";
                parts.push(Part::per(&endpoint::TEAM_RETAINED, teams, each, formula));
                Ok(parts)
            }
            Archive::DeletedTeams => {
                let teams = if named > 0 { named as f64 } else { count("deleted_teams")? };
                let list = Part::new(&endpoint::DELETED_TEAMS, f64::from(u8::from(named == 0)), "1");
                let rows = count("messages_per_deleted_team")?;
                let each = pages(rows, self.top(page_sizes::EXPORT));
                let formula = "deleted teams × (messages of a deleted team / 250)";
                Ok(vec![list, Part::per(&endpoint::DELETED_TEAM_EXPORT, teams, each, formula)])
            }
        }
    }

    pub(super) fn meetings(&self, meetings: Meetings) -> Result<Vec<Part>> {
        let endpoint = match meetings {
            Meetings::CallRecords => {
                let calls = self.count("users")? * self.tenant.get("calls_per_user", self.table.name)?;
                let requests = pages(calls, page_sizes::CALL_RECORDS);
                return Ok(vec![Part::new(&endpoint::CALL_RECORDS, requests, "calls of the last 30 days / 60")]);
            }
            Meetings::Transcripts => &endpoint::TRANSCRIPTS,
            Meetings::Recordings => &endpoint::RECORDINGS,
        };
        let mut parts = self.all_users()?;
        let users = self.count("users")?;
        parts.push(Part::per(endpoint, users, 1.0, "users, and 1 for each further page"));
        if meetings == Meetings::Transcripts && self.options.transcript_text {
            let each = self.tenant.get("transcripts_per_user", self.table.name)?;
            parts.push(Part::per(&endpoint::TRANSCRIPT_CONTENT, users, each, "1 for each transcript"));
        }
        Ok(parts)
    }
}
