//! One Graph request, in memory: permission, throttle, endpoint. Batches come through here as well.

use std::sync::PoisonError;

use super::answer::Outcome;
use super::call::Call;
use super::errors::Refusal;
use super::faults::{FaultKind, Strike};
use super::filter::Grammar;
use super::log::RequestLogEntry;
use super::odata::Query;
use super::router::{Endpoint, Route, route};
use super::state::Shared;
use super::{
    apps, archive, channels, chats, directory, directory_delta, export, groups_mail, hosted, meetings, message_delta,
    messages, permissions, reports, schedule, sharing, tags, teams, throttle,
};

/// The parts of a request that decide the answer.
#[derive(Clone, Default)]
pub struct Head {
    pub method: String,
    /// With `/v1.0`, undecoded.
    pub path: String,
    pub raw_query: String,
    /// `http://host:port`.
    pub base: String,
    pub authorization: Option<String>,
    pub prefer: Option<String>,
    pub client_request_id: Option<String>,
    pub user_agent: Option<String>,
    pub connection: u64,
    pub batched: bool,
}

pub fn template_of(route: Option<&Route>) -> &'static str {
    route.map_or("(unknown)", |route| route.endpoint.template())
}

pub fn route_of(head: &Head) -> Option<Route> {
    head.path.strip_prefix("/v1.0").and_then(route)
}

/// The faults that strike this request.
pub fn strike(shared: &Shared, head: &Head, template: &str) -> Strike {
    let target =
        if head.raw_query.is_empty() { head.path.clone() } else { format!("{}?{}", head.path, head.raw_query) };
    let decoded = percent_encoding::percent_decode_str(&target).decode_utf8_lossy();
    shared.faults.lock().unwrap_or_else(PoisonError::into_inner).take(&head.method, &decoded, template)
}

/// A fault that stands in for the endpoint's answer.
fn instead(strike: &Strike) -> Option<Refusal> {
    let rule = strike.other.as_ref()?;
    match rule.kind {
        FaultKind::Status => {
            let mut refusal = Refusal::of_status(rule.status);
            if let Some(code) = &rule.code {
                refusal.code.clone_from(code);
            }
            if let Some(message) = &rule.message {
                refusal.message.clone_from(message);
            }
            if let Some(value) = &rule.retry_after {
                refusal.headers.push(("Retry-After", value.clone()));
            }
            Some(refusal)
        }
        FaultKind::ExpiredToken => Some(Refusal::unauthenticated("Lifetime validation failed, the token is expired.")),
        FaultKind::NoAuthorizationInformation => {
            Some(Refusal::new(403, "Forbidden", "No authorization information present on the request."))
        }
        _ => None,
    }
}

fn authenticate(shared: &Shared, head: &Head) -> Result<(), Refusal> {
    let token = head.authorization.as_deref().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(token) = token else {
        return Err(Refusal::unauthenticated("Access token is empty."));
    };
    let tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    if tokens.is_valid(token) {
        Ok(())
    } else {
        Err(Refusal::unauthenticated("Lifetime validation failed, the token is expired."))
    }
}

fn prefers(head: &Head, wanted: &str) -> bool {
    head.prefer
        .as_deref()
        .is_some_and(|values| values.split([',', ';']).any(|value| value.trim().eq_ignore_ascii_case(wanted)))
}

/// Answers one request of the Graph, batches excepted.
pub fn answer(shared: &Shared, head: &Head, route: Option<&Route>, strike: &Strike) -> Outcome {
    if let Some(refusal) = instead(strike) {
        return Err(refusal);
    }
    authenticate(shared, head)?;
    let Some(route) = route else {
        let segment = head.path.rsplit('/').next().unwrap_or_default();
        return Err(Refusal::bad_request(format!("Resource not found for the segment '{segment}'.")));
    };
    if head.method != "GET" {
        return Err(Refusal::method_not_allowed());
    }
    let knobs = shared.knobs();
    let tenant = shared.tenant.read().unwrap_or_else(PoisonError::into_inner);
    let query = Query::parse(&head.raw_query);
    let now_ms = shared.clock.now_ms();
    shared.throttle.lock().unwrap_or_else(PoisonError::into_inner).admit(
        route,
        &query,
        &knobs,
        tenant.users.len(),
        now_ms,
    )?;
    let consents = head.path.contains("/teams") && route.ids.first().is_some_and(|id| knobs.rsc_team_ids.contains(id));
    let roles: Vec<String> = knobs.roles.iter().cloned().collect();
    permissions::check(route.endpoint, &roles, consents)?;
    let call = Call {
        tenant: &tenant,
        knobs: &knobs,
        now_ms,
        base: &head.base,
        path: &head.path,
        raw_query: &head.raw_query,
        query: &query,
        route,
        known_enums: prefers(head, "include-unknown-enum-members"),
        minimal: prefers(head, "return=minimal"),
        roles: &roles,
        shape: &strike.shape,
    };
    let mut answer = endpoint(&call)?;
    if throttle::costs_units(route.endpoint) {
        let units = throttle::resource_units(route.endpoint, &query);
        answer.headers.push(("x-ms-resource-unit", units.to_string()));
    }
    Ok(answer)
}

fn endpoint(call: &Call<'_>) -> Outcome {
    use Endpoint as E;
    match call.route.endpoint {
        E::Users => directory::users(call),
        E::UsersDelta => directory_delta::users(call),
        E::User => directory::user(call),
        E::UserChats => chats::of_user(call),
        E::UserExport => export::user(call, Grammar::UserExport),
        E::UserRetained => export::user(call, Grammar::TeamExport),
        E::UserExportDelta => message_delta::user_chats(call),
        E::JoinedTeams => teams::joined(call),
        E::Groups => directory::groups(call),
        E::GroupsDelta => directory_delta::groups(call),
        E::Group => directory::group(call),
        E::GroupMembers | E::GroupTransitiveMembers => directory::group_people(call, false),
        E::GroupOwners => directory::group_people(call, true),
        E::DeletedUsers => directory::deleted(call, true),
        E::DeletedGroups => directory::deleted(call, false),
        E::Teams => teams::list(call),
        E::Team | E::GroupTeam => teams::get(call),
        E::Channels => channels::list(call),
        E::AllChannels => channels::all(call, true),
        E::IncomingChannels => channels::all(call, false),
        E::PrimaryChannel => channels::primary(call),
        E::TeamMembers => teams::members(call),
        E::TeamExport => export::team(call),
        E::TeamRetained => archive::retained(call),
        E::CallRecords => meetings::list_calls(call),
        E::Transcripts => meetings::list_artifacts(call, false),
        E::TranscriptContent => meetings::transcript(call),
        E::Recordings => meetings::list_artifacts(call, true),
        E::DeletedTeamExport => archive::deleted_team(call),
        E::Channel => channels::get(call),
        E::ChannelMembers => channels::members(call, false),
        E::ChannelAllMembers => channels::members(call, true),
        E::ChannelMessages => messages::list(call),
        E::ChannelMessagesDelta => message_delta::channel(call),
        E::ChannelMessage => messages::get(call),
        E::Replies => messages::replies_of(call),
        E::Reply => messages::reply(call),
        E::HostedContents => messages::hosted(call),
        E::HostedContentValue => messages::hosted_value(call),
        E::Chats => chats::all(),
        E::Chat => chats::get(call),
        E::ChatMembers => chats::members(call),
        E::ChatMessages => chats::messages(call),
        E::ChatMessage => chats::message(call),
        E::GroupConversations => groups_mail::list_conversations(call),
        E::GroupThreads => groups_mail::list_threads(call),
        E::ThreadPosts => groups_mail::list_posts(call),
        E::GroupDrives => groups_mail::list_drives(call),
        E::UserApps => apps::of_user(call),
        E::DeletedTeams => sharing::list_deleted(call),
        E::TeamApps => apps::of_team(call),
        E::TeamTags => tags::list(call),
        E::TagMembers => tags::list_members(call),
        E::Schedule => schedule::get(call),
        E::Shifts => schedule::list_shifts(call),
        E::SharedWithTeams => sharing::list_teams(call),
        E::ChannelTabs => apps::channel_tabs(call),
        E::ChatApps => apps::of_chat(call),
        E::ChatTabs => apps::chat_tabs(call),
        E::DeviceReport => reports::device_usage(call),
        E::ChatHostedContents => hosted::list(call),
        E::ChatHostedContentValue => hosted::value(call),
        E::Batch => Err(Refusal::bad_request("A batch cannot hold a batch.")),
    }
}

pub fn log(shared: &Shared, head: &Head, template: &str, status: u16, retry_after: Option<String>) {
    let entry = RequestLogEntry {
        method: head.method.clone(),
        path: head.path.clone(),
        query: head.raw_query.clone(),
        template: template.to_owned(),
        status,
        at_ms: shared.started.elapsed().as_millis() as u64,
        connection: head.connection,
        batched: head.batched,
        retry_after,
        client_request_id: head.client_request_id.clone(),
        prefer: head.prefer.clone(),
        user_agent: head.user_agent.clone(),
    };
    shared.log.lock().unwrap_or_else(PoisonError::into_inner).add(entry);
}
