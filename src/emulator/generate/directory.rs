//! Users, groups, teams and channels, as the generator and later changes add them.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::generate::words::{CHANNELS, DEPARTMENTS, FAMILY, GIVEN, TEAMS, TITLES, pick};
use crate::tenant::clock::iso;
use crate::tenant::ids::guid;
use crate::tenant::model::{
    Access, Channel, Group, Member, Membership, Object, Role, Team, Tenant, Thread, User, object,
};

pub fn add_user(tenant: &mut Tenant, rng: &mut StdRng, created_ms: i64) -> usize {
    let id = guid(rng);
    let (given, family) = (pick(rng, GIVEN), pick(rng, FAMILY));
    let n = tenant.users.len();
    let guest = n % 11 == 10;
    let upn = if guest {
        format!("guest{n}_elsewhere.example#EXT#@{}", tenant.domain)
    } else {
        format!("user{n}@{}", tenant.domain)
    };
    let phones = if n.is_multiple_of(3) { json!([format!("+1 555 01{:02}", n % 100)]) } else { json!([]) };
    let properties = object(json!({
        "id": id,
        "businessPhones": phones,
        "displayName": format!("{given} {family}"),
        "givenName": given,
        "jobTitle": if n.is_multiple_of(4) { Value::Null } else { json!(pick(rng, TITLES)) },
        "mail": if guest { Value::Null } else { json!(upn) },
        "mobilePhone": null,
        "officeLocation": if n.is_multiple_of(2) { json!(format!("{}/{}", n % 9, 1000 + n)) } else { Value::Null },
        "preferredLanguage": "en-US",
        "surname": family,
        "userPrincipalName": upn,
        "accountEnabled": n % 17 != 16,
        "assignedPlans": [],
        "city": null,
        "companyName": "Emulated",
        "country": "NL",
        "createdDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "deletedDateTime": null,
        "department": pick(rng, DEPARTMENTS),
        "employeeId": format!("E{n:05}"),
        "externalUserState": if guest { json!("Accepted") } else { Value::Null },
        "onPremisesSyncEnabled": null,
        "otherMails": [],
        "proxyAddresses": if guest { json!([]) } else { json!([format!("SMTP:{upn}")]) },
        "usageLocation": "NL",
        "userType": if guest { "Guest" } else { "Member" },
    }));
    tenant.user_index.insert(id.clone(), n);
    let seq = tenant.seq;
    tenant.users.push(User {
        id,
        properties,
        seq,
        created_seq: seq,
        changes: Vec::new(),
        chats: Vec::new(),
        removal: None,
        unlicensed: false,
        steps: Vec::new(),
    });
    n
}

pub fn add_team(tenant: &mut Tenant, rng: &mut StdRng, created_ms: i64, access: Access, members: usize) -> usize {
    let id = guid(rng);
    let n = tenant.teams.len();
    let name = format!("{} {n}", TEAMS[n % TEAMS.len()]);
    let visibility = if n % 3 == 2 { "public" } else { "private" };
    let mut people: Vec<Member> = Vec::new();
    let start = rng.random_range(0..tenant.users.len());
    for step in 0..members.min(tenant.users.len()) {
        let user = (start + step) % tenant.users.len();
        if tenant.users[user].removal.is_some() {
            continue;
        }
        let guest = tenant.users[user].properties["userType"] == "Guest";
        let role = if people.is_empty() && !guest {
            Role::Owner
        } else if guest {
            Role::Guest
        } else {
            Role::Member
        };
        people.push(Member { user, role });
    }
    add_group(tenant, &id, &name, n, created_ms, visibility, &people);
    let properties = team_properties(tenant, &id, &name, n, created_ms, visibility);
    tenant.team_index.insert(id.clone(), n);
    tenant.teams.push(Team { id, properties, channels: Vec::new(), incoming: Vec::new(), members: people, access });
    n
}

/// A team without members or channels, as migration mode makes it.
pub fn add_empty_team(tenant: &mut Tenant, id: &str, name: &str, description: &Value, created_ms: i64) -> usize {
    let n = tenant.teams.len();
    add_group(tenant, id, name, n, created_ms, "private", &[]);
    let mut properties = team_properties(tenant, id, name, n, created_ms, "private");
    for (key, value) in [
        ("description", description.clone()),
        ("createdDateTime", json!(iso(created_ms))),
        ("isArchived", json!(false)),
    ] {
        properties.insert(key.to_owned(), value);
    }
    tenant.team_index.insert(id.to_owned(), n);
    let (channels, incoming, members) = (Vec::new(), Vec::new(), Vec::new());
    tenant.teams.push(Team { id: id.to_owned(), properties, channels, incoming, members, access: Access::Open });
    n
}

/// A channel as a request asks for it.
pub fn add_named_channel(
    tenant: &mut Tenant,
    team: usize,
    id: &str,
    name: &str,
    description: &Value,
    membership: Membership,
    created_ms: i64,
) -> usize {
    let owner = &tenant.teams[team];
    let url_id = id.replace(':', "%3A").replace('@', "%40");
    let properties = object(json!({
        "id": id,
        "createdDateTime": iso(created_ms),
        "displayName": name,
        "description": description,
        "isFavoriteByDefault": null,
        "email": "",
        "tenantId": tenant.id,
        "webUrl": format!("https://teams.microsoft.com/l/channel/{url_id}/c?groupId={}&tenantId={}", owner.id, tenant.id),
        "membershipType": membership.as_str(),
        "isArchived": false,
        "layoutType": "post",
        "migrationMode": null,
        "originalCreatedDateTime": null,
    }));
    let channels = &mut tenant.teams[team].channels;
    let (members, thread) = (Vec::new(), Thread::default());
    channels.push(Channel { id: id.to_owned(), properties, membership, members, thread, removed: false });
    channels.len() - 1
}

fn add_group(
    tenant: &mut Tenant,
    id: &str,
    name: &str,
    n: usize,
    created_ms: i64,
    visibility: &str,
    people: &[Member],
) {
    let nickname = format!("team{n}");
    let mail = format!("{nickname}@{}", tenant.domain);
    let properties = object(json!({
        "id": id,
        "deletedDateTime": null,
        "classification": null,
        "createdDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "creationOptions": ["Team", "ExchangeProvisioningFlags:3552"],
        "description": format!("The group of {name}"),
        "displayName": name,
        "expirationDateTime": null,
        "groupTypes": ["Unified"],
        "isAssignableToRole": null,
        "mail": mail,
        "mailEnabled": true,
        "mailNickname": nickname,
        "membershipRule": null,
        "preferredLanguage": null,
        "proxyAddresses": [format!("SMTP:{mail}")],
        "renewedDateTime": iso(created_ms - created_ms.rem_euclid(1000)),
        "resourceBehaviorOptions": ["HideGroupInOutlook"],
        "resourceProvisioningOptions": ["Team"],
        "securityEnabled": false,
        "theme": null,
        "visibility": if visibility == "public" { "Public" } else { "Private" },
    }));
    let owners = people.iter().filter(|member| member.role == Role::Owner).map(|member| member.user).collect();
    let members = people.iter().map(|member| member.user).collect();
    tenant.group_index.insert(id.to_owned(), tenant.groups.len());
    let seq = tenant.seq;
    let (is_team, removal, member_changes) = (true, None, Vec::new());
    tenant.groups.push(Group {
        id: id.to_owned(),
        properties,
        seq,
        created_seq: seq,
        members,
        owners,
        member_changes,
        is_team,
        removal,
        steps: Vec::new(),
    });
}

fn team_properties(tenant: &Tenant, id: &str, name: &str, n: usize, created_ms: i64, visibility: &str) -> Object {
    let thread = format!("19:{}@thread.tacv2", id.replace('-', ""));
    object(json!({
        "id": id,
        "createdDateTime": iso(created_ms + n as i64 * 61_237),
        "displayName": name,
        "description": if n % 4 == 3 { Value::Null } else { json!(format!("What {name} works on – \"all\" of it")) },
        "internalId": thread,
        "classification": null,
        "specialization": "none",
        "visibility": visibility,
        "webUrl": format!("https://teams.microsoft.com/l/team/{thread}/conversations?groupId={id}&tenantId={}", tenant.id),
        "isArchived": n == 1,
        "tenantId": tenant.id,
        "isMembershipLimitedToOwners": false,
        "memberSettings": {
            "allowCreateUpdateChannels": true, "allowCreatePrivateChannels": true, "allowDeleteChannels": n.is_multiple_of(2),
            "allowAddRemoveApps": true, "allowCreateUpdateRemoveTabs": true, "allowCreateUpdateRemoveConnectors": true,
        },
        "guestSettings": {"allowCreateUpdateChannels": false, "allowDeleteChannels": false},
        "messagingSettings": {
            "allowUserEditMessages": true, "allowUserDeleteMessages": true, "allowOwnerDeleteMessages": true,
            "allowTeamMentions": true, "allowChannelMentions": true,
        },
        "funSettings": {
            "allowGiphy": true, "giphyContentRating": "moderate", "allowStickersAndMemes": true, "allowCustomMemes": true,
        },
        "discoverySettings": {"showInTeamsSearchAndSuggestions": true},
        "summary": null,
    }))
}

pub fn add_channel(tenant: &mut Tenant, rng: &mut StdRng, team: usize, n: usize, created_ms: i64) -> usize {
    let id = format!("19:{:032x}@thread.tacv2", rng.random::<u128>());
    let name = if n == 0 { "General".to_owned() } else { format!("{} {n}", CHANNELS[n % CHANNELS.len()]) };
    // Every fourth channel is private; every second team shares its third one.
    let membership = match n % 4 {
        1 => Membership::Private,
        2 if team.is_multiple_of(2) => Membership::Shared,
        _ => Membership::Standard,
    };
    let owner = &tenant.teams[team];
    let members = if membership == Membership::Standard {
        Vec::new()
    } else {
        owner.members.iter().take(owner.members.len().div_ceil(2)).cloned().collect()
    };
    let url_id = id.replace(':', "%3A").replace('@', "%40");
    let properties = object(json!({
        "id": id,
        "createdDateTime": iso(created_ms + 120_011 + n as i64 * 3_605_117),
        "displayName": name,
        "description": if n.is_multiple_of(2) { json!(format!("About {name}")) } else { Value::Null },
        "isFavoriteByDefault": null,
        "email": format!("{:08x}.{}@emea.teams.ms", rng.random::<u32>(), tenant.domain),
        "tenantId": tenant.id,
        "webUrl": format!("https://teams.microsoft.com/l/channel/{url_id}/c?groupId={}&tenantId={}", owner.id, tenant.id),
        "membershipType": membership.as_str(),
        "isArchived": owner.properties["isArchived"],
        "layoutType": "post",
        "migrationMode": null,
        "originalCreatedDateTime": null,
    }));
    let channels = &mut tenant.teams[team].channels;
    channels.push(Channel { id, properties, membership, members, thread: Thread::default(), removed: false });
    channels.len() - 1
}
