//! Whether a read would be allowed: what the token grants, compared with what the tables need, and one cheap request
//! for each of them.

use serde::Serialize;

use super::probe::{Probe, Prober, endpoints};
use crate::error_policy::{Refusal, export_refusal};
use crate::messages::strategy;
use teams_base::error::Error;
use teams_base::graph::permissions::alternatives;
use teams_base::options::TableOptions;
use teams_client::GraphClient;
use teams_client::auth::Roles;
use teams_tables::{Reading, Table};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Granted,
    Missing,
    /// The token does not tell, and the answers do not either.
    Unknown,
    /// The permission is there, and the tenant lacks something else.
    PrerequisiteMissing,
    /// No answer that could be read.
    Unreachable,
}

#[derive(Debug, Clone, Serialize)]
pub struct Authentication {
    pub ok: bool,
    /// What the token grants; `None` where it does not tell.
    pub roles: Option<Vec<String>>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Permission {
    /// The least privileged one.
    pub name: &'static str,
    pub status: Status,
    /// The permission of the token that includes it, where it is another.
    pub granted_by: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TableCheck {
    pub table: &'static str,
    pub status: Status,
    pub permissions: Vec<Permission>,
    /// What was asked last.
    pub endpoint: &'static str,
    /// What went wrong, without what helps.
    pub error: Option<String>,
    pub remedy: Option<String>,
    pub prerequisite: Option<&'static str>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub authentication: Authentication,
    pub tables: Vec<TableCheck>,
}

/// The permissions that a read with these options needs. What an option names need not be discovered.
pub fn needed(table: &'static Table, options: &TableOptions) -> Vec<&'static str> {
    let is_discovered = |permission: &str| match permission {
        "Team.ReadBasic.All" => options.team_ids.is_empty() || table.reading == Reading::Teams,
        "Channel.ReadBasic.All" => options.channel_ids.is_empty(),
        "User.ReadBasic.All" => options.user_ids.is_empty() && options.chat_ids.is_empty(),
        "Chat.ReadBasic.All" => options.chat_ids.is_empty(),
        "Group.ReadBasic.All" => options.group_ids.is_empty() && options.team_ids.is_empty(),
        _ => true,
    };
    // The last is that of the table itself.
    let mut permissions = table.permissions();
    let own = permissions.last().copied();
    permissions.retain(|name| Some(*name) == own || is_discovered(name));
    permissions
}

/// Asks for a token, and then for a little of each table.
pub async fn check(client: &GraphClient, tables: &[(&'static Table, TableOptions)]) -> Check {
    let roles = match client.roles().await {
        Ok(roles) => roles,
        Err(error) => return without_token(&error, tables),
    };
    let mut prober = Prober::new(client);
    let mut checks = Vec::new();
    for (table, options) in tables {
        checks.push(one(&mut prober, &roles, table, options).await);
    }
    let listed = match roles {
        Roles::Granted(roles) => Some(roles.into_iter().collect()),
        Roles::Unknown => None,
    };
    Check { authentication: Authentication { ok: true, roles: listed, error: None }, tables: checks }
}

fn without_token(error: &Error, tables: &[(&'static Table, TableOptions)]) -> Check {
    let tables = tables.iter().map(|(table, options)| TableCheck {
        error: Some("not asked, because there is no token".to_owned()),
        ..TableCheck::new(table, options, &Roles::Unknown, Status::Unreachable)
    });
    let authentication = Authentication { ok: false, roles: None, error: Some(error.to_string()) };
    Check { authentication, tables: tables.collect() }
}

impl TableCheck {
    fn new(table: &'static Table, options: &TableOptions, roles: &Roles, status: Status) -> Self {
        let endpoint = endpoints(table, options)[0].template;
        Self {
            table: table.name,
            status,
            permissions: needed(table, options).into_iter().map(|name| permission(name, roles)).collect(),
            endpoint,
            error: None,
            remedy: None,
            prerequisite: table.prerequisite(),
            notes: Vec::new(),
        }
    }

    fn is_missing(&self) -> bool {
        self.permissions.iter().any(|permission| permission.status == Status::Missing)
    }

    /// Marks a permission as missing; `false` where the table does not name it.
    fn miss(&mut self, name: &str) -> bool {
        let found = self.permissions.iter_mut().find(|permission| permission.name == name);
        found.map(|permission| permission.status = Status::Missing).is_some()
    }
}

fn permission(name: &'static str, roles: &Roles) -> Permission {
    let Roles::Granted(roles) = roles else {
        return Permission { name, status: Status::Unknown, granted_by: None };
    };
    if roles.contains(name) {
        return Permission { name, status: Status::Granted, granted_by: None };
    }
    let other = alternatives(name).iter().find(|other| roles.contains(**other)).map(ToString::to_string);
    let status = if other.is_some() { Status::Granted } else { Status::Missing };
    Permission { name, status, granted_by: other }
}

async fn one(prober: &mut Prober<'_>, roles: &Roles, table: &'static Table, options: &TableOptions) -> TableCheck {
    let mut check = TableCheck::new(table, options, roles, Status::Granted);
    let endpoints = endpoints(table, options);
    // `teams` is read from a list; the second endpoint fills in settings, and a refusal there is no error.
    let endpoints = if table.reading == Reading::Teams { &endpoints[..1] } else { &endpoints[..] };
    let mut found = Probe::Nothing("this table is not probed");
    let mut instead = None;
    for (index, endpoint) in endpoints.iter().enumerate() {
        check.endpoint = endpoint.template;
        found = prober.probe(table, endpoint, options).await;
        let is_last = index + 1 == endpoints.len();
        match &found {
            Probe::Refused(error) if !is_last && export_refusal(error).is_some() => {
                let status = error.status().unwrap_or_default();
                instead = Some(format!("the export API answers {status}, so messages are listed instead"));
            }
            _ => break,
        }
    }
    check.notes.extend(instead.filter(|_| matches!(found, Probe::Answered)));
    check.notes.append(&mut prober.notes);
    match found {
        Probe::Answered => answered(&mut check, table, options),
        Probe::Nothing(what) => {
            check.notes.push(what.to_owned());
            check.status = if check.is_missing() { Status::Missing } else { unless_unknown(&check) };
        }
        Probe::Refused(error) => refused(&mut check, roles, &error, table, options),
    }
    check
}

fn unless_unknown(check: &TableCheck) -> Status {
    let is_unknown = check.permissions.iter().any(|permission| permission.status == Status::Unknown);
    if is_unknown { Status::Unknown } else { Status::Granted }
}

/// An answer proves more than a token tells: a team can consent for itself.
fn answered(check: &mut TableCheck, table: &Table, options: &TableOptions) {
    let permissions = table.permissions();
    let proven = permissions.last().copied().filter(|_| table.reading != Reading::Teams);
    let is_named = is_named(options);
    for permission in &mut check.permissions {
        let is_proven = proven == Some(permission.name);
        match permission.status {
            // The list of teams is answered without the permission for their settings.
            Status::Unknown if table.reading != Reading::Teams || permissions[0] == permission.name => {
                permission.status = Status::Granted;
            }
            Status::Missing if is_proven && is_named => {
                permission.status = Status::Granted;
                permission.granted_by = Some("consent given to what was named".to_owned());
            }
            _ => {}
        }
    }
    check.status = if check.is_missing() { Status::Missing } else { unless_unknown(check) };
}

fn refused(check: &mut TableCheck, roles: &Roles, error: &Error, table: &'static Table, options: &TableOptions) {
    let failure = error.graph();
    let needed = failure.and_then(|failure| super::endpoint_of(table, failure.endpoint));
    // The answer's own reason is worth more than what can be guessed from the token.
    let tells_why = failure.is_some_and(|failure| failure.tells_why);
    let mut guess = None;
    check.error = Some(without_remedy(error));
    check.status = match error {
        _ if check.is_missing() => Status::Missing,
        Error::PermissionDenied(_) if *roles == Roles::Unknown => {
            let is_named = !tells_why && needed.is_some_and(|endpoint| check.miss(endpoint.permission));
            if is_named { Status::Missing } else { Status::Unreachable }
        }
        Error::PermissionDenied(_) if check.prerequisite.is_some() => {
            guess =
                check.prerequisite.map(|what| format!("The permission is granted; what is needed beside it is {what}"));
            Status::PrerequisiteMissing
        }
        Error::PermissionDenied(failure) => {
            let what = if failure.scope.is_empty() { "the tenant" } else { failure.scope.as_str() };
            guess = Some(format!(
                "The token holds the permission, so the refusal is that of {what} itself: look for access policies \
                 and licences, or leave it out"
            ));
            Status::Unreachable
        }
        // Nothing that lists show has it.
        Error::NotFound(_) if check.prerequisite.is_some() && !is_named(options) => Status::PrerequisiteMissing,
        _ if is_not_offered(error, check.endpoint) => {
            let what = "the export API, which this tenant's cloud does not offer";
            check.prerequisite = Some(what);
            guess = Some(format!("Leave out strategy={}: auto lists messages instead", strategy::name(options)));
            Status::PrerequisiteMissing
        }
        _ => Status::Unreachable,
    };
    let own = failure.map(|failure| failure.remedy.clone()).filter(|remedy| !remedy.is_empty());
    check.remedy = if tells_why { own } else { guess.or(own) };
}

/// What went wrong. What helps stands beside it, once.
fn without_remedy(error: &Error) -> String {
    let mut error = error.clone();
    if let Some(failure) = error.graph_mut() {
        failure.remedy.clear();
    }
    error.to_string()
}

fn is_named(options: &TableOptions) -> bool {
    [&options.team_ids, &options.user_ids, &options.chat_ids, &options.group_ids].iter().any(|ids| !ids.is_empty())
}

fn is_not_offered(error: &Error, endpoint: &str) -> bool {
    endpoint.ends_with("/getAllMessages") && export_refusal(error) == Some(Refusal::NotOffered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use teams_tables::find;

    const MESSAGES: &str = "ChannelMessage.Read.All";

    fn options(team: &[&str], channel: &[&str], user: &[&str]) -> TableOptions {
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        TableOptions { team_ids: ids(team), channel_ids: ids(channel), user_ids: ids(user), ..TableOptions::default() }
    }

    #[test]
    fn what_is_named_need_not_be_discovered() {
        let needs = |table: &str, options: &TableOptions| needed(find(table).unwrap(), options);
        let all = options(&[], &[], &[]);
        assert_eq!(needs("messages", &all), ["Team.ReadBasic.All", "Channel.ReadBasic.All", MESSAGES]);
        assert_eq!(needs("messages", &options(&["t"], &[], &[])), ["Channel.ReadBasic.All", MESSAGES]);
        assert_eq!(needs("messages", &options(&["t"], &["c"], &[])), [MESSAGES]);
        assert_eq!(needs("channels", &options(&["t"], &[], &[])), ["Channel.ReadBasic.All"]);
        assert_eq!(needs("teams", &options(&["t"], &[], &[])).len(), 2);
        assert_eq!(needs("chats", &options(&[], &[], &["u"])), ["Chat.Read.All"]);
        assert_eq!(needs("channel_tabs", &options(&["t"], &["c"], &[])), ["TeamsTab.Read.All"]);
        assert_eq!(needs("incoming_channels", &options(&["t"], &["c"], &[])), ["Channel.ReadBasic.All"]);
        assert_eq!(needs("deleted_teams", &options(&["t"], &[], &[])), ["Team.ReadBasic.All"]);
    }

    #[test]
    fn a_wider_permission_stands_in_and_is_named() {
        let roles = Roles::Granted(["Directory.Read.All".to_owned()].into());
        let found = permission("User.Read.All", &roles);
        assert_eq!((found.status, found.granted_by.as_deref()), (Status::Granted, Some("Directory.Read.All")));
        assert_eq!(permission("Chat.Read.All", &roles).status, Status::Missing);
        assert_eq!(permission("Chat.Read.All", &Roles::Unknown).status, Status::Unknown);
    }
}
