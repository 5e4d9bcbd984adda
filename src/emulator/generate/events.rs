//! System events: the polymorphic `eventDetail`.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::generate::message::{Draft, user_identity};
use crate::generate::setting::Setting;
use crate::tenant::clock::iso;
use crate::tenant::model::Sender;

struct Scene<'a> {
    team: &'a str,
    conversation: &'a str,
    actor: &'a str,
    other: &'a str,
    at_ms: i64,
    is_chat: bool,
}

/// The `n`th variant. The last one is a type that no metadata knows yet.
fn detail(n: usize, scene: &Scene<'_>) -> Value {
    let initiator = user_identity(scene.actor, None);
    let member = json!({"id": scene.other, "displayName": null, "userIdentityType": "aadUser"});
    let call = "0f3c6a52-77aa-4f0e-9d1b-2f6a0c9e4d11";
    let (kind, mut fields) = match n % 10 {
        0 => ("membersAdded", json!({"visibleHistoryStartDateTime": "0001-01-01T00:00:00Z", "members": [member]})),
        1 => ("membersDeleted", json!({"members": [member]})),
        2 => ("callStarted", json!({"callId": call, "callEventType": "meeting"})),
        3 => (
            "callEnded",
            json!({
                "callId": call, "callDuration": "PT12M7.5S", "callEventType": "meeting",
                "callParticipants": [{"participant": user_identity(scene.other, None)}],
            }),
        ),
        4 if scene.is_chat => {
            ("chatRenamed", json!({"chatId": scene.conversation, "chatDisplayName": "Renamed – again"}))
        }
        4 => ("channelAdded", json!({"channelId": scene.conversation, "channelDisplayName": "A channel"})),
        5 if scene.is_chat => {
            ("meetingPolicyUpdated", json!({"meetingChatId": scene.conversation, "meetingChatEnabled": true}))
        }
        5 => ("teamRenamed", json!({"teamId": scene.team, "teamDisplayName": "A \"new\" name"})),
        6 => (
            "teamsAppInstalled",
            json!({"teamsAppId": "1c256a65-83a6-4b5c-9ccf-78f8afb6f1e8", "teamsAppDisplayName": "Notes"}),
        ),
        7 => ("messagePinned", json!({"eventDateTime": iso(scene.at_ms)})),
        8 => (
            "conversationMemberRoleUpdated",
            json!({"conversationMemberRoles": ["owner"], "conversationMemberUser": member}),
        ),
        _ => ("canvasPlaced", json!({"canvas": {"shape": "unheard of", "layers": [1, 2.5, null]}})),
    };
    fields["@odata.type"] = json!(format!("#microsoft.graph.{kind}EventMessageDetail"));
    fields["initiator"] = initiator;
    fields
}

/// Turns a draft into a system event by a member.
pub fn apply(n: usize, draft: &mut Draft, rng: &mut StdRng, setting: &Setting<'_>) {
    let actor = &setting.tenant.users[setting.member(rng)].id;
    let other = &setting.tenant.users[setting.member(rng)].id;
    let conversation = setting.conversation;
    let scene = Scene { team: setting.team, conversation, actor, other, at_ms: draft.id, is_chat: setting.is_chat };
    draft.event = Some(detail(n, &scene));
    draft.sender = Sender::Nobody;
    draft.from = json!(null);
    draft.content = Some("<systemEventMessage/>".to_owned());
    draft.subject = None;
    draft.history = None;
}
