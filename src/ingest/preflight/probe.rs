//! One cheap request per table, at something that is really there: its endpoint's template is filled with what the
//! options name, or with the first things that lists show.

use std::collections::HashMap;

use futures::future::BoxFuture;
use serde::Deserialize;

use super::endpoint_of;
use crate::error_policy::is_refused_or_absent;
use crate::messages::strategy::{self, Endpoints};
use crate::tables::{meetings, reports};
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint::{self, Endpoint};
use teams_base::options::TableOptions;
use teams_client::{GraphClient, Malformed, Request};
use teams_tables::{List, Meetings, Parent, Reading, Table};

/// This many discovered things are tried when one of them is refused or gone.
const TRIES: usize = 3;

/// This many named things are asked for.
const NAMED: usize = 20;

/// What a probe found.
#[derive(Debug)]
pub enum Probe {
    Answered,
    /// There is nothing to ask for: the tenant has no team, say.
    Nothing(&'static str),
    Refused(Error),
}

/// Lists are shared between the probes of a check.
pub struct Prober<'c> {
    client: &'c GraphClient,
    lists: HashMap<String, Vec<String>>,
    /// Things worth knowing that do not make a probe fail.
    pub notes: Vec<String>,
}

/// The endpoints that a read of a table tries, the preferred first.
pub fn endpoints(table: &Table, options: &TableOptions) -> Vec<&'static Endpoint> {
    match (table.reading, table.endpoints()) {
        (Reading::ChannelMessages | Reading::ChatMessages, &[export, list]) => match strategy::endpoints(options) {
            Endpoints::Export => vec![export],
            Endpoints::ExportThenLists => vec![export, list],
            Endpoints::Lists => vec![list],
        },
        // The one before it lists the teams.
        (Reading::Archive(_), &[.., messages]) => vec![messages],
        (_, all) => all.to_vec(),
    }
}

/// What makes a request to an endpoint cheap. Where paging is not documented nothing is asked for.
fn cheap(template: &str) -> &'static [(&'static str, &'static str)] {
    match template {
        "/teams" | "/users" | "/groups" => &[("$select", "id"), ("$top", "5")],
        "/teams/{id}" | "/teams/{id}/channels" => &[("$select", "id")],
        "/users/delta" | "/groups/delta" => &[("$deltatoken", "latest")],
        "/teams/{id}/members" | "/users/{id}/chats" => &[("$top", "1")],
        messages if messages.ends_with("Messages") || messages.ends_with("/messages") => &[("$top", "1")],
        _ => &[],
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(rename = "membershipType")]
    membership: Option<String>,
}

fn read_page(body: &[u8]) -> Result<Vec<Listed>, Malformed> {
    let page: Page = serde_json::from_slice(body)?;
    Ok(page.value)
}

fn read_ids(body: &[u8]) -> Result<Vec<String>, Malformed> {
    Ok(read_page(body)?.into_iter().map(|item| item.id).collect())
}

/// Members that are no users, such as bots, have no user id.
fn read_members(body: &[u8]) -> Result<Vec<String>, Malformed> {
    #[derive(Deserialize)]
    struct Members {
        value: Vec<Member>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Member {
        user_id: Option<String>,
    }
    let page: Members = serde_json::from_slice(body)?;
    Ok(page.value.into_iter().filter_map(|member| member.user_id).collect())
}

/// A template on its way to a path.
#[derive(Clone, Default)]
struct Path {
    segments: Vec<String>,
    /// The template's beginning that the segments fill.
    template: String,
}

impl Path {
    fn push(&self, segment: &str, part: &str) -> Self {
        let mut path = self.clone();
        path.segments.push(segment.to_owned());
        path.template.push('/');
        path.template.push_str(part);
        path
    }

    /// The request with what makes it cheap; `query` comes first.
    fn request(&self, endpoint: &'static Endpoint, query: &[(&'static str, &'static str)]) -> Request {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let mut request = Request::new(endpoint, &segments, self.scope());
        let is_new = |name: &str| !query.iter().any(|(given, _)| *given == name);
        for (name, value) in query.iter().chain(cheap(endpoint.template).iter().filter(|(name, _)| is_new(name))) {
            request = request.query(name, value);
        }
        for pair in segments.windows(2) {
            request = match pair[0] {
                "teams" | "deletedTeams" => request.team(pair[1]),
                "groups" if pair[1] != "delta" => request.team(pair[1]),
                "channels" | "chats" if pair[1] != "getAllMessages" => request.conversation(pair[1]),
                "users" if pair[1] != "delta" => request.user(pair[1]),
                _ => request,
            };
        }
        request
    }

    /// The innermost thing that the path names, as errors and reports show it.
    fn scope(&self) -> String {
        let parts: Vec<_> = self.template.split('/').skip(1).collect();
        let innermost = parts.iter().rposition(|part| *part == "{id}");
        innermost.map_or_else(String::new, |at| {
            let kind = parts.get(at.wrapping_sub(1)).map_or("", |part| part.trim_end_matches('s'));
            format!("{kind} {}", self.segments[at])
        })
    }
}

/// What is asked for, and how the options name or find it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    table: &'static Table,
    endpoint: &'static Endpoint,
    options: &'a TableOptions,
}

impl Wanted<'_> {
    fn list(self) -> Option<&'static List> {
        match self.table.reading {
            Reading::List(list) => Some(list),
            _ => None,
        }
    }

    fn reads_chats(self) -> bool {
        matches!(self.table.reading, Reading::Chats | Reading::ChatMessages)
    }

    /// The mailbox of a group is not every group's, and not every channel is shared.
    fn has_parent(self, parent: Parent) -> bool {
        self.list().is_some_and(|list| match list.parent {
            Parent::Item(above) => above.parent == parent,
            own => own == parent,
        })
    }
}

impl<'c> Prober<'c> {
    pub fn new(client: &'c GraphClient) -> Self {
        Self { client, lists: HashMap::new(), notes: Vec::new() }
    }

    /// Sends the request of one endpoint.
    pub async fn probe(&mut self, table: &'static Table, endpoint: &'static Endpoint, options: &TableOptions) -> Probe {
        let parts: Vec<&'static str> = endpoint.template.split('/').skip(1).collect();
        let wanted = Wanted { table, endpoint, options };
        self.fill(Path::default(), &parts, wanted).await.unwrap_or_else(Probe::Refused)
    }

    fn fill<'a>(
        &'a mut self,
        path: Path,
        rest: &'a [&'static str],
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Probe>> {
        Box::pin(async move {
            let Some((part, rest)) = rest.split_first() else { return self.ask(&path, wanted).await };
            if *part != "{id}" {
                return self.fill(path.push(part, part), rest, wanted).await;
            }
            let (named, nothing) = choice(&path, wanted);
            let is_named = !named.is_empty();
            let ids = if is_named { named.to_vec() } else { self.discover(&path, wanted).await? };
            let mut last = Probe::Nothing(nothing);
            // What is named has to answer, each of it; of what is discovered one that answers is enough.
            let tries = if is_named { NAMED } else { TRIES };
            for id in ids.iter().take(tries) {
                match self.fill(path.push(id, "{id}"), rest, wanted).await {
                    Err(error) if !is_named && is_refused_or_absent(&error) => last = Probe::Refused(error),
                    Err(error) => return Err(error),
                    Ok(found @ Probe::Answered) if !is_named => {
                        if let Probe::Refused(error) = last {
                            self.notes.push(passed_over(&error));
                        }
                        return Ok(found);
                    }
                    Ok(other) => last = other,
                }
            }
            match last {
                Probe::Refused(error) => Err(error),
                other => Ok(other),
            }
        })
    }

    async fn ask(&self, path: &Path, wanted: Wanted<'_>) -> Result<Probe> {
        let endpoint = wanted.endpoint;
        let request = match wanted.table.reading {
            Reading::Report(report) => {
                self.client.offers(&reports::request(report, wanted.options)).await?;
                return Ok(Probe::Answered);
            }
            Reading::Meetings(kind @ (Meetings::Transcripts | Meetings::Recordings)) => {
                meetings::request(kind, &path.segments[1])
            }
            Reading::List(list) if list.top.is_some() => {
                path.request(endpoint, &[list.query, &[("$top", "1")]].concat())
            }
            Reading::List(list) => path.request(endpoint, list.query),
            _ => path.request(endpoint, &[]),
        };
        self.client.get(&request, |_| Ok(())).await?;
        Ok(Probe::Answered)
    }

    /// Some things of the collection that the path has reached.
    async fn discover(&mut self, path: &Path, wanted: Wanted<'_>) -> Result<Vec<String>> {
        let list = match path.template.as_str() {
            // There is no list of all chats for an application, and a team's id is that of its group.
            "/chats" => return self.chats(wanted).await,
            "/groups" if wanted.options.fetch_all_teams || wanted.has_parent(Parent::Team) => {
                Path::default().push("teams", "teams")
            }
            _ => path.clone(),
        };
        let is_shared = list.template.ends_with("/channels") && wanted.has_parent(Parent::SharedChannel);
        let query: &[_] = match list.template.as_str() {
            _ if is_shared => &[("$select", "id,membershipType")],
            "/groups" if wanted.has_parent(Parent::MailGroup) => &[("$filter", "groupTypes/any(c:c eq 'Unified')")],
            _ => &[],
        };
        let key = format!("{} {query:?}", list.segments.join("/"));
        if let Some(ids) = self.lists.get(&key) {
            return Ok(ids.clone());
        }
        let Some(endpoint) = endpoint_of(wanted.table, &list.template) else { return Ok(Vec::new()) };
        let read = |body: &[u8]| {
            let is_kept = |item: &Listed| !is_shared || item.membership.as_deref() == Some("shared");
            Ok(read_page(body)?.into_iter().filter(is_kept).map(|item| item.id).collect())
        };
        let ids = match self.client.get(&list.request(endpoint, query), read).await {
            Err(error) if list.template == "/teams" && is_refused_or_absent(&error) => {
                let groups = Request::new(&endpoint::GROUPS_WITH_TEAM, &["groups"], "all teams")
                    .query("$filter", "resourceProvisioningOptions/Any(x:x eq 'Team')")
                    .query("$select", "id")
                    .query("$top", 5);
                self.client.get(&groups, read_ids).await.map_err(|_| error)?.body
            }
            Err(error @ Error::PermissionDenied(_)) if list.template == "/users" && wanted.reads_chats() => {
                self.members().await.map_err(|_| error)?
            }
            answer => answer?.body,
        };
        self.lists.insert(key, ids.clone());
        Ok(ids)
    }

    /// The members of a team, whom a round of chats reads where `/users` is refused.
    async fn members(&mut self) -> Result<Vec<String>> {
        let teams = Path::default().push("teams", "teams");
        let request = Request::new(&endpoint::TEAMS, &["teams"], "all teams").query("$select", "id").query("$top", 5);
        for id in self.client.get(&request, read_ids).await?.body.iter().take(TRIES) {
            let members = teams.push(id, "{id}").push("members", "members");
            let request = members.request(&endpoint::TEAM_MEMBERS, &[("$top", "5")]);
            let users = self.client.get(&request, read_members).await?.body;
            if !users.is_empty() {
                self.notes.push("/users is refused, so users are taken from the members of the teams".to_owned());
                return Ok(users);
            }
        }
        Ok(Vec::new())
    }

    async fn chats(&mut self, wanted: Wanted<'_>) -> Result<Vec<String>> {
        let users = Path::default().push("users", "users");
        let named = &wanted.options.user_ids;
        let ids = if named.is_empty() { Box::pin(self.discover(&users, wanted)).await? } else { named.clone() };
        let mut refused = None;
        for id in ids.iter().take(TRIES) {
            let chats = users.push(id, "{id}").push("chats", "chats");
            match Box::pin(self.discover(&chats, wanted)).await {
                Ok(chats) if chats.is_empty() => {}
                Err(error) if named.is_empty() && is_refused_or_absent(&error) => refused = Some(error),
                chats => return chats,
            }
        }
        // Of users that are discovered one who is refused says nothing of the others.
        match refused {
            Some(error @ Error::PermissionDenied(_)) => Err(error),
            _ => Ok(Vec::new()),
        }
    }
}

/// What the options name for the collection that a path has reached, and what it means when nothing is found there.
fn choice<'o>(path: &Path, wanted: Wanted<'o>) -> (&'o [String], &'static str) {
    let options = wanted.options;
    match path.segments.last().map_or("", String::as_str) {
        "teams" => (&options.team_ids, "there is no team to ask for"),
        "deletedTeams" => (&options.team_ids, "there is no deleted team to ask for"),
        "groups" if options.group_ids.is_empty() => (&options.team_ids, "there is no group to ask for"),
        "groups" => (&options.group_ids, "there is no group to ask for"),
        "channels" if wanted.has_parent(Parent::SharedChannel) => {
            (&options.channel_ids, "the first teams share no channel to ask for")
        }
        "channels" => (&options.channel_ids, "there is no channel to ask for"),
        "users" => (&options.user_ids, "there is no user to ask for"),
        "chats" => (&options.chat_ids, "there is no chat to ask for"),
        "tags" => (&[], "the first teams have no tag to ask for"),
        "threads" => (&[], "the first groups have no thread to ask for"),
        "messages" => (&options.message_ids, "there is no message to ask for"),
        _ => (&[], "there is nothing to ask for"),
    }
}

fn passed_over(error: &Error) -> String {
    let failure = error.graph().cloned().unwrap_or_default();
    format!(
        "{} answers {} to GET {}: a discovered 404 is skipped, a refusal follows on_forbidden",
        failure.scope,
        failure.status.unwrap_or_default(),
        failure.endpoint
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use teams_base::options::Strategy;
    use teams_client::request::Target;
    use teams_tables::{TABLES, find};

    #[test]
    fn every_table_documents_the_endpoints_it_is_probed_at() {
        for table in TABLES {
            for endpoint in endpoints(table, &TableOptions::default()) {
                let documented = format!("GET {}", endpoint.template);
                assert!(table.documented_endpoint().contains(&documented), "{}: {documented}", table.name);
            }
        }
    }

    #[test]
    fn the_strategy_chooses_the_endpoint() {
        let chosen = |table: &str, strategy, chat: &[&str]| {
            let chat_ids = chat.iter().map(ToString::to_string).collect();
            let options = TableOptions { chat_ids, strategy, ..TableOptions::default() };
            endpoints(find(table).unwrap(), &options).iter().map(|endpoint| endpoint.template).collect::<Vec<_>>()
        };
        let (export, list) = ("/teams/{id}/channels/getAllMessages", "/teams/{id}/channels/{id}/messages");
        assert_eq!(chosen("messages", Strategy::Auto, &[]), [export, list]);
        assert_eq!(chosen("messages", Strategy::Export, &[]), [export]);
        assert_eq!(chosen("messages", Strategy::Channels, &[]), [list]);
        assert_eq!(chosen("chat_messages", Strategy::Auto, &["c"]), ["/chats/{id}/messages"]);
        assert_eq!(chosen("teams", Strategy::Export, &[]), ["/teams", "/teams/{id}"]);
    }

    #[test]
    fn a_path_names_what_it_asks_for_and_draws_on_its_budgets() {
        let path = Path::default().push("teams", "teams").push("t", "{id}").push("channels", "channels");
        let channel = path.push("c", "{id}").push("messages", "messages");
        let table = find("messages").unwrap();
        let request = channel.request(endpoint_of(table, &channel.template).unwrap(), &[]);
        assert_eq!((request.scope.as_str(), request.budget.conversation.as_deref()), ("channel c", Some("c")));
        let export = path.push("getAllMessages", "getAllMessages");
        let request = export.request(endpoint_of(table, &export.template).unwrap(), &[("$top", "3")]);
        assert!(matches!(request.target, Target::Path { query, .. } if query == [("$top", "3".to_owned())]));
        assert_eq!((request.scope.as_str(), request.budget.team.as_deref()), ("team t", Some("t")));
        assert_eq!(request.budget.conversation, None);
    }
}
