//! Who is there: teams, channels, users, and the chats of a user.

use std::collections::BTreeSet;

use super::item::Child;
use super::job::Job;
use teams_base::error::{Error, Result};
use teams_base::graph::endpoint;
use teams_base::timestamp;
use teams_client::request::Request;
use teams_tables::Fields;

fn id(item: &Fields<'_>) -> Option<String> {
    item.id("id")
}

/// The request for all teams; `None` once `/teams` was refused and the groups with a team are to be listed.
pub fn teams_request() -> Request {
    Request::new(&endpoint::TEAMS, &["teams"], "all teams")
}

/// Groups that have a team. It needs another permission than `/teams`, and other servers may know only this list.
pub fn groups_request() -> Request {
    Request::new(&endpoint::GROUPS_WITH_TEAM, &["groups"], "all teams")
        .query("$filter", "resourceProvisioningOptions/Any(x:x eq 'Team')")
        .query("$top", 999)
}

/// Whether a refused `/teams` is worth a second question to `/groups`.
pub fn is_refused(error: &Error) -> bool {
    matches!(error, Error::PermissionDenied(_) | Error::NotFound(_))
}

/// The ids of the teams that the options name, or of all, sorted.
pub async fn teams(job: &Job) -> Result<Vec<String>> {
    if let Some(scopes) = &job.scopes {
        return Ok(named(scopes));
    }
    if !job.options.team_ids.is_empty() {
        return Ok(named(&job.options.team_ids));
    }
    match job.list(&teams_request().query("$select", "id"), id).await {
        Err(error) if is_refused(&error) => {
            let groups = job.list(&groups_request().query("$select", "id"), id).await;
            groups.map(sorted).map_err(|second| if is_refused(&second) { error } else { second })
        }
        teams => teams.map(sorted),
    }
}

pub fn named(ids: &[String]) -> Vec<String> {
    sorted(ids.to_vec())
}

fn sorted(ids: Vec<String>) -> Vec<String> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The ids of the groups that the options name, or of all, sorted; of those with mail only those that have a mailbox:
/// the Microsoft 365 groups.
pub async fn groups(job: &Job, with_mail: bool) -> Result<Vec<String>> {
    if let Some(scopes) = &job.scopes {
        return Ok(named(scopes));
    }
    if !job.options.group_ids.is_empty() {
        return Ok(named(&job.options.group_ids));
    }
    let mut request =
        Request::new(&endpoint::GROUPS, &["groups"], "all groups").query("$select", "id").query("$top", 999);
    if with_mail {
        request = request.query("$filter", "groupTypes/any(c:c eq 'Unified')");
    }
    job.list(&request, id).await.map(sorted)
}

/// <https://learn.microsoft.com/graph/api/user-list>: 100 by default, 999 at most.
pub const USERS_PAGE: u32 = 999;

/// The ids of the users that the options name, or of all, sorted.
///
/// Without permission for `/users` the users are those who are members of a team.
pub async fn users(job: &Job) -> Result<Vec<String>> {
    match every_user(job).await {
        Err(Error::PermissionDenied(_)) => {
            job.report().note(format!(
                "/users is refused, so users are taken from the members of the teams: people in no team are missing. \
                 Grant {} to read all",
                endpoint::USERS.permission
            ));
            members_of_teams(job).await
        }
        users => users,
    }
}

/// The same, or an error where `/users` is refused: a snapshot of some users is none.
pub async fn every_user(job: &Job) -> Result<Vec<String>> {
    if let Some(scopes) = &job.scopes {
        return Ok(named(scopes));
    }
    if !job.options.user_ids.is_empty() {
        return Ok(named(&job.options.user_ids));
    }
    let request =
        Request::new(&endpoint::USERS, &["users"], "all users").query("$select", "id").query("$top", USERS_PAGE);
    job.list(&request, id).await.map(sorted)
}

async fn members_of_teams(job: &Job) -> Result<Vec<String>> {
    let mut users = BTreeSet::new();
    for team in teams(job).await? {
        match job.list(&members_request(job, &team), |member| Some(member.id("userId"))).await {
            // Members that are no users, such as bots, have none.
            Ok(members) => users.extend(members.into_iter().flatten()),
            Err(Error::NotFound(failure)) => job.skip(&failure, "its members are not found"),
            Err(error) => return Err(error),
        }
    }
    Ok(users.into_iter().collect())
}

pub const MEMBERS_PAGE: u32 = 999;

/// <https://learn.microsoft.com/graph/api/team-list-members>: 100 by default, 999 at most.
pub fn members_request(job: &Job, team: &str) -> Request {
    let top = job.options.top.unwrap_or(MEMBERS_PAGE).min(MEMBERS_PAGE);
    Request::new(&endpoint::TEAM_MEMBERS, &["teams", team, "members"], format!("team {team}"))
        .team(team)
        .query("$top", top)
}

pub fn channels_request(team: &str) -> Request {
    Request::new(&endpoint::CHANNELS, &["teams", team, "channels"], format!("team {team}")).team(team)
}

/// The channels of a team with their membership types.
async fn listed_channels(job: &Job, team: &str) -> Result<Vec<(String, Option<String>)>> {
    let request = channels_request(team).query("$select", "id,membershipType");
    job.list(&request, |channel| Some((channel.id("id")?, channel.text("membershipType")))).await
}

/// The ids of a team's channels that are shared with others, sorted.
pub async fn shared_channels(job: &Job, team: &str) -> Result<Vec<String>> {
    let channels = listed_channels(job, team).await?.into_iter();
    let shared = channels.filter(|(_, membership)| membership.as_deref() == Some("shared"));
    Ok(sorted(shared.map(|(id, _)| id).collect()))
}

/// The channels of a team that the options name, or all of them, sorted.
pub async fn channels(job: &Job, team: &str) -> Result<Vec<Child>> {
    if !job.options.channel_ids.is_empty() {
        let ids = named(&job.options.channel_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let listed = listed_channels(job, team).await?.into_iter();
    let is_special = |membership: Option<String>| membership.is_some_and(|membership| membership != "standard");
    let mut channels: Vec<Child> =
        listed.map(|(id, membership)| Child { id, is_special: is_special(membership), active: None }).collect();
    channels.sort_by(|a, b| a.id.cmp(&b.id));
    channels.dedup_by(|a, b| a.id == b.id);
    Ok(channels)
}

pub const CHATS_PAGE: u32 = 50;

/// <https://learn.microsoft.com/graph/api/chat-list>: 50 a page at most.
pub fn chats_request(job: &Job, user: &str) -> Request {
    let top = job.options.top.unwrap_or(CHATS_PAGE).min(CHATS_PAGE);
    Request::new(&endpoint::USER_CHATS, &["users", user, "chats"], format!("user {user}")).user(user).query("$top", top)
}

/// What `read` makes of the listed chats that are of the types the options ask for.
async fn listed_chats<T>(job: &Job, request: &Request, read: impl Fn(&Fields<'_>) -> Option<T>) -> Result<Vec<T>> {
    let types: Vec<String> = job.options.chat_types.iter().map(|kind| kind.as_str().to_owned()).collect();
    let wanted = |chat: &Fields<'_>| {
        let is_wanted = job.options.takes_all_chats() || chat.text("chatType").is_none_or(|kind| types.contains(&kind));
        Some((is_wanted, read(chat)?))
    };
    let chats = job.list(request, wanted).await?;
    Ok(chats.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, chat)| chat).collect())
}

/// The ids of a user's chats of the types the options ask for, sorted.
pub async fn chat_ids(job: &Job, user: &str) -> Result<Vec<String>> {
    listed_chats(job, &chats_request(job, user), id).await.map(sorted)
}

/// The chats of a user, of the types the options ask for, sorted.
pub async fn chats(job: &Job, user: &str) -> Result<Vec<Child>> {
    if !job.options.chat_ids.is_empty() {
        let ids = named(&job.options.chat_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let time = |item: &Fields<'_>, name: &str| timestamp::parse(&item.text(name)?);
    let read = |chat: &Fields<'_>| {
        // Without a preview nobody can tell whether something was said, so the chat counts as active.
        let said = chat.object("lastMessagePreview").and_then(|preview| time(&preview, "createdDateTime"));
        let active = said.max(said.and(time(chat, "lastUpdatedDateTime")));
        Some(Child { id: chat.id("id")?, is_special: false, active })
    };
    let request = chats_request(job, user).query("$expand", "lastMessagePreview");
    let mut chats = listed_chats(job, &request, read).await?;
    chats.sort_by(|a, b| a.id.cmp(&b.id));
    chats.dedup_by(|a, b| a.id == b.id);
    Ok(chats)
}
