//! The chats of the tenant a seed stands for.

use std::collections::HashMap;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::tenant::clock::iso;
use crate::tenant::ids::guid;
use crate::tenant::model::{Chat, Object, Tenant, Thread, object};

/// Mostly pairs, some groups, one group above the 25 members that `$expand=members` shows.
pub fn pick_chat_members(tenant: &mut Tenant, rng: &mut StdRng, n: usize) -> Vec<usize> {
    let live: Vec<usize> = (0..tenant.users.len()).filter(|&user| tenant.users[user].removal.is_none()).collect();
    let wanted = match n % 5 {
        0 | 1 => 2,
        2 => 3,
        3 => 5,
        _ => 30,
    };
    let start = rng.random_range(0..live.len());
    (0..wanted.min(live.len())).map(|step| live[(start + step) % live.len()]).collect()
}

pub fn add_chat(tenant: &mut Tenant, rng: &mut StdRng, n: usize, members: Vec<usize>, created_ms: i64) -> usize {
    let (kind, id) = if members.len() == 2 {
        let (a, b) = (&tenant.users[members[0]].id, &tenant.users[members[1]].id);
        let taken = format!("19:{a}_{b}@unq.gbl.spaces");
        if tenant.chat_index.contains_key(&taken) {
            ("group", format!("19:{:032x}@thread.v2", rng.random::<u128>()))
        } else {
            ("oneOnOne", taken)
        }
    } else if n % 5 == 3 {
        ("meeting", format!("19:meeting_{:032x}@thread.v2", rng.random::<u128>()))
    } else {
        ("group", format!("19:{:032x}@thread.v2", rng.random::<u128>()))
    };
    let created = created_ms + n as i64 * 7_200_503;
    let organizer = &tenant.users[members[0]].id;
    let meeting = json!({
        "calendarEventId": null,
        "joinWebUrl": format!("https://teams.microsoft.com/l/meetup-join/{n}"),
        "organizer": {"id": organizer, "displayName": null, "userIdentityType": "aadUser"},
    });
    let properties = object(json!({
        "id": id,
        "topic": if kind == "oneOnOne" || n % 5 == 2 { Value::Null } else { json!(format!("Topic {n}: café & crème")) },
        "createdDateTime": iso(created),
        "lastUpdatedDateTime": iso(created + 86_400_510),
        "chatType": kind,
        "webUrl": format!("https://teams.microsoft.com/l/chat/{n}/0?tenantId={}", tenant.id),
        "tenantId": tenant.id,
        "onlineMeetingInfo": if kind == "meeting" { meeting } else { Value::Null },
        "viewpoint": null,
        "isHiddenForAllMembers": false,
        "migrationMode": null,
        "originalCreatedDateTime": null,
    }));
    let at = tenant.chats.len();
    for &member in &members {
        tenant.users[member].chats.push(at);
    }
    tenant.chat_index.insert(id.clone(), at);
    let history = HashMap::new();
    tenant.chats.push(Chat { id, properties, members, history, thread: Thread::default(), unlisted: false });
    at
}

/// A chat that the export of its one member holds and no list shows. No path leads to it.
pub fn add_unlisted_chat(tenant: &mut Tenant, rng: &mut StdRng, n: usize) {
    let user = n % tenant.users.len();
    let id = if n.is_multiple_of(2) {
        format!("19:{}_{}@unq.gbl.spaces", tenant.users[user].id, guid(rng))
    } else {
        format!("19:{:032x}@thread.v2", rng.random::<u128>())
    };
    tenant.users[user].chats.push(tenant.chats.len());
    let (properties, thread) = (Object::new(), Thread::default());
    let history = HashMap::new();
    tenant.chats.push(Chat { id, properties, members: vec![user], history, thread, unlisted: true });
}
