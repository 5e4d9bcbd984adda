//! What a read costs in requests: one formula per table and strategy, from the counts of a tenant.

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::messages::strategy::Ways;
use crate::page_sizes;
use crate::state::round_kind::Family;
use crate::state::window::ROWS_PER_WINDOW;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::options::TableOptions;
use teams_tables::{DirectoryObject, Reading, Table, Takes};

/// Which of a table's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Everything, for the first time.
    First,
    /// A later one that finds nothing new.
    Quiet,
    /// The one in 24 hours that also looks for what lists do not show.
    Daily,
}

impl Run {
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "first" => Ok(Self::First),
            "quiet" => Ok(Self::Quiet),
            "daily" => Ok(Self::Daily),
            _ => Err(Error::configuration(format!("run '{name}': it is one of first, quiet, daily"))),
        }
    }
}

/// The requests that one endpoint gets.
#[derive(Debug, Clone)]
pub struct Part {
    pub endpoint: &'static Endpoint,
    /// What is drawn from the endpoint's budgets.
    pub requests: f64,
    /// Where requests travel in batches these are fewer.
    pub round_trips: f64,
    pub formula: &'static str,
    /// The share of one team, channel, chat or user, on average.
    pub each: f64,
}

impl Part {
    pub(super) fn new(endpoint: &'static Endpoint, requests: f64, formula: &'static str) -> Self {
        Self { endpoint, requests, round_trips: requests, formula, each: 0.0 }
    }

    /// `parents` times as many requests as each of them needs.
    pub(super) fn per(endpoint: &'static Endpoint, parents: f64, each: f64, formula: &'static str) -> Self {
        Self { each, ..Self::new(endpoint, parents * each, formula) }
    }
}

/// Pages of a list; an empty one has a page too.
pub(super) fn pages(rows: f64, page: u32) -> f64 {
    (rows / f64::from(page)).ceil().max(1.0)
}

/// Pages of each of several lists that hold `rows` together.
pub(super) fn pages_each(rows: f64, lists: f64, page: u32) -> f64 {
    if lists > 0.0 { pages(rows / lists, page) } else { 0.0 }
}

/// One request for each channel, and more for those that are read whole.
fn reread(endpoint: &'static Endpoint, channels: f64, whole: f64, pages: f64, formula: &'static str) -> Part {
    Part { each: pages, ..Part::new(endpoint, channels - whole + whole * pages, formula) }
}

/// What a cost depends on.
pub struct Case<'a> {
    pub table: &'static Table,
    pub options: &'a TableOptions,
    pub tenant: &'a Tenant,
    pub run: Run,
}

/// The requests of one pass. Tables that share a pass cost what one of them costs.
pub fn cost(case: &Case<'_>) -> Result<Vec<Part>> {
    let mut parts = match case.table.reading {
        Reading::Teams => case.teams()?,
        Reading::ChannelMessages => case.channel_messages()?,
        Reading::Chats => case.user_chats()?,
        Reading::ChatMessages => case.chat_messages()?,
        Reading::DirectoryDelta(_) => case.directory()?,
        Reading::Report(report) => vec![Part::new(report.endpoint, 1.0, "1, and the file behind its link")],
        Reading::List(list) => case.list(list)?,
        Reading::Archive(archive) => case.archive(archive)?,
        Reading::Meetings(meetings) => case.meetings(meetings)?,
    };
    parts.extend(case.hosted_contents()?);
    parts.retain(|part| part.requests > 0.0);
    Ok(parts)
}

/// The counts that a run of a table costs by, without those that its options give.
pub fn needed_counts(table: &'static Table, options: &TableOptions, run: Run) -> Result<BTreeSet<&'static str>> {
    let tenant = Tenant::of_ones();
    cost(&Case { table, options, tenant: &tenant, run })?;
    Ok(tenant.asked())
}

impl Case<'_> {
    pub(super) fn count(&self, name: &'static str) -> Result<f64> {
        let named = match name {
            "teams" => self.options.team_ids.len(),
            "channels" => self.options.channel_ids.len(),
            "users" => self.options.user_ids.len(),
            "chats" => self.options.chat_ids.len(),
            "groups" => self.options.group_ids.len(),
            _ => 0,
        };
        if named > 0 { Ok(named as f64) } else { self.tenant.get(name, self.table.name) }
    }

    /// A run that pauses lists them once all the same.
    pub(super) fn all_teams(&self) -> Result<Vec<Part>> {
        if !self.options.team_ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Part::new(&endpoint::TEAMS, pages(self.count("teams")?, page_sizes::TEAMS), "teams / 100")])
    }

    pub(super) fn all_users(&self) -> Result<Vec<Part>> {
        if !self.options.user_ids.is_empty() || !self.options.chat_ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Part::new(&endpoint::USERS, pages(self.count("users")?, page_sizes::USERS), "users / 999")])
    }

    /// Where nothing has to be listed the server's time is asked for.
    fn clock(&self, endpoint: &'static Endpoint) -> Option<Part> {
        let options = self.options;
        let is_named = !options.team_ids.is_empty() || !options.user_ids.is_empty() || !options.chat_ids.is_empty();
        is_named.then(|| Part::new(endpoint, 1.0, "1, for the server's time"))
    }

    fn teams(&self) -> Result<Vec<Part>> {
        let teams = self.count("teams")?;
        if !self.options.team_ids.is_empty() {
            return Ok(vec![Part::per(&endpoint::TEAM, teams, 1.0, "1 for each team named")]);
        }
        let mut parts = self.all_teams()?;
        let round_trips = (teams / page_sizes::TEAMS_PER_BATCH as f64).ceil();
        let each = Part::per(&endpoint::TEAM, teams, 1.0, "teams, 20 in a round trip");
        parts.push(Part { round_trips, ..each });
        Ok(parts)
    }

    /// Rows of a page: the most that an endpoint is asked for, or fewer by the option.
    pub(super) fn top(&self, most: u32) -> u32 {
        page_sizes::top(self.options.top, most)
    }

    fn channel_messages(&self) -> Result<Vec<Part>> {
        let roots = self.count("messages")?;
        let rows = roots * (1.0 + self.tenant.get("replies_per_message", self.table.name)?);
        let mut parts = self.all_teams()?;
        parts.extend(self.clock(&endpoint::TEAM));
        let teams = self.count("teams")?;
        let ways = Ways::of(self.options, Family::Channels);
        if ways.is_export_only() {
            parts.push(self.export(&endpoint::TEAM_EXPORT, teams, rows));
            return Ok(parts);
        }
        if self.options.channel_ids.is_empty() {
            parts.push(Part::per(&endpoint::CHANNELS, teams, 1.0, "teams"));
        }
        let channels = self.count("channels")?;
        if ways.exports_history() && self.run != Run::Quiet {
            parts.push(self.export(&endpoint::TEAM_EXPORT, teams, rows));
        }
        parts.push(self.channel_lists(channels, roots, ways)?);
        Ok(parts)
    }

    /// Requests for the channels themselves, `roots` of all of them together.
    fn channel_lists(&self, channels: f64, roots: f64, ways: Ways) -> Result<Part> {
        let (is_delta, exports) = (ways.uses_delta(), ways.exports_history());
        let endpoint = if is_delta { &endpoint::CHANNEL_MESSAGES_DELTA } else { &endpoint::CHANNEL_MESSAGES };
        let page = self.top(page_sizes::CHANNEL_MESSAGES);
        let whole = pages_each(roots, channels, page);
        let special = self.tenant.get("special_channels", self.table.name)?.min(channels);
        let days = f64::from(self.options.resweep_days);
        Ok(match self.run {
            Run::First if !exports => {
                // With a date to reach back to, a small page is tried first.
                let small = f64::from(u8::from(self.options.start_date.is_some() && !is_delta));
                Part::per(endpoint, channels, whole + small, "channels × (root messages of a channel / 50)")
            }
            // An export may leave out private and shared channels, so they are read whole beside it.
            Run::First => {
                let formula = "channels, and for private and shared ones their root messages / 50";
                reread(endpoint, channels, special, whole, formula)
            }
            Run::Daily if exports => {
                let formula = "channels, and for private and shared ones / resweep_days their root messages / 50";
                reread(endpoint, channels, special / days, whole, formula)
            }
            Run::Daily if ways.rereads_children(Family::Channels, true) => {
                let formula = "channels, and for channels / resweep_days their root messages / 50";
                reread(endpoint, channels, channels / days, whole, formula)
            }
            _ => Part::per(endpoint, channels, 1.0, "channels"),
        })
    }

    /// The export of all parents, `rows` of all of them together.
    fn export(&self, endpoint: &'static Endpoint, parents: f64, rows: f64) -> Part {
        if self.run != Run::First {
            return Part::per(endpoint, parents, 1.0, "1 for each export, and changed rows / 250");
        }
        let page = self.top(page_sizes::EXPORT);
        // Past this many rows an export is cut into windows of time, which are read from their beginning.
        let window = ROWS_PER_WINDOW as f64;
        let again = if parents > 0.0 && rows / parents > window { window / f64::from(page) } else { 0.0 };
        let each = pages_each(rows, parents, page) + again;
        Part::per(endpoint, parents, each, "exports × (rows of an export / 250), and 400 more past 100,000 rows")
    }

    /// The bytes of what messages show, where they are asked for: only of messages that are new.
    fn hosted_contents(&self) -> Result<Option<Part>> {
        let is_asked_for = self.options.hosted_contents_max_bytes > 0 && self.run == Run::First;
        if !is_asked_for || self.table.takes != Some(Takes::HostedContents) {
            return Ok(None);
        }
        let count = |name| self.tenant.get(name, self.table.name);
        let (endpoint, rows) = match self.table.reading {
            Reading::ChatMessages => (&endpoint::CHAT_HOSTED_CONTENT, count("chat_messages")?),
            _ => (&endpoint::HOSTED_CONTENT, count("messages")? * (1.0 + count("replies_per_message")?)),
        };
        Ok(Some(Part::new(endpoint, rows * count("images_per_message")?, "1 for each image or code snippet")))
    }

    fn user_chats(&self) -> Result<Vec<Part>> {
        let users = self.count("users")?;
        let listed = self.count("chats")? * self.tenant.get("members_per_chat", self.table.name)?;
        let mut parts = self.all_users()?;
        parts.extend(self.clock(&endpoint::USERS));
        let each = pages_each(listed, users, self.top(page_sizes::CHATS));
        parts.push(Part::per(&endpoint::USER_CHATS, users, each, "users × (chats of a user / 50)"));
        Ok(parts)
    }

    fn chat_messages(&self) -> Result<Vec<Part>> {
        let (chats, rows) = (self.count("chats")?, self.count("chat_messages")?);
        let page = self.top(page_sizes::CHAT_MESSAGES);
        let whole = pages_each(rows, chats, page);
        if !self.options.chat_ids.is_empty() {
            let mut parts = vec![self.chat_lists(chats, whole)];
            parts.extend(self.clock(&endpoint::USERS));
            return Ok(parts);
        }
        let users = self.count("users")?;
        // A user's export holds the messages of all the user's chats, so that each comes once for every member.
        let members = self.tenant.get("members_per_chat", self.table.name)?;
        let copies = if self.options.chat_sender_filter { 1.0 } else { members };
        let exported = rows * copies;
        let ways = Ways::of(self.options, Family::Chats);
        let mut parts = self.all_users()?;
        parts.extend(self.clock(&endpoint::USERS));
        if ways.is_export_only() {
            parts.push(self.export(&endpoint::USER_EXPORT, users, exported));
            return Ok(parts);
        }
        let each = pages_each(chats * members, users, self.top(page_sizes::CHATS));
        parts.push(Part::per(&endpoint::USER_CHATS, users, each, "users × (chats of a user / 50)"));
        if !ways.exports_history() {
            parts.push(self.chat_lists(chats, whole));
        } else if self.run != Run::Quiet {
            parts.push(self.export(&endpoint::USER_EXPORT, users, exported));
        }
        Ok(parts)
    }

    fn chat_lists(&self, chats: f64, whole: f64) -> Part {
        match self.run {
            Run::First => Part::per(&endpoint::CHAT_MESSAGES, chats, whole, "chats × (messages of a chat / 50)"),
            _ => Part::per(&endpoint::CHAT_MESSAGES, chats, 1.0, "chats"),
        }
    }

    fn directory(&self) -> Result<Vec<Part>> {
        let is_users = self.table.reading == Reading::DirectoryDelta(DirectoryObject::Users);
        let endpoint = if is_users { &endpoint::USERS_DELTA } else { &endpoint::GROUPS_DELTA };
        let objects = self.count(if is_users { "users" } else { "groups" })?;
        let requests = if self.run == Run::First { pages(objects, page_sizes::DIRECTORY_DELTA) } else { 1.0 };
        Ok(vec![Part::new(endpoint, requests, "objects that changed / 200, at least 1")])
    }
}
