//! From users, teams, groups and everyone to recipients: each once, with a name, and with the reason where it is left out.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipients::{Kind, Recipient, Writer};
use crate::connector::State;
use crate::fetch::read;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_client::{GraphClient, Request};

/// Values of one `in` clause (<https://learn.microsoft.com/graph/filter-query-parameter>).
const IDS_AT_ONCE: usize = 15;
/// Requests of one round trip.
const BATCH: usize = 20;
/// The greatest page of directory objects.
const PAGE: usize = 999;
const COLUMNS: &str = "id,displayName,userPrincipalName,userType,accountEnabled,assignedPlans";

/// Who is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// Object ids or user principal names.
    pub users: Vec<String>,
    pub teams: Vec<String>,
    pub groups: Vec<String>,
    pub everyone: bool,
    pub channels: Vec<String>,
    /// Names of workflows.
    pub webhooks: Vec<String>,
    pub include_guests: bool,
    pub include_unlicensed: bool,
    /// The service plan that a licence for Teams has.
    pub plan: String,
}

/// What was found, by state.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    pub total: u64,
    pub queued: u64,
    pub skipped_guest: u64,
    pub skipped_unlicensed: u64,
    pub not_found: u64,
    /// Named more than once; each is a recipient once.
    pub doubles: u64,
    /// Requests that it took.
    pub problems: Vec<String>,
}

/// What is known of a person.
#[derive(Debug, Clone)]
struct Person {
    id: String,
    name: Option<String>,
    principal: Option<String>,
    guest: bool,
    licensed: bool,
}

impl Person {
    fn of(user: &Value, plan: &str) -> Option<Self> {
        let plans = user["assignedPlans"].as_array().map_or(&[][..], Vec::as_slice);
        // A plan that ends is good until then.
        let is_on = |one: &Value| matches!(one["capabilityStatus"].as_str(), Some("Enabled" | "Warning"));
        let has_plan =
            |one: &Value| one["servicePlanId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(plan)) && is_on(one);
        Some(Self {
            id: user["id"].as_str()?.to_lowercase(),
            name: user["displayName"].as_str().map(str::to_owned),
            principal: user["userPrincipalName"].as_str().map(str::to_owned),
            guest: user["userType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("guest")),
            licensed: plans.iter().any(has_plan),
        })
    }
}

/// Collects recipients in the order in which they are named, writing them as soon as enough is known of them.
pub struct Resolver<'a> {
    client: &'a GraphClient,
    wanted: Wanted,
    writer: Option<Writer>,
    seen: HashSet<String>,
    /// People of whom only the id is known yet, with what their card is given.
    waiting: Vec<(String, Value)>,
    pub counts: Counts,
}

impl<'a> Resolver<'a> {
    /// Without a writer they are only counted.
    pub fn new(client: &'a GraphClient, wanted: Wanted, writer: Option<Writer>) -> Self {
        Self { client, wanted, writer, seen: HashSet::new(), waiting: Vec::new(), counts: Counts::default() }
    }

    /// Everybody whom the plan names, but for those of a table.
    pub async fn named(&mut self) -> Result<()> {
        for user in std::mem::take(&mut self.wanted.users) {
            self.row(&user, Value::Null).await?;
        }
        for team in std::mem::take(&mut self.wanted.teams) {
            let request = Request::new(&endpoint::TEAM_MEMBERS, &["teams", &team, "members"], format!("team {team}"));
            self.members(request.team(&team).query("$top", PAGE), "userId", &team).await?;
        }
        for group in std::mem::take(&mut self.wanted.groups) {
            let segments = ["groups", &group, "transitiveMembers"];
            let request = Request::new(&endpoint::TRANSITIVE_MEMBERS, &segments, format!("group {group}"));
            self.members(request.query("$select", "id,displayName").query("$top", PAGE), "id", &group).await?;
        }
        if self.wanted.everyone {
            self.everyone().await?;
        }
        for channel in std::mem::take(&mut self.wanted.channels) {
            // As links have it: with the team's id before it.
            let id = channel.rsplit('/').next().unwrap_or_default().to_owned();
            if self.is_new(&id) {
                self.write(&Recipient { id, kind: Kind::Channel, ..Recipient::default() })?;
            }
        }
        for name in std::mem::take(&mut self.wanted.webhooks) {
            if self.is_new(&name) {
                let (id, name) = (name.clone(), Some(name));
                self.write(&Recipient { id, kind: Kind::Webhook, name, ..Recipient::default() })?;
            }
        }
        Ok(())
    }

    /// One person of a table, with what their card is given.
    pub async fn row(&mut self, user: &str, data: Value) -> Result<()> {
        let user = user.trim();
        if user.contains('@') {
            return self.by_name(user, data).await;
        }
        let id = user.to_lowercase();
        if self.is_new(&id) {
            self.waiting.push((id, data));
            if self.waiting.len() >= IDS_AT_ONCE * BATCH {
                self.look_up().await?;
            }
        }
        Ok(())
    }

    /// Writes what still waits, and puts the file in its place.
    pub async fn finish(mut self) -> Result<Counts> {
        self.look_up().await?;
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        Ok(self.counts)
    }

    fn is_new(&mut self, id: &str) -> bool {
        let new = self.seen.insert(id.to_owned());
        self.counts.doubles += u64::from(!new);
        new
    }

    async fn by_name(&mut self, name: &str, data: Value) -> Result<()> {
        let request = Request::new(&endpoint::USER, &["users", name], format!("user {name}")).query("$select", COLUMNS);
        match read(self.client, &request).await {
            Ok(user) => match Person::of(&user, &self.wanted.plan) {
                Some(person) if self.is_new(&person.id) => self.person(person, data),
                _ => Ok(()),
            },
            Err(Error::NotFound(_)) => {
                if self.is_new(name) {
                    self.nobody(name.to_owned(), data)
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn everyone(&mut self) -> Result<()> {
        let request = Request::new(&endpoint::USERS, &["users"], "users").query("$select", COLUMNS).query("$top", PAGE);
        let mut next = Some(request);
        while let Some(request) = next {
            let page = read(self.client, &request).await?;
            for user in page["value"].as_array().into_iter().flatten() {
                let disabled = user["accountEnabled"] == Value::Bool(false);
                if let Some(person) = Person::of(user, &self.wanted.plan).filter(|_| !disabled)
                    && self.is_new(&person.id)
                {
                    self.person(person, Value::Null)?;
                }
            }
            next = self.follow(&request, &page)?;
        }
        Ok(())
    }

    /// The people of a list, by the property that holds their object id.
    async fn members(&mut self, request: Request, id: &str, owner: &str) -> Result<()> {
        let mut next = Some(request);
        while let Some(request) = next {
            let page = match read(self.client, &request).await {
                Err(Error::NotFound(_)) => {
                    return Err(Error::Configuration(format!(
                        "recipients: there is no team or group {owner} in this tenant"
                    )));
                }
                other => other?,
            };
            for member in page["value"].as_array().into_iter().flatten() {
                let kind = member["@odata.type"].as_str().unwrap_or("#microsoft.graph.user");
                let is_person = matches!(kind.rsplit('.').next(), Some("user" | "aadUserConversationMember"));
                if let Some(user) = member[id].as_str().filter(|_| is_person) {
                    self.row(user, Value::Null).await?;
                }
            }
            next = self.follow(&request, &page)?;
        }
        Ok(())
    }

    fn follow(&self, request: &Request, page: &Value) -> Result<Option<Request>> {
        let link = page["@odata.nextLink"].as_str();
        link.map(|text| self.client.link(text, request).map(|link| request.follow(link))).transpose()
    }

    /// Looks up those of whom only the id is known, hundreds in a round trip.
    async fn look_up(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut found: HashMap<String, Person> = HashMap::new();
        let requests: Vec<Request> = waiting.chunks(IDS_AT_ONCE).map(by_ids).collect();
        if !requests.is_empty() {
            for (answer, request) in self.client.batch(&requests).await?.into_iter().zip(&requests) {
                let page: Value = match answer {
                    Ok(raw) => serde_json::from_str(raw.get()).unwrap_or_default(),
                    // Not in a batch, then: one id that is malformed spoils the clause of fifteen.
                    Err(error) if error.ends_run() => return Err(error),
                    Err(_) => read(self.client, request).await.or_else(spoilt)?,
                };
                for user in page["value"].as_array().into_iter().flatten() {
                    if let Some(person) = Person::of(user, &self.wanted.plan) {
                        found.insert(person.id.clone(), person);
                    }
                }
            }
        }
        for (id, data) in waiting {
            match found.remove(&id) {
                Some(person) => self.person(person, data)?,
                None => self.nobody(id, data)?,
            }
        }
        Ok(())
    }

    fn nobody(&mut self, id: String, data: Value) -> Result<()> {
        let why = "there is no such user in this tenant".to_owned();
        self.write(&Recipient { id, state: State::NotFound, why, data, ..Recipient::default() })
    }

    fn person(&mut self, person: Person, data: Value) -> Result<()> {
        let (state, why) = if person.guest && !self.wanted.include_guests {
            (State::SkippedGuest, "a guest; include_guests would take them")
        } else if !person.licensed && !person.guest && !self.wanted.include_unlicensed {
            (State::SkippedUnlicensed, "no licence with Teams; include_unlicensed would take them")
        } else {
            (State::Queued, "")
        };
        let Person { id, name, principal: user_principal_name, .. } = person;
        self.write(&Recipient {
            id,
            name,
            user_principal_name,
            state,
            why: why.to_owned(),
            data,
            ..Recipient::default()
        })
    }

    fn write(&mut self, recipient: &Recipient) -> Result<()> {
        self.counts.total += 1;
        *match recipient.state {
            State::SkippedGuest => &mut self.counts.skipped_guest,
            State::SkippedUnlicensed => &mut self.counts.skipped_unlicensed,
            State::NotFound => &mut self.counts.not_found,
            _ => &mut self.counts.queued,
        } += 1;
        match &mut self.writer {
            Some(writer) => writer.push(recipient),
            None => Ok(()),
        }
    }
}

/// A clause that the directory does not take finds nobody.
fn spoilt(error: Error) -> Result<Value> {
    if error.status() == Some(400) { Ok(Value::Null) } else { Err(error) }
}

/// `/users` with a filter on ids; it draws on the directory's budget.
fn by_ids(waiting: &[(String, Value)]) -> Request {
    let endpoint: &'static Endpoint = &endpoint::USERS;
    let ids: Vec<String> = waiting.iter().map(|(id, _)| format!("'{}'", id.replace('\'', "''"))).collect();
    let request = Request::new(endpoint, &["users"], "users").query("$filter", format!("id in ({})", ids.join(",")));
    request.query("$select", COLUMNS).query("$top", IDS_AT_ONCE)
}
