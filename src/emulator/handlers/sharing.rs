//! Which teams a shared channel is shared with, and which teams were deleted.

use serde_json::{Value, json};

use crate::handlers::call::Call;
use crate::handlers::list::{Rules, page};
use crate::http::error::{GraphError, Outcome};
use crate::tenant::model::{Channel, Membership, Team, Tenant};
use crate::tenant::visibility::is_recycled;

/// The host, then the teams that see the channel as incoming.
pub fn teams(tenant: &Tenant, host: &Team, channel: &Channel) -> Vec<Value> {
    let row = |team: &Team, is_host: bool| {
        json!({
            "@odata.type": "#microsoft.graph.sharedWithChannelTeamInfo",
            "id": team.id, "displayName": team.properties["displayName"], "tenantId": tenant.id, "isHostTeam": is_host,
        })
    };
    std::iter::once(row(host, true)).chain(tenant.invited(channel).map(|team| row(team, false))).collect()
}

pub fn list_teams(call: &Call<'_>) -> Outcome {
    let (team, channel) = call.channel()?;
    if channel.membership != Membership::Shared {
        return Err(GraphError::bad_request("The operation is allowed only for shared channels."));
    }
    let rules = Rules { options: &["$filter"], counted: true, ..Rules::default() };
    let context = format!("teams('{}')/channels('{}')/sharedWithTeams", team.id, channel.id);
    page(call, &context, rules, teams(call.tenant, team, channel))
}

/// Teams that can still be restored: their ids and nothing else.
pub fn deleted(tenant: &Tenant, now_ms: i64) -> Vec<Value> {
    let gone = tenant.groups.iter().filter(|group| group.is_team && is_recycled(now_ms, group.removal));
    gone.map(|group| json!({"@odata.type": "#microsoft.graph.deletedTeam", "id": group.id})).collect()
}

pub fn list_deleted(call: &Call<'_>) -> Outcome {
    let rules = Rules { options: &["$filter", "$top"], counted: true, ..Rules::default() };
    page(call, "teamwork/deletedTeams", rules, deleted(call.tenant, call.now_ms))
}
