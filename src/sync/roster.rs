//! Who is there: teams, channels, users, and the chats of a user.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::item::Child;
use super::job::Job;
use crate::client::endpoint;
use crate::client::request::Request;
use crate::decode::parse_timestamp;
use crate::error::{Error, Result};

#[derive(Deserialize)]
struct WithId {
    id: String,
}

fn sorted(items: Vec<WithId>) -> Vec<String> {
    let ids: BTreeSet<String> = items.into_iter().map(|item| item.id).filter(|id| !id.is_empty()).collect();
    ids.into_iter().collect()
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
    match job.list(&teams_request().query("$select", "id")).await {
        Err(error) if is_refused(&error) => {
            let groups = job.list(&groups_request().query("$select", "id")).await;
            groups.map(sorted).map_err(|second| if is_refused(&second) { error } else { second })
        }
        teams => teams.map(sorted),
    }
}

fn named(ids: &[String]) -> Vec<String> {
    ids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// <https://learn.microsoft.com/graph/api/user-list>: 100 by default, 999 at most.
pub const USERS_PAGE: u32 = 999;

/// The ids of the users that the options name, or of all, sorted.
///
/// Without permission for `/users` the users are those who are members of a team.
pub async fn users(job: &Job) -> Result<Vec<String>> {
    if let Some(scopes) = &job.scopes {
        return Ok(named(scopes));
    }
    if !job.options.user_ids.is_empty() {
        return Ok(named(&job.options.user_ids));
    }
    let request =
        Request::new(&endpoint::USERS, &["users"], "all users").query("$select", "id").query("$top", USERS_PAGE);
    match job.list(&request).await {
        Err(Error::PermissionDenied(_)) => {
            job.report().note(format!(
                "/users is refused, so users are taken from the members of the teams: people in no team are missing. \
                 Grant {} to read all",
                endpoint::USERS.permission
            ));
            members_of_teams(job).await
        }
        users => users.map(sorted),
    }
}

async fn members_of_teams(job: &Job) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Member {
        #[serde(rename = "userId")]
        user_id: Option<String>,
    }
    let mut users = BTreeSet::new();
    for team in teams(job).await? {
        match job.list::<Member>(&members_request(job, &team)).await {
            Ok(members) => users.extend(members.into_iter().filter_map(|member| member.user_id)),
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

/// The channels of a team that the options name, or all of them, sorted.
pub async fn channels(job: &Job, team: &str) -> Result<Vec<Child>> {
    #[derive(Deserialize)]
    struct Channel {
        id: String,
        #[serde(rename = "membershipType")]
        membership: Option<String>,
    }
    if !job.options.channel_ids.is_empty() {
        let ids = named(&job.options.channel_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let request = channels_request(team).query("$select", "id,membershipType");
    let mut channels: Vec<Child> = job
        .list::<Channel>(&request)
        .await?
        .into_iter()
        .map(|channel| Child {
            is_special: channel.membership.is_some_and(|membership| membership != "standard"),
            id: channel.id,
            active: None,
        })
        .collect();
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

/// The chats of a user, of the types the options ask for, sorted.
pub async fn chats(job: &Job, user: &str) -> Result<Vec<Child>> {
    #[derive(Deserialize)]
    struct Chat {
        id: String,
        #[serde(rename = "chatType")]
        kind: Option<String>,
        #[serde(rename = "lastUpdatedDateTime")]
        updated: Option<String>,
        #[serde(rename = "lastMessagePreview")]
        preview: Option<Preview>,
    }
    #[derive(Deserialize)]
    struct Preview {
        #[serde(rename = "createdDateTime")]
        created: Option<String>,
    }
    if !job.options.chat_ids.is_empty() {
        let ids = named(&job.options.chat_ids);
        return Ok(ids.into_iter().map(|id| Child { id, is_special: false, active: None }).collect());
    }
    let time = |text: Option<String>| -> Option<Timestamp> { parse_timestamp(&text?) };
    let types: Vec<String> = job.options.chat_types.iter().map(|kind| kind.as_str().to_owned()).collect();
    let is_wanted =
        |chat: &Chat| job.options.takes_all_chats() || chat.kind.as_ref().is_none_or(|kind| types.contains(kind));
    let request = chats_request(job, user).query("$expand", "lastMessagePreview");
    let mut chats: Vec<Child> = job
        .list::<Chat>(&request)
        .await?
        .into_iter()
        .filter(is_wanted)
        .map(|chat| {
            // Without a preview nobody can tell whether something was said, so the chat counts as active.
            let said = chat.preview.and_then(|preview| time(preview.created));
            Child { active: said.max(said.and(time(chat.updated))), id: chat.id, is_special: false }
        })
        .collect();
    chats.sort_by(|a, b| a.id.cmp(&b.id));
    chats.dedup_by(|a, b| a.id == b.id);
    Ok(chats)
}
